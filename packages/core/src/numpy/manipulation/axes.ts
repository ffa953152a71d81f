/** Axes in another order: transposing, moving and exchanging. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { ShapeError, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import * as lax from '../../primitive/movement.ts'
import { inserted, normalAxis, range, without } from '../../shape.ts'
import { asArray } from '../promote.ts'
import type { Unary } from '../../types.ts'

/** Axes of a caller's, each of which must be one, and none twice. */
function different(where: string, axes: readonly number[], rank: number): number[] {
  const normal = axes.map((axis) => normalAxis(where, axis, rank))
  if (new Set(normal).size !== normal.length)
    throw new ShapeError(misuse(where, 'different axes', `[${axes.join(',')}]`))
  return normal
}

/**
 * Permute axes: axis `i` of the result is axis `axes[i]` of `x`. Without `axes` their order is reversed.
 *
 * @throws ShapeError if `axes` is no permutation of the axes
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.transpose(np.array([[1, 2], [3, 4]])) // => [[1, 3], [2, 4]]
 * np.transpose(np.zeros([2, 3, 4]), [1, 0, 2]).shape // => [3, 2, 4]
 * ```
 */
export function transpose(x: ArrayLike, axes: readonly number[] | null = null): NDArray {
  const a = asArray('transpose', x)
  return permuted('transpose', a, axes ?? range(a.ndim).reverse())
}

/**
 * Permute axes: axis `i` of the result is axis `axes[i]` of `x`.
 *
 * @throws ShapeError if `axes` is no permutation of the axes
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.permuteDims(np.zeros([2, 3, 4]), [2, 0, 1]).shape // => [4, 2, 3]
 * ```
 */
export function permuteDims(x: ArrayLike, axes: readonly number[]): NDArray {
  return permuted('permuteDims', asArray('permuteDims', x), axes)
}

function permuted(where: string, x: NDArray, axes: readonly number[]): NDArray {
  if (axes.length !== x.ndim) {
    throw new ShapeError(
      misuse(where, `a permutation of the ${x.ndim} axes of ${showAval(x.aval)}`, `[${axes.join(',')}]`),
    )
  }
  return lax.transpose(x, different(where, axes, x.ndim))
}

/**
 * Exchange the two last axes.
 *
 * @throws ShapeError for fewer than two axes
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.matrixTranspose(np.zeros([2, 3, 4])).shape // => [2, 4, 3]
 * ```
 */
export const matrixTranspose: Unary = (x: ArrayLike): NDArray => {
  const a = asArray('matrixTranspose', x)
  if (a.ndim < 2) throw new ShapeError(misuse('matrixTranspose', 'an array of rank 2 or more', showAval(a.aval)))
  return swapaxes(a, -1, -2)
}

/**
 * Exchange two axes.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.swapaxes(np.zeros([2, 3, 4]), 0, 2).shape // => [4, 3, 2]
 * ```
 */
export function swapaxes(x: ArrayLike, axis1: number, axis2: number): NDArray {
  const a = asArray('swapaxes', x)
  const [i, j] = [axis1, axis2].map((axis) => normalAxis('swapaxes', axis, a.ndim)) as [number, number]
  const order = range(a.ndim)
  ;[order[i], order[j]] = [j, i]
  return lax.transpose(a, order)
}

/**
 * Move axes to other positions; the rest keep their order.
 *
 * @throws ShapeError if an axis is named twice, or as many sources as destinations are not
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.moveaxis(np.zeros([2, 3, 4]), 0, -1).shape // => [3, 4, 2]
 * np.moveaxis(np.zeros([2, 3, 4]), [0, 1], [1, 2]).shape // => [4, 2, 3]
 * ```
 */
export function moveaxis(
  x: ArrayLike,
  source: number | readonly number[],
  destination: number | readonly number[],
): NDArray {
  const a = asArray('moveaxis', x)
  const from = different('moveaxis', typeof source === 'number' ? [source] : source, a.ndim)
  const to = different('moveaxis', typeof destination === 'number' ? [destination] : destination, a.ndim)
  if (from.length !== to.length) {
    throw new ShapeError(
      misuse('moveaxis', 'as many destinations as sources', `${from.length} sources and ${to.length} destinations`),
    )
  }
  const moves = to.map((axis, i) => [axis, from[i]!] as const).sort(([p], [q]) => p - q)
  const order = moves.reduce<number[]>((axes, [at, axis]) => inserted(axes, at, axis), without(range(a.ndim), from))
  return lax.transpose(a, order)
}

/**
 * Move an axis back until it stands before axis `start`. `moveaxis` is easier to read.
 *
 * @throws ShapeError if `start` is not from −rank to rank
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.rollaxis(np.zeros([2, 3, 4]), 2).shape // => [4, 2, 3]
 * ```
 */
export function rollaxis(x: ArrayLike, axis: number, start = 0): NDArray {
  const a = asArray('rollaxis', x)
  const from = normalAxis('rollaxis', axis, a.ndim)
  // one place more than there are axes: behind the last
  const before = start === a.ndim ? start : normalAxis('rollaxis', start, a.ndim)
  return moveaxis(a, from, before > from ? before - 1 : before)
}
