/** Where elements are: in sorted lists, and those that are not zero. */
import { type ArrayLike, ConcreteArray, type NDArray } from '../../array.ts'
import { isFloat } from '../../dtype.ts'
import { ConcretizationError, OptionError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { and, convert, ge, le, lt, ne, not, or, select } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { cumsum } from '../../primitive/cumulative.ts'
import { reduceSum } from '../../primitive/reduce.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { stridesOf } from '../../shape.ts'
import { scalar } from '../../trace.ts'
import { checkShape } from '../create.ts'
import { nonzeroOf } from '../indexing/parse.ts'
import { asPositions, listOfPositions } from '../indexing/positions.ts'
import { take } from '../indexing/take.ts'
import { ravel } from '../manipulation/shapes.ts'
import { stack } from '../manipulation/join.ts'
import { asArray, promoteDtypes } from '../promote.ts'
import { add, floorDivide, remainder, subtract } from '../ufuncs/arithmetic.ts'
import { where } from '../ufuncs/selection.ts'

export interface SearchOptions {
  /** On which side of equal elements: `left` counts those that are less, `right` also equal ones. */
  side?: 'left' | 'right'
  /** Positions that sort the list, if it is not sorted itself. */
  sorter?: NDArray | readonly number[]
}

/** Whether x comes before y when sorted: NaN comes behind all numbers. */
function before(x: NDArray, y: NDArray): NDArray {
  if (!isFloat(x.dtype)) return lt(x, y)
  return or(lt(x, y), and(ne(y, y), not(ne(x, x))))
}

/**
 * Where values belong in a sorted list: i32[...], of the shape of the values. At `left` the position is the number of elements that are
 * less than the value, at `right` of those that are not greater.
 *
 * @param sorted [n], rising
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.searchsorted(np.array([1, 2, 2, 3]), np.array([2, 0, 9])) // => [1, 0, 4]
 * np.searchsorted(np.array([1, 2, 2, 3]), 2, { side: 'right' }).item() // => 3
 * ```
 */
export function searchsorted(sorted: ArrayLike, values: ArrayLike, options: SearchOptions = {}): NDArray {
  checkOptions('searchsorted', options, ['side', 'sorter'])
  const { side = 'left', sorter } = options
  if (side !== 'left' && side !== 'right')
    throw new OptionError(misuse('searchsorted', "a side 'left' or 'right'", `'${String(side)}'`))
  const [given, v] = promoteDtypes('searchsorted', sorted, values) as [NDArray, NDArray]
  if (given.ndim !== 1) throw new ShapeError(misuse('searchsorted', 'a sorted list of rank 1', showAval(given.aval)))
  const list = sorter === undefined ? given : take(given, asPositions('searchsorted', sorter))
  const size = list.size
  let found = lax.full(v.shape, 0, 'int32')
  // the position grows by ever smaller powers of two, as long as the element before it comes first
  for (let step = 2 ** Math.floor(Math.log2(Math.max(1, size))); step >= 1 && size > 0; step /= 2) {
    const next = add(found, step)
    const element = take(list, subtract(next, 1), { mode: 'clip' })
    const passes = side === 'left' ? before(element, v) : not(before(v, element))
    found = select(and(le(next, scalar(size, 'int32')), passes), next, found)
  }
  return found
}

/**
 * For each value the number of the bin that it falls into: i32[...]. Bin i reaches from edge i − 1 up to and without edge i.
 *
 * @param bins [n], rising or falling edges
 * @param options `right`: bins include their upper edge instead of the lower one
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.digitize(np.array([0.5, 1, 7]), np.array([0, 1, 2])) // => [1, 2, 3]
 * ```
 */
export function digitize(x: ArrayLike, bins: ArrayLike, options: { right?: boolean } = {}): NDArray {
  checkOptions('digitize', options, ['right'])
  const edges = asArray('digitize', bins)
  if (edges.ndim !== 1) throw new ShapeError(misuse('digitize', 'edges of rank 1', showAval(edges.aval)))
  const values = asArray('digitize', x)
  const side = options.right === true ? 'left' : 'right'
  if (edges.size === 0) return lax.full(values.shape, 0, 'int32')
  const rising = ge(take(edges, edges.size - 1), take(edges, 0))
  const falling = subtract(edges.size, searchsorted(lax.rev(edges, [0]), values, { side }))
  return where(rising, searchsorted(edges, values, { side }), falling)
}

export interface SizeOptions {
  /** How many positions to give: fewer are filled up, more are cut off. Needed for arrays that are traced. */
  size?: number
  /** What to fill up with; 0 by default. */
  fillValue?: number
}

/** The elements that are not zero, as booleans. */
export const truth = (x: NDArray): NDArray => (x.dtype === 'bool' ? x : ne(x, scalarLike(x, 0)))
/** Check that the number of results can be known. */
export function checkSized(where: string, x: NDArray): ConcreteArray {
  if (x instanceof ConcreteArray) return x
  const hint = 'the option size fixes how many results there are'
  throw new ConcretizationError(
    misuse(where, 'an array whose values are known, since they decide the shape of the result', x.toString(), hint),
  )
}

/** Flat positions of the first `size` elements that are true, then of the end; and how many there are. */
function firstTrue(mask: NDArray, size: number): [flat: NDArray, count: NDArray] {
  const counted = cumsum(convert(ravel(mask), 'int32'), 0)
  const count = reduceSum(convert(ravel(mask), 'int32'), [0])
  // the element numbered k is where the count first exceeds k
  const flat = searchsorted(counted, lax.iota('int32', [size], 0), { side: 'right' })
  return [flat, count]
}

function nonzeroParts(where_: string, x: ArrayLike, { size, fillValue = 0 }: SizeOptions): NDArray[] {
  const a = asArray(where_, x)
  if (a.ndim === 0)
    throw new ShapeError(misuse(where_, 'an array of rank 1 or more', showAval(a.aval), 'np.atleast1d(x)'))
  if (size === undefined) return nonzeroOf(checkSized(where_, a)).map((positions) => listOfPositions(where_, positions))
  const [length] = checkShape(where_, size) as [number]
  if (a.size === 0) return a.shape.map(() => lax.full([length], fillValue, 'int32'))
  const [flat, count] = firstTrue(truth(a), length)
  const missing = ge(lax.iota('int32', [length], 0), count)
  return stridesOf(a.shape).map((stride, axis) =>
    select(missing, scalar(fillValue, 'int32'), remainder(floorDivide(flat, stride), a.shape[axis]!)),
  )
}

/**
 * The positions of the elements that are not zero: a list for each axis, i32[n] each.
 *
 * @throws ConcretizationError for an array that is traced, unless `size` is given
 * @throws ShapeError for a scalar
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [rows, columns] = np.nonzero(np.array([[0, 5], [7, 0]]))
 * rows // => [0, 1]
 * columns // => [1, 0]
 * ```
 */
export function nonzero(x: ArrayLike, options: SizeOptions = {}): NDArray[] {
  checkOptions('nonzero', options, ['size', 'fillValue'])
  return nonzeroParts('nonzero', x, options)
}

/**
 * The positions, in the flattened array, of the elements that are not zero: i32[n].
 *
 * @throws ConcretizationError for an array that is traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.flatnonzero(np.array([[0, 5], [7, 0]])) // => [1, 2]
 * ```
 */
export function flatnonzero(x: ArrayLike, options: SizeOptions = {}): NDArray {
  checkOptions('flatnonzero', options, ['size', 'fillValue'])
  return nonzeroParts('flatnonzero', ravel(asArray('flatnonzero', x)), options)[0]!
}

/**
 * The positions of the elements that are not zero, one row each: i32[n, rank].
 *
 * @throws ConcretizationError for an array that is traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.argwhere(np.array([[0, 5], [7, 0]])) // => [[0, 1], [1, 0]]
 * ```
 */
export function argwhere(x: ArrayLike, options: SizeOptions = {}): NDArray {
  checkOptions('argwhere', options, ['size', 'fillValue'])
  const a = asArray('argwhere', x)
  if (a.ndim > 0) return stack(nonzeroParts('argwhere', a, options), { axis: 1 })
  // a scalar has one place, of no coordinates
  return lax.full([nonzeroParts('argwhere', ravel(a), options)[0]!.size, 0], 0, 'int32')
}
