/** Normal vectors with a covariance, and random orthogonal matrices. */
import type { NDArray } from '../array.ts'
import { checkDtype, isFloat } from '../dtype.ts'
import { DtypeError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { asArray, broadcastTo, promoteDtypes, promoteDtypesInexact } from '../numpy/promote.ts'
import { add, divide, multiply } from '../numpy/ufuncs/arithmetic.ts'
import { sign, sqrt } from '../primitive/elementwise.ts'
import { dotGeneral } from '../primitive/dot.ts'
import { cholesky, eigh, qr, svd } from '../primitive/linalg.ts'
import { asRows, diagonalOf, matmul, transposed } from '../primitive/matrix.ts'
import { expandDims, squeeze } from '../primitive/movement.ts'
import {
  type FloatOptions,
  type SampleShape,
  checkChoice,
  checkCount,
  checkKey,
  sampleShape,
  sampling,
} from './arguments.ts'
import type { Key } from './key.ts'
import { drawNormal } from './normal.ts'

export interface OrthogonalOptions extends FloatOptions {
  /** The number of columns; n by default. */
  m?: number
}
/**
 * Random matrices with orthonormal columns, or rows if there are fewer of these, spread evenly over all of them: Q of the QR
 * factorisation of a normal matrix, with the signs of R's diagonal (Mezzadri, 2007, "How to generate random matrices from the
 * classical compact groups").
 *
 * @param n the number of rows
 * @param shape how many matrices
 * @returns f32[...shape, n, m]
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * const q = random.orthogonal(random.key(0), 3)
 * np.allclose(np.matmul(q, q.T), np.eye(3), { atol: 1e-5 }).item() // => 1
 * ```
 */
export function orthogonal(key: Key, n: number, shape: SampleShape = [], options: OrthogonalOptions = {}): NDArray {
  const where = 'random.orthogonal'
  const drawn = sampling(where, key, shape, options, [], ['m'])
  const rows = checkCount(where, 'n', n)
  const columns = checkCount(where, 'm', options.m ?? n)
  const tall = [...drawn.shape, Math.max(rows, columns), Math.min(rows, columns)]
  const [q, r] = qr(drawNormal(drawn.key, tall, drawn.dtype), false)
  const signed = multiply(q, expandDims(sign(diagonalOf(r)), [drawn.shape.length]))
  return rows < columns ? transposed(signed) : signed
}

export interface MultivariateNormalOptions extends FloatOptions {
  /** How the covariance is factorised: `cholesky` by default; `eigh` and `svd` also take singular matrices. */
  method?: 'cholesky' | 'eigh' | 'svd'
}
/**
 * Normal vectors of a mean and a covariance: mean + F·N with F Fᵀ = cov.
 *
 * @param mean f32[..., n]
 * @param cov f32[..., n, n], symmetric and positive definite
 * @param shape without the last axis, that of the parameters by default
 * @returns f32[...shape, n]
 * @throws ShapeError if mean and covariance do not fit
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * random.multivariateNormal(random.key(0), np.zeros([2]), np.eye(2), [5]).shape // => [5, 2]
 * ```
 */
export function multivariateNormal(
  key: Key,
  mean: NDArray,
  cov: NDArray,
  shape?: SampleShape,
  options: MultivariateNormalOptions = {},
): NDArray {
  const where = 'random.multivariateNormal'
  checkOptions(where, options, ['dtype', 'method'])
  const method = checkChoice(where, 'method', options.method ?? 'cholesky', ['cholesky', 'eigh', 'svd'])
  const checked = checkKey(where, key)
  const [mu, sigma] = promoteDtypesInexact(where, asArray(where, mean, 1), asArray(where, cov, 2)) as [NDArray, NDArray]
  const dtype = checkDtype(where, options.dtype ?? mu.dtype)
  if (!isFloat(dtype)) throw new DtypeError(misuse(where, 'a float dtype', dtype))
  const n = mu.shape.at(-1)
  if (n === undefined) throw new ShapeError(misuse(where, 'a mean f32[...,n]', showAval(mu.aval)))
  if (sigma.ndim < 2 || sigma.shape.at(-1) !== n || sigma.shape.at(-2) !== n) {
    throw new ShapeError(misuse(where, `a covariance f32[...,${n},${n}]`, showAval(sigma.aval)))
  }
  const asked = sampleShape(where, shape, mu.shape.slice(0, -1), sigma.shape.slice(0, -2))
  const [factor, samples] = promoteDtypes(where, factors[method](sigma), drawNormal(checked, [...asked, n], dtype)) as [
    NDArray,
    NDArray,
  ]
  return add(mu, timesVectors(factor, samples))
}
/** Matrices [..., n, n] times vectors [...shape, n]. */
function timesVectors(matrices: NDArray, vectors: NDArray): NDArray {
  const last = vectors.ndim - 1
  if (matrices.ndim === 2)
    return dotGeneral(vectors, matrices, [
      [[last], [1]],
      [[], []],
    ])
  const spread = broadcastTo(matrices, [...vectors.shape, vectors.shape[last]!])
  return squeeze(matmul(spread, expandDims(vectors, [last + 1])), [last + 1])
}

const symmetric = (x: NDArray): NDArray => divide(add(x, transposed(x)), 2)
/** Columns scaled by the square roots of values, which belong to them. */
const scaled = (columns: NDArray, values: NDArray): NDArray =>
  multiply(columns, asRows(sqrt(values), columns.shape.at(-2)!))
const factors: Readonly<Record<'cholesky' | 'eigh' | 'svd', (cov: NDArray) => NDArray>> = {
  cholesky: (cov) => cholesky(symmetric(cov)),
  eigh(cov) {
    const [vectors, values] = eigh(symmetric(cov))
    return scaled(vectors, values)
  },
  svd(cov) {
    const [values, u] = svd(cov) as [NDArray, NDArray]
    return scaled(u, values)
  },
}
