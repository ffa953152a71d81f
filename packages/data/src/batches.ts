/** Cutting data into whole batches, in a random order or as they stand. */
import { OptionError, misuse, np, random } from '@fluxion/core'
import type { NDArray } from '@fluxion/core'

/** Refuse a batch size that is no count, or that exceeds the data, which would give no batch at all. */
export const checkBatch = (where: string, batchSize: number, split: string, size: number): void => {
  if (Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= size) return
  const hint = batchSize > size ? `the ${split} holds ${size}, so a larger batch would never be full` : undefined
  throw new OptionError(misuse(where, `a batchSize that is a whole number from 1 to ${size}`, String(batchSize), hint))
}

/** Permute arrays alike along their first axis and cut them into whole batches; what is left over is dropped. */
export const shuffledBatches = (
  [x, y]: readonly [x: NDArray, y: NDArray],
  key: NDArray,
  batchSize: number,
): [x: NDArray, y: NDArray] => {
  const size = x.shape[0]!
  const batches = Math.floor(size / batchSize)
  // One permutation of the indices gives what permuting each array with the same key would, and moves only what is kept.
  const order = random.permutation(key, size).get(`:${batches * batchSize}`)
  const cut = (a: NDArray): NDArray => np.take(a, order, { axis: 0 }).reshape([batches, batchSize, ...a.shape.slice(1)])
  return [cut(x), cut(y)]
}
