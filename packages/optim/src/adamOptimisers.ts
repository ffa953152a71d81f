/** Optimisers after Adam. The state of each is that of the transformation it is named after, whose count drives the schedules. */
import { checkOptions } from '@fluxion/core'
import {
  type AdamOptions,
  type AdamState,
  type AdamaxOptions,
  type AdanState,
  type AmsgradOptions,
  type AmsgradState,
  type BeliefOptions,
  type MomentOptions,
  type RadamOptions,
  type ScaleByAdanOptions,
  adamNames,
  adamaxNames,
  adanNames,
  amsgradNames,
  beliefNames,
  momentNames,
  radamNames,
  scaleByAdam,
  scaleByAdamax,
  scaleByAdan,
  scaleByAmsgrad,
  scaleByBelief,
  scaleByRadam,
  scaleByYogi,
} from './adam.ts'
import type { Mask } from './labels.ts'
import { type LionState, type ScaleByLionOptions, lionNames, scaleByLion } from './lion.ts'
import { type NovogradOptions, scaleByNovograd } from './novograd.ts'
import { byTrustRatio } from './scale.ts'
import { decay, learn, staged } from './stages.ts'
import { type Rate, type Transformation, requireParams } from './transformation.ts'

export interface DecayOptions {
  /** λ of the decoupled weight decay u ← u + λ p, a number or a schedule. */
  weightDecay?: Rate
  /** Which leaves decay; all by default. */
  mask?: Mask
}
const decayNames = ['weightDecay', 'mask']

/**
 * Adam: p ← p − α m̂ / (√(v̂ + ε′) + ε) with the moments of `scaleByAdam`.
 *
 * @see Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { adam, applyUpdates } from '@fluxion/optim'
 * const optimiser = adam(0.1)
 * const params = np.array([1, 1])
 * const [updates, state] = optimiser.update(np.array([5, -5]), optimiser.init(params), params)
 * np.round(applyUpdates(params, updates), { decimals: 4 }) // => [0.9, 1.1]
 * state.count.item() // => 1
 * ```
 */
export function adam(learningRate: Rate, options: AdamOptions = {}): Transformation<AdamState> {
  checkOptions('adam', options, adamNames)
  return staged(scaleByAdam(options), learn('adam', learningRate))
}

export type NadamOptions = Omit<AdamOptions, 'nesterov'>
/**
 * Adam with Nesterov's momentum.
 *
 * @see Dozat, "Incorporating Nesterov Momentum into Adam", 2016
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { nadam } from '@fluxion/optim'
 * const optimiser = nadam(1)
 * optimiser.update(np.array([5]), optimiser.init(np.array([0])))[0].lt(-1) // => [1]
 * ```
 */
export function nadam(learningRate: Rate, options: NadamOptions = {}): Transformation<AdamState> {
  checkOptions('nadam', options, [...momentNames, 'muDtype'])
  return adam(learningRate, { ...options, nesterov: true })
}

export interface AdamwOptions extends AdamOptions, DecayOptions {}
function decayingAdam(where: string, learningRate: Rate, options: AdamwOptions): Transformation<AdamState> {
  const { weightDecay = 1e-4, mask, ...moments } = options
  return staged(scaleByAdam(moments), decay(where, weightDecay, mask), learn(where, learningRate))
}
/**
 * Adam with decoupled weight decay: p ← p − α (m̂ / (√(v̂ + ε′) + ε) + λ p), λ = 1e-4 by default.
 *
 * @throws TreeError if `update` is not given the parameters
 * @see Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2017
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { adamw } from '@fluxion/optim'
 * const optimiser = adamw(0.1, { weightDecay: 0.5 })
 * const params = np.array([2])
 * const [updates] = optimiser.update(np.array([3]), optimiser.init(params), params)
 * np.round(updates, { decimals: 4 }) // => [-0.2]
 * ```
 */
export function adamw(learningRate: Rate, options: AdamwOptions = {}): Transformation<AdamState> {
  checkOptions('adamw', options, [...adamNames, ...decayNames])
  return decayingAdam('adamw', learningRate, options)
}
export interface NadamwOptions extends NadamOptions, DecayOptions {}
/**
 * Adam with Nesterov's momentum and decoupled weight decay.
 *
 * @throws TreeError if `update` is not given the parameters
 * @see Dozat, "Incorporating Nesterov Momentum into Adam", 2016
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { nadamw } from '@fluxion/optim'
 * const optimiser = nadamw(1)
 * const params = np.array([0])
 * optimiser.update(np.array([5]), optimiser.init(params), params)[0].lt(-1) // => [1]
 * ```
 */
export function nadamw(learningRate: Rate, options: NadamwOptions = {}): Transformation<AdamState> {
  checkOptions('nadamw', options, [...momentNames, 'muDtype', ...decayNames])
  return decayingAdam('nadamw', learningRate, { ...options, nesterov: true })
}

/**
 * Adam with the largest gradient in place of the average square: p ← p − α m̂ / v, v as in `scaleByAdamax`.
 *
 * @see Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014, section 7.1
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { adamax } from '@fluxion/optim'
 * const optimiser = adamax(0.5)
 * np.round(optimiser.update(np.array([4]), optimiser.init(np.array([0])))[0], { decimals: 4 }) // => [-0.5]
 * ```
 */
export function adamax(learningRate: Rate, options: AdamaxOptions = {}): Transformation<AdamState> {
  checkOptions('adamax', options, adamaxNames)
  return staged(scaleByAdamax(options), learn('adamax', learningRate))
}
export interface AdamaxwOptions extends AdamaxOptions, DecayOptions {}
/**
 * Adamax with decoupled weight decay, λ = 1e-4 by default.
 *
 * @throws TreeError if `update` is not given the parameters
 * @see Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2017
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { adamaxw } from '@fluxion/optim'
 * const optimiser = adamaxw(0.5, { weightDecay: 1 })
 * const params = np.array([2])
 * np.round(optimiser.update(np.array([4]), optimiser.init(params), params)[0], { decimals: 4 }) // => [-1.5]
 * ```
 */
export function adamaxw(learningRate: Rate, options: AdamaxwOptions = {}): Transformation<AdamState> {
  checkOptions('adamaxw', options, [...adamaxNames, ...decayNames])
  const { weightDecay = 1e-4, mask, ...moments } = options
  return staged(scaleByAdamax(moments), decay('adamaxw', weightDecay, mask), learn('adamaxw', learningRate))
}

/**
 * Adam that scales only once the variance of the scale is known; see `scaleByRadam`.
 *
 * @see Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", 2019
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { radam } from '@fluxion/optim'
 * const optimiser = radam(0.5)
 * np.round(optimiser.update(np.array([4]), optimiser.init(np.array([0])))[0], { decimals: 4 }) // => [-2]
 * ```
 */
export function radam(learningRate: Rate, options: RadamOptions = {}): Transformation<AdamState> {
  checkOptions('radam', options, radamNames)
  return staged(scaleByRadam(options), learn('radam', learningRate))
}

/**
 * Adam that scales by the largest average of squares so far; see `scaleByAmsgrad`.
 *
 * @see Reddi et al., "On the Convergence of Adam and Beyond", 2018
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { amsgrad } from '@fluxion/optim'
 * const optimiser = amsgrad(0.5)
 * np.round(optimiser.update(np.array([4]), optimiser.init(np.array([0])))[0], { decimals: 4 }) // => [-0.5]
 * ```
 */
export function amsgrad(learningRate: Rate, options: AmsgradOptions = {}): Transformation<AmsgradState> {
  checkOptions('amsgrad', options, amsgradNames)
  return staged(scaleByAmsgrad(options), learn('amsgrad', learningRate))
}

/**
 * Adam that scales by how far gradients are from what was expected; see `scaleByBelief`.
 *
 * @see Zhuang et al., "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients", 2020
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { adabelief } from '@fluxion/optim'
 * const optimiser = adabelief(0.5)
 * optimiser.update(np.array([4]), optimiser.init(np.array([0])))[0].lt(-0.5) // => [1]
 * ```
 */
export function adabelief(learningRate: Rate, options: BeliefOptions = {}): Transformation<AdamState> {
  checkOptions('adabelief', options, beliefNames)
  return staged(scaleByBelief(options), learn('adabelief', learningRate))
}

export type YogiOptions = Omit<MomentOptions, 'epsRoot'>
/**
 * Adam whose average of squares changes by addition; see `scaleByYogi`.
 *
 * @see Zaheer et al., "Adaptive Methods for Nonconvex Optimization", 2018
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { yogi } from '@fluxion/optim'
 * const optimiser = yogi(2)
 * np.round(optimiser.update(np.array([4]), optimiser.init(np.array([0])))[0]) // => [-2]
 * ```
 */
export function yogi(learningRate: Rate, options: YogiOptions = {}): Transformation<AdamState> {
  checkOptions('yogi', options, ['b1', 'b2', 'eps'])
  return staged(scaleByYogi(options), learn('yogi', learningRate))
}

export interface LambOptions extends MomentOptions, DecayOptions {}
/**
 * Adam for large batches, each leaf's step in proportion to the norm of its parameters: p ← p − α ‖p‖ / ‖u‖ u, u that of `adamw`.
 *
 * @throws TreeError if `update` is not given the parameters
 * @see You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2019
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { lamb } from '@fluxion/optim'
 * const optimiser = lamb(0.5)
 * const params = np.array([8])
 * np.round(optimiser.update(np.array([3]), optimiser.init(params), params)[0]) // => [-4]
 * ```
 */
export function lamb(learningRate: Rate, options: LambOptions = {}): Transformation<AdamState> {
  checkOptions('lamb', options, [...momentNames, ...decayNames])
  const { weightDecay = 0, mask, ...moments } = options
  return staged(
    scaleByAdam({ eps: 1e-6, ...moments }),
    decay('lamb', weightDecay, mask),
    (updates, params) => byTrustRatio('lamb', updates, requireParams('lamb', params)),
    learn('lamb', learningRate),
  )
}

export type NovogradOptimiserOptions = Omit<NovogradOptions, 'muDtype'>
/**
 * Novograd: gradients normalised leaf by leaf before they are averaged; see `scaleByNovograd`.
 *
 * @throws TreeError if `update` is not given the parameters
 * @see Ginsburg et al., "Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep Networks", 2019
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { novograd } from '@fluxion/optim'
 * const optimiser = novograd(1)
 * const params = np.array([0, 0])
 * np.round(optimiser.update(np.array([3, 4]), optimiser.init(params), params)[0], { decimals: 4 }) // => [-0.6, -0.8]
 * ```
 */
export function novograd(learningRate: Rate, options: NovogradOptimiserOptions = {}): Transformation<AdamState> {
  checkOptions('novograd', options, [...momentNames, 'weightDecay'])
  return staged(scaleByNovograd({ eps: 1e-6, ...options }), learn('novograd', learningRate))
}

export interface LionOptions extends Omit<ScaleByLionOptions, 'mode' | 'smoothBeta'>, DecayOptions {}
/**
 * Lion: p ← p − α (sign(β₁ m + (1 − β₁) g) + λ p), then m ← β₂ m + (1 − β₂) g, λ = 1e-3 by default. Rates are to be 3 to 10 times smaller
 * than Adam's.
 *
 * @param learningRate α, a number or a schedule of the count, which starts at 0
 * @throws TreeError if `update` is not given the parameters, which weight decay needs
 * @see Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { applyUpdates, lion } from '@fluxion/optim'
 * const optimiser = lion(0.5, { weightDecay: 0 })
 * const params = { w: np.array([1, 1]) }
 * const [updates, state] = optimiser.update({ w: np.array([3, -0.1]) }, optimiser.init(params), params)
 * applyUpdates(params, updates) // => { w: [0.5, 1.5] }
 * state.count.item() // => 1
 * ```
 */
export function lion(learningRate: Rate, options: LionOptions = {}): Transformation<LionState> {
  checkOptions('lion', options, [...lionNames, ...decayNames])
  const { weightDecay = 1e-3, mask, ...rest } = options
  return staged(scaleByLion(rest), decay('lion', weightDecay, mask), learn('lion', learningRate))
}

export interface AdanOptions extends ScaleByAdanOptions, DecayOptions {}
/**
 * Adan: Adam with Nesterov's momentum from differences of successive gradients; see `scaleByAdan`.
 *
 * @throws TreeError if `update` is not given the parameters while weights decay
 * @see Xie et al., "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models", 2022
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { adan } from '@fluxion/optim'
 * const optimiser = adan(0.5)
 * np.round(optimiser.update(np.array([4]), optimiser.init(np.array([0])))[0], { decimals: 4 }) // => [-0.5]
 * ```
 */
export function adan(learningRate: Rate, options: AdanOptions = {}): Transformation<AdanState> {
  checkOptions('adan', options, [...adanNames, ...decayNames])
  const { weightDecay = 0, mask, ...moments } = options
  return staged(
    scaleByAdan({ epsRoot: 1e-8, ...moments }),
    decay('adan', weightDecay, mask),
    learn('adan', learningRate),
  )
}
