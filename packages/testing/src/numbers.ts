/** A small generator of reproducible numbers, for directions along which derivatives are compared. */
import { type NDArray, np } from '@fluxion/core'

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The elements of an array as a list. */
export const elementsOf = (x: NDArray): number[] => Array.from(x.dataSync())

/** An array of the shape and dtype of `x`, with elements of either sign whose size is between a half and one and a half. */
export function directionLike(x: NDArray, next: () => number): NDArray {
  const values = Float64Array.from({ length: x.size }, () => (next() < 0.5 ? -1 : 1) * (0.5 + next()))
  return np.array(values, { dtype: x.dtype }).reshape([...x.shape])
}
