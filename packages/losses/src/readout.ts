/** Losses and accuracies of readout traces, f[batch, time, classes] by default. */
import { DtypeError, type NDArray, ShapeError, checkOptions, isInteger, misuse, nn, np, showAval } from '@fluxion/core'
import { smoothLabels, softmaxCrossEntropy, squaredError } from '@fluxion/optim'

export interface ReadoutOptions {
  /** Where time stands, −2 by default: f[batch, time, classes]. */
  timeAxis?: number
  /** bool[batch]: the samples that count; all by default. Padding of a last batch is left out by it. */
  where?: NDArray
}

/** Traces with time summed or averaged away, f[batch, classes]; checks the targets, integers [batch]. */
function readout(where: string, traces: NDArray, targets: NDArray, timeAxis: number, over: 'sum' | 'mean'): NDArray {
  if (traces.ndim !== 3) throw new ShapeError(misuse(where, 'traces f[batch, time, classes]', showAval(traces.aval)))
  if (![-3, -2, 0, 1].includes(timeAxis)) {
    throw new ShapeError(
      misuse(where, 'a time axis before the last axis of three, which holds the classes', String(timeAxis)),
    )
  }
  const z = over === 'sum' ? np.sum(traces, { axis: timeAxis }) : np.mean(traces, { axis: timeAxis })
  if (targets.ndim !== 1 || targets.shape[0] !== z.shape[0]) {
    const hint = 'timeAxis: 0 is for traces f[time, batch, classes]'
    throw new ShapeError(
      misuse(where, `targets of shape [${z.shape[0]}], one class for each sample`, showAval(targets.aval), hint),
    )
  }
  if (!isInteger(targets.dtype)) {
    throw new DtypeError(misuse(where, 'targets of integers', showAval(targets.aval), "targets.astype('int32')"))
  }
  return z
}
/** The mean over samples, or over those that count. */
function overSamples(name: string, values: NDArray, where: NDArray | undefined): NDArray {
  if (where === undefined) return np.mean(values)
  if (where.ndim !== 1 || where.shape[0] !== values.shape[0] || where.dtype !== 'bool') {
    throw new ShapeError(misuse(name, `where bool[${values.shape[0]}]`, showAval(where.aval)))
  }
  return np.mean(values, { where })
}
const labelsOf = (targets: NDArray, classes: number, smoothing: number): NDArray =>
  smoothLabels(nn.oneHot(targets, classes), smoothing)

/**
 * Accuracy of the class with the largest readout summed over time, and the predictions.
 *
 * @param traces f[batch, time, classes]
 * @param targets integers [batch]
 * @returns `[accuracy f32[], predictions i32[batch]]`
 * @throws ShapeError for traces, targets or a time axis that do not fit; DtypeError for targets that are no integers
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { integralAccuracy } from '@fluxion/losses'
 * const traces = np.array([[[0, 1], [0, 2]], [[3, 0], [0, 1]]])
 * const [accuracy, predictions] = integralAccuracy(traces, np.array([1, 1]).astype('int32'))
 * accuracy.item() // => 0.5
 * predictions // => [1, 0]
 * ```
 */
export function integralAccuracy(traces: NDArray, targets: NDArray, options: ReadoutOptions = {}): [NDArray, NDArray] {
  checkOptions('integralAccuracy', options, ['timeAxis', 'where'])
  const z = readout('integralAccuracy', traces, targets, options.timeAxis ?? -2, 'sum')
  const predictions = np.argmax(z, { axis: -1 })
  const right = np.equal(predictions, targets).astype('float32')
  return [overSamples('integralAccuracy', right, options.where), predictions]
}

export interface CrossentropyOptions extends ReadoutOptions {
  /** The part of each label that is spread over all classes, 0.3 by default: the loss then has a floor, the smoothed label's entropy. */
  smoothing?: number
}
/**
 * Cross-entropy of the readout summed over time against smoothed labels: mean over samples of −Σ_c L_c log softmax(Σ_t traces)_c.
 *
 * @param traces f[batch, time, classes]
 * @param targets integers [batch]
 * @returns f32[]
 * @throws as `integralAccuracy`
 * @see Szegedy et al., Rethinking the inception architecture (2016), for smoothed labels
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { integralCrossentropy } from '@fluxion/losses'
 * integralCrossentropy(np.zeros([1, 8, 4]), np.array([2]).astype('int32')).item() // => 1.3863
 * ```
 */
export function integralCrossentropy(traces: NDArray, targets: NDArray, options: CrossentropyOptions = {}): NDArray {
  checkOptions('integralCrossentropy', options, ['smoothing', 'timeAxis', 'where'])
  const z = readout('integralCrossentropy', traces, targets, options.timeAxis ?? -2, 'sum')
  const labels = labelsOf(targets, z.shape[1], options.smoothing ?? 0.3)
  return overSamples('integralCrossentropy', softmaxCrossEntropy(z, labels), options.where)
}

export interface SpikerateOptions extends ReadoutOptions {
  /** The rate that the right class should have, 0.25 by default. */
  sparsity?: number
  /** 0 by default. */
  smoothing?: number
}
/**
 * Mean squared error of the mean readout against labels · sparsity · T. The target is a count and the readout a rate, as in Spyx.
 *
 * @param traces f[batch, time, classes]
 * @param targets integers [batch]
 * @returns f[]
 * @throws as `integralAccuracy`
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { mseSpikerate } from '@fluxion/losses'
 * mseSpikerate(np.array([[[0, 1], [0, 1]]]), np.array([1]).astype('int32'), { sparsity: 0.5 }).item() // => 0
 * ```
 */
export function mseSpikerate(traces: NDArray, targets: NDArray, options: SpikerateOptions = {}): NDArray {
  checkOptions('mseSpikerate', options, ['sparsity', 'smoothing', 'timeAxis', 'where'])
  const { sparsity = 0.25, smoothing = 0, timeAxis = -2 } = options
  const z = readout('mseSpikerate', traces, targets, timeAxis, 'mean')
  const steps = traces.shape.at(timeAxis)!
  const wanted = labelsOf(targets, z.shape[1], smoothing).mul(sparsity * steps)
  return overSamples('mseSpikerate', np.mean(squaredError(z, wanted), { axis: -1 }), options.where)
}
