/** Transformations that scale gradients by the size of those before, without an average of the gradients themselves. */
import { type NDArray, checkOptions, lax, np } from '@fluxion/core'
import { biasCorrection, filledOf, firstMoment, secondMoment, zerosOf } from './moments.ts'
import type { Scalar } from './scalars.ts'
import { type Transformation, mapTrees, safeIncrement, zeroCount } from './transformation.ts'

export interface RssState {
  /** The sum of squares of gradients, in the structure of the parameters. */
  readonly sumOfSquares: unknown
}
export interface RssOptions {
  initialAccumulatorValue?: Scalar
  /** Added under the root. */
  eps?: Scalar
}
export const rssNames: readonly string[] = ['initialAccumulatorValue', 'eps']
/**
 * Divide gradients by the root of the sum of all squares so far: s ← s + g², u = g / √(s + ε), and 0 where s is 0.
 *
 * @see Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByRss } from '@fluxion/optim'
 * const rss = scaleByRss({ initialAccumulatorValue: 0, eps: 0 })
 * const [first, state] = rss.update(np.array([3]), rss.init(np.array([0])))
 * first // => [1]
 * rss.update(np.array([4]), state)[0] // => [0.8]
 * ```
 */
export function scaleByRss(options: RssOptions = {}): Transformation<RssState> {
  const where = 'scaleByRss'
  checkOptions(where, options, rssNames)
  const { initialAccumulatorValue = 0.1, eps = 1e-7 } = options
  return {
    init: (params) => ({ sumOfSquares: filledOf(where, params, initialAccumulatorValue) }),
    update(grads, state) {
      const sumOfSquares = mapTrees(where, (g, s) => np.square(g).add(s!), grads, state.sumOfSquares)
      const updates = mapTrees(
        where,
        (g, s) => np.where(s!.gt(0), lax.rsqrt(np.add(s!, eps)), 0).mul(g),
        grads,
        sumOfSquares,
      )
      return [updates, { sumOfSquares }]
    },
  }
}

export interface RmsState {
  /** i32[], `null` without bias correction. */
  readonly count: NDArray | null
  readonly nu: unknown
}
export interface StddevState extends RmsState {
  readonly mu: unknown
}
export interface RmsOptions {
  decay?: Scalar
  eps?: Scalar
  /** What the average of squares starts from. */
  initialScale?: Scalar
  /** Add `eps` under the root, the default, or to the root. */
  epsInSqrt?: boolean
  /** Undo the pull of the averages towards their start. */
  biasCorrection?: boolean
}
export const rmsNames: readonly string[] = ['decay', 'eps', 'initialScale', 'epsInSqrt', 'biasCorrection']
const inverseRoot = (x: NDArray, eps: Scalar, inside: boolean): NDArray =>
  inside ? lax.rsqrt(np.add(x, eps)) : np.divide(1, np.add(np.sqrt(x), eps))

/**
 * Divide gradients by the root of the average of their squares: v ← γ v + (1 − γ) g², u = g / √(v + ε).
 *
 * @see Tieleman and Hinton, "Lecture 6.5: RMSProp", 2012
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByRms } from '@fluxion/optim'
 * const rms = scaleByRms({ decay: 0.75 })
 * rms.update(np.array([3]), rms.init(np.array([0])))[0] // => [2]
 * ```
 */
export function scaleByRms(options: RmsOptions = {}): Transformation<RmsState> {
  const where = 'scaleByRms'
  checkOptions(where, options, rmsNames)
  const { decay = 0.9, eps = 1e-8, initialScale = 0, epsInSqrt = true, biasCorrection: corrected = false } = options
  return {
    init: (params) => ({ count: corrected ? zeroCount() : null, nu: filledOf(where, params, initialScale) }),
    update(grads, state) {
      const nu = secondMoment(where, grads, state.nu, decay)
      const count = state.count === null ? null : safeIncrement(state.count)
      const nuHat = count === null ? nu : biasCorrection(where, nu, decay, count)
      return [mapTrees(where, (g, v) => inverseRoot(v!, eps, epsInSqrt).mul(g), grads, nuHat), { count, nu }]
    },
  }
}

/**
 * Divide gradients by their standard deviation: m ← γ m + (1 − γ) g, v ← γ v + (1 − γ) g², u = g / √(v − m² + ε).
 *
 * @see Graves, "Generating Sequences With Recurrent Neural Networks", 2013
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByStddev } from '@fluxion/optim'
 * const stddev = scaleByStddev({ decay: 0.5 })
 * stddev.update(np.array([3]), stddev.init(np.array([0])))[0] // => [2]
 * ```
 */
export function scaleByStddev(options: RmsOptions = {}): Transformation<StddevState> {
  const where = 'scaleByStddev'
  checkOptions(where, options, rmsNames)
  const { decay = 0.9, eps = 1e-8, initialScale = 0, epsInSqrt = true, biasCorrection: corrected = false } = options
  return {
    init: (params) => ({
      count: corrected ? zeroCount() : null,
      mu: zerosOf(where, params),
      nu: filledOf(where, params, initialScale),
    }),
    update(grads, state) {
      const mu = firstMoment(where, grads, state.mu, decay)
      const nu = secondMoment(where, grads, state.nu, decay)
      const count = state.count === null ? null : safeIncrement(state.count)
      const hat = <P>(moment: P): P => (count === null ? moment : biasCorrection(where, moment, decay, count))
      const updates = mapTrees(
        where,
        (g, m, v) => inverseRoot(v!.sub(np.square(m!)), eps, epsInSqrt).mul(g),
        grads,
        hat(mu),
        hat(nu),
      )
      return [updates, { count, mu, nu }]
    },
  }
}

export interface AdadeltaState {
  /** The average of squares of gradients. */
  readonly squaredGradients: unknown
  /** The average of squares of updates. */
  readonly squaredUpdates: unknown
}
export interface ScaleByAdadeltaOptions {
  rho?: Scalar
  eps?: Scalar
}
/**
 * Give updates the units of the parameters: v ← ρ v + (1 − ρ) g², u = √(w + ε) / √(v + ε) g, w ← ρ w + (1 − ρ) u².
 *
 * @see Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByAdadelta } from '@fluxion/optim'
 * const adadelta = scaleByAdadelta({ rho: 0.75, eps: 0 })
 * adadelta.update(np.array([3]), adadelta.init(np.array([0])))[0] // => [0]
 * ```
 */
export function scaleByAdadelta(options: ScaleByAdadeltaOptions = {}): Transformation<AdadeltaState> {
  const where = 'scaleByAdadelta'
  checkOptions(where, options, ['rho', 'eps'])
  const { rho = 0.9, eps = 1e-6 } = options
  return {
    init: (params) => ({ squaredGradients: zerosOf(where, params), squaredUpdates: zerosOf(where, params) }),
    update(grads, state) {
      const squaredGradients = secondMoment(where, grads, state.squaredGradients, rho)
      const updates = mapTrees(
        where,
        (g, v, w) =>
          np
            .sqrt(np.add(w!, eps))
            .div(np.sqrt(np.add(v!, eps)))
            .mul(g),
        grads,
        squaredGradients,
        state.squaredUpdates,
      )
      return [updates, { squaredGradients, squaredUpdates: secondMoment(where, updates, state.squaredUpdates, rho) }]
    },
  }
}
