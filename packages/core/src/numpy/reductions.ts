/** Reductions over axes: sums, products, extremes, and where the extremes are. */
import type { ArrayLike, NDArray } from '../array.ts'
import { ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { convert } from '../primitive/elementwise.ts'
import { reshape } from '../primitive/movement.ts'
import * as lax from '../primitive/reduce.ts'
import { normalAxes } from '../shape.ts'
import { asArray } from './promote.ts'
import { type Reduction, kept, reduceWith } from './reduce.ts'
import type { ArgOptions, AxisOptions, ExtremeOptions, MaskedOptions, Reduce, ReduceOptions } from './types.ts'
import { add, maximum, minimum, multiply, subtract } from './ufuncs/arithmetic.ts'
import { toBool } from './ufuncs/define.ts'

type Reducer<Options> = (x: ArrayLike, options?: Options) => NDArray
const reducer =
  <Options extends ReduceOptions>(where: string, known: readonly string[], row: Reduction): Reducer<Options> =>
  (x, options) => {
    checkOptions(where, options, known)
    return reduceWith(where, row, x, options)
  }

const numeric = (x: NDArray): NDArray => (x.dtype === 'bool' ? convert(x, 'int32') : x)
// of booleans, when that dtype is asked for, the sum is `any` and the product `all`
const sums: Reduction = {
  identity: 0,
  accumulates: true,
  prepare: numeric,
  reduce: (x, axes) => (x.dtype === 'bool' ? lax.reduceOr(x, axes) : lax.reduceSum(x, axes)),
  combine: add,
}
const products: Reduction = {
  identity: 1,
  accumulates: true,
  prepare: numeric,
  reduce: (x, axes) => (x.dtype === 'bool' ? lax.reduceAnd(x, axes) : lax.reduceProd(x, axes)),
  combine: multiply,
}
const maxima: Reduction = { identity: -Infinity, startless: true, reduce: lax.reduceMax, combine: maximum }
const minima: Reduction = { identity: Infinity, startless: true, reduce: lax.reduceMin, combine: minimum }
const conjunctions: Reduction = { identity: 1, prepare: toBool, reduce: lax.reduceAnd, combine: multiply }
const disjunctions: Reduction = { identity: 0, prepare: toBool, reduce: lax.reduceOr, combine: add }

const masked = ['axis', 'keepdims', 'where']
const extreme = [...masked, 'initial']
const typed = [...extreme, 'dtype']

/**
 * Sum over axes. Booleans and small integers give 32-bit integers; float16 is accumulated in float32.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.sum(np.array([[1, 2], [3, 4]])).item() // => 10
 * np.sum(np.array([[1, 2], [3, 4]]), { axis: 0 }) // => [4, 6]
 * ```
 */
export const sum: Reduce<ReduceOptions> = reducer('sum', typed, sums)

/**
 * Multiply over axes. Booleans and small integers give 32-bit integers; float16 is accumulated in float32.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.prod(np.array([1, 2, 3, 4])).item() // => 24
 * ```
 */
export const prod: Reduce<ReduceOptions> = reducer('prod', typed, products)

/**
 * The largest element over axes; NaN if one is NaN. Elements that are equally large share the gradient.
 *
 * @throws ShapeError for no elements without `initial`
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.max(np.array([[1, 5], [3, 4]]), { axis: 1 }) // => [5, 4]
 * ```
 */
export const max: Reduce<ExtremeOptions> = reducer('max', extreme, maxima)

/**
 * The smallest element over axes; NaN if one is NaN. Elements that are equally small share the gradient.
 *
 * @throws ShapeError for no elements without `initial`
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.min(np.array([[1, 5], [3, 4]]), { axis: 1 }) // => [1, 3]
 * ```
 */
export const min: Reduce<ExtremeOptions> = reducer('min', extreme, minima)

/**
 * Whether all elements over axes are true; numbers other than 0 are.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.all(np.array([[1, 0], [3, 4]]), { axis: 1 }) // => [0, 1]
 * ```
 */
export const all: Reduce<MaskedOptions> = reducer('all', masked, conjunctions)

/**
 * Whether some element over axes is true; numbers other than 0 are.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.any(np.array([[0, 0], [3, 4]]), { axis: 1 }) // => [0, 1]
 * ```
 */
export const any: Reduce<MaskedOptions> = reducer('any', masked, disjunctions)

/**
 * The largest element over axes; another name of `max`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.amax(np.array([1, 5, 3])).item() // => 5
 * ```
 */
export const amax: Reduce<ExtremeOptions> = max

/**
 * The smallest element over axes; another name of `min`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.amin(np.array([1, 5, 3])).item() // => 1
 * ```
 */
export const amin: Reduce<ExtremeOptions> = min

/**
 * The range of values over axes: the largest less the smallest.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.ptp(np.array([1, 5, 3])).item() // => 4
 * ```
 */
export const ptp: Reduce<AxisOptions> = (x: ArrayLike, options?: AxisOptions): NDArray => {
  checkOptions('ptp', options, ['axis', 'keepdims'])
  return subtract(max(x, options), min(x, options))
}

/**
 * The number of elements over axes that are not 0, as int32.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.countNonzero(np.array([1, 0, 3])).item() // => 2
 * ```
 */
export const countNonzero: Reduce<AxisOptions> = (x: ArrayLike, options?: AxisOptions): NDArray => {
  checkOptions('countNonzero', options, ['axis', 'keepdims'])
  return sum(toBool(asArray('countNonzero', x)), { ...options, dtype: 'int32' })
}

type Search = (x: NDArray, axis: number) => NDArray
const searcher =
  (where: string, search: Search): Reducer<ArgOptions> =>
  (x, options = {}) => {
    checkOptions(where, options, ['axis', 'keepdims'])
    const given = asArray(where, x)
    const { axis = null, keepdims } = options
    const axes = normalAxes(where, axis, given.ndim)
    const flat = axis === null ? reshape(given, [given.size]) : given
    const along = axis === null ? 0 : axes[0]!
    if (flat.shape[along] === 0) {
      throw new ShapeError(misuse(where, 'at least one element to search', showAval(given.aval)))
    }
    return kept(search(flat, along), axes, keepdims)
  }

/**
 * The index of the largest element along an axis, of the first one if several are, as int32; NaN is largest.
 *
 * @throws ShapeError for no elements
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.argmax(np.array([1, 5, 5])).item() // => 1
 * np.argmax(np.array([[1, 5], [4, 3]]), { axis: 1 }) // => [1, 0]
 * ```
 */
export const argmax: Reduce<ArgOptions> = searcher('argmax', lax.argmax)

/**
 * The index of the smallest element along an axis, of the first one if several are, as int32; NaN is smallest.
 *
 * @throws ShapeError for no elements
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.argmin(np.array([[1, 5], [4, 3]]), { axis: 1 }) // => [0, 1]
 * ```
 */
export const argmin: Reduce<ArgOptions> = searcher('argmin', lax.argmin)
