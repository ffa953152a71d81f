/** Reductions that pass over NaN. */
import type { ArrayLike, NDArray } from '../array.ts'
import { checkDtype, inexact, isFloat } from '../dtype.ts'
import { checkOptions } from '../errors.ts'
import * as lax from '../primitive/elementwise.ts'
import { scalarLike } from '../primitive/rules.ts'
import { asArray, broadcastTo, wide } from './promote.ts'
import { checkFloat } from './reduce.ts'
import * as whole from './reductions.ts'
import { choose } from './select.ts'
import { mean, variance } from './statistics.ts'
import type {
  ArgOptions,
  ExtremeOptions,
  MaskedOptions,
  MeanOptions,
  Reduce,
  ReduceOptions,
  VarOptions,
} from './types.ts'
import { isnan } from './ufuncs/floats.ts'

const { all, argmax, argmin, sum } = whole
/** The axes and the choice of elements among the options. */
const plain = ({ axis, keepdims, where }: MaskedOptions): MaskedOptions => ({
  axis: axis ?? null,
  keepdims: keepdims ?? false,
  ...(where !== undefined && { where }),
})
const axesOnly = ({ axis, keepdims }: MaskedOptions): MaskedOptions => ({
  axis: axis ?? null,
  keepdims: keepdims ?? false,
})

/** A reduction in which NaN counts as the value that changes nothing. */
const without =
  <Options extends ReduceOptions>(where: string, reduce: Reduce<Options>, identity: number, known: readonly string[]) =>
  (x: ArrayLike, options?: Options): NDArray => {
    checkOptions(where, options, known)
    const a = asArray(where, x)
    return reduce(isFloat(a.dtype) ? choose(isnan(a), identity, a) : a, options)
  }
/** The same, but NaN where there is nothing else. */
const extreme = (where: string, reduce: Reduce<ExtremeOptions>, identity: number): Reduce<ExtremeOptions> => {
  const known = ['axis', 'keepdims', 'where', 'initial']
  const reduced = without<ExtremeOptions>(where, reduce, identity, known)
  return (x: ArrayLike, options: ExtremeOptions = {}): NDArray => {
    const a = asArray(where, x)
    const result = reduced(a, options)
    if (!isFloat(a.dtype) || options.initial !== undefined) return result
    return choose(all(isnan(a), axesOnly(options)), NaN, result)
  }
}
const typed = ['axis', 'keepdims', 'where', 'initial', 'dtype']

/**
 * Sum over axes, NaN counting as 0.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nansum(np.array([1, NaN, 3])).item() // => 4
 * ```
 */
export const nansum: Reduce = without('nansum', sum, 0, typed)

/**
 * Multiply over axes, NaN counting as 1.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanprod(np.array([2, NaN, 3])).item() // => 6
 * ```
 */
export const nanprod: Reduce = without('nanprod', whole.prod, 1, typed)

/**
 * The largest element over axes that is not NaN; NaN if there is none.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanmax(np.array([1, NaN, 3])).item() // => 3
 * ```
 */
export const nanmax: Reduce<ExtremeOptions> = extreme('nanmax', whole.max, -Infinity)

/**
 * The smallest element over axes that is not NaN; NaN if there is none.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanmin(np.array([1, NaN, 3])).item() // => 1
 * ```
 */
export const nanmin: Reduce<ExtremeOptions> = extreme('nanmin', whole.min, Infinity)

/**
 * The mean over axes of the elements that are not NaN; NaN if there is none.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanmean(np.array([1, NaN, 3])).item() // => 2
 * ```
 */
export const nanmean: Reduce<MeanOptions> = (x: ArrayLike, options: MeanOptions = {}): NDArray => {
  checkOptions('nanmean', options, ['axis', 'keepdims', 'where', 'dtype'])
  const a = asArray('nanmean', x)
  if (!isFloat(a.dtype)) return mean(a, options)
  const dtype = options.dtype === undefined ? a.dtype : checkDtype('nanmean', options.dtype)
  const count = sum(lax.not(isnan(a)), { ...plain(options), dtype })
  return lax.div(nansum(a, { ...plain(options), dtype }), count)
}

/**
 * The variance over axes of the elements that are not NaN; NaN unless there are more than `ddof` of them.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanvar(np.array([1, NaN, 3])).item() // => 1
 * ```
 */
export const nanvar: Reduce<Omit<VarOptions, 'correction'>> = (x: ArrayLike, options: VarOptions = {}): NDArray => {
  checkOptions('nanvar', options, ['axis', 'keepdims', 'where', 'dtype', 'ddof'])
  const given = asArray('nanvar', x)
  if (!isFloat(given.dtype)) return variance(given, options)
  const dtype = options.dtype === undefined ? given.dtype : checkFloat('nanvar', options.dtype)
  const a = lax.convert(given, wide(inexact(given).dtype))
  const centre = nanmean(a, { ...plain(options), keepdims: true })
  const missing = isnan(a)
  const squares = lax.square(choose(missing, 0, lax.sub(a, broadcastTo(centre, a.shape))))
  const count = sum(lax.not(missing), { ...plain(options), dtype: a.dtype })
  const divisor = lax.sub(count, scalarLike(count, options.ddof ?? 0))
  const enough = lax.gt(divisor, scalarLike(divisor, 0))
  // both selections, so that no gradient is 0/0
  const result = lax.div(sum(squares, plain(options)), choose(enough, divisor, 1))
  return lax.convert(choose(enough, result, NaN), dtype)
}

/**
 * The standard deviation over axes of the elements that are not NaN.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanstd(np.array([1, NaN, 5])).item() // => 2
 * ```
 */
export const nanstd: Reduce<Omit<VarOptions, 'correction'>> = (x: ArrayLike, options: VarOptions = {}): NDArray => {
  checkOptions('nanstd', options, ['axis', 'keepdims', 'where', 'dtype', 'ddof'])
  return lax.sqrt(nanvar(x, options))
}

const search =
  (where: string, find: Reduce<ArgOptions>, identity: number): Reduce<ArgOptions> =>
  (x: ArrayLike, options: ArgOptions = {}): NDArray => {
    checkOptions(where, options, ['axis', 'keepdims'])
    const a = asArray(where, x)
    if (!isFloat(a.dtype)) return find(a, options)
    const missing = isnan(a)
    return choose(all(missing, options), -1, find(choose(missing, identity, a), options))
  }

/**
 * The index of the largest element along an axis that is not NaN; −1 if there is none.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanargmax(np.array([1, NaN, 3])).item() // => 2
 * ```
 */
export const nanargmax: Reduce<ArgOptions> = search('nanargmax', argmax, -Infinity)

/**
 * The index of the smallest element along an axis that is not NaN; −1 if there is none.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanargmin(np.array([1, NaN, 3])).item() // => 0
 * ```
 */
export const nanargmin: Reduce<ArgOptions> = search('nanargmin', argmin, Infinity)
