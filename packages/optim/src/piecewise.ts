/** Schedules given by their values at some steps, and the one-cycle policies made of them. */
import { type NDArray, OptionError, checkOptions, misuse, np } from '@fluxion/core'
import { type Scalar, minus, over, times } from './scalars.ts'
import { requireSteps } from './schedules.ts'
import { type CountSchedule, countSchedule } from './transformation.ts'

/** By step the factor by which the value is multiplied there. */
export type Scales = Readonly<Record<number, Scalar>>
function sorted(where: string, scales: Scales): [step: number, scale: Scalar][] {
  const entries = Object.entries(scales).map(([step, scale]): [number, Scalar] => [Number(step), scale])
  for (const [step, scale] of entries) {
    if (!Number.isInteger(step)) throw new OptionError(misuse(where, 'whole numbers as steps', String(step)))
    if (typeof scale === 'number' && !(scale >= 0)) {
      throw new OptionError(misuse(where, 'factors that are not negative', `${scale} at step ${step}`))
    }
  }
  return entries.sort(([a], [b]) => a - b)
}

/**
 * A value that is multiplied by a factor at each of some steps, from that step on.
 *
 * @throws OptionError for negative factors
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { piecewiseConstantSchedule } from '@fluxion/optim'
 * piecewiseConstantSchedule(1, { 2: 0.5 })(np.arange(5)) // => [1, 1, 0.5, 0.5, 0.5]
 * ```
 */
export function piecewiseConstantSchedule(initValue: Scalar, boundariesAndScales: Scales = {}): CountSchedule {
  const steps = sorted('piecewiseConstantSchedule', boundariesAndScales)
  return countSchedule((count) =>
    steps.reduce(
      (value: NDArray, [step, scale]) => np.where(count.lt(step), value, np.multiply(scale, value)),
      np.asarray(initValue),
    ),
  )
}

const between: Readonly<Record<'linear' | 'cosine', (start: Scalar, end: Scalar, part: NDArray) => NDArray>> = {
  linear: (start, end, part) => np.add(np.multiply(minus(end, start), part), start),
  cosine: (start, end, part) => {
    const wave = np.add(np.cos(np.multiply(Math.PI, part)), 1)
    return np.add(end, np.multiply(over(minus(start, end), 2), wave))
  },
}
/**
 * A value on its way between those that it has at some steps, each the one before times a factor.
 *
 * @param interpolateType the way: a line, or half a wave
 * @throws OptionError for negative factors and for other types
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { piecewiseInterpolateSchedule } from '@fluxion/optim'
 * piecewiseInterpolateSchedule('linear', 1, { 2: 3, 4: 0 })(np.arange(6)) // => [1, 2, 3, 1.5, 0, 0]
 * ```
 */
export function piecewiseInterpolateSchedule(
  interpolateType: 'linear' | 'cosine',
  initValue: Scalar,
  boundariesAndScales: Scales = {},
): CountSchedule {
  const where = 'piecewiseInterpolateSchedule'
  if (!Object.hasOwn(between, interpolateType)) {
    throw new OptionError(misuse(where, 'linear or cosine', String(interpolateType)))
  }
  const interpolate = between[interpolateType]
  const steps = sorted(where, boundariesAndScales)
  return countSchedule((count) => {
    let [from, start] = [0, initValue]
    let value = np.asarray(initValue)
    // later pieces win where they have begun; what lies beyond the last keeps its end
    for (const [to, scale] of steps) {
      const end = times(start, scale)
      const part = np.minimum(count.sub(from).div(Math.max(to - from, 1)), 1)
      value = np.where(count.lt(from), value, interpolate(start, end, part))
      ;[from, start] = [to, end]
    }
    return np.where(count.lt(from), value, start)
  })
}

export interface CosineOnecycleOptions {
  /** The part of the steps that the way up takes. */
  pctStart?: number
  /** The peak divided by the first value. */
  divFactor?: number
  /** The first value divided by the last. */
  finalDivFactor?: number
}
/**
 * Up to a peak and down to almost nothing, both along half a wave.
 *
 * @throws OptionError if the way takes no steps
 * @see Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", 2017
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { cosineOnecycleSchedule } from '@fluxion/optim'
 * np.argmax(cosineOnecycleSchedule(10, 1)(np.arange(11))).item() // => 3
 * ```
 */
export function cosineOnecycleSchedule(
  transitionSteps: number,
  peakValue: Scalar,
  options: CosineOnecycleOptions = {},
): CountSchedule {
  const where = 'cosineOnecycleSchedule'
  checkOptions(where, options, ['pctStart', 'divFactor', 'finalDivFactor'])
  requireSteps(where, 'transitionSteps', transitionSteps)
  const { pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options
  return piecewiseInterpolateSchedule('cosine', over(peakValue, divFactor), {
    [Math.trunc(pctStart * transitionSteps)]: divFactor,
    [transitionSteps]: 1 / (divFactor * finalDivFactor),
  })
}

export interface LinearOnecycleOptions extends CosineOnecycleOptions {
  /** The part of the steps after which the value is back where it began. */
  pctFinal?: number
}
/**
 * Up to a peak, down to the start, and on to almost nothing, all in equal steps; `finalDivFactor` divides the first value.
 *
 * @throws OptionError if the way takes no steps
 * @see Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", 2017
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { linearOnecycleSchedule } from '@fluxion/optim'
 * np.argmax(linearOnecycleSchedule(10, 1)(np.arange(11))).item() // => 3
 * ```
 */
export function linearOnecycleSchedule(
  transitionSteps: number,
  peakValue: Scalar,
  options: LinearOnecycleOptions = {},
): CountSchedule {
  const where = 'linearOnecycleSchedule'
  checkOptions(where, options, ['pctStart', 'pctFinal', 'divFactor', 'finalDivFactor'])
  requireSteps(where, 'transitionSteps', transitionSteps)
  const { pctStart = 0.3, pctFinal = 0.85, divFactor = 25, finalDivFactor = 1e4 } = options
  return piecewiseInterpolateSchedule('linear', over(peakValue, divFactor), {
    [Math.trunc(pctStart * transitionSteps)]: divFactor,
    [Math.trunc(pctFinal * transitionSteps)]: 1 / divFactor,
    [transitionSteps]: 1 / finalDivFactor,
  })
}
