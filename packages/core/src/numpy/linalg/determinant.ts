/** Determinants, and what is counted or multiplied like them: ranks, powers, products of many matrices. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { customJvp } from '../../control/custom.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert, eq, lt, ne } from '../../primitive/elementwise.ts'
import { lu, triangularSolve } from '../../primitive/linalg.ts'
import * as lax from '../../primitive/movement.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { cumprod } from '../cumulative.ts'
import { eye } from '../grids.ts'
import { at } from '../indexing/at.ts'
import { takeAlongAxis } from '../indexing/along.ts'
import { get } from '../indexing/get.ts'
import { concatenate } from '../manipulation/join.ts'
import { diagonal, trace } from '../manipulation/diagonal.ts'
import type { ProductOptions } from '../products/contract.ts'
import { einsum } from '../products/einsum.ts'
import { matmul } from '../products/matmul.ts'
import { asArray, asArrays, broadcastTo, promoteDtypesInexact } from '../promote.ts'
import { any, countNonzero, max, prod, sum } from '../reductions.ts'
import { absolute, divide, multiply, subtract } from '../ufuncs/arithmetic.ts'
import { greater, logicalNot, notEqual } from '../ufuncs/comparison.ts'
import { log } from '../ufuncs/exponential.ts'
import { isfinite } from '../ufuncs/floats.ts'
import { where } from '../ufuncs/selection.ts'
import { epsOf, squareOf } from './checks.ts'
import { singularValues } from './factor.ts'
import { inv } from './solve.ts'

const lastAxes = { axis1: -2, axis2: -1 }

/** 1 or −1, as the number of rows exchanged in pairs is even or odd. */
function signOf(pivots: NDArray, like: NDArray): NDArray {
  const own = lax.iota('int32', pivots.shape, pivots.ndim - 1)
  const odd = countNonzero(ne(pivots, own), { axis: -1 })
  return convert(subtract(1, multiply(2, odd.mod(2))), like.dtype)
}

/**
 * The determinant, and the solution of A X = B times it, that is adj(A) B, which exists for singular matrices too: the last pivot u is
 * divided out of the determinant instead of dividing by it. From U X = Y with Y = L⁻¹ P B, all rows but the last are multiplied by the
 * determinant d and the last one, by which those above are found, by d / u.
 */
function adjugateTimes(a: NDArray, b: NDArray): [determinant: NDArray, product: NDArray] {
  const n = a.shape.at(-1)!
  const [factors, pivots, order] = lu(a)
  const partial = multiply(
    cumprod(diagonal(factors, lastAxes), { axis: -1 }),
    lax.expandDims(signOf(pivots, a), [a.ndim - 2]),
  )
  const [determinant, before] = [get(partial, '...', n - 1), get(partial, '...', n - 2)]
  // d / u is the product of the other pivots; with the last pivot replaced by its reciprocal, solving multiplies by it
  const replaced = at(factors, '...', n - 1, n - 1).set(divide(1, before))
  const ones = lax.full([...a.shape.slice(0, -1), 1], 1, a.dtype)
  // where another pivot than the last is zero, the adjugate counts as zero, as in JAX
  const broken = any(logicalNot(isfinite(triangularSolve(replaced, ones, { leftSide: true }))), {
    axis: [-2, -1],
    keepdims: true,
  })
  const safe = where(broken, 0, b)
  const exchanged = takeAlongAxis(safe, lax.expandDims(order, [order.ndim]), { axis: -2, mode: 'promiseInBounds' })
  const y = triangularSolve(replaced, exchanged, { leftSide: true, lower: true, unitDiagonal: true })
  const scaled = concatenate(
    [multiply(get(y, '...', ':-1', ':'), get(determinant, '...', null, null)), get(y, '...', '-1:', ':')],
    { axis: -2 },
  )
  return [determinant, where(broken, 0, triangularSolve(replaced, scaled, { leftSide: true }))]
}

/** The sum over permutations of three columns. */
function ofThree(a: NDArray): NDArray {
  const entry = (i: number, j: number): NDArray => get(a, '...', i, j)
  const product = (i: number, j: number, k: number): NDArray =>
    multiply(multiply(entry(0, i), entry(1, j)), entry(2, k))
  const even = product(0, 1, 2)
    .add(product(1, 2, 0))
    .add(product(2, 0, 1))
  return even
    .sub(product(2, 1, 0))
    .sub(product(0, 2, 1))
    .sub(product(1, 0, 2))
}

const general = customJvp(function det(a: NDArray): NDArray {
  const [factors, pivots] = lu(a)
  return multiply(prod(diagonal(factors, lastAxes), { axis: -1 }), signOf(pivots, a))
})
// d det A = tr(adj(A) dA)
general.defjvp(([a]: [NDArray], [t]: [NDArray]): [NDArray, NDArray] => {
  const [determinant, product] = adjugateTimes(a, t)
  return [determinant, trace(product, lastAxes)]
})

/**
 * The determinant of matrices, by their factors L U; of up to three rows by its formula. The derivative adj(A) is finite for singular
 * matrices, too; it is exact for those whose last pivot alone is zero.
 *
 * @param x f[..., n, n]
 *
 * @throws ShapeError for matrices that are not square
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.det(np.array([[1, 2], [3, 4]])).item() // => -2
 * ```
 */
export function det(x: ArrayLike): NDArray {
  const a = squareOf('linalg.det', x)
  const n = a.shape.at(-1)!
  if (n === 0) return lax.full(a.shape.slice(0, -2), 1, a.dtype)
  if (n === 1) return get(a, '...', 0, 0)
  if (n === 2)
    return multiply(get(a, '...', 0, 0), get(a, '...', 1, 1)).sub(multiply(get(a, '...', 0, 1), get(a, '...', 1, 0)))
  return n === 3 ? ofThree(a) : general(a)
}

/**
 * Sign and logarithm of the magnitude of the determinant: `[sign, logdet]`, which neither overflow nor underflow. Of a singular matrix
 * they are 0 and −∞.
 *
 * @throws ShapeError for matrices that are not square
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [sign, logdet] = np.linalg.slogdet(np.array([[0, 1], [1, 0]]))
 * sign.item() // => -1
 * logdet.item() // => 0
 * ```
 */
export function slogdet(x: ArrayLike): [sign: NDArray, logdet: NDArray] {
  const a = squareOf('linalg.slogdet', x)
  const [factors, pivots] = lu(a)
  const pivot = diagonal(factors, lastAxes)
  const zero = any(eq(pivot, scalarLike(pivot, 0)), { axis: -1 })
  const flips = convert(countNonzero(lt(pivot, scalarLike(pivot, 0)), { axis: -1 }).mod(2), a.dtype)
  const sign = multiply(signOf(pivots, a), subtract(1, multiply(2, flips)))
  return [where(zero, 0, sign), where(zero, -Infinity, sum(log(absolute(pivot)), { axis: -1 }))]
}

export interface RankOptions {
  /** Singular values up to this count as zero; max(m, n) ε times the largest by default. */
  rtol?: ArrayLike
  /** Say that the matrices are symmetric. */
  hermitian?: boolean
}

/**
 * The rank of matrices: the number of their singular values that are not zero. Of a vector it is 1, unless all elements are 0.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.matrixRank(np.array([[1, 2], [2, 4]])).item() // => 1
 * ```
 */
export function matrixRank(x: ArrayLike, options: RankOptions = {}): NDArray {
  checkOptions('linalg.matrixRank', options, ['rtol', 'hermitian'])
  const [a] = promoteDtypesInexact('linalg.matrixRank', x) as [NDArray]
  if (a.ndim < 2) return convert(any(notEqual(a, 0)), 'int32')
  const s = singularValues(a, options.hermitian ?? false)
  const least = options.rtol ?? multiply(max(s, { axis: -1 }), Math.max(...a.shape.slice(-2)) * epsOf(a))
  const bound = asArray('linalg.matrixRank', least)
  return sum(greater(s, lax.expandDims(bound, [bound.ndim])), { axis: -1 })
}

/**
 * A power of square matrices, by repeated squaring; negative powers are those of the inverse.
 *
 * @throws ShapeError for matrices that are not square
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.matrixPower(np.array([[1, 1], [0, 1]]), 3) // => [[1, 3], [0, 1]]
 * ```
 */
export function matrixPower(x: ArrayLike, n: number): NDArray {
  const given = asArray('linalg.matrixPower', x)
  if (given.ndim < 2 || given.shape.at(-1) !== given.shape.at(-2)) {
    throw new ShapeError(misuse('linalg.matrixPower', 'square matrices in the last two axes', showAval(given.aval)))
  }
  if (!Number.isInteger(n))
    throw new OptionError(misuse('linalg.matrixPower', 'an exponent that is an integer', String(n)))
  if (n === 0) return broadcastTo(eye(given.shape.at(-1)!, { dtype: given.dtype }), given.shape)
  let squared = n < 0 ? inv(given) : given
  let result: NDArray | undefined
  for (let rest = Math.abs(n); ; squared = matmul(squared, squared)) {
    if (rest % 2 === 1) result = result === undefined ? squared : matmul(result, squared)
    rest = Math.floor(rest / 2)
    if (rest === 0) return result!
  }
}

/**
 * The product of many matrices, in the order of least work. The first and the last may be vectors.
 *
 * @throws ShapeError for fewer than two, and for sizes that do not fit
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.multiDot([np.ones([9, 9]), np.ones([9, 2]), np.ones([2])]).shape // => [9]
 * ```
 */
export function multiDot(arrays: readonly ArrayLike[], options: Pick<ProductOptions, 'precision'> = {}): NDArray {
  const list = asArrays('linalg.multiDot', ...arrays)
  const shown = list.map((x) => showAval(x.aval)).join(', ')
  const inner = list.slice(1, -1)
  const ends = list.length >= 2 && [list[0]!, list.at(-1)!].every((x) => x.ndim === 1 || x.ndim === 2)
  if (!ends || inner.some((x) => x.ndim !== 2)) {
    throw new ShapeError(
      misuse('linalg.multiDot', 'two matrices or more, of which the first and the last may be vectors', shown),
    )
  }
  if (list.some((x, i) => i > 0 && list[i - 1]!.shape.at(-1) !== x.shape[0])) {
    throw new ShapeError(misuse('linalg.multiDot', 'each with as many rows as the one before has columns', shown))
  }
  const letter = (i: number): string => String.fromCharCode(i < 26 ? 97 + i : 39 + i)
  if (list.length > 51) throw new ShapeError(misuse('linalg.multiDot', 'at most 51 matrices', String(list.length)))
  const terms = list.map((x, i) => (x.ndim === 2 ? letter(i) + letter(i + 1) : i === 0 ? letter(1) : letter(i)))
  const result = `${list[0]!.ndim === 2 ? letter(0) : ''}${list.at(-1)!.ndim === 2 ? letter(list.length) : ''}`
  return einsum(`${terms.join(',')}->${result}`, ...list, options)
}
