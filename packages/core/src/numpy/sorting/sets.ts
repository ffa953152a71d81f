/** Arrays as sets: distinct elements, common ones, differences. Results are sorted. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { isFloat } from '../../dtype.ts'
import { OptionError, checkOptions, misuse } from '../../errors.ts'
import { and, convert, ge, lt, ne, not, or } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { reduceOr, reduceSum } from '../../primitive/reduce.ts'
import { cumsum } from '../../primitive/cumulative.ts'
import { normalAxis, range } from '../../shape.ts'
import { scalar } from '../../trace.ts'
import { checkShape } from '../create.ts'
import { at } from '../indexing/at.ts'
import { get } from '../indexing/get.ts'
import { take } from '../indexing/take.ts'
import { concatenate } from '../manipulation/join.ts'
import { ravel } from '../manipulation/shapes.ts'
import { asArray, promoteDtypes } from '../promote.ts'
import { subtract } from '../ufuncs/arithmetic.ts'
import { equal, logicalAnd, logicalXor } from '../ufuncs/comparison.ts'
import { where } from '../ufuncs/selection.ts'
import { type SizeOptions, checkSized, flatnonzero, searchsorted } from './search.ts'
import { argsort, lexsort, sort } from './sort.ts'

export interface UniqueOptions extends Omit<SizeOptions, 'fillValue'> {
  /** Which slices to compare; without it the elements of the flattened array. */
  axis?: number | null
  /** Whether NaN equals NaN: true for `unique`, false for the functions that give more than values. */
  equalNan?: boolean
  /** What to fill up with to `size`; the least element by default. */
  fillValue?: ArrayLike
}
/** Distinct elements, and where they are. */
export interface Unique {
  /** In rising order. */
  readonly values: NDArray
  /** For each of them the first position: i32[n]. */
  readonly indices: NDArray
  /** For each element of the array which of the values it is: i32[...]. */
  readonly inverseIndices: NDArray
  /** How often each occurs: i32[n]. */
  readonly counts: NDArray
}

const uniqueNames = ['axis', 'equalNan', 'size', 'fillValue']

/** Which of sorted rows differ from the row before. */
function firstOfEqual(rows: NDArray, equalNan: boolean): NDArray {
  const n = rows.shape[0]
  if (n === 0) return lax.full([0], 0, 'bool')
  const [current, previous] = [get(rows, '1:'), get(rows, ':-1')] as const
  const differ = ne(current, previous)
  const both = and(ne(current, current), ne(previous, previous))
  const changed = isFloat(rows.dtype) && equalNan ? and(differ, not(both)) : differ
  const any = rows.ndim > 1 ? reduceOr(changed, range(rows.ndim - 1, 1)) : changed
  return lax.concatenate([lax.full([1], 1, 'bool'), any], 0)
}

interface Sorted {
  readonly rows: NDArray
  readonly order: NDArray
  readonly starts: NDArray
}
function sortedRows(x: NDArray, equalNan: boolean): Sorted {
  const n = x.shape[0]
  const flat = lax.reshape(x, [n, n === 0 ? 0 : x.size / n])
  const columns = range(flat.shape[1]).reverse()
  const order =
    x.ndim === 1
      ? argsort(x)
      : columns.length === 0
        ? lax.iota('int32', [n], 0)
        : lexsort(columns.map((i) => get(flat, ':', i)))
  const rows = take(x, order, { axis: 0, mode: 'clip' })
  return { rows, order, starts: firstOfEqual(rows, equalNan) }
}

function uniqueOf(where_: string, x: ArrayLike, options: UniqueOptions, equalNan: boolean): Unique {
  checkOptions(where_, options, uniqueNames)
  const given = asArray(where_, x)
  const { axis = null, size, fillValue } = options
  if (size === undefined) checkSized(where_, given)
  const at0 = axis === null ? 0 : normalAxis(where_, axis, given.ndim)
  const a = axis === null ? ravel(given) : lax.moveAxis(given, at0, 0)
  const n = a.shape[0]
  if (n === 0 && size !== undefined && size > 0 && fillValue === undefined) {
    throw new OptionError(misuse(where_, 'a fillValue for an array without elements', 'none'))
  }
  const { rows, order, starts } = sortedRows(a, options.equalNan ?? equalNan)
  const places = flatnonzero(starts, size === undefined ? {} : { size })
  const count = reduceSum(convert(starts, 'int32'), [0])
  const valid = lt(lax.iota('int32', [places.size], 0), count)
  const back = (y: NDArray): NDArray => (axis === null ? y : lax.moveAxis(y, 0, at0))
  const found =
    n === 0 ? lax.full([places.size, ...a.shape.slice(1)], 0, a.dtype) : take(rows, places, { axis: 0, mode: 'clip' })
  const filled =
    size === undefined || fillValue === undefined
      ? found
      : where(
          lax.reshape(valid, [places.size, ...found.shape.slice(1).map(() => 1)]),
          found,
          convert(asArray(where_, fillValue), a.dtype),
        )
  // a value lasts until the next one starts, the last until the end; what is filled up does not occur
  const next = get(flatnonzero(starts, { size: places.size + 1, fillValue: n }), '1:')
  return {
    values: back(filled),
    indices: n === 0 ? places : take(order, places, { mode: 'clip' }),
    inverseIndices: inverse(order, starts, axis === null ? given.shape : [n]),
    counts: where(valid, subtract(next, places), 0),
  }
}
function inverse(order: NDArray, starts: NDArray, shape: readonly number[]): NDArray {
  const numbers = subtract(cumsum(convert(starts, 'int32'), 0), 1)
  return lax.reshape(at(lax.full([order.size], 0, 'int32'), order).set(numbers, { uniqueIndices: true }), shape)
}

/**
 * The distinct elements in rising order, or with `axis` the distinct slices.
 *
 * @throws ConcretizationError for an array that is traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.unique(np.array([3, 1, 3, 2])) // => [1, 2, 3]
 * ```
 */
export const unique = (x: ArrayLike, options: UniqueOptions = {}): NDArray =>
  uniqueOf('unique', x, options, true).values

/**
 * The distinct elements with their first positions, the numbers that make the array of them, and how often each occurs.
 *
 * @throws ConcretizationError for an array that is traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const { values, indices, inverseIndices, counts } = np.uniqueAll(np.array([3, 1, 3]))
 * values // => [1, 3]
 * indices // => [1, 0]
 * inverseIndices // => [1, 0, 1]
 * counts // => [1, 2]
 * ```
 */
export const uniqueAll = (x: ArrayLike, options: UniqueOptions = {}): Unique => uniqueOf('uniqueAll', x, options, false)

/**
 * The distinct elements, and how often each occurs.
 *
 * @throws ConcretizationError for an array that is traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.uniqueCounts(np.array([3, 1, 3])).counts // => [1, 2]
 * ```
 */
export function uniqueCounts(x: ArrayLike, options: UniqueOptions = {}): Pick<Unique, 'values' | 'counts'> {
  const { values, counts } = uniqueOf('uniqueCounts', x, options, false)
  return { values, counts }
}

/**
 * The distinct elements, and for each element which of them it is.
 *
 * @throws ConcretizationError for an array that is traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.uniqueInverse(np.array([3, 1, 3])).inverseIndices // => [1, 0, 1]
 * ```
 */
export function uniqueInverse(x: ArrayLike, options: UniqueOptions = {}): Pick<Unique, 'values' | 'inverseIndices'> {
  const { values, inverseIndices } = uniqueOf('uniqueInverse', x, options, false)
  return { values, inverseIndices }
}

/**
 * The distinct elements; NaN differs from NaN, other than for `unique`.
 *
 * @throws ConcretizationError for an array that is traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.uniqueValues(np.array([NaN, 1, NaN])).size // => 3
 * ```
 */
export const uniqueValues = (x: ArrayLike, options: UniqueOptions = {}): NDArray =>
  uniqueOf('uniqueValues', x, options, false).values

/** For each element of `x` whether it is among those of a list. */
function among(x: NDArray, list: NDArray): NDArray {
  const [a, b] = promoteDtypes('isin', x, list) as [NDArray, NDArray]
  if (b.size === 0) return lax.full(a.shape, 0, 'bool')
  const sorted = sort(ravel(b))
  return equal(take(sorted, searchsorted(sorted, a), { mode: 'clip' }), a)
}

/**
 * For each element whether it is among those of another array: bool[...].
 *
 * @param options `invert`: whether it is not
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.isin(np.array([1, 2, 3]), np.array([3, 1])) // => [1, 0, 1]
 * ```
 */
export function isin(x: ArrayLike, list: ArrayLike, options: { invert?: boolean } = {}): NDArray {
  checkOptions('isin', options, ['invert'])
  const found = among(asArray('isin', x), asArray('isin', list))
  return options.invert === true ? not(found) : found
}

export interface SetOptions extends Omit<SizeOptions, 'fillValue'> {
  /** What to fill up with to `size`. */
  fillValue?: ArrayLike
}
const setNames = ['size', 'fillValue']

/** Both arrays flattened and of one dtype. */
function operands(where_: string, x: ArrayLike, y: ArrayLike, options: SetOptions): [x: NDArray, y: NDArray] {
  checkOptions(where_, options, setNames)
  const [a, b] = promoteDtypes(where_, x, y) as [NDArray, NDArray]
  if (options.size === undefined) for (const one of [a, b]) checkSized(where_, one)
  return [ravel(a), ravel(b)]
}
/** The sorted elements that a mask chooses; as many as `size` says, filled up with a value or the first of them. */
function chosen(where_: string, sorted: NDArray, mask: NDArray, options: SetOptions, fill?: ArrayLike): NDArray {
  if (options.size === undefined) return get(sorted, mask)
  const [size] = checkShape(where_, options.size) as [number]
  const count = reduceSum(convert(mask, 'int32'), [0])
  const found =
    sorted.size === 0 ? lax.full([size], 0, sorted.dtype) : take(sorted, flatnonzero(mask, { size }), { mode: 'clip' })
  const first = size === 0 ? 0 : where(ge(count, scalar(1, 'int32')), get(found, 0), 0)
  const value = convert(asArray(where_, options.fillValue ?? fill ?? first), sorted.dtype)
  return where(lt(lax.iota('int32', [size], 0), count), found, value)
}

/**
 * The elements that two arrays have in common, sorted, each once.
 *
 * @throws ConcretizationError for arrays that are traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.intersect1d(np.array([1, 3, 4, 3]), np.array([3, 1, 2])) // => [1, 3]
 * ```
 */
export function intersect1d(x: ArrayLike, y: ArrayLike, options: SetOptions = {}): NDArray {
  const [a, b] = operands('intersect1d', x, y, options)
  const sorted = sort(a)
  return chosen('intersect1d', sorted, logicalAnd(firstOfEqual(sorted, true), among(sorted, b)), options)
}

/**
 * The elements that two arrays have in common, with the first position of each in both: `[values, inX, inY]`.
 *
 * @throws ConcretizationError for arrays that are traced
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [values, inX, inY] = np.intersect1dWithIndices(np.array([4, 3]), np.array([3, 1, 4]))
 * values // => [3, 4]
 * inX // => [1, 0]
 * inY // => [0, 2]
 * ```
 */
export function intersect1dWithIndices(x: ArrayLike, y: ArrayLike): [values: NDArray, inX: NDArray, inY: NDArray] {
  const [a, b] = operands('intersect1dWithIndices', x, y, {})
  const values = intersect1d(a, b)
  const firstIn = (list: NDArray): NDArray => {
    const order = argsort(list)
    return take(order, searchsorted(take(list, order), values), { mode: 'clip' })
  }
  return values.size === 0
    ? [values, lax.full([0], 0, 'int32'), lax.full([0], 0, 'int32')]
    : [values, firstIn(a), firstIn(b)]
}

/**
 * The elements of `x` that `y` has not, sorted, each once.
 *
 * @throws ConcretizationError for arrays that are traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.setdiff1d(np.array([1, 3, 4, 3]), np.array([3])) // => [1, 4]
 * ```
 */
export function setdiff1d(x: ArrayLike, y: ArrayLike, options: SetOptions = {}): NDArray {
  const [a, b] = operands('setdiff1d', x, y, options)
  const sorted = sort(a)
  const own = asArray('setdiff1d', x).dtype
  return convert(
    chosen('setdiff1d', sorted, logicalAnd(firstOfEqual(sorted, true), not(among(sorted, b))), options, 0),
    own,
  )
}

/**
 * The elements that one of two arrays has and the other has not, sorted, each once.
 *
 * @throws ConcretizationError for arrays that are traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.setxor1d(np.array([1, 2]), np.array([2, 3])) // => [1, 3]
 * ```
 */
export function setxor1d(x: ArrayLike, y: ArrayLike, options: SetOptions = {}): NDArray {
  const [a, b] = operands('setxor1d', x, y, options)
  const sorted = sort(concatenate([a, b]))
  const once = logicalXor(among(sorted, a), among(sorted, b))
  const unordered = isFloat(sorted.dtype) ? or(once, ne(sorted, sorted)) : once
  return chosen('setxor1d', sorted, logicalAnd(firstOfEqual(sorted, true), unordered), options)
}

/**
 * The elements that either of two arrays has, sorted, each once.
 *
 * @throws ConcretizationError for arrays that are traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.union1d(np.array([3, 1]), np.array([2, 1])) // => [1, 2, 3]
 * ```
 */
export function union1d(x: ArrayLike, y: ArrayLike, options: SetOptions = {}): NDArray {
  const [a, b] = operands('union1d', x, y, options)
  const sorted = sort(concatenate([a, b]))
  return chosen('union1d', sorted, firstOfEqual(sorted, true), options)
}
