/** The parts of floating-point numbers and the values that are no numbers, element by element. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { type DType, dtypes, isFloat } from '../../dtype.ts'
import { DtypeError, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import * as lax from '../../primitive/elementwise.ts'
import { full } from '../../primitive/movement.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { scalar } from '../../trace.ts'
import { asArray, broadcastAll, promoteInexact } from '../promote.ts'
import { choose } from '../select.ts'
import type { Binary, Unary } from '../../types.ts'
import { binaryInexact, unary, unaryInexact } from './define.ts'
import { trunc } from './rounding.ts'

const nothing = (x: NDArray): NDArray => full(x.shape, 0, 'bool')
/** A question about floats, to which the answer for integers is no. */
const ofFloats = (f: (x: NDArray) => NDArray) => (x: NDArray) => (isFloat(x.dtype) ? f(x) : nothing(x))
const isValue = (value: number) => ofFloats((x) => lax.eq(x, scalarLike(x, value)))

/**
 * Whether elements are NaN.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.isnan(np.array([1, NaN])) // => [0, 1]
 * ```
 */
export const isnan: Unary = unary(
  'isnan',
  ofFloats((x) => lax.ne(x, x)),
)

/**
 * Whether elements are infinite.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.isinf(np.array([1, -Infinity])) // => [0, 1]
 * ```
 */
export const isinf: Unary = unary(
  'isinf',
  ofFloats((x) => lax.eq(lax.abs(x), scalarLike(x, Infinity))),
)

/**
 * Whether elements are neither infinite nor NaN.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.isfinite(np.array([1, NaN])) // => [1, 0]
 * ```
 */
export const isfinite: Unary = unary('isfinite', (x) => (isFloat(x.dtype) ? lax.isFinite(x) : full(x.shape, 1, 'bool')))

/**
 * Whether elements are +∞.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.isposinf(np.array([-Infinity, Infinity])) // => [0, 1]
 * ```
 */
export const isposinf: Unary = unary('isposinf', isValue(Infinity))

/**
 * Whether elements are −∞.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.isneginf(np.array([-Infinity, Infinity])) // => [1, 0]
 * ```
 */
export const isneginf: Unary = unary('isneginf', isValue(-Infinity))

/**
 * Whether elements have no imaginary part: all of them, since arrays are real.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.isreal(np.array([1, 2])) // => [1, 1]
 * ```
 */
export const isreal: Unary = unary('isreal', (x) => full(x.shape, 1, 'bool'))

/**
 * Whether elements have an imaginary part: none, since arrays are real.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.iscomplex(np.array([1, 2])) // => [0, 0]
 * ```
 */
export const iscomplex: Unary = unary('iscomplex', nothing)

const unsignedOf = { 16: 'uint16', 32: 'uint32' } as const
/**
 * Whether the sign bit is set: of −0 and of some NaNs, too.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.signbit(np.array([-1, -0, 0])) // => [1, 1, 0]
 * ```
 */
export const signbit: Unary = unary('signbit', (x) => {
  const { bits } = dtypes[x.dtype]
  if (x.dtype === 'bool') return nothing(x)
  if (!isFloat(x.dtype)) return lax.lt(x, scalarLike(x, 0))
  if (bits !== 16 && bits !== 32) {
    // no integers of 64 bits: the sign of a zero shows in its reciprocal
    const isZero = lax.eq(x, scalarLike(x, 0))
    return lax.lt(choose(isZero, lax.integerPow(x, -1), x), scalarLike(x, 0))
  }
  const word = lax.bitcast(x, unsignedOf[bits])
  return lax.ne(lax.shiftRightLogical(word, scalarLike(word, bits - 1)), scalarLike(word, 0))
})

/**
 * The magnitude of x with the sign of y.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.copysign(np.array([1, -2]), -1) // => [-1, -2]
 * ```
 */
export const copysign: Binary = binaryInexact('copysign', (x, y) => choose(signbit(y), lax.neg(lax.abs(x)), lax.abs(x)))

/**
 * The next number after x that its dtype has, in the direction of y.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nextafter(1, 2).item() // => 1.0000001
 * ```
 */
export const nextafter: Binary = binaryInexact('nextafter', lax.nextafter)

/**
 * The distance from x to the next number of its dtype away from zero, with the sign of x.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.spacing(1).item() // => 1.1920929e-7
 * ```
 */
export const spacing: Unary = unaryInexact('spacing', (x) => {
  const infinity = scalarLike(x, Infinity)
  if (x.dtype === 'float16') return lax.sub(lax.nextafter(x, infinity), x)
  const step = lax.sub(lax.nextafter(x, copysign(infinity, x)), x)
  const { tiny, eps } = dtypes[x.dtype]
  // machines that flush subnormal numbers to zero would say that there is no distance
  return choose(lax.eq(step, scalarLike(step, 0)), copysign(scalarLike(x, tiny * eps), x), step)
})

/**
 * The step function: 0 for negative x, 1 for positive x, y at 0, NaN for NaN.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.heaviside(np.array([-1, 0, 1]), 0.5) // => [0, 0.5, 1]
 * ```
 */
export const heaviside: Binary = binaryInexact('heaviside', (x, y) => {
  const zero = scalarLike(x, 0)
  const atZero = choose(lax.ne(x, x), x, y)
  return choose(lax.lt(x, zero), 0, choose(lax.gt(x, zero), 1, atZero))
})

/**
 * The parts `[fraction, whole]` of numbers, both with the sign of x.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [fraction, whole] = np.modf(np.array([2.5, -2.5]))
 * fraction // => [0.5, -0.5]
 * whole // => [2, -2]
 * ```
 */
export function modf(x: ArrayLike): [NDArray, NDArray] {
  const [a] = promoteInexact('modf', x) as [NDArray]
  const whole = trunc(a)
  return [lax.sub(a, whole), whole]
}

/** Powers of two by which any number of the dtype is brought to the order of 1, the largest four times for subnormal numbers. */
function scales(dtype: DType): number[] {
  const largest = 2 ** Math.floor(Math.log2(Math.log2(dtypes[dtype].max)))
  const powers = [largest, largest, largest]
  for (let power = largest; power >= 1; power /= 2) powers.push(power)
  return powers
}

/**
 * The parts `[mantissa, exponent]` of numbers: x = mantissa · 2^exponent with ½ ≤ |mantissa| < 1, the exponent as int32. Zeros,
 * infinities and NaN are mantissas with exponent 0.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [mantissa, exponent] = np.frexp(np.array([8, -0.3]))
 * mantissa // => [0.5, -0.6]
 * exponent // => [4, -1]
 * ```
 */
export function frexp(x: ArrayLike): [NDArray, NDArray] {
  const [a] = promoteInexact('frexp', x) as [NDArray]
  const special = lax.or(lax.not(lax.isFinite(a)), lax.eq(a, scalarLike(a, 0)))
  // halve and double by powers of two, all exact, until the magnitude lies between 1 and 2
  let mantissa = choose(special, 1, a)
  let exponent = full(a.shape, 1, 'int32')
  const scaleIf = (condition: NDArray, power: number) => {
    mantissa = choose(condition, lax.mul(mantissa, scalarLike(a, 2 ** -power)), mantissa)
    exponent = choose(condition, lax.add(exponent, scalarLike(exponent, power)), exponent)
  }
  for (const power of scales(a.dtype)) {
    scaleIf(lax.ge(lax.abs(mantissa), scalarLike(a, 2 ** power)), power)
    scaleIf(lax.lt(lax.abs(mantissa), scalarLike(a, 2 ** (1 - power))), -power)
  }
  return [choose(special, a, lax.mul(mantissa, scalarLike(a, 0.5))), choose(special, 0, exponent)]
}

/**
 * x · 2^n with integers n: the inverse of `frexp`.
 *
 * @throws DtypeError if n is not of integers
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.ldexp(0.75, np.arange(4)) // => [0.75, 1.5, 3, 6]
 * ```
 */
export function ldexp(x: ArrayLike, n: ArrayLike): NDArray {
  const exponents = typeof n === 'number' && Number.isInteger(n) ? scalar(n, 'int32') : asArray('ldexp', n, 1)
  if (isFloat(exponents.dtype)) {
    throw new DtypeError(
      misuse('ldexp', 'exponents that are integers', showAval(exponents.aval), "n.astype('int32') converts"),
    )
  }
  const [a] = promoteInexact('ldexp', x) as [NDArray]
  let [result, rest] = broadcastAll('ldexp', lax.convert(a, a.dtype), lax.convert(exponents, 'int32')) as [
    NDArray,
    NDArray,
  ]
  const scaleIf = (condition: NDArray, power: number) => {
    result = choose(condition, lax.mul(result, scalarLike(result, 2 ** power)), result)
    rest = choose(condition, lax.sub(rest, scalarLike(rest, power)), rest)
  }
  for (const power of scales(a.dtype)) {
    scaleIf(lax.ge(rest, scalarLike(rest, power)), power)
    scaleIf(lax.le(rest, scalarLike(rest, -power)), -power)
  }
  return result
}
