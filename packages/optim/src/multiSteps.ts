/** Gradients of several steps gathered before the parameters move. */
import { type DType, type NDArray, checkOptions, np } from '@fluxion/core'
import { allFinite } from './finite.ts'
import { zerosOf } from './moments.ts'
import { squaredNorm } from './norms.ts'
import type { Scalar } from './scalars.ts'
import { type Schedule, type Transformation, mapTrees, safeIncrement, zeroCount } from './transformation.ts'

export interface MultiStepsState<S = unknown> {
  /** Which of the k steps comes next: i32[]. */
  readonly miniStep: NDArray
  /** How often the parameters moved: i32[]. */
  readonly gradientStep: NDArray
  readonly innerState: S
  /** What is gathered so far, in the structure of the parameters. */
  readonly accGrads: unknown
}
/** Whether to leave a step out, bool[]. */
export type ShouldSkip = (grads: unknown, gradientStep: NDArray, params: unknown) => NDArray
export interface MultiStepsOptions {
  /** Gather the mean of the gradients, the default, or their sum. */
  useGradMean?: boolean
  /** Steps that count for nothing. */
  shouldSkip?: ShouldSkip
  /** The dtype in which gradients are gathered. */
  accumulatorDtype?: DType
}

/**
 * Let an optimiser move only at every k-th step, with the mean of the gradients since: as if the batch were k times as large. The updates
 * between are zero.
 *
 * @param everyK k, a number or a schedule of the count of moves
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { multiSteps, scale } from '@fluxion/optim'
 * const gathered = multiSteps(scale(-1), 2)
 * const [first, state] = gathered.update(np.array([1]), gathered.init(np.array([0])))
 * first // => [0]
 * gathered.update(np.array([3]), state)[0] // => [-2]
 * ```
 */
export function multiSteps<S>(
  inner: Transformation<S>,
  everyK: Scalar | Schedule,
  options: MultiStepsOptions = {},
): Transformation<MultiStepsState<S>> {
  const where = 'multiSteps'
  checkOptions(where, options, ['useGradMean', 'shouldSkip', 'accumulatorDtype'])
  const { useGradMean = true, shouldSkip = never, accumulatorDtype = 'float32' } = options
  const gather = (g: NDArray, sum: NDArray, gathered: NDArray): NDArray =>
    useGradMean ? sum.add(g.sub(sum).div(gathered.add(1))) : g.add(sum)
  return {
    init: (params) => ({
      miniStep: zeroCount(),
      gradientStep: zeroCount(),
      innerState: inner.init(params),
      accGrads: zerosOf(where, params, accumulatorDtype),
    }),
    update(grads, state, params) {
      const k = typeof everyK === 'function' ? everyK(state.gradientStep) : everyK
      const skip = shouldSkip(grads, state.gradientStep, params)
      const emit = np.logicalAnd(np.logicalNot(skip), state.miniStep.eq(np.subtract(k, 1)))
      const whole = mapTrees(where, (g, sum) => gather(g, sum!, state.miniStep), grads, state.accGrads)
      const [updates, innerState] = inner.update(
        mapTrees(where, (sum, g) => sum.astype(g!.dtype), whole, grads),
        state.innerState,
        params,
      )
      // a sum that went into a step begins anew; one that a skipped step would have spoilt stays
      const accGrads = mapTrees(
        where,
        (sum, before) => np.where(emit, 0, np.where(skip, before!, sum)).astype(accumulatorDtype),
        whole,
        state.accGrads,
      )
      const next: MultiStepsState<S> = {
        miniStep: np.where(skip, state.miniStep, np.remainder(safeIncrement(state.miniStep), k).astype('int32')),
        gradientStep: np.where(emit, safeIncrement(state.gradientStep), state.gradientStep),
        innerState: mapTrees(
          where,
          (after, before) => np.where(emit, after, before!).astype(before!.dtype),
          innerState,
          state.innerState,
        ),
        accGrads,
      }
      return [mapTrees(where, (u) => np.where(emit, u, np.zerosLike(u)), updates), next]
    },
  }
}
const never: ShouldSkip = () => np.zeros([], { dtype: 'bool' })

/**
 * Whether the state of `multiSteps` is that after a move.
 *
 * @returns bool[]
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { hasUpdated, multiSteps, scale } from '@fluxion/optim'
 * const gathered = multiSteps(scale(-1), 2)
 * hasUpdated(gathered.init(np.array([0]))).item() // => 0
 * ```
 */
export const hasUpdated = ({ miniStep, gradientStep }: MultiStepsState): NDArray =>
  np.logicalAnd(miniStep.eq(0), gradientStep.gt(0))

/**
 * Skip steps with gradients that are not finite: for `multiSteps`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { skipNotFinite } from '@fluxion/optim'
 * skipNotFinite(np.array([1, NaN]), np.array(0), null).item() // => 1
 * ```
 */
export const skipNotFinite: ShouldSkip = (grads) => np.logicalNot(allFinite(grads))

/**
 * Skip steps whose gradients have a squared norm that is not below a bound: for `multiSteps`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { skipLargeUpdates } from '@fluxion/optim'
 * skipLargeUpdates(25)(np.array([3, 4]), np.array(0), null).item() // => 1
 * ```
 */
export const skipLargeUpdates =
  (maxSquaredNorm: Scalar): ShouldSkip =>
  (grads) =>
    np.logicalNot(squaredNorm(grads).lt(maxSquaredNorm))
