/** The neuron whose threshold rises with its own spikes: ALIF. */
import { type NDArray, type Shape, np } from '@fluxion/core'
import { type Core, core } from '@fluxion/modules'
import type { LifOptions } from './leaky.ts'
import { checkCall, checkRank, decayOf, halves, neuronOptions, restingState } from './shared.ts'

export interface AlifOptions extends LifOptions {
  /** The decay of the threshold's rise; learnt for each neuron if not given. */
  gamma?: number
}
/**
 * Adaptive leaky integrate-and-fire: with Θ = θ + T, S = spike(V − Θ); V ← βV + x − SΘ; T ← γT + (1 − γ)S; the output is S.
 *
 * @param shape the shape of one sample's neurons, of one axis at least
 * @returns a core of f[batch, ...shape] whose state has V and T side by side on its last axis, with parameters `gamma` and `beta` where
 *   they are not given
 * @throws OptionError for an option that it lacks; the core throws ShapeError for an input that does not end in `shape`
 * @see Bellec et al., Long short-term memory and learning-to-learn in networks of spiking neurons (2018)
 */
export const alif: (shape: Shape, options?: AlifOptions) => Core<NDArray> = core(
  'ALIF',
  (shape: Shape, options: AlifOptions = {}) => {
    const { threshold, activation, decay } = neuronOptions('alif', shape, options, ['beta', 'gamma', 'decay'])
    checkRank('alif', shape)
    return {
      call(x, state: NDArray) {
        checkCall('alif', x, state, shape, 2)
        const [v, rise] = halves(state)
        const gamma = decayOf('gamma', shape, options.gamma, decay)
        const beta = decayOf('beta', shape, options.beta, decay)
        const raised = rise.add(threshold)
        const spikes = activation(v.sub(raised))
        const membrane = v.mul(beta).add(x).sub(spikes.mul(raised))
        const nextRise = rise.mul(gamma).add(np.subtract(1, gamma).mul(spikes))
        return [spikes, np.concatenate([membrane, nextRise], { axis: -1 })]
      },
      // Spyx doubles every axis of the shape, which fits a shape of one axis only.
      initialState: (batch) => restingState(shape, batch, 2),
    }
  },
)
