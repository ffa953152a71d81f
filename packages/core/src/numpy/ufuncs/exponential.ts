/** Exponentials, logarithms, roots and powers, element by element. */
import { type ArrayLike, NDArray } from '../../array.ts'
import { customJvp } from '../../control/custom.ts'
import { isInteger } from '../../dtype.ts'
import { DtypeError, misuse } from '../../errors.ts'
import * as lax from '../../primitive/elementwise.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { asArrays, promoteNumeric, promoteShapes } from '../promote.ts'
import { choose } from '../select.ts'
import type { Binary, Unary } from '../../types.ts'
import { binaryInexact, unaryInexact } from './define.ts'

/**
 * e to the power of x.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.exp(np.array([0, 1])) // => [1, 2.7182817]
 * ```
 */
export const exp: Unary = unaryInexact('exp', lax.exp)

/**
 * 2 to the power of x.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.exp2(np.array([0, 3])) // => [1, 8]
 * ```
 */
export const exp2: Unary = unaryInexact('exp2', lax.exp2)

/**
 * e to the power of x, less 1, accurate near 0.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.expm1(1e-10).item() // => 1e-10
 * ```
 */
export const expm1: Unary = unaryInexact('expm1', lax.expm1)

/**
 * The natural logarithm: −inf at 0, NaN below.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.log(np.array([1, 0])) // => [0, -Infinity]
 * ```
 */
export const log: Unary = unaryInexact('log', lax.log)

/**
 * The logarithm to base 2.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.log2(np.array([1, 8])) // => [0, 3]
 * ```
 */
export const log2: Unary = unaryInexact('log2', (x) => lax.div(lax.log(x), scalarLike(x, Math.LN2)))

/**
 * The logarithm to base 10.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.log10(np.array([1, 100])) // => [0, 2.0]
 * ```
 */
export const log10: Unary = unaryInexact('log10', (x) => lax.mul(lax.log(x), scalarLike(x, Math.LOG10E)))

/**
 * The natural logarithm of 1 + x, accurate near 0.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.log1p(1e-10).item() // => 1e-10
 * ```
 */
export const log1p: Unary = unaryInexact('log1p', lax.log1p)

/**
 * The square root: NaN below 0. Its derivative at 0 is infinite.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.sqrt(np.array([4, 9])) // => [2, 3]
 * ```
 */
export const sqrt: Unary = unaryInexact('sqrt', lax.sqrt)

/**
 * The cube root, negative for negative elements.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.cbrt(np.array([-8, 27])) // => [-2.0, 3.0]
 * ```
 */
export const cbrt: Unary = unaryInexact('cbrt', lax.cbrt)

/** x to the power of an integer array, for integers: by squaring. A negative exponent counts as the unsigned number of its bits. */
function integerPower(x: NDArray, y: NDArray): NDArray {
  const [zero, one] = [scalarLike(y, 0), scalarLike(y, 1)]
  // exponents of more than six bits overflow every base but 0, 1 and -1, and 0 is settled here
  let result = choose(lax.and(lax.eq(x, zero), lax.ne(y, zero)), zero, one)
  let [base, exponent] = [x, y]
  for (let bit = 0; bit < 6; bit++) {
    result = choose(lax.ne(lax.and(exponent, one), zero), lax.mul(result, base), result)
    base = lax.mul(base, base)
    exponent = lax.shiftRightLogical(exponent, one)
  }
  return result
}

/**
 * x to the power of y. An integral number as exponent multiplies, whatever the dtype: an integer array stays one, and 0⁰ is 1.
 * Any other exponent of an integer array that is a float makes a float.
 *
 * @throws DtypeError for a negative number as exponent of integers
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.power(np.array([1, 2, 3]), 2) // => [1, 4, 9]
 * np.power(2, np.array([0.5, -1])) // => [1.4142135, 0.5]
 * ```
 */
export const power: Binary = (x: ArrayLike, y: ArrayLike): NDArray => {
  if (typeof y === 'number' && Number.isInteger(y) && x instanceof NDArray) return powerOfNumber(x, y)
  const [a, b] = promoteNumeric('power', x, y) as [NDArray, NDArray]
  if (isInteger(a.dtype)) return integerPower(a, b)
  // an integer exponent of floats stays one, so that powers of negative numbers are exact
  if (!(y instanceof NDArray && isInteger(y.dtype))) return lax.pow(a, b)
  const [base, exponent] = promoteShapes('power', ...asArrays('power', x, y)) as [NDArray, NDArray]
  return lax.pow(base, exponent)
}

function powerOfNumber(x: NDArray, y: number): NDArray {
  const [base] = promoteNumeric('power', x) as [NDArray]
  if (y < 0 && isInteger(base.dtype)) {
    const hint = `np.power(x.astype('float32'), ${y})`
    throw new DtypeError(misuse('power', 'an exponent of integers that is not negative', String(y), hint))
  }
  return lax.integerPow(base, y)
}

/**
 * x to the power of y; another name of `power`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.pow(np.array([1, 2, 3]), 2) // => [1, 4, 9]
 * ```
 */
export const pow: Binary = power

/**
 * x to the power of y, as a float.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.floatPower(np.arange(3), 2) // => [0, 1, 4]
 * ```
 */
export const floatPower: Binary = binaryInexact('floatPower', lax.pow)

const replaceInfinity = (x: NDArray): NDArray => choose(lax.eq(x, scalarLike(x, Infinity)), 0, x)

/**
 * log(bˣ + bʸ) without overflow, as max + log_b(1 + b^−|x − y|). Differentiated by a rule of its own, by which each operand gets
 * its share b^(x − out) of the tangent: the formula itself would give NaN at infinities.
 */
const logAddExpOf = (power: (x: NDArray) => NDArray, scale: number): ((x: NDArray, y: NDArray) => NDArray) => {
  const f = customJvp((x: NDArray, y: NDArray): NDArray => {
    const delta = lax.sub(x, y)
    const rest = lax.log1p(power(lax.neg(lax.abs(delta))))
    const scaled = scale === 1 ? rest : lax.mul(scalarLike(x, scale), rest)
    // infinity less infinity is NaN, where their sum is what is wanted
    return choose(lax.ne(delta, delta), lax.add(x, y), lax.add(lax.max(x, y), scaled))
  })
  f.defjvp(([x, y], [tx, ty]) => {
    const out = f(x, y)
    const share = (operand: NDArray) => power(lax.sub(replaceInfinity(operand), replaceInfinity(out)))
    return [out, lax.add(lax.mul(tx, share(x)), lax.mul(ty, share(y)))]
  })
  return f
}

/**
 * log(eˣ + eʸ), without overflow, and with finite gradients where one operand is infinite.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.logaddexp(1000, 1000).item() // => 1000.69
 * ```
 */
export const logaddexp: Binary = binaryInexact('logaddexp', logAddExpOf(lax.exp, 1))

/**
 * log₂(2ˣ + 2ʸ), without overflow, and with finite gradients where one operand is infinite.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.logaddexp2(1000, 1000).item() // => 1001
 * ```
 */
export const logaddexp2: Binary = binaryInexact('logaddexp2', logAddExpOf(lax.exp2, Math.LOG2E))
