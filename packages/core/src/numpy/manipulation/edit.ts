/** Elements added to arrays and taken from them. */
import { type ArrayLike, NDArray } from '../../array.ts'
import { isInteger } from '../../dtype.ts'
import { IndexError, OptionError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { type Axis, type Shape, broadcastShapes, normalAxes, normalAxis, range, sizeOf, without } from '../../shape.ts'
import { checkShape } from '../create.ts'
import { sliceAxis } from '../cumulative.ts'
import { at } from '../indexing/at.ts'
import { get } from '../indexing/get.ts'
import { type Positions, asPositions, fromFront, listOfPositions } from '../indexing/positions.ts'
import { take } from '../indexing/take.ts'
import { asArray } from '../promote.ts'
import { any, sum } from '../reductions.ts'
import { type Slice, parseRange, positionsOf, type Range } from '../slice.ts'
import { checkSized, flatnonzero } from '../sorting/search.ts'
import { argsort, sort } from '../sorting/sort.ts'
import { add, subtract } from '../ufuncs/arithmetic.ts'
import { greaterEqual } from '../ufuncs/comparison.ts'
import { clip } from '../ufuncs/selection.ts'
import { concatenate } from './join.ts'
import { ravel } from './shapes.ts'
import { tile } from './repeat.ts'

export interface EditOptions {
  /** The axis along which to edit; without it the flattened array is taken. */
  axis?: number | null
}

/**
 * Add values at the end.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.append(np.array([1, 2]), np.array([[3], [4]])) // => [1, 2, 3, 4]
 * ```
 */
export function append(x: ArrayLike, values: ArrayLike, options: EditOptions = {}): NDArray {
  checkOptions('append', options, ['axis'])
  return concatenate([x, values], { axis: options.axis ?? null })
}

/** Where to edit: positions, a mask, or a range. */
export type Places = Positions | readonly boolean[] | Slice | Range
const isRange = (places: Places): places is Slice | Range =>
  typeof places === 'string' || (typeof places === 'object' && !(places instanceof NDArray) && !Array.isArray(places))
const rangeOn = (places: Slice | Range, size: number): number[] => {
  const { start, step, count } = positionsOf(typeof places === 'string' ? parseRange(places) : places, size)
  return range(count).map((i) => start + i * step)
}

/** The array, flattened if it has to be, and the axis. */
function target(where: string, x: ArrayLike, axis: number | null | undefined): [x: NDArray, axis: number] {
  const a = asArray(where, x)
  return axis === null || axis === undefined ? [ravel(a), 0] : [a, normalAxis(where, axis, a.ndim)]
}
/** An index of one axis. */
const alongAxis = <T>(axis: number, index: T): (T | ':')[] => [...range(axis).map((): ':' => ':'), index]

/**
 * Insert values before positions of the array.
 *
 * @throws IndexError for positions that are not integers
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.insert(np.array([1, 2, 3]), 1, 9) // => [1, 9, 2, 3]
 * np.insert(np.array([[1, 2], [3, 4]]), [0, 2], 9, { axis: 1 }) // => [[9, 1, 2, 9], [9, 3, 4, 9]]
 * ```
 */
export function insert(
  x: ArrayLike,
  places: Positions | Slice | Range,
  values: ArrayLike,
  options: EditOptions = {},
): NDArray {
  checkOptions('insert', options, ['axis'])
  const [a, axis] = target('insert', x, options.axis)
  const size = a.shape[axis]!
  const given = isRange(places) ? listOfPositions('insert', rangeOn(places, size)) : asPositions('insert', places)
  if (given.ndim > 1) throw new ShapeError(misuse('insert', 'positions of rank 0 or 1', showAval(given.aval)))
  const v = convert(asArray('insert', values), a.dtype)
  const wide = v.ndim >= a.ndim ? v : lax.reshape(v, [...range(a.ndim - v.ndim).map(() => 1), ...v.shape])
  // values for one position stand along the first axis, as if the position were an index
  const ordered = given.ndim === 0 ? lax.moveAxis(wide, 0, axis) : wide
  const count = broadcastShapes('insert', given.size === 1 ? [ordered.shape[axis]!] : given.shape, [
    ordered.shape[axis]!,
  ])[0]!
  const before = clip(fromFront(convert(lax.broadcastInDim(ravel(given), [count], [0]), 'int32'), size), 0, size)
  const shape = a.shape.with(axis, size + count)
  // each value moves on by those that come before it
  const own = at(before, argsort(before)).add(lax.iota('int32', [count], 0))
  const taken = at(lax.full([size + count], 1, 'bool'), own).set(false)
  const rest = flatnonzero(taken, { size })
  const filled = at(lax.full(shape, 0, a.dtype, a.weakType), ...alongAxis(axis, own)).set(ordered)
  return at(filled, ...alongAxis(axis, rest)).set(a)
}

/**
 * Leave out elements: at positions, of a range, or where a mask holds.
 *
 * @param options `assumeUniqueIndices`: no position occurs twice, so that positions may be traced
 *
 * @throws ConcretizationError for positions that are traced, unless they are said to be unique
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.delete(np.array([1, 2, 3]), 1) // => [1, 3]
 * np.delete(np.array([[1, 2], [3, 4]]), [0], { axis: 1 }) // => [[2], [4]]
 * ```
 */
function deleteAt(
  x: ArrayLike,
  places: Places,
  options: EditOptions & { assumeUniqueIndices?: boolean } = {},
): NDArray {
  checkOptions('delete', options, ['axis', 'assumeUniqueIndices'])
  const [a, axis] = target('delete', x, options.axis)
  const size = a.shape[axis]!
  if (options.assumeUniqueIndices === true && places instanceof NDArray && isInteger(places.dtype)) {
    return take(a, remaining(ravel(places), size), { axis })
  }
  const gone = new Set(leftOut(places, size))
  const kept = range(size).filter((i) => !gone.has(i))
  return take(a, listOfPositions('delete', kept), { axis, mode: 'clip' })
}
export { deleteAt as delete }

/** The positions to leave out, as numbers from 0 on. */
function leftOut(places: Places, size: number): number[] {
  if (isRange(places)) return rangeOn(places, size)
  const mask = maskOf(places)
  if (mask !== undefined) {
    if (mask.length !== size) throw new IndexError(misuse('delete', `a mask of ${size} elements`, String(mask.length)))
    return range(size).filter((i) => mask[i])
  }
  const positions = [...checkSized('delete', asPositions('delete', places as Positions)).dataSync()]
  return positions.map((index) => {
    if (index < -size || index >= size)
      throw new IndexError(misuse('delete', `positions from ${-size} to ${size - 1}`, String(index)))
    return index < 0 ? index + size : index
  })
}
function maskOf(places: Positions | readonly boolean[]): boolean[] | undefined {
  if (Array.isArray(places))
    return places.length > 0 && places.every((one) => typeof one === 'boolean') ? [...places] : undefined
  if (!(places instanceof NDArray) || places.dtype !== 'bool') return undefined
  return Array.from(checkSized('delete', places).dataSync(), (one) => one !== 0)
}

/** All positions but some, none of which occurs twice. */
function remaining(places: NDArray, size: number): NDArray {
  const sorted = sort(clip(fromFront(convert(places, 'int32'), size), 0, size))
  const count = sorted.size
  // after how many of those that remain each one lies
  const behind = subtract(sorted, lax.iota('int32', [count], 0))
  const kept = lax.iota('int32', [size - count], 0)
  const passed = greaterEqual(lax.reshape(kept, [1, size - count]), lax.reshape(behind, [count, 1]))
  return add(kept, sum(passed, { axis: 0 }))
}

/**
 * The elements over again, or as many as fit, in a new shape.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.resize(np.array([1, 2, 3]), [2, 2]) // => [[1, 2], [3, 1]]
 * ```
 */
export function resize(x: ArrayLike, shape: Shape | number): NDArray {
  const a = ravel(asArray('resize', x))
  const sizes = checkShape('resize', shape)
  const size = sizeOf(sizes)
  if (a.size === 0 || size === 0) return lax.full(sizes, 0, a.dtype, a.weakType)
  return lax.reshape(sliceAxis(tile(a, Math.ceil(size / a.size)), 0, 0, size), sizes)
}

/**
 * Leave out zeros at the ends of an array.
 *
 * @param options `trim`: at the front (`f`), the back (`b`) or both (`fb`, the default); `axis`: along which axes, all by default
 *
 * @throws ConcretizationError for an array that is traced
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.trimZeros(np.array([0, 0, 1, 0, 2, 0])) // => [1, 0, 2]
 * ```
 */
export function trimZeros(x: ArrayLike, options: { trim?: 'f' | 'b' | 'fb'; axis?: Axis } = {}): NDArray {
  checkOptions('trimZeros', options, ['trim', 'axis'])
  const { trim = 'fb' } = options
  if (!['f', 'b', 'fb'].includes(trim))
    throw new OptionError(misuse('trimZeros', "trim 'f', 'b' or 'fb'", `'${String(trim)}'`))
  const a = checkSized('trimZeros', asArray('trimZeros', x))
  const axes = normalAxes('trimZeros', options.axis, a.ndim)
  const index = range(a.ndim).map((axis): Slice => {
    if (!axes.includes(axis)) return { start: null, stop: null, step: null }
    const found = [...any(a, { axis: without(range(a.ndim), [axis]) }).dataSync()]
    const [first, last] = [found.indexOf(1), found.lastIndexOf(1)]
    return {
      start: trim.includes('f') && first >= 0 ? first : 0,
      stop: first < 0 ? 0 : trim.includes('b') ? last + 1 : null,
      step: 1,
    }
  })
  return get(a, ...index)
}
