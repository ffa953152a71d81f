/** Property tests for functions of arrays: arbitraries for fast-check, and checks of gradients. */
export { type CheckGradsOptions, type GradMode, checkGrads } from './checkGrads.ts'
export { CheckError, type Tolerance, allClose, expectClose, toleranceOf } from './close.ts'
