/** `lax`: operations as the primitives have them, without promotion, and structured control flow. */

// elementwise
export * from './arithmetic.ts'
export * from './exponential.ts'
export * from './logic.ts'
export * from './select.ts'
export * from './special.ts'

// shapes, windows, positions
export * from './indexing.ts'
export * from './shapes.ts'
export * from './slicing.ts'

// reductions, sorting, products
export { associativeScan } from './associative.ts'
export * from './convolution.ts'
export { type ReduceWindowOptions, reduceWindow, reduceWith as reduce } from './fold.ts'
export * as linalg from './linalg.ts'
export { type Padding, padtypeToPads } from './padding.ts'
export * from './products.ts'
export * from './reductions.ts'
export { customRoot } from './root.ts'

// control flow and collectives
export { cond, switchCase as switch } from '../control/branches.ts'
export { allGather, axisIndex, axisSize, pmax, pmean, pmin, ppermute, psum } from '../control/collective.ts'
export { type ScanOptions, foriLoop, map, scan, whileLoop } from '../control/loops.ts'
export { stopGradient } from '../transform/autodiff.ts'
