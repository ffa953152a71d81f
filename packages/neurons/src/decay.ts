/** What neurons share: learnable decays, states, and the checks of their sizes. */
import { type NDArray, OptionError, type Shape, ShapeError, nn, np } from '@fluxion/core'
import { type Initializer, getParameter, initializers } from '@fluxion/modules'
import { type Activation, custom } from '@fluxion/surrogates'

/**
 * How a learnable decay becomes a factor from 0 to 1. `hardSigmoid` is Spyx of October 2023: min(max(b + 3, 0), 6) / 6, and a decay that
 * is given is no parameter. `clip` is Spyx from 0.1.19 on: min(max(b, 0), 1), and a given decay is a scalar parameter that starts there.
 */
export type DecayRule = 'hardSigmoid' | 'clip'

export interface NeuronOptions {
  /** The membrane at which a neuron spikes, 1 by default. */
  threshold?: number
  /** The spike function; straight-through by default. */
  activation?: Activation
  decay?: DecayRule
  name?: string
}

export const defaultActivation: Activation = custom()

/** A decay by name: learnt for each neuron, or given. */
export function decayOf(name: string, shape: Shape, given: number | undefined, rule: DecayRule, start: Initializer = initializers.truncatedNormal(0.25, 0.5)): NDArray | number {
  if (rule === 'hardSigmoid') return given ?? nn.hardSigmoid(getParameter(name, shape, { init: start }))
  const raw = given === undefined ? getParameter(name, shape, { init: start }) : getParameter(name, [], { init: initializers.constant(given) })
  return np.clip(raw, 0, 1)
}

export function checkShape(where: string, shape: Shape): void {
  if (!Array.isArray(shape) || shape.some((dim) => !Number.isInteger(dim) || dim < 0)) {
    throw new OptionError(`${where}: expected a shape such as [128], got ${JSON.stringify(shape)}`)
  }
}
export function checkDecay(where: string, name: string, value: number | undefined): void {
  if (value !== undefined && !Number.isFinite(value)) throw new OptionError(`${where}: expected a number as ${name}, got ${value}`)
}
export function checkRule(where: string, rule: DecayRule): void {
  if (rule !== 'hardSigmoid' && rule !== 'clip') throw new OptionError(`${where}: expected decay 'hardSigmoid' or 'clip', got '${String(rule)}'`)
}

/** Input and state must end in the neuron's own shape. */
export function checkInput(where: string, x: NDArray, shape: Shape): void {
  const own = x.shape.slice(x.ndim - shape.length)
  if (x.ndim < shape.length || own.some((dim, i) => dim !== shape[i])) {
    throw new ShapeError(`${where}: expected an input of shape (…,${shape.join(',')}), got ${x.toString()}\nhint: the layer before must have as many outputs as there are neurons`)
  }
}

/** A resting state, f32: zeros for each neuron, with several variables side by side along the last axis. */
export const restingState = (shape: Shape, batch: number | null, variables = 1): NDArray => {
  const own = shape.map((dim, i) => (i === shape.length - 1 ? dim * variables : dim))
  return np.zeros(batch === null ? own : [batch, ...own])
}
