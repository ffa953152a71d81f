/** Reductions, positions of extremes, running folds and sorting. */
import type { ArrayLike, NDArray } from '../array.ts'
import type { DType } from '../dtype.ts'
import { OptionError, checkOptions, misuse } from '../errors.ts'
import * as cumulative from '../primitive/cumulative.ts'
import * as raw from '../primitive/reduce.ts'
import * as sorting from '../primitive/sort.ts'
import { normalAxes, normalAxis } from '../shape.ts'
import { operand, operands } from './operands.ts'

type Reduction = (x: ArrayLike, axes: readonly number[]) => NDArray
const reduction =
  (where: string, f: (x: NDArray, axes: readonly number[]) => NDArray): Reduction =>
  (x, axes) => {
    const array = operand(where, x)
    return f(array, normalAxes(where, axes, array.ndim))
  }

/**
 * The sum over axes; 0 over none.
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.reduceSum(np.array([[1, 2], [3, 4]]), [0]) // => [4, 6]
 * ```
 */
export const reduceSum: Reduction = reduction('reduceSum', raw.reduceSum)
/** The product over axes; 1 over none. */
export const reduceProd: Reduction = reduction('reduceProd', raw.reduceProd)
/** The greatest element over axes; −∞, or the least integer, over none. Equal ones share the derivative. */
export const reduceMax: Reduction = reduction('reduceMax', raw.reduceMax)
/** The least element over axes; ∞, or the greatest integer, over none. Equal ones share the derivative. */
export const reduceMin: Reduction = reduction('reduceMin', raw.reduceMin)
/** Whether all elements over axes are true; of integers the bits that all have. */
export const reduceAnd: Reduction = reduction('reduceAnd', raw.reduceAnd)
/** Whether some element over axes is true; of integers the bits that some have. */
export const reduceOr: Reduction = reduction('reduceOr', raw.reduceOr)
/** Whether an odd number of elements over axes is true; likewise for each bit of integers. */
export const reduceXor: Reduction = reduction('reduceXor', raw.reduceXor)

/**
 * The first position of the greatest element along an axis, or of the first NaN.
 *
 * @throws ShapeError if the axis is empty
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.argmax(np.array([1, 3, 3]), 0, 'int32').item() // => 1
 * ```
 */
export function argmax(x: ArrayLike, axis: number, indexDtype: DType): NDArray {
  const array = operand('argmax', x)
  return raw.argmax(array, normalAxis('argmax', axis, array.ndim), indexDtype)
}
/** The first position of the least element along an axis, or of the first NaN; see `argmax`. */
export function argmin(x: ArrayLike, axis: number, indexDtype: DType): NDArray {
  const array = operand('argmin', x)
  return raw.argmin(array, normalAxis('argmin', axis, array.ndim), indexDtype)
}

export interface RunningOptions {
  /** 0 by default. */
  axis?: number
  /** Run from the end. */
  reverse?: boolean
}
type Running = (x: NDArray, options?: RunningOptions) => NDArray
const running =
  (where: string, f: (x: NDArray, axis: number, reverse: boolean) => NDArray): Running =>
  (x, options = {}) => {
    checkOptions(where, options, ['axis', 'reverse'])
    const array = operand(where, x)
    return f(array, normalAxis(where, options.axis ?? 0, array.ndim), options.reverse ?? false)
  }

/**
 * The running sum along an axis.
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.cumsum(np.array([1, 2, 3]), { reverse: true }) // => [6, 5, 3]
 * ```
 */
export const cumsum: Running = running('cumsum', cumulative.cumsum)
/** The running product along an axis. */
export const cumprod: Running = running('cumprod', cumulative.cumprod)
/** The running maximum along an axis. */
export const cummax: Running = running('cummax', cumulative.cummax)
/** The running minimum along an axis. */
export const cummin: Running = running('cummin', cumulative.cummin)
/** The logarithm of the running sum of exponentials along an axis. */
export const cumlogsumexp: Running = running('cumlogsumexp', cumulative.cumlogsumexp)

export interface SortOptions {
  /** The axis to sort along; the last by default. */
  dimension?: number
  /** Equal elements keep their order; they always do. */
  isStable?: boolean
}
/**
 * Sort along an axis, NaN last. Of a list of arrays the first `numKeys` are compared, and all are reordered alike.
 *
 * @param options `dimension`: −1 by default; `numKeys`: 1 by default
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.sort([np.array([2, 1, 2]), np.array([7, 8, 6])], { numKeys: 2 }) // => [[1, 2, 2], [8, 6, 7]]
 * ```
 */
export function sort(x: NDArray, options?: SortOptions): NDArray
export function sort(xs: readonly NDArray[], options?: SortOptions & { numKeys?: number }): NDArray[]
export function sort(
  given: NDArray | readonly NDArray[],
  options: SortOptions & { numKeys?: number } = {},
): NDArray | NDArray[] {
  checkOptions('sort', options, ['dimension', 'isStable', 'numKeys'])
  const list = Array.isArray(given)
  const arrays = operands('sort', list ? (given as readonly NDArray[]) : [given as NDArray])
  if (arrays.length === 0) throw new OptionError(misuse('sort', 'at least one array', 'none'))
  const { isStable = true, numKeys = 1 } = options
  const dimension = normalAxis('sort', options.dimension ?? -1, arrays[0]!.ndim)
  const sorted = sorting.sort(arrays, { dimension, isStable, numKeys })
  return list ? sorted : sorted[0]!
}
/** Sort `keys` along an axis, and reorder `values` alike. */
export const sortKeyVal = (
  keys: NDArray,
  values: NDArray,
  options: SortOptions = {},
): [keys: NDArray, values: NDArray] => sort([keys, values], options) as [NDArray, NDArray]

/**
 * The `k` greatest elements along an axis, greatest first, and their positions.
 *
 * @param options `axis`: the last by default
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.topK(np.array([1, 4, 2]), 2) // => [[4, 2], [1, 2]]
 * ```
 */
export function topK(x: ArrayLike, k: number, options: { axis?: number } = {}): [values: NDArray, indices: NDArray] {
  checkOptions('topK', options, ['axis'])
  const array = operand('topK', x)
  return sorting.topK(array, k, normalAxis('topK', options.axis ?? -1, array.ndim))
}
