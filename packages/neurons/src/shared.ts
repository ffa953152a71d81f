/** What neurons share: options and their checks, learnable decays, resting states. */
import {
  NDArray,
  OptionError,
  type Shape,
  ShapeError,
  TreeError,
  checkOptions,
  misuse,
  nn,
  np,
  showAval,
} from '@fluxion/core'
import { type Initializer, getParameter, initializers } from '@fluxion/modules'
import { type Activation, custom } from '@fluxion/surrogates'

/**
 * How a learnable decay becomes a factor from 0 to 1. `hardSigmoid` is Spyx of October 2023: min(max(b + 3, 0), 6) / 6, and a decay that
 * is given is no parameter. `clip` is Spyx from 0.1.19 on: min(max(b, 0), 1), and a given decay is a scalar parameter that starts there.
 */
export type DecayRule = 'hardSigmoid' | 'clip'

export interface NeuronOptions {
  /** The membrane above which a neuron spikes, 1 by default. */
  threshold?: number
  /** The spike function; straight-through by default. */
  activation?: Activation
  /** How decays are learnt, `hardSigmoid` by default. */
  decay?: DecayRule
  name?: string
}

const defaultActivation: Activation = custom()
const decayNames = ['alpha', 'beta', 'gamma'] as const
type Decays = { readonly [name in (typeof decayNames)[number]]?: number }

/** The options of a neuron, checked, with their defaults; `known` are those that it has beside threshold, activation and name. */
export function neuronOptions(
  where: string,
  shape: Shape,
  options: NeuronOptions & Decays,
  known: readonly string[],
): { threshold: number; activation: Activation; decay: DecayRule } {
  checkOptions(where, options, [...known, 'threshold', 'activation', 'name'])
  checkShape(where, shape)
  checkDecays(where, options)
  const { threshold = 1, activation = defaultActivation, decay = 'hardSigmoid' } = options
  if (!Number.isFinite(threshold)) throw new OptionError(misuse(where, 'a finite threshold', String(threshold)))
  if (typeof activation !== 'function') {
    throw new OptionError(
      misuse(where, 'a function as activation', typeof activation, 'such as arctan() of @fluxion/surrogates'),
    )
  }
  return { threshold, activation, decay }
}
export function checkDecays(where: string, options: Decays & { readonly decay?: DecayRule }): void {
  const { decay = 'hardSigmoid' } = options
  if (decay !== 'hardSigmoid' && decay !== 'clip') {
    throw new OptionError(misuse(where, "decay 'hardSigmoid' or 'clip'", `'${String(decay)}'`))
  }
  for (const name of decayNames) {
    const value = options[name]
    if (value !== undefined && !Number.isFinite(value)) {
      throw new OptionError(misuse(where, `a finite number as ${name}`, String(value)))
    }
  }
}
export function checkShape(where: string, shape: Shape): void {
  if (!Array.isArray(shape) || shape.some((dim) => !Number.isInteger(dim) || dim < 0)) {
    throw new OptionError(misuse(where, 'the shape of one sample, such as [128]', JSON.stringify(shape)))
  }
}

/** A decay by name: learnt for each neuron from a truncated normal of mean 0.5, or given. */
export function decayOf(
  name: string,
  shape: Shape,
  given: number | undefined,
  rule: DecayRule,
  init: Initializer = initializers.truncatedNormal(0.25, 0.5),
): NDArray | number {
  if (rule === 'hardSigmoid') return given ?? nn.hardSigmoid(getParameter(name, shape, { init }))
  const raw =
    given === undefined
      ? getParameter(name, shape, { init })
      : getParameter(name, [], { init: initializers.constant(given) })
  return np.clip(raw, 0, 1)
}

/** The shape of a state that holds several variables of each neuron side by side along the last axis. */
const stateShape = (shape: Shape, variables: number): Shape => [
  ...shape.slice(0, -1),
  ...shape.slice(-1).map((size) => size * variables),
]

/** A resting state, f32: zeros for each neuron. */
export const restingState = (shape: Shape, batch: number | null, variables = 1): NDArray =>
  np.zeros([...(batch === null ? [] : [batch]), ...stateShape(shape, variables)])

/** Input and state must end in the neuron's own shape. */
export function checkCall(where: string, x: NDArray, state: NDArray, shape: Shape, variables = 1): void {
  checkEnd(where, 'an input', x, shape, 'the layer before must have as many outputs as there are neurons')
  checkEnd(where, 'a state', state, stateShape(shape, variables), 'start from initialState of this core')
}
function checkEnd(where: string, what: string, x: NDArray, shape: Shape, hint: string): void {
  if (!(x instanceof NDArray))
    throw new TreeError(misuse(where, `${what} that is an array`, Array.isArray(x) ? 'a list' : typeof x, hint))
  const own = x.shape.slice(Math.max(0, x.ndim - shape.length))
  if (own.length === shape.length && own.every((dim, i) => dim === shape[i])) return
  throw new ShapeError(misuse(where, `${what} of shape [${['…', ...shape].join(',')}]`, showAval(x.aval), hint))
}

/** A shape with a last axis, along which the neuron keeps two variables. */
export function checkRank(where: string, shape: Shape): void {
  if (shape.length === 0)
    throw new OptionError(misuse(where, 'a shape of one axis at least', '[]', 'a single neuron has the shape [1]'))
}
/** The two variables of a state. */
export function halves(state: NDArray): [NDArray, NDArray] {
  const size = state.shape.at(-1)! / 2
  return [state.get('...', `:${size}`), state.get('...', `${size}:`)]
}

/** What a spike takes from the membrane: S · θ, which is S itself at the usual threshold. */
export const resetOf = (spikes: NDArray, threshold: number): NDArray =>
  threshold === 1 ? spikes : spikes.mul(threshold)
