/** Spike functions: the Heaviside step forwards, a derivative of another function backwards. */
import { type NDArray, OptionError, checkOptions, customJvp, np } from '@fluxion/core'

/** From a membrane less its threshold to spikes, 0 or 1 in the same dtype. */
export type Activation = (x: NDArray) => NDArray

/** The strict step: 1 where x > 0, else 0 (also at 0), in the dtype of x. */
export const heaviside: Activation = (x) => np.greater(x, 0).astype(x.dtype)

export interface CustomOptions {
  /** The surrogate's derivative, from x to the factor of the cotangent; 1 everywhere by default (straight-through). */
  bwd?: (x: NDArray) => NDArray
  /** The spike function itself; `heaviside` by default. */
  fwd?: Activation
}
/**
 * A spike function with a derivative of one's own: y = fwd(x), dy = bwd(x) · dx. Both modes of differentiation work, and second
 * derivatives go through `bwd`. The gradient has the dtype of x.
 *
 * @param options `bwd` and `fwd`
 * @returns a function of f[...] to the same shape and dtype
 * @throws OptionError for an option that it lacks
 * @see Neftci, Mostafa & Zenke, Surrogate gradient learning in spiking neural networks (2019)
 * @example
 * ```ts
 * import { grad, np } from 'fluxion'
 * import { custom } from '@fluxion/surrogates'
 * const spike = custom({ bwd: (x) => np.exp(x.abs().neg()) })
 * spike(np.array([-1, 0, 1])) // => [0, 0, 1]
 * grad(spike)(0).item() // => 1
 * ```
 */
export function custom({ bwd, fwd = heaviside, ...unknown }: CustomOptions = {}): Activation {
  checkOptions('custom', unknown, [])
  const spike = customJvp(fwd)
  spike.defjvp(([x], [t]) => [spike(x), bwd === undefined ? t : bwd(x).mul(t)])
  return spike
}

/** Check a positive number among the options of a surrogate. */
export function positive(where: string, name: string, value: number): number {
  if (!(value > 0) || !Number.isFinite(value))
    throw new OptionError(`${where}: expected a positive ${name}, got ${value}`)
  return value
}
