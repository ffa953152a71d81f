/** Adam and its kin: updates scaled by running averages of gradients and of their squares. */
import { type DType, type NDArray, checkOptions, np } from '@fluxion/core'
import { biasCorrection, castTo, filledOf, firstMoment, nesterovMoment, secondMoment, zerosOf } from './moments.ts'
import { type Scalar, complement, minus, over, times } from './scalars.ts'
import { type Transformation, mapTrees, safeIncrement, zeroCount } from './transformation.ts'

export interface AdamState {
  readonly count: NDArray // i32[]
  /** The average of gradients, in the structure of the parameters. */
  readonly mu: unknown
  /** The average of their squares, or what stands for it, in the structure of the parameters. */
  readonly nu: unknown
}
export interface MomentOptions {
  /** The decay of the average of gradients. */
  b1?: Scalar
  /** The decay of the average of their squares. */
  b2?: Scalar
  /** Added to the root. */
  eps?: Scalar
  /** Added under the root. */
  epsRoot?: Scalar
}
export interface AdamOptions extends MomentOptions {
  /** The dtype in which the average of gradients is kept; else that of the parameters. */
  muDtype?: DType
  /** Look a step ahead, as Nesterov's momentum does. */
  nesterov?: boolean
}
export const momentNames: readonly string[] = ['b1', 'b2', 'eps', 'epsRoot']
export const adamNames: readonly string[] = [...momentNames, 'muDtype', 'nesterov']

const zeroState = (where: string, params: unknown, muDtype?: DType): AdamState => ({
  count: zeroCount(),
  mu: zerosOf(where, params, muDtype),
  nu: zerosOf(where, params),
})
/** m / (√(v + ε′) + ε) of one leaf. */
const ratio = (m: NDArray, v: NDArray, eps: Scalar, epsRoot: Scalar): NDArray =>
  m.div(np.add(np.sqrt(np.add(v, epsRoot)), eps))

/**
 * Scale gradients as Adam does: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², u = m̂ / (√(v̂ + ε′) + ε) with m̂ = m / (1 − β₁ᵗ) and
 * v̂ = v / (1 − β₂ᵗ); with `nesterov` m̂ = β₁ m / (1 − β₁ᵗ⁺¹) + (1 − β₁) g / (1 − β₁ᵗ).
 *
 * @see Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014; Dozat, "Incorporating Nesterov Momentum into Adam", 2016
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByAdam } from '@fluxion/optim'
 * const adam = scaleByAdam()
 * const grads = np.array([4, -0.5])
 * np.round(adam.update(grads, adam.init(grads))[0]) // => [1, -1]
 * ```
 */
export function scaleByAdam(options: AdamOptions = {}): Transformation<AdamState> {
  checkOptions('scaleByAdam', options, adamNames)
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0, muDtype, nesterov = false } = options
  const where = 'scaleByAdam'
  return {
    init: (params) => zeroState(where, params, muDtype),
    update(grads, state) {
      const count = safeIncrement(state.count)
      const mu = firstMoment(where, grads, state.mu, b1)
      const nu = secondMoment(where, grads, state.nu, b2)
      const muHat = nesterov ? nesterovMoment(where, grads, mu, b1, count) : biasCorrection(where, mu, b1, count)
      const nuHat = biasCorrection(where, nu, b2, count)
      const updates = mapTrees(where, (m, v) => ratio(m, v!, eps, epsRoot), muHat, nuHat)
      // wide gradients of narrow parameters do not widen the state
      const kept = mapTrees(where, (v, before) => v.astype(before!.dtype), nu, state.nu)
      return [updates, { count, mu: castTo(where, mu, muDtype), nu: kept }]
    },
  }
}

export interface AmsgradState extends AdamState {
  /** The largest average of squares so far, in the structure of the parameters. */
  readonly nuMax: unknown
}
export interface AmsgradOptions extends MomentOptions {
  muDtype?: DType
  /** Correct the bias of the average of gradients (the paper does not). */
  biasCorrectionMu?: boolean
  /** Correct the bias of the average of squares before the maximum (the paper does not). */
  biasCorrectionNu?: boolean
}
export const amsgradNames: readonly string[] = [...momentNames, 'muDtype', 'biasCorrectionMu', 'biasCorrectionNu']

/**
 * Scale gradients as Adam does, but by the largest v̂ so far: u = m̂ / (√(max v̂ + ε′) + ε).
 *
 * @see Reddi et al., "On the Convergence of Adam and Beyond", 2018
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByAmsgrad } from '@fluxion/optim'
 * const amsgrad = scaleByAmsgrad()
 * np.round(amsgrad.update(np.array([4]), amsgrad.init(np.array([0])))[0]) // => [1]
 * ```
 */
export function scaleByAmsgrad(options: AmsgradOptions = {}): Transformation<AmsgradState> {
  const where = 'scaleByAmsgrad'
  checkOptions(where, options, amsgradNames)
  const {
    b1 = 0.9,
    b2 = 0.999,
    eps = 1e-8,
    epsRoot = 0,
    muDtype,
    biasCorrectionMu = true,
    biasCorrectionNu = true,
  } = options
  return {
    init: (params) => ({ ...zeroState(where, params, muDtype), nuMax: zerosOf(where, params) }),
    update(grads, state) {
      const count = safeIncrement(state.count)
      const mu = firstMoment(where, grads, state.mu, b1)
      const nu = secondMoment(where, grads, state.nu, b2)
      const muHat = biasCorrectionMu ? biasCorrection(where, mu, b1, count) : mu
      const nuHat = biasCorrectionNu ? biasCorrection(where, nu, b2, count) : nu
      const nuMax = mapTrees(where, (max, v) => np.maximum(max, v!), state.nuMax, nuHat)
      const updates = mapTrees(where, (m, v) => ratio(m, v!, eps, epsRoot), muHat, nuMax)
      return [updates, { count, mu: castTo(where, mu, muDtype), nu, nuMax }]
    },
  }
}

export type AdamaxOptions = Omit<MomentOptions, 'epsRoot'>
export const adamaxNames: readonly string[] = ['b1', 'b2', 'eps']
/**
 * Scale gradients as Adam does, with the largest gradient in place of the average square: v ← max(|g| + ε, β₂ v), u = m̂ / v.
 *
 * @see Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014, section 7.1
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByAdamax } from '@fluxion/optim'
 * const adamax = scaleByAdamax()
 * np.round(adamax.update(np.array([4]), adamax.init(np.array([0])))[0]) // => [1]
 * ```
 */
export function scaleByAdamax(options: AdamaxOptions = {}): Transformation<AdamState> {
  const where = 'scaleByAdamax'
  checkOptions(where, options, adamaxNames)
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8 } = options
  return {
    init: (params) => zeroState(where, params),
    update(grads, state) {
      const count = safeIncrement(state.count)
      const mu = firstMoment(where, grads, state.mu, b1)
      const nu = mapTrees(where, (g, v) => np.maximum(np.add(np.abs(g), eps), np.multiply(b2, v!)), grads, state.nu)
      const updates = mapTrees(where, (m, v) => m.div(v!), biasCorrection(where, mu, b1, count), nu)
      return [updates, { count, mu, nu }]
    },
  }
}

export type BeliefOptions = Omit<AdamOptions, 'muDtype'>
export const beliefNames: readonly string[] = [...momentNames, 'nesterov']
/**
 * Scale gradients by how far they are from what was expected: v ← β₂ v + (1 − β₂)(g − m)² + ε′, u = m̂ / (√v̂ + ε).
 *
 * @see Zhuang et al., "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients", 2020
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByBelief } from '@fluxion/optim'
 * const belief = scaleByBelief()
 * belief.update(np.array([4]), belief.init(np.array([0])))[0].gt(1) // => [1]
 * ```
 */
export function scaleByBelief(options: BeliefOptions = {}): Transformation<AdamState> {
  const where = 'scaleByBelief'
  checkOptions(where, options, beliefNames)
  const { b1 = 0.9, b2 = 0.999, eps = 1e-16, epsRoot = 1e-16, nesterov = false } = options
  return {
    init: (params) => zeroState(where, params),
    update(grads, state) {
      const count = safeIncrement(state.count)
      const mu = firstMoment(where, grads, state.mu, b1)
      const surprise = mapTrees(where, (g, m) => g.sub(m!), grads, mu)
      const nu = mapTrees(where, (v) => np.add(v, epsRoot), secondMoment(where, surprise, state.nu, b2))
      const muHat = nesterov ? nesterovMoment(where, grads, mu, b1, count) : biasCorrection(where, mu, b1, count)
      const nuHat = biasCorrection(where, nu, b2, count)
      return [mapTrees(where, (m, v) => ratio(m, v!, eps, 0), muHat, nuHat), { count, mu, nu }]
    },
  }
}

export interface ScaleByYogiOptions extends MomentOptions {
  /** What both averages start from. */
  initialAccumulatorValue?: Scalar
}
/**
 * Scale gradients as Adam does, with an average of squares that changes by addition: v ← v − (1 − β₂) sign(v − g²) g².
 *
 * @see Zaheer et al., "Adaptive Methods for Nonconvex Optimization", 2018
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByYogi } from '@fluxion/optim'
 * const yogi = scaleByYogi()
 * np.round(yogi.update(np.array([4]), yogi.init(np.array([0])))[0]) // => [1]
 * ```
 */
export function scaleByYogi(options: ScaleByYogiOptions = {}): Transformation<AdamState> {
  const where = 'scaleByYogi'
  checkOptions(where, options, [...momentNames, 'initialAccumulatorValue'])
  const { b1 = 0.9, b2 = 0.999, eps = 1e-3, epsRoot = 0, initialAccumulatorValue: start = 1e-6 } = options
  return {
    init: (params) => ({ count: zeroCount(), mu: filledOf(where, params, start), nu: filledOf(where, params, start) }),
    update(grads, state) {
      const count = safeIncrement(state.count)
      const mu = firstMoment(where, grads, state.mu, b1)
      const nu = mapTrees(
        where,
        (g, v) => {
          const square = np.square(g)
          return v!.sub(np.multiply(complement(b2), np.sign(v!.sub(square))).mul(square))
        },
        grads,
        state.nu,
      )
      const [muHat, nuHat] = [biasCorrection(where, mu, b1, count), biasCorrection(where, nu, b2, count)]
      return [mapTrees(where, (m, v) => ratio(m, v!, eps, epsRoot), muHat, nuHat), { count, mu, nu }]
    },
  }
}

export interface RadamOptions extends BeliefOptions {
  /** The ρ from which on updates are scaled. */
  threshold?: Scalar
}
export const radamNames: readonly string[] = [...beliefNames, 'threshold']
/**
 * Scale gradients as Adam does once the variance of the scale is known: with ρ∞ = 2 / (1 − β₂) − 1 and ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ) the
 * update is r m̂ / (√(v̂ + ε′) + ε), r = √((ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ)), where ρ is at least the threshold, else m̂.
 *
 * @see Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", 2019
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByRadam } from '@fluxion/optim'
 * const radam = scaleByRadam()
 * np.round(radam.update(np.array([4]), radam.init(np.array([0])))[0]) // => [4]
 * ```
 */
export function scaleByRadam(options: RadamOptions = {}): Transformation<AdamState> {
  const where = 'scaleByRadam'
  checkOptions(where, options, radamNames)
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0, threshold = 5, nesterov = false } = options
  const limit = minus(over(2, complement(b2)), 1)
  const limitFactor = times(minus(limit, 4), minus(limit, 2))
  return {
    init: (params) => zeroState(where, params),
    update(grads, state) {
      const count = safeIncrement(state.count)
      const mu = firstMoment(where, grads, state.mu, b1)
      const nu = secondMoment(where, grads, state.nu, b2)
      const decayed = np.power(b2, count)
      const rho = np.subtract(limit, count.mul(2).mul(decayed).div(np.subtract(1, decayed)))
      const rectifier = np.sqrt(np.multiply(rho.sub(4).mul(rho.sub(2)), limit).div(np.multiply(limitFactor, rho)))
      const muHat = nesterov ? nesterovMoment(where, grads, mu, b1, count) : biasCorrection(where, mu, b1, count)
      const nuHat = biasCorrection(where, nu, b2, count)
      const updates = mapTrees(
        where,
        (m, v) => np.where(rho.ge(threshold), ratio(rectifier.astype(m.dtype).mul(m), v!, eps, epsRoot), m),
        muHat,
        nuHat,
      )
      return [updates, { count, mu, nu }]
    },
  }
}

export interface AdanState {
  readonly count: NDArray // i32[]
  /** The average of gradients. */
  readonly mu: unknown
  /** The average of differences of successive gradients. */
  readonly delta: unknown
  /** The average of squares of gradients that look a step ahead. */
  readonly nu: unknown
  /** The last gradients. */
  readonly previous: unknown
}
export interface ScaleByAdanOptions extends MomentOptions {
  /** The decay of the average of squares. */
  b3?: Scalar
}
export const adanNames: readonly string[] = [...momentNames, 'b3']
/**
 * Scale gradients as Adan does: with d = g − g′, zero at the first step, m ← β₁ m + (1 − β₁) g, δ ← β₂ δ + (1 − β₂) d,
 * n ← β₃ n + (1 − β₃)(g + (1 − β₂) d)², u = (m̂ + (1 − β₂) δ̂) / (√(n̂ + ε′) + ε).
 *
 * @see Xie et al., "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models", 2022
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByAdan } from '@fluxion/optim'
 * const adan = scaleByAdan()
 * np.round(adan.update(np.array([4]), adan.init(np.array([0])))[0]) // => [1]
 * ```
 */
export function scaleByAdan(options: ScaleByAdanOptions = {}): Transformation<AdanState> {
  const where = 'scaleByAdan'
  checkOptions(where, options, adanNames)
  const { b1 = 0.98, b2 = 0.92, b3 = 0.99, eps = 1e-8, epsRoot = 0 } = options
  const ahead = <P>(x: P, step: unknown): P =>
    mapTrees(where, (a, b) => a.add(np.multiply(complement(b2), b!)), x, step)
  return {
    init: (params) => ({
      ...zeroState(where, params),
      delta: zerosOf(where, params),
      previous: zerosOf(where, params),
    }),
    update(grads, state) {
      const first = state.count.eq(0)
      const step = mapTrees(where, (g, last) => np.where(first, np.zerosLike(g), g.sub(last!)), grads, state.previous)
      const count = safeIncrement(state.count)
      const mu = firstMoment(where, grads, state.mu, b1)
      const delta = firstMoment(where, step, state.delta, b2)
      const nu = secondMoment(where, ahead(grads, step), state.nu, b3)
      const moved = ahead(biasCorrection(where, mu, b1, count), biasCorrection(where, delta, b2, count))
      const updates = mapTrees(where, (m, v) => ratio(m, v!, eps, epsRoot), moved, biasCorrection(where, nu, b3, count))
      return [updates, { count, mu, delta, nu, previous: grads }]
    },
  }
}
