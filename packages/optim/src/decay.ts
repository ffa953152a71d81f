/** Weight decay and noise: what is added to updates. */
import { type NDArray, np, random, tree } from '@fluxion/core'
import { type Mask, chosen } from './labels.ts'
import { type Scalar, over } from './scalars.ts'
import {
  type CountState,
  type Rate,
  type Transformation,
  mapTrees,
  requireParams,
  safeIncrement,
  valueAt,
  zeroCount,
} from './transformation.ts'

/** u + λ p, on the leaves that a mask chooses. */
export function decayed<P>(where: string, updates: P, params: P | undefined, weight: Scalar, mask: Mask): P {
  const known = requireParams(where, params)
  if (weight === 0) return updates
  const choice = chosen(where, mask, updates).values()
  return mapTrees(where, (u, p) => (choice.next().value === true ? u.add(np.multiply(weight, p!)) : u), updates, known)
}

/**
 * Add the parameters, times a weight, to updates: u ← u + λ p.
 *
 * @param weightDecay λ, a number or a schedule
 * @param mask which leaves decay; all by default
 * @throws TreeError if `update` is not given the parameters
 * @see Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2017
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { addDecayedWeights } from '@fluxion/optim'
 * addDecayedWeights(0.5).update(np.array([1, 1]), null, np.array([2, 4]))[0] // => [2, 3]
 * ```
 */
export const addDecayedWeights = (weightDecay: Rate, mask: Mask = true): Transformation<CountState | null> => ({
  init: () => (typeof weightDecay === 'function' ? { count: zeroCount() } : null),
  update(updates, state, params) {
    const weight = state === null ? (weightDecay as Scalar) : valueAt(weightDecay, state.count)
    const next = state === null ? null : { count: safeIncrement(state.count) }
    return [decayed('addDecayedWeights', updates, params, weight, mask), next]
  },
})

export interface NoiseState {
  readonly count: NDArray // i32[]
  readonly rngKey: random.Key // u32[2]
}
/**
 * Add normal noise to updates, less with every step: its variance at step t, from 1, is η / tᵞ.
 *
 * @see Neelakantan et al., "Adding Gradient Noise Improves Learning for Very Deep Networks", 2015
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import { addNoise } from '@fluxion/optim'
 * const noisy = addNoise(1, 0.55, random.key(0))
 * const [first] = noisy.update(np.zeros([2]), noisy.init(null))
 * first.ne(0) // => [1, 1]
 * ```
 */
export const addNoise = (eta: Scalar, gamma: Scalar, key: random.Key): Transformation<NoiseState> => ({
  init: () => ({ count: zeroCount(), rngKey: key }),
  update(updates, state) {
    const count = safeIncrement(state.count)
    const deviation = np.sqrt(over(eta, np.power(count, gamma)))
    const keys = random.split(state.rngKey)
    const [rngKey, sampleKey] = [keys.get(0), keys.get(1)]
    const leafKeys = random.split(sampleKey, tree.leaves(updates).length)
    let at = 0
    const noisy = mapTrees(
      'addNoise',
      (u) => u.add(np.multiply(deviation, random.normal(leafKeys.get(at++), u.shape, { dtype: u.dtype as 'float32' }))),
      updates,
    )
    return [noisy, { count, rngKey }]
  },
})
