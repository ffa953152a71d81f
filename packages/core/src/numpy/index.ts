/** `np`: the functions of `jax.numpy`; loading it gives arrays their methods. */
import './methods.ts'
import './movementMethods.ts'

export {
  array,
  asarray,
  empty,
  emptyLike,
  full,
  fullLike,
  type LikeOptions,
  ones,
  onesLike,
  zeros,
  zerosLike,
} from './create.ts'
export * from './ranges.ts'
export * from './grids.ts'
export * from './info.ts'
export * from './types.ts'

// element by element
export * from './ufuncs/arithmetic.ts'
export * from './ufuncs/comparison.ts'
export * from './ufuncs/exponential.ts'
export * from './ufuncs/floats.ts'
export * from './ufuncs/integers.ts'
export * from './ufuncs/rounding.ts'
export * from './ufuncs/selection.ts'
export * from './ufuncs/special.ts'
export * from './ufuncs/trigonometric.ts'
export * from './interpolation.ts'

// over axes
export * from './reductions.ts'
export { type AverageOptions, average, averageWithWeights, mean, std, variance as var } from './statistics.ts'
export * from './nan.ts'
export * from './quantiles.ts'
export {
  type CumulativeFromOptions,
  type DiffOptions,
  type GradientOptions,
  type TrapezoidOptions,
  cumprod,
  cumsum,
  cumulativeProd,
  cumulativeSum,
  diff,
  ediff1d,
  gradient,
  nancumprod,
  nancumsum,
  trapezoid,
} from './cumulative.ts'

// methods of arrays
export type { ArrayMethods } from './methods.ts'
export type { MovementMethods, MovementProperties } from './movementMethods.ts'
export { type Index, type Range, type Slice, ellipsis, newaxis, slice } from './slice.ts'

// moving and joining elements
export * from './manipulation/axes.ts'
export * from './manipulation/bits.ts'
export * from './manipulation/flip.ts'
export {
  type Arrays,
  type Blocks,
  type ConcatenateOptions,
  type StackOptions,
  block,
  columnStack,
  concat,
  concatenate,
  dstack,
  hstack,
  stack,
  unstack,
  vstack,
} from './manipulation/join.ts'
export * from './manipulation/repeat.ts'
export * from './manipulation/shapes.ts'
export * from './manipulation/diagonal.ts'
export * from './manipulation/edit.ts'
export * from './manipulation/pad.ts'
export * from './manipulation/split.ts'

// reading and writing at positions
export type { At } from './indexing/at.ts'
export type { GetOptions, ScatterOptions } from './indexing/get.ts'
export type { Positions } from './indexing/positions.ts'
export * from './indexing/along.ts'
export * from './indexing/take.ts'

// sorting, searching, counting, sets
export * from './sorting/histogram.ts'
export * from './sorting/sets.ts'
export * from './sorting/sort.ts'
export {
  type SearchOptions,
  type SizeOptions,
  argwhere,
  digitize,
  flatnonzero,
  nonzero,
  searchsorted,
} from './sorting/search.ts'

// products
export type { ProductOptions } from './products/contract.ts'
export * as linalg from './linalg/index.ts'
export * from './products/einsum.ts'
export * from './products/matmul.ts'
export * from './products/vectors.ts'

// of whole arrays
export * from './apply.ts'
export * from './covariance.ts'
export * from './polynomials.ts'
export * from './windows.ts'
