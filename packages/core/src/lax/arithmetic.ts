/** Arithmetic, roots and rounding. */
import type { ArrayLike, NDArray } from '../array.ts'
import { OptionError, checkOptions, misuse } from '../errors.ts'
import * as raw from '../primitive/elementwise.ts'
import { binary, operand, unary } from './operands.ts'
import type { Binary, Unary } from '../types.ts'

/** −x. */
export const neg: Unary = unary('neg', raw.neg)

/** The sign of each element: −1, 0 or 1; zeros and NaN as they are. */
export const sign: Unary = unary('sign', raw.sign)

/** The largest whole number that is at most x. */
export const floor: Unary = unary('floor', raw.floor)

/** The smallest whole number that is at least x. */
export const ceil: Unary = unary('ceil', raw.ceil)

/** |x|; its derivative at 0 is 0. */
export const abs: Unary = unary('abs', raw.abs)

/** x². */
export const square: Unary = unary('square', raw.square)

/**
 * 1 / x.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.reciprocal(4).item() // => 0.25
 * ```
 */
export const reciprocal: Unary = unary('reciprocal', raw.reciprocal)

/** √x; NaN below 0. */
export const sqrt: Unary = unary('sqrt', raw.sqrt)

/** 1 / √x. */
export const rsqrt: Unary = unary('rsqrt', raw.rsqrt)

/**
 * The real cube root of x.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.cbrt(-8).item() // => -2
 * ```
 */
export const cbrt: Unary = unary('cbrt', raw.cbrt)

/**
 * x + y. Both of one dtype, and of one shape or scalars, as for every binary operation of `lax`.
 *
 * @throws DtypeError or ShapeError if they are not
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.add(np.array([1, 2]), 0.5) // => [1.5, 2.5]
 * ```
 */
export const add: Binary = binary('add', raw.add)

/** x − y. */
export const sub: Binary = binary('sub', raw.sub)

/** x · y. */
export const mul: Binary = binary('mul', raw.mul)

/** x / y; of integers the quotient rounded towards zero. */
export const div: Binary = binary('div', raw.div)

/**
 * The remainder of x / y, with the sign of x.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.rem(-7, 3).item() // => -1
 * ```
 */
export const rem: Binary = binary('rem', raw.rem)

/** The greater of x and y; NaN if either is. Where they are equal, each gets half of the derivative. */
export const max: Binary = binary('max', raw.max)

/** The lesser of x and y; NaN if either is. Where they are equal, each gets half of the derivative. */
export const min: Binary = binary('min', raw.min)

/**
 * x to the power of y, which may also be an array of integers.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.pow(2, 10).item() // => 1024
 * ```
 */
export const pow: Binary = binary('pow', raw.pow)

/** The next number that the dtype has after x towards y. */
export const nextafter: Binary = binary('nextafter', raw.nextafter)

export type { RoundingMethod } from '../primitive/elementwise.ts'
/**
 * The nearest whole number.
 *
 * @param options `roundingMethod`: where ties go, `'AWAY_FROM_ZERO'` (the default) or `'TO_NEAREST_EVEN'`
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.round(np.array([0.5, 1.5])) // => [1, 2]
 * lax.round(np.array([0.5, 1.5]), { roundingMethod: 'TO_NEAREST_EVEN' }) // => [0, 2]
 * ```
 */
export function round(x: ArrayLike, options: { roundingMethod?: raw.RoundingMethod } = {}): NDArray {
  checkOptions('round', options, ['roundingMethod'])
  const { roundingMethod = 'AWAY_FROM_ZERO' } = options
  if (roundingMethod !== 'AWAY_FROM_ZERO' && roundingMethod !== 'TO_NEAREST_EVEN') {
    throw new OptionError(misuse('round', "'AWAY_FROM_ZERO' or 'TO_NEAREST_EVEN'", String(roundingMethod)))
  }
  return raw.round(operand('round', x), roundingMethod)
}
/**
 * x to the power of a whole number, by repeated squaring.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.integerPow(2, -2).item() // => 0.25
 * ```
 */
export function integerPow(x: ArrayLike, y: number): NDArray {
  if (!Number.isInteger(y))
    throw new OptionError(misuse('integerPow', 'a whole number as exponent', String(y), 'lax.pow takes any'))
  return raw.integerPow(operand('integerPow', x), y)
}
