/** Statistics over axes: means, variances and averages. */
import type { ArrayLike, NDArray } from '../array.ts'
import { checkDtype, inexact } from '../dtype.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import * as lax from '../primitive/elementwise.ts'
import { reshape, transpose } from '../primitive/movement.ts'
import { scalarLike } from '../primitive/rules.ts'
import { normalAxes, range } from '../shape.ts'
import { scalar } from '../trace.ts'
import { asArray, broadcastTo, promoteDtypesInexact, wide } from './promote.ts'
import { checkFloat, checkWhere, countOf } from './reduce.ts'
import { sum } from './reductions.ts'
import { choose } from './select.ts'
import type { AxisOptions, MaskedOptions, MeanOptions, Reduce, VarOptions } from './types.ts'
import { divide, multiply } from './ufuncs/arithmetic.ts'

/** The number of elements of each mean, as a float: fixed by the shape unless elements are chosen. */
function normalizer(where: string, x: NDArray, dtype: NDArray['dtype'], options: MaskedOptions): NDArray {
  if (options.where === undefined) return scalar(countOf(x, normalAxes(where, options.axis, x.ndim)), dtype)
  return sum(broadcastTo(lax.convert(options.where, dtype), x.shape), { ...axesOf(options), dtype })
}
const axesOf = ({ axis, keepdims }: AxisOptions): AxisOptions => ({ axis: axis ?? null, keepdims: keepdims ?? false })
const maskOf = (options: MaskedOptions): MaskedOptions => ({
  ...axesOf(options),
  ...(options.where !== undefined && { where: options.where }),
})

/**
 * The arithmetic mean over axes. Integers give float32; float16 is accumulated in float32. NaN for no elements.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.mean(np.array([[1, 2], [3, 6]])).item() // => 3
 * np.mean(np.array([[1, 2], [3, 6]]), { axis: 0 }) // => [2, 4]
 * ```
 */
export const mean: Reduce<MeanOptions> = (x: ArrayLike, options: MeanOptions = {}): NDArray => {
  checkOptions('mean', options, ['axis', 'keepdims', 'where', 'dtype'])
  const a = asArray('mean', x)
  checkWhere('mean', options.where)
  const dtype = options.dtype === undefined ? inexact(a).dtype : checkDtype('mean', options.dtype)
  const computed = options.dtype === undefined ? wide(dtype) : dtype
  const total = sum(a, { ...maskOf(options), dtype: computed })
  return lax.convert(lax.div(total, normalizer('mean', a, computed, options)), dtype)
}

const spreadNames = ['axis', 'keepdims', 'where', 'dtype', 'ddof', 'correction']
function correctionOf(where: string, { ddof = 0, correction }: VarOptions): number {
  if (correction === undefined) return ddof
  if (ddof === 0) return correction
  throw new OptionError(misuse(where, 'one of ddof and correction', 'both'))
}

/**
 * The variance over axes: the mean of |x − mean(x)|², divided by the number of elements less `ddof`; NaN unless that is positive.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.var(np.array([1, 2, 3, 4])).item() // => 1.25
 * ```
 */
export const variance: Reduce<VarOptions> = (x: ArrayLike, options: VarOptions = {}): NDArray => {
  checkOptions('var', options, spreadNames)
  const correction = correctionOf('var', options)
  const given = asArray('var', x)
  checkWhere('var', options.where)
  const dtype = options.dtype === undefined ? inexact(given).dtype : checkFloat('var', options.dtype)
  const computed = wide(inexact({ dtype: given.dtype, weakType: false }).dtype)
  const a = lax.convert(given, computed)
  const centre = mean(a, { ...maskOf(options), keepdims: true, dtype: computed })
  const squares = lax.square(lax.sub(a, broadcastTo(centre, a.shape)))
  const total = sum(squares, { ...maskOf(options), dtype: computed })
  const count = normalizer('var', a, computed, options)
  const divisor = lax.sub(count, scalarLike(count, correction))
  const result = lax.convert(lax.div(total, divisor), dtype)
  return choose(lax.gt(divisor, scalarLike(divisor, 0)), result, NaN)
}

/**
 * The standard deviation over axes: the square root of `var`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.std(np.array([1, 3, 5, 7])).item() // => 2.236068
 * ```
 */
export const std: Reduce<VarOptions> = (x: ArrayLike, options: VarOptions = {}): NDArray => {
  checkOptions('std', options, spreadNames)
  return lax.sqrt(variance(x, options))
}

export interface AverageOptions extends AxisOptions {
  /** Of the array's shape, or of the shape of the axes. */
  weights?: ArrayLike
}

/** The weighted average and the sum of the weights, which broadcast together. */
function averageAndWeights(x: ArrayLike, options: AverageOptions): [NDArray, NDArray] {
  checkOptions('average', options, ['axis', 'keepdims', 'weights'])
  if (options.weights === undefined) {
    const [a] = promoteDtypesInexact('average', x) as [NDArray]
    const result = mean(a, axesOf(options))
    return [result, scalar(countOf(a, normalAxes('average', options.axis, a.ndim)), result.dtype)]
  }
  const [a, given] = promoteDtypesInexact('average', x, options.weights) as [NDArray, NDArray]
  const weights = weightsFor(a, given, options)
  const total = sum(weights, axesOf(options))
  return [divide(sum(multiply(a, weights), axesOf(options)), total), total]
}

/** Weights of the array's own shape, or of that of the axes in the order in which they were named. */
function weightsFor(a: NDArray, weights: NDArray, { axis = null }: AverageOptions): NDArray {
  if (weights.ndim === a.ndim && weights.shape.every((dim, i) => dim === a.shape[i])) return weights
  const named = (axis === null ? range(a.ndim) : [axis].flat()).map((one) => normalAxes('average', one, a.ndim)[0]!)
  const fits =
    axis !== null && weights.ndim === named.length && named.every((one, i) => weights.shape[i] === a.shape[one])
  if (!fits) {
    const expected = `weights of the shape of ${showAval(a.aval)}${axis === null ? '' : ` or of its axes [${named.join(',')}]`}`
    throw new ShapeError(
      misuse('average', expected, showAval(weights.aval), axis === null ? 'name the axis' : undefined),
    )
  }
  const order = range(named.length).toSorted((i, j) => named[i]! - named[j]!)
  return reshape(
    transpose(weights, order),
    a.shape.map((dim, i) => (named.includes(i) ? dim : 1)),
  )
}

/**
 * The weighted average over axes: Σ w·x / Σ w; without weights the mean.
 *
 * @throws ShapeError if the weights fit neither the array nor the axes
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.average(np.array([1, 2, 4]), { weights: np.array([1, 1, 2]) }).item() // => 2.75
 * ```
 */
export const average: Reduce<AverageOptions> = (x: ArrayLike, options: AverageOptions = {}): NDArray =>
  averageAndWeights(x, options)[0]

/**
 * The weighted average over axes, and the sum of the weights that it was divided by.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [value, total] = np.averageWithWeights(np.array([1, 2, 4]), { weights: np.array([1, 1, 2]) })
 * total.item() // => 4
 * value.item() // => 2.75
 * ```
 */
export function averageWithWeights(x: ArrayLike, options: AverageOptions = {}): [average: NDArray, weights: NDArray] {
  const [value, weights] = averageAndWeights(x, options)
  return [value, broadcastTo(weights, value.shape)]
}
