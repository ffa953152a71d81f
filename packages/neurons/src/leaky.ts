/** Neurons whose one state variable is the membrane, without recurrent weights: LI, IF and LIF. */
import { type NDArray, type Shape, checkOptions } from '@fluxion/core'
import { type Core, core, initializers } from '@fluxion/modules'
import {
  type DecayRule,
  type NeuronOptions,
  checkCall,
  checkDecays,
  checkShape,
  decayOf,
  neuronOptions,
  restingState,
  resetOf,
} from './shared.ts'

export interface LiOptions {
  /** The decay, 0.8 by default. */
  beta?: number
  /** How the decay is learnt: not at all by default (`hardSigmoid`), for each unit with `clip`, or as one scalar if `beta` is given. */
  decay?: DecayRule
  name?: string
}
/**
 * Leaky integrator, the readout of a spiking network: V ← βV + x; the output is the new membrane.
 *
 * @param shape the shape of one sample's membranes
 * @returns a core of f[batch, ...shape] whose state is V
 * @throws OptionError for an option that it lacks; the core throws ShapeError for an input that does not end in `shape`
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * import { li } from '@fluxion/neurons'
 * const readout = hk.transform((x) => { const core = li([1], { beta: 0.5 }); return hk.dynamicUnroll(core, x, core.initialState(null))[0] })
 * readout.apply({}, null, np.array([[1], [0], [0]])) // => [[1], [0.5], [0.25]]
 * ```
 */
export const li: (shape: Shape, options?: LiOptions) => Core<NDArray> = core(
  'LI',
  (shape: Shape, options: LiOptions = {}) => {
    checkOptions('li', options, ['beta', 'decay', 'name'])
    checkShape('li', shape)
    checkDecays('li', options)
    const { beta, decay = 'hardSigmoid' } = options
    return {
      call(x, v: NDArray) {
        checkCall('li', x, v, shape)
        // Spyx of October 2023 has no parameter here; its later releases learn one for each unit from 0.8.
        const factor =
          decay === 'hardSigmoid' ? (beta ?? 0.8) : decayOf('beta', shape, beta, decay, initializers.constant(0.8))
        const next = v.mul(factor).add(x)
        return [next, next]
      },
      initialState: (batch) => restingState(shape, batch),
    }
  },
)

export type IfOptions = Omit<NeuronOptions, 'decay'>
/**
 * Integrate-and-fire, a neuron that forgets nothing: S = spike(V − θ); V ← V + x − Sθ; the output is S.
 *
 * @param shape the shape of one sample's neurons
 * @returns a core of f[batch, ...shape] whose state is V
 * @throws OptionError for an option that it lacks; the core throws ShapeError for an input that does not end in `shape`
 */
export const integrateAndFire: (shape: Shape, options?: IfOptions) => Core<NDArray> = core(
  'IF',
  (shape: Shape, options: IfOptions = {}) => {
    const { threshold, activation } = neuronOptions('integrateAndFire', shape, options, [])
    return {
      call(x, v: NDArray) {
        checkCall('integrateAndFire', x, v, shape)
        const spikes = activation(v.sub(threshold))
        return [spikes, v.add(x).sub(resetOf(spikes, threshold))]
      },
      initialState: (batch) => restingState(shape, batch),
    }
  },
)

export interface LifOptions extends NeuronOptions {
  /** The decay of the membrane; learnt for each neuron if not given. */
  beta?: number
}
/**
 * Leaky integrate-and-fire: S = spike(V − θ); V ← βV + x − Sθ; the output is S. Spikes come from the membrane before the input is added,
 * so that they lag by a step, and the reset is by subtraction, through which gradients flow.
 *
 * @param shape the shape of one sample's neurons
 * @returns a core of f[batch, ...shape] whose state is V
 * @throws OptionError for an option that it lacks; the core throws ShapeError for an input that does not end in `shape`
 * @see Neftci, Mostafa & Zenke, Surrogate gradient learning in spiking neural networks (2019)
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * import { lif } from '@fluxion/neurons'
 * const net = hk.transform((x) => { const core = lif([1], { beta: 0.5 }); return hk.dynamicUnroll(core, x, core.initialState(null))[0] })
 * net.apply({}, null, np.array([[2], [0], [0]])) // => [[0], [1], [0]]
 * ```
 */
export const lif: (shape: Shape, options?: LifOptions) => Core<NDArray> = core(
  'LIF',
  (shape: Shape, options: LifOptions = {}) => {
    const { threshold, activation, decay } = neuronOptions('lif', shape, options, ['beta', 'decay'])
    return {
      call(x, v: NDArray) {
        checkCall('lif', x, v, shape)
        const beta = decayOf('beta', shape, options.beta, decay)
        const spikes = activation(v.sub(threshold))
        return [spikes, v.mul(beta).add(x).sub(resetOf(spikes, threshold))]
      },
      initialState: (batch) => restingState(shape, batch),
    }
  },
)
