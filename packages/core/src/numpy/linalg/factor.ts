/** Factorisations of matrices: Cholesky, QR, eigenvalues, singular values. Leading axes are batch axes. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { OptionError, checkOptions, misuse } from '../../errors.ts'
import { abs, sign } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/linalg.ts'
import { expandDims } from '../../primitive/movement.ts'
import { takeAlongAxis } from '../indexing/along.ts'
import { matrixTranspose } from '../manipulation/axes.ts'
import { argsort, sort } from '../sorting/sort.ts'
import { add, divide, multiply } from '../ufuncs/arithmetic.ts'
import { matricesOf, squareOf } from './checks.ts'

/** Half the sum with the transpose. */
const symmetric = (x: NDArray): NDArray => divide(add(x, matrixTranspose(x)), 2)

export interface CholeskyOptions {
  /** Give the upper triangle U with A = Uᵀ U instead. */
  upper?: boolean
  /** Whether A is averaged with its transpose first, so that both triangles get a gradient; true by default. */
  symmetrizeInput?: boolean
}

/**
 * The Cholesky factor of positive definite matrices: lower triangular L with A = L Lᵀ. NaN where a matrix is not positive definite.
 *
 * @param x f[..., n, n]
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.cholesky(np.array([[4, 2], [2, 2]])) // => [[2, 0], [1, 1]]
 * ```
 */
export function cholesky(x: ArrayLike, options: CholeskyOptions = {}): NDArray {
  checkOptions('linalg.cholesky', options, ['upper', 'symmetrizeInput'])
  const a = squareOf('linalg.cholesky', x)
  const lower = lax.cholesky(options.symmetrizeInput === false ? a : symmetric(a))
  return options.upper === true ? matrixTranspose(lower) : lower
}

/**
 * Orthogonal Q and upper triangular R with A = Q R.
 *
 * @param x f[..., m, n]
 * @param options `mode`: `reduced` (the default) gives min(m, n) columns of Q, `complete` all m, `r` only R
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [q, r] = np.linalg.qr(np.array([[3, 1], [4, 2]]))
 * np.allclose(np.matmul(q, r), np.array([[3, 1], [4, 2]])).item() // => 1
 * ```
 */
export function qr(x: ArrayLike, options: { mode: 'r' }): NDArray
export function qr(x: ArrayLike, options?: { mode?: 'reduced' | 'complete' }): [q: NDArray, r: NDArray]
export function qr(
  x: ArrayLike,
  options: { mode?: 'reduced' | 'complete' | 'r' } = {},
): NDArray | [q: NDArray, r: NDArray] {
  checkOptions('linalg.qr', options, ['mode'])
  const { mode = 'reduced' } = options
  if (!['reduced', 'complete', 'r'].includes(mode)) {
    throw new OptionError(misuse('linalg.qr', "a mode of 'reduced', 'complete' or 'r'", `'${String(mode)}'`))
  }
  const [q, r] = lax.qr(matricesOf('linalg.qr', x), mode === 'complete')
  return mode === 'r' ? r : [q, r]
}

export interface EighOptions {
  /** Which triangle is read, if the matrix is not averaged with its transpose: `L`, the default, or `U`. */
  uplo?: 'L' | 'U'
  /** Whether A is averaged with its transpose first; true by default. */
  symmetrizeInput?: boolean
}

/**
 * Eigenvalues, rising, and eigenvectors, as columns, of symmetric matrices: A V = V diag(w).
 *
 * @param x f[..., n, n]
 * @returns f[..., n] and f[..., n, n]
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [values] = np.linalg.eigh(np.array([[2, 0], [0, 1]]))
 * values // => [1, 2]
 * ```
 */
export function eigh(x: ArrayLike, options: EighOptions = {}): [eigenvalues: NDArray, eigenvectors: NDArray] {
  checkOptions('linalg.eigh', options, ['uplo', 'symmetrizeInput'])
  const { uplo = 'L' } = options
  if (uplo !== 'L' && uplo !== 'U') throw new OptionError(misuse('linalg.eigh', "uplo 'L' or 'U'", `'${String(uplo)}'`))
  const a = squareOf('linalg.eigh', x)
  const [vectors, values] = lax.eigh(options.symmetrizeInput === false ? a : symmetric(a), uplo === 'L')
  return [values, vectors]
}

/**
 * Eigenvalues of symmetric matrices, rising.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.eigvalsh(np.array([[2, 0], [0, 1]])) // => [1, 2]
 * ```
 */
export const eigvalsh = (x: ArrayLike, options: EighOptions = {}): NDArray => eigh(x, options)[0]

export interface SvdOptions {
  /** Whether U and V are square; true by default. Else they have min(m, n) columns and rows. */
  fullMatrices?: boolean
  /** Say that the matrices are symmetric, for which there is a faster way. */
  hermitian?: boolean
}

/**
 * Singular values, falling, between orthogonal U and Vᵀ: A = U diag(s) Vᵀ.
 *
 * @param x f[..., m, n]
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [u, s, vt] = np.linalg.svd(np.array([[0, 2], [1, 0]]))
 * s // => [2, 1]
 * ```
 */
export function svd(x: ArrayLike, options: SvdOptions = {}): [u: NDArray, s: NDArray, vt: NDArray] {
  checkOptions('linalg.svd', options, ['fullMatrices', 'hermitian'])
  const a = options.hermitian === true ? squareOf('linalg.svd', x) : matricesOf('linalg.svd', x)
  if (options.hermitian !== true) {
    const [s, u, vt] = lax.svd(a, options.fullMatrices ?? true) as [NDArray, NDArray, NDArray]
    return [u, s, vt]
  }
  const [values, vectors] = eigh(a)
  const order = argsort(abs(values), { descending: true })
  const at = (list: NDArray): NDArray => takeAlongAxis(list, order)
  const u = takeAlongAxis(vectors, expandDims(order, [order.ndim - 1]))
  const signed = multiply(u, expandDims(at(sign(values)), [order.ndim - 1]))
  return [u, at(abs(values)), matrixTranspose(signed)]
}

/**
 * Singular values, falling.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.svdvals(np.array([[0, 2], [1, 0]])) // => [2, 1]
 * ```
 */
export const svdvals = (x: ArrayLike): NDArray => lax.svd(matricesOf('linalg.svdvals', x), false, false)[0]!

/** Singular values of matrices that may be known to be symmetric. */
export const singularValues = (x: NDArray, hermitian: boolean): NDArray =>
  hermitian ? sort(abs(eigvalsh(x)), { descending: true }) : svdvals(x)
