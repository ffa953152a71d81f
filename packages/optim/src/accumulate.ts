/** Momentum and running averages of updates. */
import { type DType, type NDArray, checkOptions, np } from '@fluxion/core'
import { biasCorrection, castTo, firstMoment, zerosOf } from './moments.ts'
import type { Scalar } from './scalars.ts'
import { type Transformation, mapTrees, safeIncrement, zeroCount } from './transformation.ts'

export interface TraceState {
  /** The decayed sum of updates, in the structure of the parameters. */
  readonly trace: unknown
}
export interface TraceOptions {
  /** Look a step ahead: u = g + γ t. */
  nesterov?: boolean
  /** The dtype in which the sum is kept; else that of the parameters. */
  accumulatorDtype?: DType
}
/**
 * Add up updates with a decay, which is momentum: t ← g + γ t, u = t.
 *
 * @see Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { trace } from '@fluxion/optim'
 * const momentum = trace(0.5)
 * const [first, state] = momentum.update(np.array([1]), momentum.init(np.array([0])))
 * first // => [1]
 * momentum.update(np.array([1]), state)[0] // => [1.5]
 * ```
 */
export function trace(decay: Scalar, options: TraceOptions = {}): Transformation<TraceState> {
  checkOptions('trace', options, ['nesterov', 'accumulatorDtype'])
  const { nesterov = false, accumulatorDtype } = options
  const step = (g: NDArray, t: NDArray | undefined): NDArray => np.add(g, np.multiply(decay, t!))
  return {
    init: (params) => ({ trace: zerosOf('trace', params, accumulatorDtype) }),
    update(grads, state) {
      const next = mapTrees('trace', step, grads, state.trace)
      const updates = nesterov ? mapTrees('trace', step, grads, next) : next
      return [updates, { trace: castTo('trace', next, accumulatorDtype) }]
    },
  }
}

export interface EmaState {
  readonly count: NDArray // i32[]
  /** The average of updates, in the structure of the parameters. */
  readonly ema: unknown
}
export interface EmaOptions {
  /** Undo the pull of the average towards zero, where it began: the default. */
  debias?: boolean
  /** The dtype in which the average is kept; else that of the parameters. */
  accumulatorDtype?: DType
}
/**
 * Replace updates by their running average: m ← γ m + (1 − γ) g, u = m / (1 − γᵗ).
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { ema } from '@fluxion/optim'
 * const average = ema(0.5)
 * const [first, state] = average.update(np.array([3]), average.init(np.array([0])))
 * first // => [3]
 * average.update(np.array([6]), state)[0] // => [5]
 * ```
 */
export function ema(decay: Scalar, options: EmaOptions = {}): Transformation<EmaState> {
  checkOptions('ema', options, ['debias', 'accumulatorDtype'])
  const { debias = true, accumulatorDtype } = options
  return {
    init: (params) => ({ count: zeroCount(), ema: zerosOf('ema', params, accumulatorDtype) }),
    update(grads, state) {
      const next = firstMoment('ema', grads, state.ema, decay)
      const count = safeIncrement(state.count)
      const updates = debias ? biasCorrection('ema', next, decay, count) : next
      return [updates, { count, ema: castTo('ema', next, accumulatorDtype) }]
    },
  }
}
