/** Neurons whose spikes reach their own layer: RIF and RLIF. */
import type { NDArray, Shape } from '@fluxion/core'
import { type Core, core } from '@fluxion/modules'
import type { LifOptions } from './leaky.ts'
import { type Recurrence, feedbackOf } from './recurrence.ts'
import { checkCall, decayOf, neuronOptions, restingState, resetOf } from './shared.ts'

export interface RlifOptions extends LifOptions {
  /** How spikes reach the layer that they come from; `elementwise` by default. */
  recurrence?: Recurrence
}
/**
 * Recurrent leaky integrate-and-fire: S = spike(V − θ); V ← βV + x + w ⊙ S − Sθ, with dense recurrence S · w in place of w ⊙ S; the
 * output is S.
 *
 * @param shape the shape of one sample's neurons, of one axis for dense recurrence
 * @returns a core of f[batch, ...shape] whose state is V, with parameters `w` and, if no `beta` is given, `beta`
 * @throws OptionError for an option that it lacks; ShapeError for dense recurrence over several axes; the core throws ShapeError for an
 *   input that does not end in `shape`
 */
export const rlif: (shape: Shape, options?: RlifOptions) => Core<NDArray> = core(
  'RLIF',
  (shape: Shape, options: RlifOptions = {}) => {
    const { threshold, activation, decay } = neuronOptions('rlif', shape, options, ['beta', 'decay', 'recurrence'])
    const feedback = feedbackOf('rlif', shape, options.recurrence ?? 'elementwise')
    return {
      call(x, v: NDArray) {
        checkCall('rlif', x, v, shape)
        const spikes = activation(v.sub(threshold))
        // `w` is made before `beta`, as in Spyx: the order decides which random key each of them takes.
        const fed = feedback(spikes)
        const beta = decayOf('beta', shape, options.beta, decay)
        return [spikes, v.mul(beta).add(x).add(fed).sub(resetOf(spikes, threshold))]
      },
      initialState: (batch) => restingState(shape, batch),
    }
  },
)

export type RifOptions = Omit<RlifOptions, 'beta' | 'decay'>
/**
 * Recurrent integrate-and-fire: S = spike(V − θ); V ← V + x + S · w − Sθ, with elementwise recurrence w ⊙ S in place of S · w; the output
 * is S. Recurrence is dense by default, since Spyx has never had another here.
 *
 * @param shape the shape of one sample's neurons, of one axis for dense recurrence
 * @returns a core of f[batch, ...shape] whose state is V, with the parameter `w`
 * @throws as `rlif`
 */
export const rif: (shape: Shape, options?: RifOptions) => Core<NDArray> = core(
  'RIF',
  (shape: Shape, options: RifOptions = {}) => {
    const { threshold, activation } = neuronOptions('rif', shape, options, ['recurrence'])
    const feedback = feedbackOf('rif', shape, options.recurrence ?? 'dense')
    return {
      call(x, v: NDArray) {
        checkCall('rif', x, v, shape)
        const spikes = activation(v.sub(threshold))
        return [spikes, v.add(x).add(feedback(spikes)).sub(resetOf(spikes, threshold))]
      },
      initialState: (batch) => restingState(shape, batch),
    }
  },
)
