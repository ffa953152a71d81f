/** Shapes: broadcasting, reshaping, joining, and arrays made of numbers. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype, isFloat } from '../dtype.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { convert } from '../primitive/elementwise.ts'
import * as raw from '../primitive/movement.ts'
import { type Shape, broadcastShapes as commonShape, normalAxis, range, sameShape } from '../shape.ts'
import { numberAs, operand, operands } from './operands.ts'

/**
 * The shape to which the given ones broadcast as in NumPy.
 *
 * @throws ShapeError if they do not
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.broadcastShapes([3, 1], [2]) // => [3, 2]
 * ```
 */
export const broadcastShapes = (...shapes: readonly Shape[]): number[] => commonShape('broadcastShapes', ...shapes)

/**
 * Repeat an array along new leading axes of the given sizes.
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.broadcast(np.array([1, 2]), [2]) // => [[1, 2], [1, 2]]
 * ```
 */
export function broadcast(x: ArrayLike, sizes: Shape): NDArray {
  const array = operand('broadcast', x)
  return sizes.length === 0
    ? array
    : raw.broadcastInDim(array, [...sizes, ...array.shape], range(array.ndim, sizes.length))
}

/**
 * Place the axes of `x` among those of `shape`, and repeat along the others and along axes of size 1.
 *
 * @param broadcastDimensions for each axis of `x` its place in `shape`, ascending
 * @throws ShapeError if an axis is neither of size 1 nor of the size at its place
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.broadcastInDim(np.array([1, 2]), [2, 3], [0]) // => [[1, 1, 1], [2, 2, 2]]
 * ```
 */
export const broadcastInDim = (x: ArrayLike, shape: Shape, broadcastDimensions: readonly number[]): NDArray =>
  raw.broadcastInDim(operand('broadcastInDim', x), shape, broadcastDimensions)

/** Add leading axes of size 1 up to the given rank. */
export function broadcastToRank(x: ArrayLike, rank: number): NDArray {
  const array = operand('broadcastToRank', x)
  if (rank < array.ndim)
    throw new ShapeError(misuse('broadcastToRank', `a rank of at least ${array.ndim}`, String(rank)))
  return rank === array.ndim ? array : raw.expandDims(array, range(rank - array.ndim))
}

/**
 * The same elements, in row-major order, under another shape.
 *
 * @param options `dimensions`: the order in which axes are read, if not their own
 * @throws ShapeError if the number of elements differs
 */
export function reshape(x: ArrayLike, newSizes: Shape, options: { dimensions?: readonly number[] } = {}): NDArray {
  checkOptions('reshape', options, ['dimensions'])
  const array = operand('reshape', x)
  const ordered = options.dimensions === undefined ? array : raw.transpose(array, options.dimensions)
  return sameShape(ordered.shape, newSizes) ? ordered : raw.reshape(ordered, newSizes)
}

/**
 * Merge the axes from `startDimension` up to, not including, `stopDimension` into one.
 *
 * @param options `stopDimension`: the rank by default
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.collapse(np.zeros([2, 3, 4]), 1).shape // => [2, 12]
 * ```
 */
export function collapse(x: NDArray, startDimension: number, options: { stopDimension?: number } = {}): NDArray {
  checkOptions('collapse', options, ['stopDimension'])
  const { stopDimension = x.ndim } = options
  const [start, stop] = [startDimension, stopDimension].map((at) => (at < 0 ? at + x.ndim : at)) as [number, number]
  if (!(start >= 0 && start < stop && stop <= x.ndim)) {
    throw new ShapeError(
      misuse('collapse', `axes in order from 0 to ${x.ndim}`, `${startDimension} to ${stopDimension}`),
    )
  }
  const merged = x.shape.slice(start, stop).reduce((size, dim) => size * dim, 1)
  return raw.reshape(x, [...x.shape.slice(0, start), merged, ...x.shape.slice(stop)])
}

/** Insert axes of size 1 at these positions of the result. */
export const expandDims = (x: ArrayLike, dimensions: readonly number[]): NDArray =>
  dimensions.length === 0 ? operand('expandDims', x) : raw.expandDims(operand('expandDims', x), dimensions)

/**
 * Drop axes of size 1.
 *
 * @throws ShapeError if one of them has another size
 */
export const squeeze = (x: ArrayLike, dimensions: readonly number[]): NDArray =>
  raw.squeeze(operand('squeeze', x), dimensions)

/**
 * Reorder axes: axis `i` of the result is axis `permutation[i]` of `x`.
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.transpose(np.array([[1, 2, 3]]), [1, 0]) // => [[1], [2], [3]]
 * ```
 */
export function transpose(x: ArrayLike, permutation: readonly number[]): NDArray {
  const array = operand('transpose', x)
  const same = permutation.length === array.ndim && permutation.every((axis, i) => axis === i)
  return same ? array : raw.transpose(array, permutation)
}

/** Reverse the order of elements along axes. */
export const rev = (x: ArrayLike, dimensions: readonly number[]): NDArray => raw.rev(operand('rev', x), dimensions)

/**
 * Pad an array, at the edges and between elements; negative padding crops.
 *
 * @param paddingConfig for each axis `[low, high, interior]`
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.pad(np.array([1, 2, 3]), 0, [[1, -1, 1]]) // => [0, 1, 0, 2, 0]
 * ```
 */
export function pad(
  x: ArrayLike,
  paddingValue: ArrayLike,
  paddingConfig: readonly (readonly [low: number, high: number, interior: number])[],
): NDArray {
  const [array, value] = operands('pad', [x, paddingValue])
  return raw.pad(array!, value!, paddingConfig)
}

/**
 * Join arrays of one dtype along an axis.
 *
 * @throws ShapeError if they differ along another axis
 */
export function concatenate(xs: readonly ArrayLike[], dimension: number): NDArray {
  if (xs.length === 0) throw new ShapeError(misuse('concatenate', 'at least one array', 'none'))
  const arrays = operands('concatenate', xs)
  return raw.concatenate(arrays, normalAxis('concatenate', dimension, arrays[0]!.ndim))
}

/**
 * Cut an array into parts of the given sizes.
 *
 * @param options `axis`: 0 by default
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.split(np.array([1, 2, 3]), [1, 2]) // => [[1], [2, 3]]
 * ```
 */
export function split(x: ArrayLike, sizes: readonly number[], options: { axis?: number } = {}): NDArray[] {
  checkOptions('split', options, ['axis'])
  const array = operand('split', x)
  return raw.split(array, sizes, normalAxis('split', options.axis ?? 0, array.ndim))
}

/**
 * Join arrays of one shape and dtype along a new axis.
 *
 * @param options `axis`: where the new axis stands, 0 by default
 * @throws ShapeError if the shapes differ
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.stack([np.array([1, 2]), np.array([3, 4])], { axis: 1 }) // => [[1, 3], [2, 4]]
 * ```
 */
export function stack(xs: readonly ArrayLike[], options: { axis?: number } = {}): NDArray {
  checkOptions('stack', options, ['axis'])
  if (xs.length === 0) throw new ShapeError(misuse('stack', 'at least one array', 'none'))
  const arrays = operands('stack', xs)
  const axis = normalAxis('stack', options.axis ?? 0, arrays[0]!.ndim + 1)
  if (arrays.some((x) => !sameShape(x.shape, arrays[0]!.shape))) {
    throw new ShapeError(misuse('stack', 'arrays of one shape', arrays.map((x) => showAval(x.aval)).join(' and ')))
  }
  return raw.concatenate(
    arrays.map((x) => raw.expandDims(x, [axis])),
    axis,
  )
}

/**
 * The elements along an axis, each an array without it.
 *
 * @param options `axis`: 0 by default
 */
export function unstack(x: ArrayLike, options: { axis?: number } = {}): NDArray[] {
  checkOptions('unstack', options, ['axis'])
  const array = operand('unstack', x)
  const axis = normalAxis('unstack', options.axis ?? 0, array.ndim)
  const count = array.shape[axis]!
  return count === 0
    ? []
    : raw
        .split(
          array,
          range(count).map(() => 1),
          axis,
        )
        .map((part) => raw.squeeze(part, [axis]))
}

/**
 * Repeat an array as a whole, `reps[i]` times along axis `i`.
 *
 * @throws ShapeError unless there is a count for each axis
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.tile(np.array([[1, 2]]), [2, 2]) // => [[1, 2, 1, 2], [1, 2, 1, 2]]
 * ```
 */
export function tile(x: ArrayLike, reps: readonly number[]): NDArray {
  const array = operand('tile', x)
  if (reps.length !== array.ndim)
    throw new ShapeError(misuse('tile', `${array.ndim} counts for ${showAval(array.aval)}`, String(reps.length)))
  // every axis becomes two, of which the first is repeated
  const pairs = array.shape.flatMap((dim, i) => [reps[i]!, dim])
  const repeated = raw.broadcastInDim(
    array,
    pairs,
    range(array.ndim).map((i) => 2 * i + 1),
  )
  return raw.reshape(
    repeated,
    array.shape.map((dim, i) => dim * reps[i]!),
  )
}

/** Whole numbers from 0 to `size` − 1. */
export const iota = (dtype: DType, size: number): NDArray => raw.iota(dtype, [size], 0)

/**
 * The index along one axis of every element of a shape.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.broadcastedIota('int32', [2, 3], 0) // => [[0, 0, 0], [1, 1, 1]]
 * ```
 */
export const broadcastedIota = (dtype: DType, shape: Shape, dimension: number): NDArray =>
  raw.iota(dtype, shape, normalAxis('broadcastedIota', dimension, shape.length))

/**
 * An array of equal elements.
 *
 * @param options `dtype`: that of the value by default; of a number float32
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.full([2], 7) // => [7, 7]
 * ```
 */
export function full(shape: Shape, fillValue: ArrayLike, options: { dtype?: DType } = {}): NDArray {
  checkOptions('full', options, ['dtype'])
  const dtype = options.dtype === undefined ? undefined : checkDtype('full', options.dtype)
  return filled('full', shape, fillValue, dtype)
}
/** Zeros: an array whose elements are not to matter. */
export const empty = (shape: Shape, dtype: DType): NDArray => filled('empty', shape, 0, checkDtype('empty', dtype))

/**
 * An array of equal elements, of the shape and dtype of another.
 *
 * @param options `dtype` and `shape`, if not those of `x`
 */
export function fullLike(x: ArrayLike, fillValue: ArrayLike, options: { dtype?: DType; shape?: Shape } = {}): NDArray {
  checkOptions('fullLike', options, ['dtype', 'shape'])
  const like = operand('fullLike', x)
  const result = filled(
    'fullLike',
    options.shape ?? like.shape,
    fillValue,
    checkDtype('fullLike', options.dtype ?? like.dtype),
  )
  return options.dtype === undefined ? convert(result, like.dtype, like.weakType) : result
}
function filled(where: string, shape: Shape, fillValue: ArrayLike, dtype: DType | undefined): NDArray {
  if (shape.some((dim) => !Number.isInteger(dim) || dim < 0))
    throw new OptionError(misuse(where, 'whole numbers as sizes', `[${shape.join(',')}]`))
  const value =
    typeof fillValue === 'number' && dtype !== undefined && isFloat(dtype)
      ? numberAs(where, fillValue, dtype)
      : operand(where, fillValue)
  if (value.ndim !== 0)
    throw new ShapeError(
      misuse(where, 'a scalar to fill with', showAval(value.aval), 'lax.broadcastInDim repeats an array'),
    )
  const weak = dtype === undefined && value.weakType
  return raw.broadcastInDim(convert(value, dtype ?? value.dtype, weak), shape, [])
}
