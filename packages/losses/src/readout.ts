/** Losses and accuracies of readout traces, f[batch, time, classes] by default. */
import { type NDArray, ShapeError, checkOptions, nn, np } from '@fluxion/core'

export interface ReadoutOptions {
  /** Where time stands, −2 by default: f[batch, time, classes]. */
  timeAxis?: number
  /** bool[batch]: the samples that count; all by default. Padding of a last batch is left out by it. */
  where?: NDArray
}

/** Traces with time summed or averaged away, f[batch, classes]; checks the targets, integers [batch]. */
function readout(where: string, traces: NDArray, targets: NDArray, timeAxis: number, over: 'sum' | 'mean'): NDArray {
  if (traces.ndim !== 3 || timeAxis < -3 || timeAxis > 2 || timeAxis === 2 || timeAxis === -1) {
    throw new ShapeError(`${where}: expected traces f[batch, time, classes] and a time axis before the last, got ${traces.toString()} and ${timeAxis}`)
  }
  const z = over === 'sum' ? np.sum(traces, { axis: timeAxis }) : np.mean(traces, { axis: timeAxis })
  if (targets.ndim !== 1 || targets.shape[0] !== z.shape[0]) {
    throw new ShapeError(`${where}: expected targets [${z.shape[0]}], one class for each sample, got ${targets.toString()}`)
  }
  return z
}
/** The mean over samples, or over those that count. */
function overSamples(name: string, values: NDArray, where: NDArray | undefined): NDArray {
  if (where === undefined) return np.mean(values)
  if (where.ndim !== 1 || where.shape[0] !== values.shape[0] || where.dtype !== 'bool') {
    throw new ShapeError(`${name}: expected where bool[${values.shape[0]}], got ${where.toString()}`)
  }
  return np.mean(values, { where })
}

/**
 * Accuracy of the class with the largest readout summed over time, and the predictions.
 *
 * @param traces f[batch, time, classes]
 * @param targets integers [batch]
 * @returns `[accuracy f32[], predictions i32[batch]]`
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

/** (1 − a) · one-hot + a / C, f32. */
const smoothed = (targets: NDArray, classes: number, smoothing: number): NDArray =>
  nn.oneHot(targets, classes).mul(1 - smoothing).add(smoothing / classes)

export interface CrossentropyOptions extends ReadoutOptions {
  /** How much of each label is spread over all classes, 0.3 by default: the loss then has a floor, the entropy of the smoothed label. */
  smoothing?: number
}
/**
 * Cross-entropy of the readout summed over time against smoothed labels: mean over samples of −Σ_c L_c log softmax(Σ_t traces)_c.
 *
 * @param traces f[batch, time, classes]
 * @param targets integers [batch]
 * @returns f32[]
 */
export function integralCrossentropy(traces: NDArray, targets: NDArray, options: CrossentropyOptions = {}): NDArray {
  checkOptions('integralCrossentropy', options, ['smoothing', 'timeAxis', 'where'])
  const z = readout('integralCrossentropy', traces, targets, options.timeAxis ?? -2, 'sum')
  const labels = smoothed(targets, z.shape[1], options.smoothing ?? 0.3)
  const each = np.sum(labels.mul(nn.logSoftmax(z)), { axis: -1 }).neg()
  return overSamples('integralCrossentropy', each, options.where)
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
 */
export function mseSpikerate(traces: NDArray, targets: NDArray, options: SpikerateOptions = {}): NDArray {
  checkOptions('mseSpikerate', options, ['sparsity', 'smoothing', 'timeAxis', 'where'])
  const { sparsity = 0.25, smoothing = 0, timeAxis = -2 } = options
  const z = readout('mseSpikerate', traces, targets, timeAxis, 'mean')
  const steps = traces.shape.at(timeAxis)!
  const wanted = smoothed(targets, z.shape[1], smoothing).mul(sparsity * steps)
  return overSamples('mseSpikerate', np.mean(np.square(z.sub(wanted)), { axis: -1 }), options.where)
}
