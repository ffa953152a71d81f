/** Sorting along an axis, and the orders that sort. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import * as lax from '../../primitive/movement.ts'
import { sort as sortOf } from '../../primitive/sort.ts'
import { normalAxis } from '../../shape.ts'
import { sliceAxis } from '../cumulative.ts'
import { type Arrays, listOf } from '../manipulation/join.ts'
import { ravel } from '../manipulation/shapes.ts'
import { asArray } from '../promote.ts'

export interface SortOptions {
  /** The axis to sort along, the last by default; `null` sorts the flattened array. */
  axis?: number | null
  /** Whether equal elements keep their order; true by default. */
  stable?: boolean
  /** Whether the largest comes first. */
  descending?: boolean
}
const names = ['axis', 'stable', 'descending']

/** The array to sort, flattened if it has to be, and the axis. */
function target(where: string, x: ArrayLike, axis: number | null | undefined): [x: NDArray, axis: number] {
  const a = asArray(where, x)
  return axis === null ? [ravel(a), 0] : [a, normalAxis(where, axis ?? -1, a.ndim)]
}
const places = (x: NDArray, axis: number): NDArray => lax.iota('int32', x.shape, axis)

/**
 * Elements in rising order along an axis; NaN comes last.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.sort(np.array([3, 1, 2])) // => [1, 2, 3]
 * np.sort(np.array([3, 1, 2]), { descending: true }) // => [3, 2, 1]
 * ```
 */
export function sort(x: ArrayLike, options: SortOptions = {}): NDArray {
  checkOptions('sort', options, names)
  const [a, axis] = target('sort', x, options.axis)
  const [sorted] = sortOf([a], { dimension: axis, isStable: options.stable ?? true, numKeys: 1 }) as [NDArray]
  return options.descending === true ? lax.rev(sorted, [axis]) : sorted
}

/**
 * The positions of the elements in rising order along an axis: i32[...]. Equal elements keep their order.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.argsort(np.array([3, 1, 2])) // => [1, 2, 0]
 * ```
 */
export function argsort(x: ArrayLike, options: SortOptions = {}): NDArray {
  checkOptions('argsort', options, names)
  const { stable = true, descending = false } = options
  const [a, axis] = target('argsort', x, options.axis)
  // turned round before and after, so that equal elements keep their order in the end
  const turned = (y: NDArray, when: boolean): NDArray => (when ? lax.rev(y, [axis]) : y)
  const keys = turned(a, descending && stable)
  const [, order] = sortOf([keys, turned(places(a, axis), descending && stable)], {
    dimension: axis,
    isStable: stable,
    numKeys: 1,
  })
  return turned(order!, descending)
}

/**
 * The positions that sort by several keys, of which the last counts most: i32[...].
 *
 * @param options `axis`: the axis of the keys to sort along, the last by default
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.lexsort([np.array([1, 0, 0]), np.array([5, 5, 4])]) // => [2, 1, 0]
 * ```
 */
export function lexsort(keys: Arrays, options: { axis?: number } = {}): NDArray {
  checkOptions('lexsort', options, ['axis'])
  const list = listOf('lexsort', keys)
  const first = list[0]!
  const odd = list.find((key) => String(key.shape) !== String(first.shape))
  if (odd !== undefined)
    throw new ShapeError(misuse('lexsort', 'keys of one shape', `${showAval(first.aval)} and ${showAval(odd.aval)}`))
  if (first.ndim === 0) return lax.full([], 0, 'int32')
  const axis = normalAxis('lexsort', options.axis ?? -1, first.ndim)
  const operands = [...list.reverse(), places(first, axis)]
  return sortOf(operands, { dimension: axis, isStable: true, numKeys: list.length }).at(-1)!
}

/** Check the place of a partition. */
function checkPlace(where: string, place: number, size: number): number {
  if (Number.isInteger(place) && place >= -size && place < size) return place < 0 ? place + size : place
  throw new ShapeError(misuse(where, `a place from ${-size} to ${size - 1}`, String(place)))
}

/**
 * Elements along an axis such that the one at a place is that of the sorted array, with lesser ones before it and greater ones behind.
 *
 * @param options `axis`: the last by default
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.partition(np.array([4, 1, 3, 2]), 1).get(1).item() // => 2
 * ```
 */
export function partition(x: ArrayLike, place: number, options: { axis?: number } = {}): NDArray {
  checkOptions('partition', options, ['axis'])
  const [a, axis] = target('partition', x, options.axis)
  const k = checkPlace('partition', place, a.shape[axis]!)
  const sorted = sort(a, { axis })
  // the greater ones fall, as those of JAX do
  return lax.concatenate(
    [sliceAxis(sorted, axis, 0, k + 1), lax.rev(sliceAxis(sorted, axis, k + 1, null), [axis])],
    axis,
  )
}

/**
 * The positions of elements such that the one at a place is that of the sorted array: i32[...].
 *
 * @param options `axis`: the last by default
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.argpartition(np.array([4, 1, 3, 2]), 1).get(1).item() // => 3
 * ```
 */
export function argpartition(x: ArrayLike, place: number, options: { axis?: number } = {}): NDArray {
  checkOptions('argpartition', options, ['axis'])
  const [a, axis] = target('argpartition', x, options.axis)
  const k = checkPlace('argpartition', place, a.shape[axis]!)
  const order = argsort(a, { axis })
  return lax.concatenate([sliceAxis(order, axis, 0, k + 1), sort(sliceAxis(order, axis, k + 1, null), { axis })], axis)
}
