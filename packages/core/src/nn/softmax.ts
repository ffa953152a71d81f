/** Softmax and its logarithm, and sums of exponentials in logarithms. */
import type { ArrayLike, NDArray } from '../array.ts'
import { customJvp } from '../control/custom.ts'
import { isFloat } from '../dtype.ts'
import { DtypeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { asArray, promoteDtypesInexact } from '../numpy/promote.ts'
import { max, sum } from '../numpy/reductions.ts'
import { absolute, add, divide, multiply, sign, subtract } from '../numpy/ufuncs/arithmetic.ts'
import { less, notEqual } from '../numpy/ufuncs/comparison.ts'
import { exp, log } from '../numpy/ufuncs/exponential.ts'
import { isfinite } from '../numpy/ufuncs/floats.ts'
import { where as choose } from '../numpy/ufuncs/selection.ts'
import { full } from '../primitive/movement.ts'
import type { Axis } from '../shape.ts'
import { stopGradient } from '../transform/autodiff.ts'

export interface SoftmaxOptions {
  /** One axis, several, or all of them (`null`); the last by default. */
  axis?: Axis
  /** bool[...]: which elements count; the others get a probability of 0. */
  where?: ArrayLike | null
}
/** The mask that was given, if any, as an array. */
function maskOf(name: string, where: ArrayLike | null | undefined): NDArray | undefined {
  if (where === null || where === undefined) return undefined
  const mask = asArray(name, where)
  if (mask.dtype !== 'bool')
    throw new DtypeError(misuse(name, 'a where of dtype bool', showAval(mask.aval), 'compare: x.ne(0)'))
  return mask
}
/** What reductions over the given axes take. */
const over = (axis: Axis, mask: NDArray | undefined): { axis: Axis; keepdims: true; where?: NDArray } =>
  mask === undefined ? { axis, keepdims: true } : { axis, keepdims: true, where: mask }
const masked = (mask: NDArray | undefined, x: NDArray, otherwise: number): NDArray =>
  mask === undefined ? x : choose(mask, x, otherwise)

/**
 * e^x / Σ e^x over an axis, without overflow.
 *
 * @returns of the shape of x; sums over the axis are 1
 * @example
 * ```ts
 * import { nn, np } from 'fluxion'
 * nn.softmax(np.array([0, 0, 1000])) // => [0, 0, 1]
 * nn.softmax(np.array([0, 0, 1000]), { where: np.array([true, true, false]) }) // => [0.5, 0.5, 0]
 * ```
 */
export function softmax(x: ArrayLike, options: SoftmaxOptions = {}): NDArray {
  checkOptions('softmax', options, ['axis', 'where'])
  const { axis = -1 } = options
  const [array] = promoteDtypesInexact('softmax', x) as [NDArray]
  // A rule of its own, whose derivative needs the result alone: y (t − Σ y t).
  const rule = customJvp((given: NDArray, mask: NDArray | null): NDArray => {
    const set = over(axis, mask ?? undefined)
    const highest = max(given, { ...set, initial: -Infinity })
    const raised = exp(subtract(masked(set.where, given, -Infinity), highest))
    return masked(set.where, divide(raised, sum(raised, set)), 0)
  })
  rule.defjvp(([given, mask], [t]) => {
    const y = rule(given, mask)
    return [y, multiply(y, subtract(t, sum(multiply(y, t), over(axis, mask ?? undefined))))]
  })
  return rule(array, maskOf('softmax', options.where) ?? null)
}

/**
 * log softmax(x) over an axis, x − log Σ eˣ, without overflow; −∞ for elements that do not count.
 *
 * @example
 * ```ts
 * import { nn, np } from 'fluxion'
 * nn.logSoftmax(np.array([0, 0])) // => [-0.6931472, -0.6931472]
 * ```
 */
export function logSoftmax(x: ArrayLike, options: SoftmaxOptions = {}): NDArray {
  checkOptions('logSoftmax', options, ['axis', 'where'])
  const { axis = -1 } = options
  const [array] = promoteDtypesInexact('logSoftmax', x) as [NDArray]
  const mask = maskOf('logSoftmax', options.where)
  const set = over(axis, mask)
  const highest = stopGradient(max(array, { ...set, initial: -Infinity }))
  const shifted = subtract(masked(mask, array, -Infinity), highest)
  return masked(mask, subtract(shifted, log(sum(exp(shifted), set))), -Infinity)
}

export interface LogMeanOptions {
  /** One axis, several, or all of them (`null`, the default). */
  axis?: Axis
  /** bool[...]: which elements count. */
  where?: ArrayLike | null
  /** Keep the reduced axes, with size 1. */
  keepdims?: boolean
}
export interface LogSumOptions extends LogMeanOptions {
  /** Factors of the exponentials, which may be negative; where their sum is, the result is NaN unless `returnSign` is set. */
  b?: ArrayLike | null
}
interface LogSum {
  readonly magnitude: NDArray
  readonly sign: NDArray
}
function logOfSum(name: string, x: ArrayLike, options: LogSumOptions): LogSum {
  const { axis = null, keepdims = false, b } = options
  const mask = maskOf(name, options.where)
  const given = masked(mask, asArray(name, x), 0)
  const [a, factor] =
    b === null || b === undefined ? promoteDtypesInexact(name, given) : promoteDtypesInexact(name, given, b)
  const array = factor === undefined ? a! : choose(notEqual(factor, 0), a!, -Infinity)
  const set = mask === undefined ? { axis } : { axis, where: mask }
  const highest = max(array, { ...set, keepdims: true, initial: -Infinity })
  // infinities less themselves would be NaN
  const shift = stopGradient(choose(isfinite(highest), highest, 0))
  const raised = exp(subtract(array, shift))
  const total = sum(factor === undefined ? raised : multiply(raised, factor), { ...set, keepdims: true })
  const squeezed = (value: NDArray): NDArray => (keepdims ? value : sum(value, { axis }))
  return { magnitude: squeezed(add(log(absolute(total)), shift)), sign: squeezed(sign(total)) }
}

/**
 * log Σ b eˣ over axes, without overflow.
 *
 * @param options with `returnSign: true` the result is `[log |Σ b eˣ|, sign of the sum]`
 * @example
 * ```ts
 * import { nn, np } from 'fluxion'
 * nn.logsumexp(np.array([1000, 1000])).item() // => Math.fround(1000 + Math.LN2)
 * ```
 */
export function logsumexp(
  x: ArrayLike,
  options: LogSumOptions & { returnSign: true },
): [magnitude: NDArray, sign: NDArray]
export function logsumexp(x: ArrayLike, options?: LogSumOptions & { returnSign?: false }): NDArray
export function logsumexp(
  x: ArrayLike,
  options: LogSumOptions & { returnSign?: boolean } = {},
): NDArray | [NDArray, NDArray] {
  checkOptions('logsumexp', options, ['axis', 'b', 'keepdims', 'returnSign', 'where'])
  const { magnitude, sign: direction } = logOfSum('logsumexp', x, options)
  if (options.returnSign === true) return [magnitude, direction]
  return options.b === null || options.b === undefined ? magnitude : choose(less(direction, 0), NaN, magnitude)
}

/** The logarithm of the mean of eˣ over axes, without overflow. */
export function logmeanexp(x: ArrayLike, options: LogMeanOptions = {}): NDArray {
  checkOptions('logmeanexp', options, ['axis', 'keepdims', 'where'])
  const { axis = null, keepdims = false } = options
  const array = asArray('logmeanexp', x)
  const mask = maskOf('logmeanexp', options.where)
  const { magnitude } = logOfSum('logmeanexp', array, options)
  const dtype = isFloat(magnitude.dtype) ? magnitude.dtype : 'float32'
  const ones = full(array.shape, 1, dtype)
  const count = sum(ones, mask === undefined ? { axis, keepdims } : { axis, keepdims, where: mask })
  return subtract(magnitude, log(count))
}
