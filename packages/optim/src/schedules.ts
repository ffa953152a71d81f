/** Schedules: learning rates that depend on the count of steps. All work element by element, so that a range of counts can be plotted. */
import { OptionError, checkOptions, misuse, np } from '@fluxion/core'
import { joinSchedules } from './join.ts'
import { type Scalar, minus, over } from './scalars.ts'
import { type CountSchedule, countSchedule } from './transformation.ts'

/**
 * The same value at every step.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { constantSchedule } from '@fluxion/optim'
 * constantSchedule(0.5)(np.arange(3)) // => 0.5
 * ```
 */
export const constantSchedule =
  (value: Scalar): CountSchedule =>
  () =>
    np.asarray(value)

export interface PolynomialOptions {
  initValue: Scalar
  endValue: Scalar
  power: Scalar
  /** How many steps the way takes; none or less means that `initValue` stays. */
  transitionSteps: number
  /** The step at which it begins. */
  transitionBegin?: number
}
/**
 * From one value to another along a power: (a − b)(1 − n / N)ᵖ + b, n = min(max(t − begin, 0), N).
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { polynomialSchedule } from '@fluxion/optim'
 * const schedule = polynomialSchedule({ initValue: 4, endValue: 0, power: 2, transitionSteps: 2 })
 * schedule(np.arange(4)) // => [4, 1, 0, 0]
 * ```
 */
export function polynomialSchedule(options: PolynomialOptions): CountSchedule {
  checkOptions('polynomialSchedule', options, ['initValue', 'endValue', 'power', 'transitionSteps', 'transitionBegin'])
  const { initValue, endValue, power, transitionSteps, transitionBegin = 0 } = options
  if (transitionSteps <= 0) return constantSchedule(initValue)
  return countSchedule((count) => {
    const done = np.clip(count.sub(Math.max(transitionBegin, 0)), 0, transitionSteps)
    const rest = np.power(np.subtract(1, done.div(transitionSteps)), power)
    return np.add(np.multiply(minus(initValue, endValue), rest), endValue)
  })
}

export interface LinearOptions {
  /** The step at which the way begins. */
  transitionBegin?: number
}
/**
 * From one value to another in equal steps, then constant.
 *
 * @param transitionSteps how many steps the way takes; none or less means that `initValue` stays
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { linearSchedule } from '@fluxion/optim'
 * linearSchedule(1, 0, 4)(np.arange(6)) // => [1, 0.75, 0.5, 0.25, 0, 0]
 * ```
 */
export function linearSchedule(
  initValue: Scalar,
  endValue: Scalar,
  transitionSteps: number,
  options: LinearOptions = {},
): CountSchedule {
  checkOptions('linearSchedule', options, ['transitionBegin'])
  return polynomialSchedule({ initValue, endValue, power: 1, transitionSteps, ...options })
}

export interface ExponentialOptions {
  initValue: Scalar
  /** How many steps one decay takes; none or less means that `initValue` stays. */
  transitionSteps: number
  decayRate: number
  /** The step at which it begins. */
  transitionBegin?: number
  /** Decay at once at the end of each transition instead of all along. */
  staircase?: boolean
  /** The value at which it ends. */
  endValue?: Scalar
}
const exponentialNames = ['initValue', 'transitionSteps', 'decayRate', 'transitionBegin', 'staircase', 'endValue']
/**
 * A value that decays by a factor r every N steps: a r^(n / N), n = t − begin.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { exponentialDecay } from '@fluxion/optim'
 * exponentialDecay({ initValue: 8, transitionSteps: 1, decayRate: 0.5 })(np.arange(4)) // => [8, 4, 2, 1]
 * ```
 */
export function exponentialDecay(options: ExponentialOptions): CountSchedule {
  checkOptions('exponentialDecay', options, exponentialNames)
  const { initValue, transitionSteps, decayRate, transitionBegin = 0, staircase = false, endValue } = options
  if (transitionSteps <= 0 || decayRate === 0) return constantSchedule(initValue)
  const bound = decayRate < 1 ? np.maximum : np.minimum
  return countSchedule((count) => {
    const begun = count.sub(Math.max(transitionBegin, 0))
    const periods = begun.div(transitionSteps)
    const decayed = np.multiply(initValue, np.power(decayRate, staircase ? np.floor(periods) : periods))
    const value = np.where(begun.le(0), initValue, decayed)
    return endValue === undefined ? value : bound(value, endValue)
  })
}

export interface CosineOptions {
  /** The last value as a part of the first. */
  alpha?: Scalar
  exponent?: Scalar
}
/**
 * A value that decays along half a wave: a ((1 − α) (½ (1 + cos(π t / T)))ᵉ + α).
 *
 * @throws OptionError if the way takes no steps
 * @see Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2016
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { cosineDecaySchedule } from '@fluxion/optim'
 * np.round(cosineDecaySchedule(1, 2)(np.arange(4)), { decimals: 4 }) // => [1, 0.5, 0, 0]
 * ```
 */
export function cosineDecaySchedule(initValue: Scalar, decaySteps: number, options: CosineOptions = {}): CountSchedule {
  checkOptions('cosineDecaySchedule', options, ['alpha', 'exponent'])
  requireSteps('cosineDecaySchedule', 'decaySteps', decaySteps)
  const { alpha = 0, exponent = 1 } = options
  return countSchedule((count) => {
    const wave = np.cos(np.multiply(Math.PI, np.minimum(count, decaySteps)).div(decaySteps))
    const half = np.multiply(0.5, np.add(1, wave))
    return np.multiply(initValue, np.add(np.multiply(minus(1, alpha), np.power(half, exponent)), alpha))
  })
}
export function requireSteps(where: string, name: string, steps: number): void {
  if (!(steps > 0)) throw new OptionError(misuse(where, `${name} above 0`, String(steps)))
}

export interface WarmupOptions {
  initValue: Scalar
  peakValue: Scalar
  warmupSteps: number
}
/**
 * From one value to another in equal steps, then constant.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { warmupConstantSchedule } from '@fluxion/optim'
 * warmupConstantSchedule({ initValue: 0, peakValue: 1, warmupSteps: 2 })(np.arange(4)) // => [0, 0.5, 1, 1]
 * ```
 */
export function warmupConstantSchedule(options: WarmupOptions): CountSchedule {
  checkOptions('warmupConstantSchedule', options, ['initValue', 'peakValue', 'warmupSteps'])
  return linearSchedule(options.initValue, options.peakValue, options.warmupSteps)
}

export interface WarmupCosineOptions extends WarmupOptions {
  /** The step at which the decay ends, counted from the start of the warm-up. */
  decaySteps: number
  endValue?: Scalar
  exponent?: Scalar
}
/**
 * Up in equal steps, then down along half a wave.
 *
 * @throws OptionError if `decaySteps` does not exceed `warmupSteps`
 * @see Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2016
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { warmupCosineDecaySchedule } from '@fluxion/optim'
 * const schedule = warmupCosineDecaySchedule({ initValue: 0, peakValue: 1, warmupSteps: 2, decaySteps: 4 })
 * np.round(schedule(np.arange(5)), { decimals: 4 }) // => [0, 0.5, 1, 0.5, 0]
 * ```
 */
export function warmupCosineDecaySchedule(options: WarmupCosineOptions): CountSchedule {
  const names = ['initValue', 'peakValue', 'warmupSteps', 'decaySteps', 'endValue', 'exponent']
  checkOptions('warmupCosineDecaySchedule', options, names)
  const { initValue, peakValue, warmupSteps, decaySteps, endValue = 0, exponent = 1 } = options
  requireSteps('warmupCosineDecaySchedule', 'decaySteps − warmupSteps', decaySteps - warmupSteps)
  const alpha = peakValue === 0 ? 0 : over(endValue, peakValue)
  const decay = cosineDecaySchedule(peakValue, decaySteps - warmupSteps, { alpha, exponent })
  return joinSchedules([linearSchedule(initValue, peakValue, warmupSteps), decay], [warmupSteps])
}

export interface WarmupExponentialOptions extends WarmupOptions, Omit<ExponentialOptions, 'initValue'> {}
/**
 * Up in equal steps, then a decay by a factor every `transitionSteps`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { warmupExponentialDecaySchedule } from '@fluxion/optim'
 * const rates = { initValue: 0, peakValue: 4, decayRate: 0.5 }
 * warmupExponentialDecaySchedule({ ...rates, warmupSteps: 2, transitionSteps: 1 })(np.arange(5)) // => [0, 2, 4, 2, 1]
 * ```
 */
export function warmupExponentialDecaySchedule(options: WarmupExponentialOptions): CountSchedule {
  checkOptions('warmupExponentialDecaySchedule', options, [...exponentialNames, 'peakValue', 'warmupSteps'])
  const { initValue, peakValue, warmupSteps, ...decay } = options
  const parts = [
    linearSchedule(initValue, peakValue, warmupSteps),
    exponentialDecay({ initValue: peakValue, ...decay }),
  ]
  return joinSchedules(parts, [warmupSteps])
}

/**
 * Warm-ups and cosine decays one after another: stochastic gradient descent with warm restarts. The `decaySteps` of each are its length.
 *
 * @see Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2016
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { sgdrSchedule } from '@fluxion/optim'
 * const cycle = { initValue: 0, peakValue: 1, warmupSteps: 1, decaySteps: 3 }
 * np.round(sgdrSchedule([cycle, { ...cycle, peakValue: 2 }])(np.arange(6)), { decimals: 4 }) // => [0, 1, 0.5, 0, 2, 1]
 * ```
 */
export function sgdrSchedule(cycles: readonly WarmupCosineOptions[]): CountSchedule {
  let end = 0
  const boundaries = cycles.map(({ decaySteps }) => (end += decaySteps))
  return joinSchedules(cycles.map(warmupCosineDecaySchedule), boundaries.slice(0, -1))
}
