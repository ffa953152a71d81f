/** How variables vary together: covariance and correlation. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, isInteger } from '../dtype.ts'
import { DtypeError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { convert } from '../primitive/elementwise.ts'
import * as lax from '../primitive/movement.ts'
import { diag } from './manipulation/diagonal.ts'
import { concatenate } from './manipulation/join.ts'
import { atleast2d, squeeze } from './manipulation/shapes.ts'
import { transpose } from './manipulation/axes.ts'
import { dot } from './products/matmul.ts'
import { asArray, promoteDtypesInexact } from './promote.ts'
import { checkFloat } from './reduce.ts'
import { sum } from './reductions.ts'
import { averageWithWeights } from './statistics.ts'
import { absolute, divide, multiply, subtract } from './ufuncs/arithmetic.ts'
import { sqrt } from './ufuncs/exponential.ts'
import { clip } from './ufuncs/selection.ts'
import { get } from './indexing/get.ts'

export interface CorrcoefOptions {
  /** More variables. */
  y?: ArrayLike
  /** Whether rows are variables and columns observations (true, the default), or the other way round. */
  rowvar?: boolean
  dtype?: DType
}
export interface CovOptions extends CorrcoefOptions {
  /** Divide by the number of observations n instead of by n − 1. */
  bias?: boolean
  /** Divide by n less this, whatever `bias` says. */
  ddof?: number
  /** How often each observation was made: i32[n]. */
  fweights?: ArrayLike
  /** How much each observation counts: f[n]. */
  aweights?: ArrayLike
}

/** Variables as rows. */
function variables(x: NDArray, rowvar: boolean, other: boolean): NDArray {
  const rows = atleast2d(x)
  const keep = rowvar || (other ? rows.shape[0] === 1 : x.ndim === 1)
  return keep ? rows : transpose(rows)
}
function weightsOf(name: string, weights: ArrayLike | undefined, n: number): NDArray | undefined {
  if (weights === undefined) return undefined
  const w = asArray('cov', weights)
  if (w.ndim !== 1 || w.size !== n)
    throw new ShapeError(misuse('cov', `${n} ${name}, one for each observation`, showAval(w.aval)))
  return absolute(w)
}

/**
 * The covariance of variables: the mean of (x − x̄)(y − ȳ) for each pair.
 *
 * @param x f[variables, observations], or one variable
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.cov(np.array([[1, 2, 3], [3, 2, 1]])) // => [[1, -1], [-1, 1]]
 * ```
 */
export function cov(x: ArrayLike, options: CovOptions = {}): NDArray {
  checkOptions('cov', options, ['y', 'rowvar', 'bias', 'ddof', 'fweights', 'aweights', 'dtype'])
  const { y, rowvar = true, bias = false, ddof = bias ? 0 : 1 } = options
  const given = promoteDtypesInexact('cov', ...(y === undefined ? [x] : [x, y]))
  const odd = given.find((one) => one.ndim > 2)
  if (odd !== undefined)
    throw new ShapeError(misuse('cov', 'variables and observations, of rank 2 at most', showAval(odd.aval)))
  const dtype = options.dtype === undefined ? given[0]!.dtype : checkFloat('cov', options.dtype)
  const rows = given.map((one, i) => variables(one, rowvar, i > 0))
  if (rows[0]!.shape[0] === 0) return lax.full([0, 0], 0, dtype)
  const all = convert(concatenate(rows), dtype)
  const [count, n] = [all.shape[0], all.shape[1]]
  if (n === 0) return lax.full(count === 1 ? [] : [count, count], NaN, dtype)

  const [f, a] = [weightsOf('fweights', options.fweights, n), weightsOf('aweights', options.aweights, n)]
  if (f !== undefined && !isInteger(f.dtype))
    throw new DtypeError(misuse('cov', 'fweights that are integers', showAval(f.aval)))
  const weights = f === undefined ? a : a === undefined ? f : multiply(f, a)
  const w = weights === undefined ? undefined : convert(weights, dtype)
  const [mean, totals] = averageWithWeights(all, { axis: 1, ...(w === undefined ? {} : { weights: w }) })
  const centred = subtract(all, lax.expandDims(mean, [1]))
  const product = dot(centred, transpose(w === undefined ? centred : multiply(centred, w)))
  return squeeze(divide(product, divisor(n, get(totals, 0), ddof, w, a)))
}
/** What the sum of products is divided by: fewer than there are observations, since their mean is estimated, too. */
function divisor(n: number, total: NDArray, ddof: number, w: NDArray | undefined, a: NDArray | undefined): ArrayLike {
  if (w === undefined) return n - ddof
  if (ddof === 0) return total
  if (a === undefined) return subtract(total, ddof)
  return subtract(total, divide(multiply(ddof, sum(multiply(w, a))), total))
}

/**
 * The correlation of variables: their covariance divided by their standard deviations, from −1 to 1.
 *
 * @param x f[variables, observations]
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.corrcoef(np.array([[1, 2, 3], [6, 4, 2]])) // => [[1, -1], [-1, 1]]
 * ```
 */
export function corrcoef(x: ArrayLike, options: CorrcoefOptions = {}): NDArray {
  checkOptions('corrcoef', options, ['y', 'rowvar', 'dtype'])
  const c = cov(x, options)
  if (c.ndim === 0) return divide(c, c)
  const deviations = sqrt(diag(c))
  return clip(divide(divide(c, lax.expandDims(deviations, [1])), deviations), -1, 1)
}
