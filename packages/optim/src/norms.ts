/** Norms of trees and of leaves. */
import { type NDArray, np, tree } from '@fluxion/core'
import type { Scalar } from './scalars.ts'

/** The sum of squares of all elements of a tree, f32[]. */
export const squaredNorm = (of: unknown): NDArray =>
  tree.reduce((sum: NDArray, leaf) => sum.add(sumOfSquares(np.asarray(leaf))), of, np.asarray(0))
const sumOfSquares = (x: NDArray): NDArray => np.sum(np.square(x))

/**
 * The Euclidean norm of all elements of a tree: √Σx².
 *
 * @returns f32[]
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { globalNorm } from '@fluxion/optim'
 * globalNorm({ w: np.array([3, 0]), b: np.array(4) }).item() // => 5
 * ```
 */
export const globalNorm = (of: unknown): NDArray => np.sqrt(squaredNorm(of))

// Where the norm is too small the root is taken of something else, so that its derivative is finite there.
const safely = (measure: (x: NDArray) => NDArray, x: NDArray, least: Scalar): NDArray => {
  const small = measure(x).le(least)
  return np.where(small, least, measure(np.where(small, np.onesLike(x), x)))
}
/** The Euclidean norm of a leaf, or `least` if that is larger, with a derivative everywhere. */
export const safeNorm = (x: NDArray, least: Scalar): NDArray => safely((y) => np.sqrt(sumOfSquares(y)), x, least)
/** The root of the mean square of a leaf, or `least` if that is larger, with a derivative everywhere. */
export const safeRms = (x: NDArray, least: Scalar): NDArray => safely(rootMeanSquare, x, least)
export const rootMeanSquare = (x: NDArray): NDArray => np.sqrt(np.mean(np.square(x)))
