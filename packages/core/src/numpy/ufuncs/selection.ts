/** Choosing and replacing elements: `where`, `select`, `clip` and their like. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { dtypes, isFloat } from '../../dtype.ts'
import { ShapeError, checkOptions, misuse } from '../../errors.ts'
import * as lax from '../../primitive/elementwise.ts'
import { full } from '../../primitive/movement.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { scalar } from '../../trace.ts'
import { asArray, promoteDtypes } from '../promote.ts'
import { choose } from '../select.ts'
import { maximum, minimum } from './arithmetic.ts'
import { toBool } from './define.ts'
import { isnan, isneginf, isposinf } from './floats.ts'

/**
 * `x` where the condition holds, `y` elsewhere; all three broadcast together. The gradient of each reaches only the elements that
 * were taken from it, as 0 times its own: if that is infinite or NaN where it is not taken, choose its argument with a `where`, too.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const x = np.array([-1, 2])
 * np.where(x.gt(0), x, 0) // => [0, 2]
 * ```
 */
export function where(condition: ArrayLike, x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = promoteDtypes('where', x, y) as [NDArray, NDArray]
  return choose(toBool(asArray('where', condition)), a, b)
}

/**
 * For every element the choice whose condition is the first to hold, else the default.
 *
 * @param options `default`: 0 unless given
 * @throws ShapeError if there is not one choice for each condition
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const x = np.array([1, 2, 3, 4])
 * np.select([x.lt(2), x.lt(4)], [x, x.mul(10)]) // => [1, 20, 30, 0]
 * ```
 */
export function select(
  conditions: readonly ArrayLike[],
  choices: readonly ArrayLike[],
  options: { default?: ArrayLike } = {},
): NDArray {
  checkOptions('select', options, ['default'])
  if (conditions.length !== choices.length || conditions.length === 0) {
    const got = `${conditions.length} conditions and ${choices.length} choices`
    throw new ShapeError(misuse('select', 'as many conditions as choices, and at least one', got))
  }
  const [otherwise, ...promoted] = promoteDtypes('select', options.default ?? 0, ...choices) as [NDArray, ...NDArray[]]
  return promoted.reduceRight(
    (rest, choice, i) => choose(toBool(asArray('select', conditions[i]!)), choice, rest),
    otherwise,
  )
}

/**
 * For every element the value of the function whose condition is the last to hold; 0, or the value of one more function at the end
 * of the list, if none does. Every function sees the whole array, and a number stands for a constant function.
 *
 * @throws ShapeError if there is not one function for each condition, or one more
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const x = np.array([-2, 0, 3])
 * np.piecewise(x, [x.lt(0), x.gt(0)], [(v) => v.neg(), (v) => v.mul(2), 1]) // => [2, 1, 6]
 * ```
 */
export function piecewise(
  x: ArrayLike,
  conditions: readonly ArrayLike[],
  functions: readonly (ArrayLike | ((x: NDArray) => ArrayLike))[],
): NDArray {
  const extra = functions.length - conditions.length
  if (extra !== 0 && extra !== 1) {
    const got = `${functions.length} functions for ${conditions.length} conditions`
    throw new ShapeError(misuse('piecewise', 'one function for each condition, or one more', got))
  }
  const a = asArray('piecewise', x)
  const valueOf = (f: ArrayLike | ((x: NDArray) => ArrayLike)) =>
    lax.convert(asArray('piecewise', typeof f === 'function' ? f(a) : f), a.dtype)
  const start = choose(scalar(1, 'bool'), extra === 1 ? valueOf(functions.at(-1)!) : 0, full(a.shape, 0, a.dtype))
  return conditions.reduce<NDArray>(
    (rest, condition, i) => choose(toBool(asArray('piecewise', condition)), valueOf(functions[i]!), rest),
    start,
  )
}

/**
 * Limit elements to the range from `min` to `max`; `null` for no limit. If the limits cross, `max` wins.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.clip(np.array([-1, 0.5, 2]), 0, 1) // => [0, 0.5, 1]
 * ```
 */
export function clip(x: ArrayLike, min: ArrayLike | null = null, max: ArrayLike | null = null): NDArray {
  const a = asArray('clip', x)
  const raised = min === null ? a : maximum(min, a)
  return max === null ? raised : minimum(max, raised)
}

/**
 * Replace NaN by 0 and infinities by the largest and smallest numbers of the dtype, or by values of one's own.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanToNum(np.array([1, NaN, Infinity]), { posinf: 9 }) // => [1, 0, 9]
 * ```
 */
export function nanToNum(
  x: ArrayLike,
  options: { nan?: ArrayLike; posinf?: ArrayLike; neginf?: ArrayLike } = {},
): NDArray {
  checkOptions('nanToNum', options, ['nan', 'posinf', 'neginf'])
  const a = asArray('nanToNum', x)
  if (!isFloat(a.dtype)) return a
  const { min, max } = dtypes[a.dtype]
  const like = (value: ArrayLike) =>
    typeof value === 'number' ? scalarLike(a, value) : lax.convert(asArray('nanToNum', value), a.dtype, a.weakType)
  const noNan = choose(isnan(a), like(options.nan ?? 0), a)
  const noPositive = choose(isposinf(noNan), like(options.posinf ?? max), noNan)
  return choose(isneginf(noPositive), like(options.neginf ?? min), noPositive)
}
