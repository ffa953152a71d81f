/** `lax.linalg`: factorisations of matrices in the last two axes. */
import type { NDArray } from '../array.ts'
import { checkOptions } from '../errors.ts'
import { add, div } from '../primitive/elementwise.ts'
import * as raw from '../primitive/linalg.ts'
import { transposed } from '../primitive/matrix.ts'
import { scalarLike } from '../primitive/rules.ts'

/** The mean of a matrix and its transpose, through which both triangles share the derivative. */
const symmetric = (x: NDArray): NDArray => div(add(x, transposed(x)), scalarLike(x, 2))

/**
 * The lower triangular L with L Lᵀ = x; NaN where x is not positive definite.
 *
 * @param x f32[..., n, n]
 * @param options `symmetrizeInput`: take (x + xᵀ) / 2, true by default; else the lower triangle is read
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.linalg.cholesky(np.array([[4, 2], [2, 5]])) // => [[2, 0], [1, 2]]
 * ```
 */
export function cholesky(x: NDArray, options: { symmetrizeInput?: boolean } = {}): NDArray {
  checkOptions('cholesky', options, ['symmetrizeInput'])
  return raw.cholesky(options.symmetrizeInput === false ? x : symmetric(x))
}

/**
 * Eigenvectors, as columns, and ascending eigenvalues of symmetric matrices.
 *
 * @param x f32[..., n, n]
 * @param options `lower`: read the lower triangle, true by default; `symmetrizeInput`: take (x + xᵀ) / 2, true by default
 * @returns `[f32[..., n, n], f32[..., n]]`
 */
export function eigh(
  x: NDArray,
  options: { lower?: boolean; symmetrizeInput?: boolean } = {},
): [vectors: NDArray, values: NDArray] {
  checkOptions('eigh', options, ['lower', 'symmetrizeInput'])
  return raw.eigh(options.symmetrizeInput === false ? x : symmetric(x), options.lower ?? true)
}

/**
 * L and U with L U = x in the order of rows that pivoting chose: L below the diagonal, with ones on it, and U above.
 *
 * @returns the factors, the row exchanged with each row, and the order of rows
 */
export const lu = (x: NDArray): [factors: NDArray, pivots: NDArray, order: NDArray] => raw.lu(x)

/**
 * Q with orthonormal columns and upper triangular R with Q R = x.
 *
 * @param x f32[..., m, n]
 * @param options `fullMatrices`: a square Q, true by default; else Q has min(m, n) columns
 */
export function qr(x: NDArray, options: { fullMatrices?: boolean } = {}): [q: NDArray, r: NDArray] {
  checkOptions('qr', options, ['fullMatrices'])
  return raw.qr(x, options.fullMatrices ?? true)
}

/**
 * U, descending singular values s, and Vᵀ with U diag(s) Vᵀ = x.
 *
 * @param x f32[..., m, n]
 * @param options `fullMatrices`: square U and V, true by default; `computeUv`: true by default, else only s, in a list
 */
export function svd(x: NDArray, options: { fullMatrices?: boolean; computeUv?: boolean } = {}): NDArray[] {
  checkOptions('svd', options, ['fullMatrices', 'computeUv'])
  return raw.svd(x, options.fullMatrices ?? true, options.computeUv ?? true)
}

/**
 * The solution X of A X = B, or with the default `leftSide: false` of X A = B, for a triangular A.
 *
 * @param a f32[..., n, n]
 * @param options `leftSide`, `lower` (which triangle is read), `transposeA`, `unitDiagonal` (take the diagonal as ones); all false by default
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.linalg.triangularSolve(np.array([[2, 0], [1, 1]]), np.array([[2], [3]]), { leftSide: true, lower: true }) // => [[1], [2]]
 * ```
 */
export function triangularSolve(a: NDArray, b: NDArray, options: raw.TriangularSolveOptions = {}): NDArray {
  checkOptions('triangularSolve', options, ['leftSide', 'lower', 'transposeA', 'unitDiagonal'])
  return raw.triangularSolve(a, b, options)
}
