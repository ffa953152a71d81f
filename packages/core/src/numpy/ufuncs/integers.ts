/** Bits and divisors of integers, element by element. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { whileLoop } from '../../control/loops.ts'
import { dtypes, isInteger } from '../../dtype.ts'
import { DtypeError, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import * as lax from '../../primitive/elementwise.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { broadcastAll, promoteDtypes } from '../promote.ts'
import { any } from '../reductions.ts'
import { choose } from '../select.ts'
import type { Binary, Unary } from '../../types.ts'
import { absolute } from './arithmetic.ts'
import { binary, binaryNumeric, unary, unaryNumeric } from './define.ts'

/**
 * The and of the bits of integers, or of booleans.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.bitwiseAnd(np.arange(4), 1) // => [0, 1, 0, 1]
 * ```
 */
export const bitwiseAnd: Binary = binary('bitwiseAnd', lax.and)

/**
 * The or of the bits of integers, or of booleans.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.bitwiseOr(np.arange(4), 1) // => [1, 1, 3, 3]
 * ```
 */
export const bitwiseOr: Binary = binary('bitwiseOr', lax.or)

/**
 * The xor of the bits of integers, or of booleans.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.bitwiseXor(np.arange(4), 1) // => [1, 0, 3, 2]
 * ```
 */
export const bitwiseXor: Binary = binary('bitwiseXor', lax.xor)

/**
 * All bits of integers inverted; of booleans the logical not.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.bitwiseNot(np.arange(3)) // => [-1, -2, -3]
 * ```
 */
export const bitwiseNot: Unary = unary('bitwiseNot', lax.not)

/**
 * All bits inverted; another name of `bitwiseNot`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.invert(np.arange(3)) // => [-1, -2, -3]
 * ```
 */
export const invert: Unary = bitwiseNot

/**
 * All bits inverted; another name of `bitwiseNot`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.bitwiseInvert(np.arange(3)) // => [-1, -2, -3]
 * ```
 */
export const bitwiseInvert: Unary = bitwiseNot

/**
 * Bits shifted to the left; 0 for shifts by as many bits as there are, or more.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.leftShift(np.arange(3), 2) // => [0, 4, 8]
 * ```
 */
export const leftShift: Binary = binaryNumeric('leftShift', lax.shiftLeft)

/**
 * Bits shifted to the right: copies of the sign come in from the left, zeros for unsigned integers.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.rightShift(np.arange(-4, 5, 4), 1) // => [-2, 0, 2]
 * ```
 */
export const rightShift: Binary = binaryNumeric('rightShift', (x, y) =>
  dtypes[x.dtype].kind === 'unsigned' ? lax.shiftRightLogical(x, y) : lax.shiftRightArithmetic(x, y),
)

/**
 * Bits shifted to the left; another name of `leftShift`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.bitwiseLeftShift(np.arange(3), 2) // => [0, 4, 8]
 * ```
 */
export const bitwiseLeftShift: Binary = leftShift

/**
 * Bits shifted to the right; another name of `rightShift`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.bitwiseRightShift(np.arange(3), 1) // => [0, 0, 1]
 * ```
 */
export const bitwiseRightShift: Binary = rightShift

/**
 * The number of ones among the bits of the absolute value, as uint8.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.bitwiseCount(np.arange(4)) // => [0, 1, 1, 2]
 * ```
 */
export const bitwiseCount: Unary = unaryNumeric('bitwiseCount', (x) =>
  lax.convert(lax.populationCount(absolute(x)), 'uint8'),
)

/** Two integer arrays of one dtype and shape, not negative. */
function magnitudes(where: string, x: ArrayLike, y: ArrayLike): [NDArray, NDArray] {
  const promoted = promoteDtypes(where, x, y)
  const [a, b] = broadcastAll(where, ...promoted) as [NDArray, NDArray]
  if (!isInteger(a.dtype))
    throw new DtypeError(misuse(where, 'integers', showAval(a.aval), "x.astype('int32') converts"))
  return [absolute(a), absolute(b)]
}

/**
 * The greatest common divisor of integers, by Euclid's algorithm; gcd(0, 0) is 0.
 *
 * @throws DtypeError for floats
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.gcd(np.arange(12, 15), 8) // => [4, 1, 2]
 * ```
 */
export const gcd: Binary = (x: ArrayLike, y: ArrayLike): NDArray => {
  const zeroOf = (z: NDArray) => scalarLike(z, 0)
  const [divisor] = whileLoop(
    ([, b]: [NDArray, NDArray]) => any(lax.ne(b, zeroOf(b))),
    ([a, b]: [NDArray, NDArray]): [NDArray, NDArray] => {
      const going = lax.ne(b, zeroOf(b))
      // elements that are done keep their divisor, and must not divide by their zero
      return [choose(going, b, a), choose(going, lax.rem(a, choose(going, b, 1)), 0)]
    },
    magnitudes('gcd', x, y),
  )
  return divisor
}

/**
 * The least common multiple of integers: |x·y| / gcd(x, y), and 0 if one of them is 0.
 *
 * @throws DtypeError for floats
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.lcm(np.arange(4, 7), 6) // => [12, 30, 6]
 * ```
 */
export const lcm: Binary = (x: ArrayLike, y: ArrayLike): NDArray => {
  const [a, b] = magnitudes('lcm', x, y)
  const divisor = gcd(a, b)
  const isZero = lax.eq(divisor, scalarLike(divisor, 0))
  return choose(isZero, 0, lax.mul(a, lax.div(b, choose(isZero, 1, divisor))))
}
