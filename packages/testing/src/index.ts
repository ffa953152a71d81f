/** Property tests for functions of arrays: arbitraries for fast-check, and checks of gradients. */
export { type ArrayOptions, type ShapeOptions, arrays, dtypes, shapes } from './arrays.ts'
export { type CheckGradsOptions, type GradMode, checkGrads } from './checkGrads.ts'
export { CheckError, type Tolerance, allClose, expectClose, toleranceOf } from './close.ts'
export { type Program, type ProgramOptions, programs } from './programs.ts'
export { RegisteredNode, type TreeOptions, trees } from './trees.ts'
export { type TypedProgram, type TypedProgramOptions, typedPrograms } from './typed/programs.ts'
