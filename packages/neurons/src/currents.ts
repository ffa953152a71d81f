/** Neurons with a synaptic current between input and membrane: CuBaLIF and RCuBaLIF. */
import { type NDArray, type Shape, np } from '@fluxion/core'
import { type Core, core } from '@fluxion/modules'
import type { LifOptions } from './leaky.ts'
import { type Recurrence, feedbackOf } from './recurrence.ts'
import { checkCall, checkRank, decayOf, halves, neuronOptions, restingState, resetOf } from './shared.ts'

export interface CuBaLifOptions extends LifOptions {
  /** The decay of the current; learnt for each neuron if not given. */
  alpha?: number
}
/**
 * Current-based leaky integrate-and-fire: S = spike(V − θ); I ← αI + x; V ← β(V − Sθ) + I; the output is S. The reset is subtracted once,
 * before the leak, as in Spyx 1.0; its releases with Haiku subtracted it a second time after the leak.
 *
 * @param shape the shape of one sample's neurons, of one axis at least
 * @returns a core of f[batch, ...shape] whose state has V and I side by side on its last axis, with parameters `alpha` and `beta` where
 *   they are not given
 * @throws OptionError for an option that it lacks; the core throws ShapeError for an input that does not end in `shape`
 * @see Zenke & Vogels, The remarkable robustness of surrogate gradient learning (2021)
 */
export const cuBaLIF: (shape: Shape, options?: CuBaLifOptions) => Core<NDArray> = core(
  'CuBaLIF',
  (shape: Shape, options: CuBaLifOptions = {}) => {
    const { threshold, activation, decay } = neuronOptions('cuBaLIF', shape, options, ['alpha', 'beta', 'decay'])
    checkRank('cuBaLIF', shape)
    return {
      call(x, state: NDArray) {
        checkCall('cuBaLIF', x, state, shape, 2)
        const [v, current] = halves(state)
        const alpha = decayOf('alpha', shape, options.alpha, decay)
        const beta = decayOf('beta', shape, options.beta, decay)
        const spikes = activation(v.sub(threshold))
        const nextCurrent = current.mul(alpha).add(x)
        const membrane = v.sub(resetOf(spikes, threshold)).mul(beta).add(nextCurrent)
        return [spikes, np.concatenate([membrane, nextCurrent], { axis: -1 })]
      },
      initialState: (batch) => restingState(shape, batch, 2),
    }
  },
)

export interface RCuBaLifOptions extends CuBaLifOptions {
  /** How spikes reach the layer that they come from; `dense` by default, since Spyx has never had another here. */
  recurrence?: Recurrence
}
/**
 * Recurrent current-based leaky integrate-and-fire: S = spike(V − θ); I ← αI + x + S · w; V ← β(V − Sθ) + I, with elementwise recurrence
 * w ⊙ S in place of S · w; the output is S.
 *
 * @param shape the shape of one sample's neurons, of one axis for dense recurrence
 * @returns a core as of `cuBaLIF`, with a further parameter `w`, made first
 * @throws as `cuBaLIF`, and ShapeError for dense recurrence over several axes
 */
export const rCuBaLIF: (shape: Shape, options?: RCuBaLifOptions) => Core<NDArray> = core(
  'RCuBaLIF',
  (shape: Shape, options: RCuBaLifOptions = {}) => {
    const { threshold, activation, decay } = neuronOptions('rCuBaLIF', shape, options, [
      'alpha',
      'beta',
      'decay',
      'recurrence',
    ])
    checkRank('rCuBaLIF', shape)
    const feedback = feedbackOf('rCuBaLIF', shape, options.recurrence ?? 'dense')
    return {
      call(x, state: NDArray) {
        checkCall('rCuBaLIF', x, state, shape, 2)
        const [v, current] = halves(state)
        const spikes = activation(v.sub(threshold))
        const fed = feedback(spikes)
        const alpha = decayOf('alpha', shape, options.alpha, decay)
        const beta = decayOf('beta', shape, options.beta, decay)
        const nextCurrent = current.mul(alpha).add(x).add(fed)
        const membrane = v.sub(resetOf(spikes, threshold)).mul(beta).add(nextCurrent)
        return [spikes, np.concatenate([membrane, nextCurrent], { axis: -1 })]
      },
      initialState: (batch) => restingState(shape, batch, 2),
    }
  },
)
