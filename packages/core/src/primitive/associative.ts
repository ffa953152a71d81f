/** All folds of beginnings with an associative operation, in logarithmic depth. */
import type { NDArray } from '../array.ts'
import { add, or } from './elementwise.ts'
import { concatenate, pad, slice } from './movement.ts'
import { scalarLike } from './rules.ts'

/** From `start` to `limit` (from the end if negative) along one axis, every `stride`-th. */
function along(x: NDArray, axis: number, start: number, limit: number, stride = 1): NDArray {
  const starts = x.shape.map((_, i) => (i === axis ? start : 0))
  const limits = x.shape.map((dim, i) => (i === axis ? (limit < 0 ? dim + limit : limit) : dim))
  return slice(
    x,
    starts,
    limits,
    x.shape.map((_, i) => (i === axis ? stride : 1)),
  )
}

/** a₀ b₀ a₁ b₁ …, where `a` has as many elements along the axis as `b`, or one more. */
function interleave(a: NDArray, b: NDArray, axis: number): NDArray {
  const same = a.shape[axis] === b.shape[axis]
  const spread = (x: NDArray, low: number, high: number) =>
    pad(
      x,
      scalarLike(x, 0),
      x.shape.map((_, i) => (i === axis ? [low, high, 1] : [0, 0, 0])),
    )
  const join = a.dtype === 'bool' ? or : add
  return join(spread(a, 0, same ? 1 : 0), spread(b, 1, same ? 0 : 1))
}

/**
 * Fold pairs, scan those, and fill in the elements between (Blelloch, 1990, "Prefix sums and their applications"). Elements are lists
 * of arrays with one size along the axis. The order is JAX's, on which the derivative at ties depends.
 */
export function associativeScan<T extends readonly NDArray[]>(
  combine: (a: T, b: T) => T,
  elements: T,
  axis: number,
): T {
  const each = (list: T, f: (x: NDArray) => NDArray): T => list.map(f) as readonly NDArray[] as T
  const length = elements[0]?.shape[axis] ?? 0
  if (length < 2) return elements
  const pairs = combine(
    each(elements, (x) => along(x, axis, 0, length - 1, 2)),
    each(elements, (x) => along(x, axis, 1, length, 2)),
  )
  const odd = associativeScan(combine, pairs, axis)
  const before = length % 2 === 0 ? each(odd, (x) => along(x, axis, 0, -1)) : odd
  const between =
    length === 2
      ? undefined
      : combine(
          before,
          each(elements, (x) => along(x, axis, 2, length, 2)),
        )
  const even = (x: NDArray, i: number): NDArray => {
    const first = along(x, axis, 0, 1)
    return between === undefined ? first : concatenate([first, between[i]!], axis)
  }
  return elements.map((x, i) => interleave(even(x, i), odd[i]!, axis)) as readonly NDArray[] as T
}
