/** Losses between scores and classes or distributions. Each gives a loss for every example, to be averaged. */
import { type ArrayLike, DtypeError, type NDArray, checkOptions, isInteger, misuse, nn, np } from '@fluxion/core'
import { type AxisOptions, floats, reduction } from './lossInputs.ts'
import type { Scalar } from './scalars.ts'

const axisNames = ['axis', 'where']

/**
 * The cross entropy of distributions and of softmax of logits: −Σ_c t_c log softmax(z)_c.
 *
 * @param logits f32[..., classes]
 * @param labels f32[..., classes]: distributions, or one-hot vectors
 * @returns f32[...]
 * @throws DtypeError if the logits are no floats
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { softmaxCrossEntropy } from '@fluxion/optim'
 * softmaxCrossEntropy(np.array([[0, 0], [1000, 0]]), np.array([[0, 1], [1, 0]])) // => [0.6931472, 0]
 * ```
 */
export function softmaxCrossEntropy(logits: ArrayLike, labels: ArrayLike, options: AxisOptions = {}): NDArray {
  checkOptions('softmaxCrossEntropy', options, axisNames)
  const scores = floats('softmaxCrossEntropy', 'logits', logits)
  const over = reduction(options, scores)
  return np.negative(np.sum(np.multiply(labels, nn.logSoftmax(scores, over)), over))
}

export interface IntegerLabelOptions {
  /** The axis of the classes; the last by default. */
  axis?: number
  /** bool[...]: which classes count. */
  where?: NDArray
}
/**
 * The cross entropy of classes and of softmax of logits: log Σ_c exp(z_c) − z_label. NaN for a label that is no class; a negative one counts
 * from the last.
 *
 * @param logits f32[..., classes]
 * @param labels i32[...]
 * @returns f32[...]
 * @throws DtypeError if the logits are no floats or the labels no integers
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { softmaxCrossEntropyWithIntegerLabels } from '@fluxion/optim'
 * const labels = np.array([1, 0], { dtype: 'int32' })
 * softmaxCrossEntropyWithIntegerLabels(np.array([[0, 0], [1000, 0]]), labels) // => [0.6931472, 0]
 * ```
 */
export function softmaxCrossEntropyWithIntegerLabels(
  logits: ArrayLike,
  labels: ArrayLike,
  options: IntegerLabelOptions = {},
): NDArray {
  const where = 'softmaxCrossEntropyWithIntegerLabels'
  checkOptions(where, options, axisNames)
  const scores = floats(where, 'logits', logits)
  const classes = np.asarray(labels)
  if (!isInteger(classes.dtype)) {
    throw new DtypeError(
      misuse(where, 'integers as labels', classes.dtype, "np.array(labels, { dtype: 'int32' }) makes integers"),
    )
  }
  const { axis = -1 } = options
  const over = reduction(options, scores)
  const ofLabel = np.squeeze(np.takeAlongAxis(scores, np.expandDims(classes, axis), { axis }), { axis })
  const loss = nn.logsumexp(scores, over).sub(ofLabel)
  return over.where === undefined ? loss : np.where(np.any(over.where, { axis }), loss, 0)
}

/**
 * The cross entropy of probabilities and of the logistic function of logits, each class by itself: −t log σ(z) − (1 − t) log σ(−z).
 *
 * @returns of the shape of the logits
 * @throws DtypeError if the logits are no floats
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { sigmoidBinaryCrossEntropy } from '@fluxion/optim'
 * sigmoidBinaryCrossEntropy(np.array([0, 200, 200]), np.array([1, 1, 0])) // => [0.6931472, 0, 200]
 * ```
 */
export function sigmoidBinaryCrossEntropy(logits: ArrayLike, labels: ArrayLike): NDArray {
  const scores = floats('sigmoidBinaryCrossEntropy', 'logits', logits)
  const truth = np.asarray(labels).astype(scores.dtype)
  const [yes, no] = [nn.logSigmoid(scores), nn.logSigmoid(scores.neg())]
  return truth.neg().mul(yes).sub(np.subtract(1, truth).mul(no))
}

/**
 * The hinge loss max(0, 1 − p t).
 *
 * @param targets −1 or 1
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { hingeLoss } from '@fluxion/optim'
 * hingeLoss(np.array([2, 0.5, -1]), np.array([1, 1, 1])) // => [0, 0.5, 2]
 * ```
 */
export const hingeLoss = (predictorOutputs: ArrayLike, targets: ArrayLike): NDArray =>
  np.maximum(0, np.subtract(1, np.multiply(predictorOutputs, targets)))

export interface PolyLossOptions extends AxisOptions {
  epsilon?: Scalar
}
/**
 * The cross entropy and the first term of its expansion again: −Σ t log p + ε Σ t (1 − p), p = softmax(z).
 *
 * @see Leng et al., "PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions", 2022
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { polyLossCrossEntropy } from '@fluxion/optim'
 * polyLossCrossEntropy(np.array([0, 0]), np.array([0, 1])).item() // => 1.6931472
 * ```
 */
export function polyLossCrossEntropy(logits: ArrayLike, labels: ArrayLike, options: PolyLossOptions = {}): NDArray {
  const where = 'polyLossCrossEntropy'
  checkOptions(where, options, ['epsilon', ...axisNames])
  const { epsilon = 2, ...axes } = options
  const [scores, truth] = [floats(where, 'logits', logits), floats(where, 'labels', labels)]
  const over = reduction(axes, scores)
  const missed = np.sum(truth.mul(np.subtract(1, nn.softmax(scores, over))), over)
  return softmaxCrossEntropy(scores, truth, axes).add(np.multiply(epsilon, missed))
}

/**
 * The Kullback-Leibler divergence Σ t (log t − log p), where 0 log 0 is 0.
 *
 * @param logPredictions f32[..., classes]: logarithms of probabilities
 * @param targets f32[..., classes]: probabilities
 * @returns f32[...]
 * @throws DtypeError if predictions or targets are no floats
 * @see Kullback and Leibler, "On Information and Sufficiency", 1951
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { klDivergence } from '@fluxion/optim'
 * klDivergence(np.log(np.array([0.5, 0.5])), np.array([0, 1])).item() // => 0.6931472
 * ```
 */
export function klDivergence(logPredictions: ArrayLike, targets: ArrayLike, options: AxisOptions = {}): NDArray {
  const where = 'klDivergence'
  checkOptions(where, options, axisNames)
  const [predicted, truth] = [floats(where, 'logPredictions', logPredictions), floats(where, 'targets', targets)]
  const logTruth = np.where(truth.eq(0), 0, np.log(truth))
  return np.sum(truth.mul(logTruth.sub(predicted)), reduction(options, predicted))
}

/**
 * The Kullback-Leibler divergence of targets that are logarithms too: Σ exp(l) (l − log p).
 *
 * @returns f32[...]
 * @throws DtypeError if predictions or targets are no floats
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { klDivergenceWithLogTargets } from '@fluxion/optim'
 * const half = np.log(np.array([0.5, 0.5]))
 * klDivergenceWithLogTargets(half, half).item() // => 0
 * ```
 */
export function klDivergenceWithLogTargets(
  logPredictions: ArrayLike,
  logTargets: ArrayLike,
  options: AxisOptions = {},
): NDArray {
  const where = 'klDivergenceWithLogTargets'
  checkOptions(where, options, axisNames)
  const [predicted, truth] = [floats(where, 'logPredictions', logPredictions), floats(where, 'logTargets', logTargets)]
  return np.sum(np.exp(truth).mul(truth.sub(predicted)), reduction(options, predicted))
}

/**
 * Move a part of each label to all classes alike: (1 − α) t + α / C.
 *
 * @param labels f32[..., classes]: distributions, or one-hot vectors
 * @throws DtypeError if the labels are no floats
 * @see Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2015
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { smoothLabels } from '@fluxion/optim'
 * smoothLabels(np.array([0, 1]), 0.5) // => [0.25, 0.75]
 * ```
 */
export function smoothLabels(labels: ArrayLike, alpha: Scalar, options: AxisOptions = {}): NDArray {
  checkOptions('smoothLabels', options, axisNames)
  const truth = floats('smoothLabels', 'labels', labels)
  const over = reduction(options, truth)
  const classes =
    over.where === undefined ? classesOf(truth, over.axis) : np.sum(over.where, { axis: over.axis, keepdims: true })
  return np.multiply(np.subtract(1, alpha), truth).add(np.divide(alpha, classes))
}
function classesOf(x: NDArray, axis: AxisOptions['axis']): number {
  const axes = typeof axis === 'number' ? [axis] : (axis ?? x.shape.map((_, i) => i))
  return axes.reduce((product, i) => product * x.shape.at(i)!, 1)
}
