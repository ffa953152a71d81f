/** Optimisers that follow the gradient itself, scaled by its size or not at all: chains, whose state is the list of their parts' states. */
import { type DType, type random, checkOptions, np } from '@fluxion/core'
import { type EmaState, type TraceOptions, type TraceState, ema, trace } from './accumulate.ts'
import { chain } from './chain.ts'
import { type NoiseState, addDecayedWeights, addNoise } from './decay.ts'
import type { Mask } from './labels.ts'
import { type MaskedState, masked } from './masked.ts'
import { type Scalar, minus, over, plus, times, toThe } from './scalars.ts'
import { scaleByLearningRate, scaleBySign, scaleByTrustRatio } from './scale.ts'
import {
  type AdadeltaState,
  type RmsOptions,
  type RmsState,
  type RssOptions,
  type RssState,
  type ScaleByAdadeltaOptions,
  rmsNames,
  rssNames,
  scaleByAdadelta,
  scaleByRms,
  scaleByRss,
  scaleByStddev,
} from './squares.ts'
import { type CountState, type Rate, type Transformation, identity } from './transformation.ts'

/** The state of a learning rate: a count if it is a schedule. */
type RateState = CountState | null
type Momentum = TraceState | null
const momentumOf = (momentum: Scalar | undefined, options: TraceOptions): Transformation<Momentum> =>
  (momentum === undefined ? identity() : trace(momentum, options)) as Transformation<Momentum>

export interface SgdOptions extends TraceOptions {
  /** γ of t ← g + γ t; none by default. */
  momentum?: Scalar
}
/**
 * Stochastic gradient descent: p ← p − α g, or with momentum t ← g + γ t, p ← p − α t.
 *
 * @see Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { applyUpdates, sgd } from '@fluxion/optim'
 * const optimiser = sgd(0.25)
 * const params = { w: np.array([1, 2]) }
 * const [updates] = optimiser.update({ w: np.array([4, 8]) }, optimiser.init(params))
 * applyUpdates(params, updates) // => { w: [0, 0] }
 * ```
 */
export function sgd(learningRate: Rate, options: SgdOptions = {}): Transformation<[Momentum, RateState]> {
  checkOptions('sgd', options, ['momentum', 'nesterov', 'accumulatorDtype'])
  const { momentum, ...rest } = options
  return chain(momentumOf(momentum, rest), scaleByLearningRate(learningRate))
}

/**
 * Descent by the sign of the gradient: p ← p − α sign(g).
 *
 * @see Bernstein et al., "signSGD: Compressed Optimisation for Non-Convex Problems", 2018
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { signSgd } from '@fluxion/optim'
 * const optimiser = signSgd(0.5)
 * optimiser.update(np.array([0.1, -9]), optimiser.init(null))[0] // => [-0.5, 0.5]
 * ```
 */
export const signSgd = (learningRate: Rate): Transformation<[null, RateState]> =>
  chain(scaleBySign(), scaleByLearningRate(learningRate))

export interface SignumOptions {
  /** The decay of the average whose sign is taken. */
  beta?: Scalar
  accumulatorDtype?: DType
}
/**
 * Descent by the sign of the average gradient: m ← β m + (1 − β) g, p ← p − α sign(m).
 *
 * @see Bernstein et al., "signSGD: Compressed Optimisation for Non-Convex Problems", 2018
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { signum } from '@fluxion/optim'
 * const optimiser = signum(0.5)
 * optimiser.update(np.array([0.1, -9]), optimiser.init(np.zeros([2])))[0] // => [-0.5, 0.5]
 * ```
 */
export function signum(learningRate: Rate, options: SignumOptions = {}): Transformation<[EmaState, null, RateState]> {
  checkOptions('signum', options, ['beta', 'accumulatorDtype'])
  const { beta = 0.9, ...rest } = options
  return chain(ema(beta, { debias: false, ...rest }), scaleBySign(), scaleByLearningRate(learningRate))
}

export interface NoisySgdOptions {
  /** The variance of the noise at the first step. */
  eta?: Scalar
  /** The exponent by which the variance decreases. */
  gamma?: Scalar
}
/**
 * Stochastic gradient descent with noise that decreases: p ← p − α (g + n), n normal of variance η / tᵞ.
 *
 * @see Neelakantan et al., "Adding Gradient Noise Improves Learning for Very Deep Networks", 2015
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import { noisySgd } from '@fluxion/optim'
 * const optimiser = noisySgd(1, random.key(0), { eta: 0 })
 * optimiser.update(np.array([2]), optimiser.init(null))[0] // => [-2]
 * ```
 */
export function noisySgd(
  learningRate: Rate,
  key: random.Key,
  options: NoisySgdOptions = {},
): Transformation<[NoiseState, RateState]> {
  checkOptions('noisySgd', options, ['eta', 'gamma'])
  const { eta = 0.01, gamma = 0.55 } = options
  return chain(addNoise(eta, gamma, key), scaleByLearningRate(learningRate))
}

/**
 * Adagrad: p ← p − α g / √(s + ε), s the sum of all squares so far.
 *
 * @see Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { adagrad } from '@fluxion/optim'
 * const optimiser = adagrad(0.5, { initialAccumulatorValue: 0, eps: 0 })
 * optimiser.update(np.array([3]), optimiser.init(np.array([0])))[0] // => [-0.5]
 * ```
 */
export function adagrad(learningRate: Rate, options: RssOptions = {}): Transformation<[RssState, RateState]> {
  checkOptions('adagrad', options, rssNames)
  return chain(scaleByRss(options), scaleByLearningRate(learningRate))
}

export interface AdadeltaOptions extends ScaleByAdadeltaOptions {
  weightDecay?: Rate
  weightDecayMask?: Mask
}
/**
 * Adadelta: steps of the size that earlier steps had; see `scaleByAdadelta`. The usual rate is 1.
 *
 * @throws TreeError if `update` is not given the parameters while weights decay
 * @see Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { adadelta } from '@fluxion/optim'
 * const optimiser = adadelta(1)
 * const params = np.array([1])
 * optimiser.update(np.array([3]), optimiser.init(params), params)[0].lt(0) // => [1]
 * ```
 */
export function adadelta(
  learningRate: Rate,
  options: AdadeltaOptions = {},
): Transformation<[CountState | null, AdadeltaState, RateState]> {
  checkOptions('adadelta', options, ['rho', 'eps', 'weightDecay', 'weightDecayMask'])
  const { weightDecay = 0, weightDecayMask, ...rest } = options
  return chain(decaying(weightDecay, weightDecayMask), scaleByAdadelta(rest), scaleByLearningRate(learningRate))
}
// without decay the parameters are not needed
const decaying = (weightDecay: Rate, mask: Mask | undefined): Transformation<CountState | null> =>
  weightDecay === 0 ? (identity() as Transformation<CountState | null>) : addDecayedWeights(weightDecay, mask)

export interface RmspropOptions extends RmsOptions {
  /** Divide by the standard deviation instead of the root of the mean square. */
  centered?: boolean
  /** γ of the momentum of the scaled steps; none by default. */
  momentum?: Scalar
  nesterov?: boolean
}
/**
 * RMSProp: p ← p − α g / √(v + ε), v the average of squares, with momentum after the learning rate.
 *
 * @see Tieleman and Hinton, "Lecture 6.5: RMSProp", 2012; Graves, "Generating Sequences With Recurrent Neural Networks", 2013
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { rmsprop } from '@fluxion/optim'
 * const optimiser = rmsprop(0.5, { decay: 0.75 })
 * optimiser.update(np.array([3]), optimiser.init(np.array([0])))[0] // => [-1]
 * ```
 */
export function rmsprop(
  learningRate: Rate,
  options: RmspropOptions = {},
): Transformation<[RmsState, RateState, Momentum]> {
  checkOptions('rmsprop', options, [...rmsNames, 'centered', 'momentum', 'nesterov'])
  const { centered = false, momentum, nesterov = false, ...rest } = options
  const scaled: Transformation<RmsState> = centered
    ? (scaleByStddev(rest) as Transformation<RmsState>)
    : scaleByRms(rest)
  return chain(scaled, scaleByLearningRate(learningRate), momentumOf(momentum, { nesterov }))
}

export interface LarsOptions {
  weightDecay?: Rate
  /** Which leaves decay; all by default. */
  weightDecayMask?: Mask
  trustCoefficient?: Scalar
  eps?: Scalar
  /** Which leaves are scaled by the ratio of norms; all by default. */
  trustRatioMask?: Mask
  momentum?: Scalar
  nesterov?: boolean
}
/**
 * LARS, for large batches: momentum of steps α c ‖p‖ / (‖u‖ + ε) u, u = g + λ p.
 *
 * @throws TreeError if `update` is not given the parameters
 * @see You et al., "Large Batch Training of Convolutional Networks", 2017
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { lars } from '@fluxion/optim'
 * const optimiser = lars(0.5, { trustCoefficient: 1 })
 * const params = np.array([10])
 * optimiser.update(np.array([4]), optimiser.init(params), params)[0] // => [-5]
 * ```
 */
export function lars(
  learningRate: Rate,
  options: LarsOptions = {},
): Transformation<[CountState | null, MaskedState<null>, RateState, TraceState]> {
  const names = ['weightDecay', 'weightDecayMask', 'trustCoefficient', 'eps', 'trustRatioMask', 'momentum', 'nesterov']
  checkOptions('lars', options, names)
  const { weightDecay = 0, weightDecayMask, trustCoefficient = 1e-3, eps = 0, trustRatioMask = true } = options
  const { momentum = 0.9, nesterov = false } = options
  return chain(
    decaying(weightDecay, weightDecayMask),
    masked(scaleByTrustRatio({ trustCoefficient, eps }), trustRatioMask),
    scaleByLearningRate(learningRate),
    trace(momentum, { nesterov }),
  )
}

export interface FromageOptions {
  /** Norms below this count as this. */
  minNorm?: Scalar
}
/**
 * Fromage: p ← (p − α ‖p‖ / ‖g‖ g) / √(1 + α²).
 *
 * @throws TreeError if `update` is not given the parameters
 * @see Bernstein et al., "On the distance between two neural networks and the stability of learning", 2020
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { applyUpdates, fromage } from '@fluxion/optim'
 * const optimiser = fromage(0.75)
 * const params = np.array([3, 4])
 * const [updates] = optimiser.update(np.array([5, 0]), optimiser.init(params), params)
 * np.round(applyUpdates(params, updates), { decimals: 4 }) // => [-0.6, 3.2]
 * ```
 */
export function fromage(
  learningRate: Rate,
  options: FromageOptions = {},
): Transformation<[null, RateState, CountState | null]> {
  checkOptions('fromage', options, ['minNorm'])
  const { minNorm = 1e-6 } = options
  const shrink = (rate: Scalar): Scalar => over(1, toThe(plus(1, times(rate, rate)), 0.5))
  // of the rate, which may be a schedule, a rate
  const derived = (f: (rate: Scalar) => Scalar): Rate =>
    typeof learningRate === 'function' ? (count) => np.asarray(f(learningRate(count))) : f(learningRate)
  return chain(
    scaleByTrustRatio({ minNorm }),
    scaleByLearningRate(derived((rate) => times(rate, shrink(rate)))),
    addDecayedWeights(derived((rate) => minus(shrink(rate), 1))),
  )
}
