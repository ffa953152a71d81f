/** From values to spikes, and batches of them in random order: functions of arrays, inside of compiled programs. */
import { OptionError, checkOptions, jit, misuse, nn, np, random } from '@fluxion/core'
import type { NDArray } from '@fluxion/core'
import { checkBatch, shuffledBatches } from './batches.ts'

type Key = NDArray

const checkSteps = (where: string, numSteps: number): void => {
  if (!Number.isInteger(numSteps) || numSteps < 1) {
    throw new OptionError(misuse(where, 'a whole number of steps, at least 1', String(numSteps)))
  }
}

/**
 * Make an encoder that turns intensities into Bernoulli spikes: each element is repeated `numSteps` times along axis 1, and each
 * repetition is a spike with probability data·maxR.
 *
 * Time becomes an axis of its own where axis 1 has size 1: [batch, 1, …] → [batch, numSteps, …]. Probabilities are float16, as in Spyx.
 *
 * @returns (data, key) → u8[batch, size₁·numSteps, …]
 *
 * @example
 * ```ts
 * import { np, random } from '@fluxion/core'
 * import { rateCode } from '@fluxion/data'
 * rateCode(4, { maxR: 1 })(np.array([[[1, 0]]]), random.key(0)).toArray() // => [[[1, 0], [1, 0], [1, 0], [1, 0]]]
 * ```
 */
export const rateCode = (
  numSteps: number,
  options: { readonly maxR?: number } = {},
): ((data: NDArray, key: Key) => NDArray) => {
  checkOptions('rateCode', options, ['maxR'])
  checkSteps('rateCode', numSteps)
  const { maxR = 0.75 } = options
  return jit((data: NDArray, key: Key) => {
    const p = np.repeat(data.astype('float16'), numSteps, { axis: 1 }).mul(maxR)
    return random.bernoulli(key, p.shape, { p }).astype('uint8')
  })
}

/**
 * Make an encoder that gives each value the one neuron whose range it falls into, of `neuronCount` ranges from min to max.
 *
 * Neuron i stands for [eᵢ, eᵢ₊₁) with e = linspace(min, max, neuronCount), the last for all above; what lies below min belongs to the
 * first. (Spyx 0.1 counted one too far, so that its first neuron was only for values below min, and values from max on had none.)
 *
 * @returns data → f32[…, neuronCount]
 *
 * @example
 * ```ts
 * import { np } from '@fluxion/core'
 * import { angleCode } from '@fluxion/data'
 * angleCode(3, 0, 1)(np.array([-1, 0.6, 1])).toArray() // => [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
 * ```
 */
export const angleCode = (neuronCount: number, min: number, max: number): ((data: NDArray) => NDArray) => {
  checkSteps('angleCode', neuronCount)
  if (!(min < max)) throw new OptionError(misuse('angleCode', 'a min below max', `${min} and ${max}`))
  return jit((data: NDArray) => {
    const range = np.digitize(data, np.linspace(min, max, neuronCount)).sub(1)
    return nn.oneHot(np.clip(range, 0, neuronCount - 1), neuronCount)
  })
}

/**
 * Make an encoder in which the brightest values fire first: each fires once, at step round((1 − x)·(numSteps − 1)) with x clipped
 * to 0 … 1, and not at all where x is at most `threshold`.
 *
 * @returns data → u8[numSteps, …]
 *
 * @example
 * ```ts
 * import { np } from '@fluxion/core'
 * import { latencyCode } from '@fluxion/data'
 * latencyCode(3)(np.array([1, 0.5, 0])).toArray() // => [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
 * ```
 */
export const latencyCode = (
  numSteps: number,
  options: { readonly threshold?: number } = {},
): ((data: NDArray) => NDArray) => {
  checkOptions('latencyCode', options, ['threshold'])
  checkSteps('latencyCode', numSteps)
  const { threshold = 0.01 } = options
  return jit((data: NDArray) => {
    const x = np.clip(data, 0, 1)
    const step = np.round(np.subtract(1, x).mul(numSteps - 1)).astype('int32')
    const spikes = nn.oneHot(step, numSteps, { dtype: 'uint8', axis: 0 })
    return np.where(np.expandDims(x.gt(threshold), 0), spikes, np.zerosLike(spikes))
  })
}

/**
 * Make a shuffler of a data set: permutes observations and labels alike and cuts them into whole batches, dropping the rest.
 *
 * @returns (dataset, key) → [x, y] of shapes [batches, batchSize, …]
 *
 * @example
 * ```ts
 * import { np, random } from '@fluxion/core'
 * import { shuffler } from '@fluxion/data'
 * const data = [np.zeros([10, 3]), np.arange(10)] as const
 * const [x, y] = shuffler(data, 4)(data, random.key(0))
 * x.shape // => [2, 4, 3]
 * y.shape // => [2, 4]
 * ```
 */
export const shuffler = (
  dataset: readonly [x: NDArray, y: NDArray],
  batchSize: number,
): ((dataset: readonly [x: NDArray, y: NDArray], key: Key) => [x: NDArray, y: NDArray]) => {
  checkBatch('shuffler', batchSize, 'data set', dataset[0].shape[0]!)
  return jit((fresh: readonly [x: NDArray, y: NDArray], key: Key): [x: NDArray, y: NDArray] =>
    shuffledBatches(fresh, key, batchSize),
  )
}
