/** Losses between predictions and targets that are numbers. Each gives a loss for every element, or for every vector, to be averaged. */
import { type ArrayLike, type NDArray, checkOptions, np } from '@fluxion/core'
import { type AxisOptions, checkSameShape, errorsOf, floats, reduction } from './lossInputs.ts'
import type { Scalar } from './scalars.ts'

/**
 * The squared error (p − t)².
 *
 * @param targets zero by default
 * @throws DtypeError if the predictions are no floats; ShapeError if the shapes differ
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { squaredError } from '@fluxion/optim'
 * squaredError(np.array([1, 2]), np.array([1, 4])) // => [0, 4]
 * ```
 */
export function squaredError(predictions: ArrayLike, targets?: ArrayLike | null): NDArray {
  if (targets !== null && targets !== undefined) checkSameShape('squaredError', predictions, targets)
  return np.square(errorsOf('squaredError', predictions, targets))
}

/**
 * Half the squared error, ½ (p − t)², whose derivative is the error.
 *
 * @param targets zero by default
 * @throws DtypeError if the predictions are no floats; ShapeError if the shapes differ
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { l2Loss } from '@fluxion/optim'
 * l2Loss(np.array([1, 2]), np.array([1, 4])) // => [0, 2]
 * ```
 */
export function l2Loss(predictions: ArrayLike, targets?: ArrayLike | null): NDArray {
  if (targets !== null && targets !== undefined) checkSameShape('l2Loss', predictions, targets)
  return np.multiply(0.5, np.square(errorsOf('l2Loss', predictions, targets)))
}

export interface HuberOptions {
  /** The error at which the parabola goes over into a line. */
  delta?: Scalar
}
/**
 * A loss that is quadratic for small errors e = p − t and linear for large ones: ½ e² where |e| ≤ δ, else δ (|e| − ½ δ).
 *
 * @param targets zero by default
 * @throws DtypeError if the predictions are no floats
 * @see Huber, "Robust Estimation of a Location Parameter", 1964
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { huberLoss } from '@fluxion/optim'
 * huberLoss(np.array([0.5, -3])) // => [0.125, 2.5]
 * ```
 */
export function huberLoss(predictions: ArrayLike, targets?: ArrayLike | null, options: HuberOptions = {}): NDArray {
  checkOptions('huberLoss', options, ['delta'])
  const { delta = 1 } = options
  const size = np.abs(errorsOf('huberLoss', predictions, targets))
  // ½ q² + δ (|e| − q), q = min(|e|, δ)
  const quadratic = np.minimum(size, delta)
  return np.multiply(0.5, np.square(quadratic)).add(np.multiply(delta, size.sub(quadratic)))
}

/**
 * log cosh(p − t): quadratic for small errors, linear for large ones, and smooth.
 *
 * @param targets zero by default
 * @throws DtypeError if the predictions are no floats
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { logCosh } from '@fluxion/optim'
 * logCosh(np.array([0, 100])) // => [0, 99.30685]
 * ```
 */
export function logCosh(predictions: ArrayLike, targets?: ArrayLike | null): NDArray {
  const errors = errorsOf('logCosh', predictions, targets)
  return np.logaddexp(errors, errors.neg()).sub(np.array(Math.LN2, { dtype: errors.dtype }))
}

export interface CosineSimilarityOptions extends AxisOptions {
  /** The least squared norm that counts. */
  epsilon?: Scalar
}
/**
 * The cosine of the angle between vectors: p·t / (‖p‖ ‖t‖).
 *
 * @returns without the axis of the vectors
 * @throws DtypeError if predictions or targets are no floats
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { cosineSimilarity } from '@fluxion/optim'
 * cosineSimilarity(np.array([3, 4]), np.array([4, 3])).item() // => 0.96
 * ```
 */
export function cosineSimilarity(
  predictions: ArrayLike,
  targets: ArrayLike,
  options: CosineSimilarityOptions = {},
): NDArray {
  const where = 'cosineSimilarity'
  checkOptions(where, options, ['epsilon', 'axis', 'where'])
  const { epsilon = 0 } = options
  const [a, b] = [floats(where, 'predictions', predictions), floats(where, 'targets', targets)]
  const over = reduction(options, a)
  const unit = (x: NDArray): NDArray =>
    x.div(np.sqrt(np.clip(np.sum(np.square(x), { ...over, keepdims: true }), epsilon)))
  return np.sum(unit(a).mul(unit(b)), over)
}

/**
 * One less the cosine of the angle between vectors.
 *
 * @returns without the axis of the vectors
 * @throws DtypeError if predictions or targets are no floats
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { cosineDistance } from '@fluxion/optim'
 * cosineDistance(np.array([2, 0]), np.array([0, 3])).item() // => 1
 * ```
 */
export function cosineDistance(
  predictions: ArrayLike,
  targets: ArrayLike,
  options: CosineSimilarityOptions = {},
): NDArray {
  checkOptions('cosineDistance', options, ['epsilon', 'axis', 'where'])
  return np.subtract(1, cosineSimilarity(predictions, targets, options))
}
