/** Neurons with one state variable, the membrane: LI, IF, LIF, RIF and RLIF. */
import { type NDArray, type Shape, checkOptions, OptionError, ShapeError } from '@fluxion/core'
import { type Core, core, getParameter, initializers } from '@fluxion/modules'
import { type DecayRule, type NeuronOptions, checkDecay, checkInput, checkRule, checkShape, decayOf, defaultActivation, restingState } from './decay.ts'

export interface LiOptions {
  /** The decay, 0.8 by default. */
  beta?: number
  decay?: DecayRule
  name?: string
}
/**
 * Leaky integrator, the readout of a spiking network: V ← βV + x; the output is the new membrane.
 *
 * @param shape the shape of one sample's membranes
 */
export const li: (shape: Shape, options?: LiOptions) => Core<NDArray> = core('LI', (shape: Shape, options: LiOptions = {}) => {
  checkOptions('li', options, ['beta', 'decay', 'name'])
  const { beta, decay = 'hardSigmoid' } = options
  checkShape('li', shape)
  checkDecay('li', 'beta', beta)
  checkRule('li', decay)
  return {
    call(x, v: NDArray) {
      checkInput('li', x, shape)
      // Spyx of October 2023 has no parameter here; its later releases learn one for each unit from 0.8.
      const factor = decay === 'hardSigmoid' ? (beta ?? 0.8) : decayOf('beta', shape, beta, decay, initializers.constant(0.8))
      const next = v.mul(factor).add(x)
      return [next, next]
    },
    initialState: (batch) => restingState(shape, batch),
  }
})

export type IfOptions = Omit<NeuronOptions, 'decay'>
/** Integrate-and-fire: S = spike(V − θ); V ← V + x − Sθ. */
export const integrateAndFire: (shape: Shape, options?: IfOptions) => Core<NDArray> = core('IF', (shape: Shape, options: IfOptions = {}) => {
  checkOptions('integrateAndFire', options, ['threshold', 'activation', 'name'])
  const { threshold = 1, activation = defaultActivation } = options
  checkShape('integrateAndFire', shape)
  return {
    call(x, v: NDArray) {
      checkInput('integrateAndFire', x, shape)
      const spikes = activation(v.sub(threshold))
      return [spikes, v.add(x).sub(spikes.mul(threshold))]
    },
    initialState: (batch) => restingState(shape, batch),
  }
})

export interface LifOptions extends NeuronOptions {
  /** The decay of the membrane; learnt for each neuron if not given. */
  beta?: number
}
/**
 * Leaky integrate-and-fire: S = spike(V − θ); V ← βV + x − Sθ. Spikes come from the membrane before the input is added, so that they lag
 * by a step, and the reset is by subtraction, through which gradients flow.
 */
export const lif: (shape: Shape, options?: LifOptions) => Core<NDArray> = core('LIF', (shape: Shape, options: LifOptions = {}) => {
  checkOptions('lif', options, ['beta', 'threshold', 'activation', 'decay', 'name'])
  const { beta, threshold = 1, activation = defaultActivation, decay = 'hardSigmoid' } = options
  checkShape('lif', shape)
  checkDecay('lif', 'beta', beta)
  checkRule('lif', decay)
  return {
    call(x, v: NDArray) {
      checkInput('lif', x, shape)
      const factor = decayOf('beta', shape, beta, decay)
      const spikes = activation(v.sub(threshold))
      return [spikes, v.mul(factor).add(x).sub(spikes.mul(threshold))]
    },
    initialState: (batch) => restingState(shape, batch),
  }
})

export type Recurrence = 'elementwise' | 'dense'
/** What spikes send back to the neurons of their own layer: w ⊙ S (October 2023) or S · w (from 0.1.18 on). */
export function recurrent(where: string, shape: Shape, recurrence: Recurrence): (spikes: NDArray) => NDArray {
  const init = initializers.truncatedNormal()
  if (recurrence === 'elementwise') return (spikes) => getParameter('w', shape, { init }).mul(spikes)
  if (recurrence !== 'dense') throw new OptionError(`${where}: expected recurrence 'elementwise' or 'dense', got '${String(recurrence)}'`)
  if (shape.length !== 1) throw new ShapeError(`${where}: dense recurrence needs a shape of one axis, got (${shape.join(',')})`)
  return (spikes) => spikes.matmul(getParameter('w', [shape[0]!, shape[0]!], { init }))
}

export interface RecurrentOptions extends LifOptions {
  /** How spikes reach the layer they come from; `elementwise` by default. */
  recurrence?: Recurrence
}
/**
 * Recurrent leaky integrate-and-fire: S = spike(V − θ); V ← βV + x + w ⊙ S − Sθ, or with dense recurrence S · w in place of w ⊙ S.
 */
export const rlif: (shape: Shape, options?: RecurrentOptions) => Core<NDArray> = core('RLIF', (shape: Shape, options: RecurrentOptions = {}) => {
  checkOptions('rlif', options, ['beta', 'threshold', 'activation', 'decay', 'recurrence', 'name'])
  const { beta, threshold = 1, activation = defaultActivation, decay = 'hardSigmoid', recurrence = 'elementwise' } = options
  checkShape('rlif', shape)
  checkDecay('rlif', 'beta', beta)
  checkRule('rlif', decay)
  const feedback = recurrent('rlif', shape, recurrence)
  return {
    call(x, v: NDArray) {
      checkInput('rlif', x, shape)
      const spikes = activation(v.sub(threshold))
      const fed = feedback(spikes)
      const factor = decayOf('beta', shape, beta, decay)
      return [spikes, v.mul(factor).add(x).add(fed).sub(spikes.mul(threshold))]
    },
    initialState: (batch) => restingState(shape, batch),
  }
})

export type RifOptions = Omit<RecurrentOptions, 'beta' | 'decay'>
/** Recurrent integrate-and-fire: S = spike(V − θ); V ← V + x + S · w − Sθ; dense recurrence by default. */
export const rif: (shape: Shape, options?: RifOptions) => Core<NDArray> = core('RIF', (shape: Shape, options: RifOptions = {}) => {
  checkOptions('rif', options, ['threshold', 'activation', 'recurrence', 'name'])
  const { threshold = 1, activation = defaultActivation, recurrence = 'dense' } = options
  checkShape('rif', shape)
  const feedback = recurrent('rif', shape, recurrence)
  return {
    call(x, v: NDArray) {
      checkInput('rif', x, shape)
      const spikes = activation(v.sub(threshold))
      return [spikes, v.add(x).add(feedback(spikes)).sub(spikes.mul(threshold))]
    },
    initialState: (batch) => restingState(shape, batch),
  }
})
