/** The direction that Lion takes: the sign of an average of gradients. */
import { type DType, type NDArray, OptionError, checkOptions, misuse, np } from '@fluxion/core'
import { average, castTo, firstMoment, zerosOf } from './moments.ts'
import type { Scalar } from './scalars.ts'
import { type Transformation, mapTrees, safeIncrement, zeroCount } from './transformation.ts'

export interface LionState {
  readonly count: NDArray // i32[]
  /** The average of gradients, in the structure of the parameters. */
  readonly mu: unknown
}
export interface ScaleByLionOptions {
  /** The weight of the average in the direction. */
  b1?: Scalar
  /** The decay of the average. */
  b2?: Scalar
  /** The dtype in which the average is kept; else that of the parameters. */
  muDtype?: DType
  /** What becomes of c: its sign (`hard`), tanh(s c) (`smooth`), or c itself between −1 and 1 and its sign beyond (`refined`). */
  mode?: 'hard' | 'smooth' | 'refined'
  /** The s of `smooth`. */
  smoothBeta?: Scalar
}
export const lionNames: readonly string[] = ['b1', 'b2', 'muDtype']

const modes: Readonly<Record<string, (c: NDArray, smoothBeta: Scalar) => NDArray>> = {
  hard: (c) => np.sign(c),
  smooth: (c, smoothBeta) => np.tanh(np.multiply(smoothBeta, c)),
  refined: (c) => np.where(np.abs(c).lt(1), c, np.sign(c)),
}

/**
 * Replace gradients by a sign, as Lion does: c = β₁ m + (1 − β₁) g, u = sign(c), m ← β₂ m + (1 − β₂) g.
 *
 * @throws OptionError for a mode that does not exist
 * @see Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByLion } from '@fluxion/optim'
 * const lion = scaleByLion()
 * lion.update(np.array([3, -0.1]), lion.init(np.zeros([2])))[0] // => [1, -1]
 * ```
 */
export function scaleByLion(options: ScaleByLionOptions = {}): Transformation<LionState> {
  const where = 'scaleByLion'
  checkOptions(where, options, [...lionNames, 'mode', 'smoothBeta'])
  const { b1 = 0.9, b2 = 0.99, muDtype, mode = 'hard', smoothBeta = 1 } = options
  const direction = Object.hasOwn(modes, mode) ? modes[mode] : undefined
  if (direction === undefined)
    throw new OptionError(misuse(where, `a mode among ${Object.keys(modes).join(', ')}`, mode))
  return {
    init: (params) => ({ count: zeroCount(), mu: zerosOf(where, params, muDtype) }),
    update(grads, state) {
      const updates = mapTrees(where, (g, m) => direction(average(g, m!, b1), smoothBeta), grads, state.mu)
      const mu = castTo(where, firstMoment(where, grads, state.mu, b2), muDtype)
      return [updates, { count: safeIncrement(state.count), mu }]
    },
  }
}
