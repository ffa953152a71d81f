/** Arithmetic, element by element: sums, products, quotients and remainders. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { dtypes, isFloat, isInteger } from '../../dtype.ts'
import * as lax from '../../primitive/elementwise.ts'
import { full } from '../../primitive/movement.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { promoteNumeric } from '../promote.ts'
import { choose } from '../select.ts'
import type { Binary, Unary } from '../../types.ts'
import { binary, binaryInexact, binaryNumeric, unary, unaryInexact, unaryNumeric } from './define.ts'

const zero = (x: NDArray): NDArray => scalarLike(x, 0)
const isUnsigned = (x: NDArray): boolean => dtypes[x.dtype].kind === 'unsigned'

/**
 * Add; for booleans the logical or.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.add(np.array([1, 2]), 3) // => [4, 5]
 * ```
 */
export const add: Binary = binary('add', (x, y) => (x.dtype === 'bool' ? lax.or(x, y) : lax.add(x, y)))

/**
 * Subtract. Booleans are an error: use `logicalXor`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.subtract(np.array([[1, 2], [3, 4]]), np.array([1, 2])) // => [[0, 0], [2, 2]]
 * ```
 */
export const subtract: Binary = binary('subtract', lax.sub)

/**
 * Multiply; for booleans the logical and.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.multiply(np.array([1, 2, 3]), 2) // => [2, 4, 6]
 * ```
 */
export const multiply: Binary = binary('multiply', (x, y) => (x.dtype === 'bool' ? lax.and(x, y) : lax.mul(x, y)))

/**
 * Divide; integers give floats.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.divide(np.arange(3), 2) // => [0, 0.5, 1]
 * ```
 */
export const divide: Binary = binaryInexact('divide', lax.div)

/**
 * Divide; another name of `divide`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.trueDivide(1, 4).item() // => 0.25
 * ```
 */
export const trueDivide: Binary = divide

/** Quotient rounded down and remainder of floats, such that x = q·y + r exactly where that is possible. */
function floatDivmod(x: NDArray, y: NDArray): [NDArray, NDArray] {
  const truncated = lax.rem(x, y)
  // x − r is a multiple of y up to rounding; dividing by a zero must still see x itself
  const quotient = lax.div(choose(lax.eq(y, zero(y)), x, lax.sub(x, truncated)), y)
  const differs = lax.and(lax.ne(truncated, zero(y)), lax.ne(lax.sign(y), lax.sign(truncated)))
  const remainderOf = choose(differs, lax.add(truncated, y), truncated)
  const floored = choose(differs, lax.sub(quotient, scalarLike(quotient, 1)), quotient)
  return [lax.round(floored), remainderOf]
}

function integerFloorDivide(x: NDArray, y: NDArray): NDArray {
  const quotient = lax.div(x, y)
  if (isUnsigned(x)) return quotient
  // integer division truncates: where signs differ and something remains, the floor is one less
  const inexact = lax.and(lax.ne(lax.sign(x), lax.sign(y)), lax.ne(lax.rem(x, y), zero(x)))
  return choose(inexact, lax.sub(quotient, scalarLike(quotient, 1)), quotient)
}

/**
 * Divide and round down, as Python's `//`: the quotient of −7 and 2 is −4. Integers stay integers.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.floorDivide(np.array([-7, 7]), 2) // => [-4, 3]
 * ```
 */
export const floorDivide: Binary = binaryNumeric('floorDivide', (x, y) =>
  isInteger(x.dtype) ? integerFloorDivide(x, y) : floatDivmod(x, y)[0],
)

/** A divisor in which no integer is zero: the remainder of a division of integers by zero is defined to be 0. */
const nonzeroDivisor = (y: NDArray): NDArray => (isInteger(y.dtype) ? choose(lax.eq(y, zero(y)), 1, y) : y)

/**
 * The remainder of `floorDivide`, with the sign of the divisor, as Python's `%`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.remainder(np.array([-7, 7]), 3) // => [2, 1]
 * ```
 */
export const remainder: Binary = binaryNumeric('remainder', (x, y) => {
  const divisor = nonzeroDivisor(y)
  const truncated = lax.rem(x, divisor)
  const signsDiffer = lax.ne(lax.lt(truncated, zero(x)), lax.lt(divisor, zero(x)))
  return choose(lax.and(signsDiffer, lax.ne(truncated, zero(x))), lax.add(truncated, divisor), truncated)
})

/**
 * The remainder of `floorDivide`; another name of `remainder`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.mod(np.array([-7, 7]), 3) // => [2, 1]
 * ```
 */
export const mod: Binary = remainder

/**
 * The remainder of a division that rounds towards zero, with the sign of the dividend, as `%` of C and JavaScript.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.fmod(np.array([-7, 7]), 3) // => [-1, 1]
 * ```
 */
export const fmod: Binary = binaryNumeric('fmod', (x, y) => lax.rem(x, nonzeroDivisor(y)))

/**
 * `[floorDivide(x, y), remainder(x, y)]`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [q, r] = np.divmod(np.array([-7, 7]), 2)
 * q // => [-4, 3]
 * r // => [1, 1]
 * ```
 */
export function divmod(x: ArrayLike, y: ArrayLike): [NDArray, NDArray] {
  const [a, b] = promoteNumeric('divmod', x, y) as [NDArray, NDArray]
  return isInteger(a.dtype) ? [floorDivide(a, b), remainder(a, b)] : floatDivmod(a, b)
}

/**
 * Change the sign; of unsigned integers modulo 2 to the power of their bits.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.negative(np.array([1, -2])) // => [-1, 2]
 * ```
 */
export const negative: Unary = unary('negative', lax.neg)

/**
 * The argument as it is.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.positive(np.array([1, -2])) // => [1, -2]
 * ```
 */
export const positive: Unary = unary('positive', (x) => x)

/**
 * The absolute value. Its derivative at 0 is 1.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.absolute(np.array([1, -2])) // => [1, 2]
 * ```
 */
export const absolute: Unary = unary('absolute', (x) => (x.dtype === 'bool' || isUnsigned(x) ? x : lax.abs(x)))

/**
 * The absolute value; another name of `absolute`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.abs(np.array([1, -2])) // => [1, 2]
 * ```
 */
export const abs: Unary = absolute

/**
 * The absolute value as a float.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.fabs(np.arange(-1, 2)) // => [1, 0, 1]
 * ```
 */
export const fabs: Unary = unaryInexact('fabs', lax.abs)

/**
 * −1, 0 or 1 for negative, zero and positive elements; NaN for NaN.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.sign(np.array([-3, 0, 2])) // => [-1, 0, 1]
 * ```
 */
export const sign: Unary = unary('sign', lax.sign)

/**
 * x².
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.square(np.array([1, 2, 3])) // => [1, 4, 9]
 * ```
 */
export const square: Unary = unaryNumeric('square', lax.square)

/**
 * 1/x, as a float.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.reciprocal(np.array([1, 2, 4])) // => [1, 0.5, 0.25]
 * ```
 */
export const reciprocal: Unary = unaryInexact('reciprocal', (x) => lax.integerPow(x, -1))

/**
 * The larger of two elements; NaN if one of them is NaN. Where they are equal each gets half of the gradient.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.maximum(np.array([1, 5]), 3) // => [3, 5]
 * ```
 */
export const maximum: Binary = binary('maximum', lax.max)

/**
 * The smaller of two elements; NaN if one of them is NaN. Where they are equal each gets half of the gradient.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.minimum(np.array([1, 5]), 3) // => [1, 3]
 * ```
 */
export const minimum: Binary = binary('minimum', lax.min)

/** The first operand where it wins or the second is NaN, else the second. */
const ignoringNan = (where: string, wins: (x: NDArray, y: NDArray) => NDArray): Binary =>
  binary(where, (x, y) => choose(isFloat(y.dtype) ? lax.or(wins(x, y), lax.ne(y, y)) : wins(x, y), x, y))

/**
 * The larger of two elements; the other one if one of them is NaN.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.fmax(np.array([1, NaN]), 3) // => [3, 3]
 * ```
 */
export const fmax: Binary = ignoringNan('fmax', lax.gt)

/**
 * The smaller of two elements; the other one if one of them is NaN.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.fmin(np.array([1, NaN]), 3) // => [1, 3]
 * ```
 */
export const fmin: Binary = ignoringNan('fmin', lax.lt)

/**
 * The real part: the argument itself, since arrays are real.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.real(np.array([1, 2])) // => [1, 2]
 * ```
 */
export const real: Unary = unary('real', (x) => x)

/**
 * The imaginary part: zeros, since arrays are real.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.imag(np.array([1, 2])) // => [0, 0]
 * ```
 */
export const imag: Unary = unary('imag', (x) => full(x.shape, 0, x.dtype, x.weakType))

/**
 * The complex conjugate: the argument itself, since arrays are real.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.conjugate(np.array([1, 2])) // => [1, 2]
 * ```
 */
export const conjugate: Unary = unary('conjugate', (x) => x)

/**
 * The complex conjugate; another name of `conjugate`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.conj(np.array([1, 2])) // => [1, 2]
 * ```
 */
export const conj: Unary = conjugate
