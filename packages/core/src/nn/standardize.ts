/** Standardisation: a mean of 0 and a variance of 1 over axes. */
import type { ArrayLike, NDArray } from '../array.ts'
import { OptionError, checkOptions, misuse } from '../errors.ts'
import { rsqrt } from '../lax/index.ts'
import { asArray } from '../numpy/promote.ts'
import { mean as meanOf } from '../numpy/statistics.ts'
import { add, multiply, square, subtract } from '../numpy/ufuncs/arithmetic.ts'
import { clip } from '../numpy/ufuncs/selection.ts'
import type { Axis } from '../shape.ts'

export interface StandardizeOptions {
  /** One axis, several, or all of them (`null`); the last by default. */
  axis?: Axis
  /** The mean to subtract, if not that of x. */
  mean?: ArrayLike | null
  /** The variance to divide by the root of, if not that of x. */
  variance?: ArrayLike | null
  /** What is added to the variance: 1e-5 by default. */
  epsilon?: ArrayLike
  /** bool[...]: which elements count for mean and variance. */
  where?: NDArray | null
  /** The variance as E x² − (E x)², `'fast'` (the default), or as E (x − E x)², `'stable'`. */
  algorithm?: 'fast' | 'stable'
}
/**
 * (x − E x) / √(Var x + ε) over an axis.
 *
 * @example
 * ```ts
 * import { nn, np } from 'fluxion'
 * nn.standardize(np.array([1, 3]), { epsilon: 0 }) // => [-1, 1]
 * ```
 */
export function standardize(x: ArrayLike, options: StandardizeOptions = {}): NDArray {
  checkOptions('standardize', options, ['axis', 'mean', 'variance', 'epsilon', 'where', 'algorithm'])
  const { axis = -1, epsilon = 1e-5, where, algorithm = 'fast' } = options
  const array = asArray('standardize', x)
  const average = (values: NDArray): NDArray =>
    meanOf(values, { axis, keepdims: true, ...(where === null || where === undefined ? {} : { where }) })
  const mean = options.mean ?? average(array)
  const centred = subtract(array, mean)
  return multiply(centred, rsqrt(add(options.variance ?? varianceOf(), epsilon)))

  function varianceOf(): NDArray {
    if (algorithm === 'stable') return average(square(centred))
    if (algorithm !== 'fast')
      throw new OptionError(misuse('standardize', "algorithm 'fast' or 'stable'", `'${String(algorithm)}'`))
    // rounding may leave it below 0
    return clip(subtract(average(square(array)), square(mean)), 0)
  }
}
