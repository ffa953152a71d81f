/** Functions of mathematical physics, element by element. */
import type { NDArray } from '../../array.ts'
import { customJvp } from '../../control/custom.ts'
import * as lax from '../../primitive/elementwise.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { choose } from '../select.ts'
import type { Unary } from '../../types.ts'
import { unaryInexact } from './define.ts'

const besselI0 = customJvp((x: NDArray): NDArray => lax.mul(lax.exp(lax.abs(x)), lax.besselI0e(lax.abs(x))))
// I₀′ = I₁, which is odd
besselI0.defjvp(([x], [t]) => {
  const size = lax.abs(x)
  const slope = lax.mul(lax.sign(x), lax.mul(lax.exp(size), lax.besselI1e(size)))
  return [besselI0(x), lax.mul(t, choose(lax.eq(x, scalarLike(x, 0)), 0, slope))]
})

/**
 * The modified Bessel function of the first kind and order 0.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.i0(np.array([0, 1])) // => [1, 1.266066]
 * ```
 */
export const i0: Unary = unaryInexact('i0', besselI0)
