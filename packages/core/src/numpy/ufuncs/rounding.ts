/** Rounding, element by element. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { dtypes, isFloat, isInteger } from '../../dtype.ts'
import { OptionError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import * as lax from '../../primitive/elementwise.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { asArray } from '../promote.ts'
import { choose } from '../select.ts'
import type { Unary } from '../../types.ts'
import { unary } from './define.ts'

const isWhole = (x: NDArray): boolean => !isFloat(x.dtype)

/**
 * The largest integer that is not greater; integer arrays are returned as they are.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.floor(np.array([-1.5, 1.5])) // => [-2, 1]
 * ```
 */
export const floor: Unary = unary('floor', (x) => (isWhole(x) ? x : lax.floor(x)))

/**
 * The smallest integer that is not less; integer arrays are returned as they are.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.ceil(np.array([-1.5, 1.5])) // => [-1, 2]
 * ```
 */
export const ceil: Unary = unary('ceil', (x) => (isWhole(x) ? x : lax.ceil(x)))

/**
 * The integer next to x in the direction of zero; integer arrays are returned as they are.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.trunc(np.array([-1.5, 1.5])) // => [-1, 1]
 * ```
 */
export const trunc: Unary = unary('trunc', (x) =>
  isWhole(x) ? x : choose(lax.lt(x, scalarLike(x, 0)), lax.ceil(x), lax.floor(x)),
)

/**
 * Round towards zero; another name of `trunc`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.fix(np.array([-1.5, 1.5])) // => [-1, 1]
 * ```
 */
export const fix: Unary = trunc

/**
 * Round to the nearest integer, halves to the even one; integers become floats.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.rint(np.array([0.5, 1.5, 2.5])) // => [0, 2, 2]
 * ```
 */
export const rint: Unary = unary('rint', (x) =>
  isWhole(x) ? lax.convert(x, 'float32') : lax.round(x, 'TO_NEAREST_EVEN'),
)

/**
 * Round to a number of decimals (0 by default), halves to the even neighbour.
 *
 * @param options `decimals`: negative ones round to tens, hundreds …, of floats only
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.round(np.array([0.5, 1.5, 2.5])) // => [0, 2, 2]
 * np.round(3.14159, { decimals: 2 }).item() // => 3.14
 * ```
 */
export function round(x: ArrayLike, options: { decimals?: number } = {}): NDArray {
  checkOptions('round', options, ['decimals'])
  const { decimals = 0 } = options
  const a = asArray('round', x)
  if (isInteger(a.dtype)) {
    if (decimals >= 0) return a
    const got = `${decimals} for ${showAval(a.aval)}`
    throw new OptionError(
      misuse('round', 'decimals that are not negative for integers', got, "x.astype('float32') converts"),
    )
  }
  if (decimals === 0) return lax.round(a, 'TO_NEAREST_EVEN')
  if (decimals > Math.log10(dtypes[a.dtype].max)) return a
  // a power of ten is soon too large or too coarse for float16
  const type = a.dtype === 'float16' ? 'float32' : a.dtype
  const wider = lax.convert(a, type, a.weakType)
  const factor = scalarLike(wider, 10 ** decimals)
  const rounded = lax.div(lax.round(lax.mul(wider, factor), 'TO_NEAREST_EVEN'), factor)
  return lax.convert(rounded, a.dtype, a.weakType)
}

/**
 * Round to a number of decimals; another name of `round`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.around(1.25, { decimals: 1 }).item() // => 1.2
 * ```
 */
export const around: typeof round = round
