/** Linear systems: solutions, inverses, least squares. Leading axes are batch axes. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { customJvp } from '../../control/custom.ts'
import { ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import * as lax from '../../primitive/movement.ts'
import { lu, triangularSolve } from '../../primitive/linalg.ts'
import { convert } from '../../primitive/elementwise.ts'
import { broadcastShapes, range, sameShape, sizeOf } from '../../shape.ts'
import { eye } from '../grids.ts'
import { takeAlongAxis } from '../indexing/along.ts'
import { get } from '../indexing/get.ts'
import { matrixTranspose, moveaxis } from '../manipulation/axes.ts'
import { ravel } from '../manipulation/shapes.ts'
import { matmul } from '../products/matmul.ts'
import { asArray, broadcastTo, promoteDtypesInexact } from '../promote.ts'
import { sum } from '../reductions.ts'
import { add, divide, multiply, negative, square, subtract } from '../ufuncs/arithmetic.ts'
import { greater, greaterEqual, logicalAnd } from '../ufuncs/comparison.ts'
import { where } from '../ufuncs/selection.ts'
import { epsOf, matricesOf, squareOf } from './checks.ts'
import { svd } from './factor.ts'

/**
 * The solution X of A X = B, by factors L U of A with its rows exchanged.
 *
 * @param a f[..., n, n]
 * @param b f[n], or f[..., n, k], over leading axes that broadcast
 *
 * @throws ShapeError for matrices that are not square, and sides that do not fit
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.solve(np.array([[2, 0], [0, 4]]), np.array([2, 4])) // => [1, 1]
 * ```
 */
export function solve(a: ArrayLike, b: ArrayLike): NDArray {
  const [left, right] = promoteDtypesInexact('linalg.solve', a, b) as [NDArray, NDArray]
  const matrix = squareOf('linalg.solve', left)
  const n = matrix.shape.at(-1)!
  if (right.ndim === 0 || right.shape.at(right.ndim === 1 ? -1 : -2) !== n) {
    throw new ShapeError(
      misuse('linalg.solve', `a right side with ${n} rows`, `${showAval(left.aval)} and ${showAval(right.aval)}`),
    )
  }
  if (right.ndim === 1) return lax.squeeze(solve(matrix, lax.reshape(right, [n, 1])), [-1])
  const batch = broadcastShapes('linalg.solve', matrix.shape.slice(0, -2), right.shape.slice(0, -2))
  const [factors, , order] = lu(matrix)
  const rhs = broadcastTo(right, [...batch, ...right.shape.slice(-2)])
  const rows = broadcastTo(order, [...batch, n])
  const exchanged = takeAlongAxis(rhs, lax.expandDims(rows, [rows.ndim]), { axis: -2, mode: 'promiseInBounds' })
  const triangles = broadcastTo(factors, [...batch, n, n])
  const forward = triangularSolve(triangles, exchanged, { leftSide: true, lower: true, unitDiagonal: true })
  return triangularSolve(triangles, forward, { leftSide: true })
}

/**
 * The inverse of matrices. `solve` is faster and more exact where the inverse is multiplied with something.
 *
 * @throws ShapeError for matrices that are not square
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.inv(np.array([[2, 0], [0, 4]])) // => [[0.5, 0], [0, 0.25]]
 * ```
 */
export function inv(x: ArrayLike): NDArray {
  const a = squareOf('linalg.inv', x)
  return solve(a, broadcastTo(eye(a.shape.at(-1)!, { dtype: a.dtype }), a.shape))
}

export interface PinvOptions {
  /** Singular values that are at most this times the largest count as zero; 10 max(m, n) ε by default. */
  rtol?: ArrayLike
  /** Say that the matrices are symmetric, for which there is a faster way. */
  hermitian?: boolean
}

/**
 * The pseudo-inverse of matrices (Moore and Penrose): f[..., m, n] gives f[..., n, m]. Its derivative is that of Golub and Pereyra (1973),
 * "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate".
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.pinv(np.array([[2, 0], [0, 0]])) // => [[0.5, 0], [0, 0]]
 * ```
 */
export function pinv(x: ArrayLike, options: PinvOptions = {}): NDArray {
  checkOptions('linalg.pinv', options, ['rtol', 'hermitian'])
  const { hermitian = false } = options
  const a = hermitian ? squareOf('linalg.pinv', x) : matricesOf('linalg.pinv', x)
  const [m, n] = a.shape.slice(-2) as [number, number]
  if (m === 0 || n === 0) return lax.full([...a.shape.slice(0, -2), n, m], 0, a.dtype)
  const rtol = asArray('linalg.pinv', options.rtol ?? 10 * Math.max(m, n) * epsOf(a))

  const inverse = customJvp(function pinv(matrix: NDArray): NDArray {
    const [u, s, vt] = svd(matrix, { fullMatrices: false, hermitian })
    const cutoff = multiply(lax.expandDims(rtol, [rtol.ndim]), get(s, '...', '0:1'))
    const kept = where(greater(s, cutoff), s, Infinity)
    return convert(
      matmul(matrixTranspose(vt), divide(matrixTranspose(u), lax.expandDims(kept, [kept.ndim]))),
      matrix.dtype,
    )
  })
  inverse.defjvp(([matrix]: [NDArray], [t]: [NDArray]): [NDArray, NDArray] => {
    const p = inverse(matrix)
    const symmetric = (y: NDArray): NDArray => (hermitian ? divide(add(y, matrixTranspose(y)), 2) : y)
    const [b, db] = [symmetric(matrix), symmetric(t)]
    const [pt, dbt] = [matrixTranspose(p), matrixTranspose(db)]
    // −P A' P + P Pᵀ A'ᵀ (1 − A P) + (1 − P A) A'ᵀ Pᵀ P
    const outer = matmul(matmul(p, pt), dbt)
    const inner = matmul(matmul(dbt, pt), p)
    const first = negative(matmul(matmul(p, db), p))
    const second = subtract(outer, matmul(matmul(outer, b), p))
    const third = subtract(inner, matmul(p, matmul(b, inner)))
    return [p, add(add(first, second), third)]
  })
  return inverse(a)
}

/**
 * The least squares solution of A X = B: `[x, residuals, rank, s]` with the squared lengths of B − A X, the rank of A and its singular
 * values. Of several solutions it is the shortest.
 *
 * @param a f[m, n]
 * @param b f[m] or f[m, k]
 * @param options `rcond`: singular values below this times the largest count as zero; max(m, n) ε by default
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [x] = np.linalg.lstsq(np.array([[1, 0], [0, 2], [0, 0]]), np.array([1, 2, 3]))
 * np.round(x, { decimals: 4 }) // => [1, 1]
 * ```
 */
export function lstsq(
  a: ArrayLike,
  b: ArrayLike,
  options: { rcond?: number } = {},
): [x: NDArray, residuals: NDArray, rank: NDArray, s: NDArray] {
  checkOptions('linalg.lstsq', options, ['rcond'])
  const [matrix, given] = promoteDtypesInexact('linalg.lstsq', a, b) as [NDArray, NDArray]
  if (matrix.ndim !== 2 || given.ndim < 1 || given.ndim > 2 || matrix.shape[0] !== given.shape[0]) {
    const got = `${showAval(matrix.aval)} and ${showAval(given.aval)}`
    throw new ShapeError(misuse('linalg.lstsq', 'a matrix, and a vector or matrix with as many rows', got))
  }
  const rhs = given.ndim === 1 ? lax.expandDims(given, [1]) : given
  const [m, n] = [matrix.shape[0], matrix.shape[1]]
  const back = (x: NDArray): NDArray => (given.ndim === 1 ? ravel(x) : x)
  if (matrix.size === 0) {
    const nothing = lax.full([n, rhs.shape[1]], 0, matrix.dtype)
    return [back(nothing), sum(square(rhs), { axis: 0 }), lax.full([], 0, 'int32'), lax.full([0], 0, matrix.dtype)]
  }
  const rcond =
    options.rcond === undefined ? epsOf(matrix) * Math.max(m, n) : options.rcond < 0 ? epsOf(matrix) : options.rcond
  const [u, s, vt] = svd(matrix, { fullMatrices: false })
  const kept = logicalAnd(greater(s, 0), greaterEqual(s, multiply(rcond, get(s, 0))))
  // dividing by 1 where nothing is kept, so that gradients are finite
  const inverse = where(kept, divide(1, where(kept, s, 1)), 0)
  const x = matmul(matrixTranspose(vt), multiply(lax.expandDims(inverse, [1]), matmul(matrixTranspose(u), rhs)))
  return [back(x), sum(square(subtract(rhs, matmul(matrix, x))), { axis: 0 }), sum(kept), s]
}

/**
 * The inverse of an array for `tensordot`: the first `ind` axes are the rows of a square matrix, the others its columns.
 *
 * @throws ShapeError if that matrix is not square
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.tensorinv(np.reshape(np.eye(4), [2, 2, 4])).shape // => [4, 2, 2]
 * ```
 */
export function tensorinv(x: ArrayLike, options: { ind?: number } = {}): NDArray {
  checkOptions('linalg.tensorinv', options, ['ind'])
  const { ind = 2 } = options
  const a = asArray('linalg.tensorinv', x)
  const [rows, columns] = [a.shape.slice(0, ind), a.shape.slice(ind)]
  if (!Number.isInteger(ind) || ind < 1 || sizeOf(rows) !== sizeOf(columns)) {
    throw new ShapeError(
      misuse('linalg.tensorinv', `as many elements in the first ${ind} axes as in the others`, showAval(a.aval)),
    )
  }
  return lax.reshape(inv(lax.reshape(a, [sizeOf(rows), sizeOf(columns)])), [...columns, ...rows])
}

/**
 * The solution X of `tensordot(A, X, { axes: X.ndim }) = B`.
 *
 * @param options `axes`: axes of A that are moved to its end first
 *
 * @throws ShapeError if the first axes of A are not those of B, or the others do not make a square matrix
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.tensorsolve(np.reshape(np.eye(4), [2, 2, 4]), np.ones([2, 2])) // => [1, 1, 1, 1]
 * ```
 */
export function tensorsolve(a: ArrayLike, b: ArrayLike, options: { axes?: readonly number[] } = {}): NDArray {
  checkOptions('linalg.tensorsolve', options, ['axes'])
  const [given, rhs] = [asArray('linalg.tensorsolve', a), asArray('linalg.tensorsolve', b)]
  const { axes = [] } = options
  const matrix = moveaxis(given, axes, range(axes.length, given.ndim - axes.length))
  const columns = matrix.shape.slice(rhs.ndim)
  if (!sameShape(matrix.shape.slice(0, rhs.ndim), rhs.shape) || sizeOf(columns) !== rhs.size) {
    throw new ShapeError(
      misuse(
        'linalg.tensorsolve',
        'axes of the right side, then as many elements',
        `${showAval(matrix.aval)} and ${showAval(rhs.aval)}`,
      ),
    )
  }
  return lax.reshape(solve(lax.reshape(matrix, [rhs.size, rhs.size]), ravel(rhs)), columns)
}
