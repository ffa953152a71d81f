/** The shapes of `lax`'s elementwise functions, for the compiler. */
import type { ArrayLike, NDArray } from '../array.ts'

// Inference reads the last signature, so that `vmap(lax.tanh)` sees arrays, while calls may pass numbers.
export interface Unary {
  (x: ArrayLike): NDArray
  (x: NDArray): NDArray
}
export interface Binary {
  (x: ArrayLike, y: ArrayLike): NDArray
  (x: NDArray, y: NDArray): NDArray
}
export interface Ternary {
  (x: ArrayLike, y: ArrayLike, z: ArrayLike): NDArray
  (x: NDArray, y: NDArray, z: NDArray): NDArray
}
