/** Transformations that multiply updates: by a number, a schedule, their sign, or the ratio of two norms. */
import { type NDArray, checkOptions, np } from '@fluxion/core'
import { globalNorm, safeNorm, safeRms } from './norms.ts'
import { type Scalar, negate, over, plus } from './scalars.ts'
import {
  type CountState,
  type Rate,
  type Schedule,
  type Transformation,
  leafwise,
  mapTrees,
  requireParams,
  safeIncrement,
  stateless,
  zeroCount,
} from './transformation.ts'

const scaled = <P>(where: string, updates: P, factor: Scalar): P =>
  mapTrees(where, (u) => np.multiply(factor, u), updates)
// a schedule's value is rounded to the dtype of the update, so that it does not widen it
const scheduled = <P>(where: string, updates: P, factor: NDArray): P =>
  mapTrees(where, (u) => np.asarray(factor).astype(u.dtype).mul(u), updates)

/** Multiply updates by −α(t): a rate that is a number or an array keeps its own dtype, as in `scale`. */
export const descend = <P>(where: string, updates: P, rate: Rate, count: NDArray): P =>
  typeof rate === 'function'
    ? scheduled(where, updates, np.negative(rate(count)))
    : scaled(where, updates, negate(rate))

/**
 * Multiply updates by a number.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scale } from '@fluxion/optim'
 * scale(-0.5).update(np.array([1, 2]), null)[0] // => [-0.5, -1]
 * ```
 */
export const scale = (stepSize: Scalar): Transformation<null> =>
  stateless((updates) => scaled('scale', updates, stepSize))

/**
 * Multiply updates by a schedule of the count of steps, which starts at 0.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { linearSchedule, scaleBySchedule } from '@fluxion/optim'
 * const slower = scaleBySchedule(linearSchedule(1, 0, 4))
 * const [first, state] = slower.update(np.array([8]), slower.init(null))
 * first // => [8]
 * slower.update(np.array([8]), state)[0] // => [6]
 * ```
 */
export const scaleBySchedule = (schedule: Schedule): Transformation<CountState> => ({
  init: () => ({ count: zeroCount() }),
  update: (updates, { count }) => [
    scheduled('scaleBySchedule', updates, schedule(count)),
    { count: safeIncrement(count) },
  ],
})

export interface LearningRateOptions {
  /** Turn gradients, which point uphill, into a descent: the default. */
  flipSign?: boolean
}
/**
 * Multiply updates by a learning rate, a number or a schedule, and turn their sign, since parameters are to descend.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByLearningRate } from '@fluxion/optim'
 * scaleByLearningRate(0.5).update(np.array([4]), null)[0] // => [-2]
 * ```
 */
export function scaleByLearningRate(
  learningRate: Rate,
  options: LearningRateOptions = {},
): Transformation<CountState | null> {
  checkOptions('scaleByLearningRate', options, ['flipSign'])
  const { flipSign = true } = options
  if (typeof learningRate !== 'function') return scale(flipSign ? negate(learningRate) : learningRate)
  return scaleBySchedule(
    flipSign ? (count) => np.negative(learningRate(count)) : learningRate,
  ) as Transformation<CountState | null>
}

/**
 * Replace updates by their sign.
 *
 * @see Bernstein et al., "signSGD: Compressed Optimisation for Non-Convex Problems", 2018
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleBySign } from '@fluxion/optim'
 * scaleBySign().update(np.array([0.1, 0, -7]), null)[0] // => [1, 0, -1]
 * ```
 */
export const scaleBySign = (): Transformation<null> => leafwise('scaleBySign', (u) => np.sign(u))

export interface TrustRatioOptions {
  /** Norms below this count as this. */
  minNorm?: Scalar
  trustCoefficient?: Scalar
  eps?: Scalar
}
/** Multiply each leaf by c ‖p‖ / (‖u‖ + ε); by 1 where a norm is zero. */
export function byTrustRatio<P>(where: string, updates: P, params: P, options: TrustRatioOptions = {}): P {
  const { minNorm = 0, trustCoefficient = 1, eps = 0 } = options
  return mapTrees(
    where,
    (u, p) => {
      const [paramNorm, updateNorm] = [safeNorm(p!, minNorm), safeNorm(u, minNorm)]
      const ratio = np.divide(np.multiply(trustCoefficient, paramNorm), np.add(updateNorm, eps))
      const zero = np.logicalOr(paramNorm.eq(0), updateNorm.eq(0))
      return u.mul(np.where(zero, np.array(1, { dtype: p!.dtype }), ratio))
    },
    updates,
    params,
  )
}

/**
 * Give each leaf of the updates a norm in proportion to that of its parameters: u ← c ‖p‖ / (‖u‖ + ε) u, and unchanged where a norm is
 * zero.
 *
 * @throws TreeError if `update` is not given the parameters
 * @see You et al., "Large Batch Training of Convolutional Networks", 2017
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByTrustRatio } from '@fluxion/optim'
 * scaleByTrustRatio().update(np.array([3, 4]), null, np.array([10]))[0] // => [6, 8]
 * ```
 */
export function scaleByTrustRatio(options: TrustRatioOptions = {}): Transformation<null> {
  checkOptions('scaleByTrustRatio', options, ['minNorm', 'trustCoefficient', 'eps'])
  return stateless((updates, params) =>
    byTrustRatio('scaleByTrustRatio', updates, requireParams('scaleByTrustRatio', params), options),
  )
}

const byParams = (
  where: string,
  measure: (p: NDArray, least: Scalar) => NDArray,
  minScale: Scalar,
): Transformation<null> =>
  stateless((updates, params) =>
    mapTrees(where, (u, p) => u.mul(measure(p!, minScale)), updates, requireParams(where, params)),
  )
/**
 * Multiply each leaf of the updates by the norm of its parameters, or by `minScale` if that is larger.
 *
 * @throws TreeError if `update` is not given the parameters
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByParamBlockNorm } from '@fluxion/optim'
 * scaleByParamBlockNorm().update(np.array([1, 2]), null, np.array([3, 4]))[0] // => [5, 10]
 * ```
 */
export const scaleByParamBlockNorm = (minScale: Scalar = 1e-3): Transformation<null> =>
  byParams('scaleByParamBlockNorm', safeNorm, minScale)
/**
 * Multiply each leaf of the updates by the root mean square of its parameters, or by `minScale` if that is larger.
 *
 * @throws TreeError if `update` is not given the parameters
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByParamBlockRms } from '@fluxion/optim'
 * scaleByParamBlockRms().update(np.array([1, 2]), null, np.array([3, -3]))[0] // => [3, 6]
 * ```
 */
export const scaleByParamBlockRms = (minScale: Scalar = 1e-3): Transformation<null> =>
  byParams('scaleByParamBlockRms', safeRms, minScale)

export interface NormalizeOptions {
  scaleFactor?: Scalar
  eps?: Scalar
}
/**
 * Divide updates by the norm of all of them together: u ← s u / (‖u‖ + ε).
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { normalizeByUpdateNorm } from '@fluxion/optim'
 * normalizeByUpdateNorm({ scaleFactor: 10, eps: 0 }).update([np.array(3), np.array(4)], null)[0] // => [6, 8]
 * ```
 */
export function normalizeByUpdateNorm(options: NormalizeOptions = {}): Transformation<null> {
  checkOptions('normalizeByUpdateNorm', options, ['scaleFactor', 'eps'])
  const { scaleFactor = 1, eps = 1e-6 } = options
  return stateless((updates) => {
    const norm = over(plus(globalNorm(updates), eps), scaleFactor)
    return mapTrees('normalizeByUpdateNorm', (u) => u.div(norm), updates)
  })
}
