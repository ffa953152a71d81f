/** Optimisers in the manner of Optax: pairs of pure functions, composed by `chain`. */
export {
  type CountSchedule,
  type CountState,
  type Rate,
  type Schedule,
  type State,
  type Transformation,
  identity,
  safeIncrement,
  setToZero,
} from './transformation.ts'
export type { Scalar } from './scalars.ts'

// putting transformations together
export { chain, namedChain, transformationMonoid } from './chain.ts'
export type { Mask } from './labels.ts'
export { type MaskedState, type PartitionState, freeze, masked, multiTransform, partition } from './masked.ts'
export { type ApplyIfFiniteState, applyIfFinite } from './finite.ts'
export {
  type MultiStepsOptions,
  type MultiStepsState,
  type ShouldSkip,
  hasUpdated,
  multiSteps,
  skipLargeUpdates,
  skipNotFinite,
} from './multiSteps.ts'
export { type InjectHyperparamsState, type InjectOptions, type Injectable, injectHyperparams } from './inject.ts'

// transformations
export {
  type LearningRateOptions,
  type NormalizeOptions,
  type TrustRatioOptions,
  normalizeByUpdateNorm,
  scale,
  scaleByLearningRate,
  scaleByParamBlockNorm,
  scaleByParamBlockRms,
  scaleBySchedule,
  scaleBySign,
  scaleByTrustRatio,
} from './scale.ts'
export {
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
  type ScaleByYogiOptions,
  scaleByAdam,
  scaleByAdamax,
  scaleByAdan,
  scaleByAmsgrad,
  scaleByBelief,
  scaleByRadam,
  scaleByYogi,
} from './adam.ts'
export { type LionState, type ScaleByLionOptions, scaleByLion } from './lion.ts'
export {
  type AdafactorOptions,
  type FactoredRmsOptions,
  type FactoredState,
  adafactor,
  scaleByFactoredRms,
} from './factored.ts'
export { type NovogradOptions, scaleByNovograd } from './novograd.ts'
export {
  type AdadeltaState,
  type RmsOptions,
  type RmsState,
  type RssOptions,
  type RssState,
  type ScaleByAdadeltaOptions,
  type StddevState,
  scaleByAdadelta,
  scaleByRms,
  scaleByRss,
  scaleByStddev,
} from './squares.ts'
export { type EmaOptions, type EmaState, type TraceOptions, type TraceState, ema, trace } from './accumulate.ts'
export { type AdaptiveGradClipOptions, adaptiveGradClip, clip, clipByBlockRms, clipByGlobalNorm } from './clip.ts'
export { type ZeroNansState, centralize, keepParamsNonnegative, zeroNans } from './constrain.ts'
export { type NoiseState, addDecayedWeights, addNoise } from './decay.ts'

// optimisers
export {
  type AdamaxwOptions,
  type AdamwOptions,
  type AdanOptions,
  type DecayOptions,
  type LambOptions,
  type LionOptions,
  type NadamOptions,
  type NadamwOptions,
  type NovogradOptimiserOptions,
  type YogiOptions,
  adabelief,
  adam,
  adamax,
  adamaxw,
  adamw,
  adan,
  amsgrad,
  lamb,
  lion,
  nadam,
  nadamw,
  novograd,
  radam,
  yogi,
} from './adamOptimisers.ts'
export {
  type AdadeltaOptions,
  type FromageOptions,
  type LarsOptions,
  type NoisySgdOptions,
  type RmspropOptions,
  type SgdOptions,
  type SignumOptions,
  adadelta,
  adagrad,
  fromage,
  lars,
  noisySgd,
  rmsprop,
  sgd,
  signSgd,
  signum,
} from './gradientOptimisers.ts'

// schedules
export {
  type CosineOptions,
  type ExponentialOptions,
  type LinearOptions,
  type PolynomialOptions,
  type WarmupCosineOptions,
  type WarmupExponentialOptions,
  type WarmupOptions,
  constantSchedule,
  cosineDecaySchedule,
  exponentialDecay,
  linearSchedule,
  polynomialSchedule,
  sgdrSchedule,
  warmupConstantSchedule,
  warmupCosineDecaySchedule,
  warmupExponentialDecaySchedule,
} from './schedules.ts'
export { joinSchedules } from './join.ts'
export {
  type CosineOnecycleOptions,
  type LinearOnecycleOptions,
  type Scales,
  cosineOnecycleSchedule,
  linearOnecycleSchedule,
  piecewiseConstantSchedule,
  piecewiseInterpolateSchedule,
} from './piecewise.ts'

// losses
export {
  type CosineSimilarityOptions,
  type HuberOptions,
  cosineDistance,
  cosineSimilarity,
  huberLoss,
  l2Loss,
  logCosh,
  squaredError,
} from './regression.ts'
export {
  type IntegerLabelOptions,
  type PolyLossOptions,
  hingeLoss,
  klDivergence,
  klDivergenceWithLogTargets,
  polyLossCrossEntropy,
  sigmoidBinaryCrossEntropy,
  smoothLabels,
  softmaxCrossEntropy,
  softmaxCrossEntropyWithIntegerLabels,
} from './classification.ts'
export type { AxisOptions } from './lossInputs.ts'

// parameters and updates
export { applyUpdates, incrementalUpdate, periodicUpdate } from './update.ts'
export { globalNorm } from './norms.ts'
