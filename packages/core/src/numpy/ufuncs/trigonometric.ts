/** Trigonometric and hyperbolic functions, element by element. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { customJvp } from '../../control/custom.ts'
import { checkOptions } from '../../errors.ts'
import * as lax from '../../primitive/elementwise.ts'
import { full } from '../../primitive/movement.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { promoteInexact } from '../promote.ts'
import { choose } from '../select.ts'
import type { Binary, Unary } from '../../types.ts'
import { binaryInexact, unaryInexact } from './define.ts'

/**
 * The sine of an angle in radians.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.sin(np.array([0, np.pi / 2])) // => [0, 1.0]
 * ```
 */
export const sin: Unary = unaryInexact('sin', lax.sin)

/**
 * The cosine of an angle in radians.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.cos(np.array([0, np.pi])) // => [1, -1.0]
 * ```
 */
export const cos: Unary = unaryInexact('cos', lax.cos)

/**
 * The tangent of an angle in radians.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.tan(np.array([0, np.pi / 4])) // => [0, 1.0]
 * ```
 */
export const tan: Unary = unaryInexact('tan', lax.tan)

/**
 * The angle from −π/2 to π/2 with the given sine; NaN beyond −1 and 1.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arcsin(1).item() // => 1.5707964
 * ```
 */
export const arcsin: Unary = unaryInexact('arcsin', lax.asin)

/**
 * The angle from 0 to π with the given cosine; NaN beyond −1 and 1.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arccos(-1).item() // => 3.1415927
 * ```
 */
export const arccos: Unary = unaryInexact('arccos', lax.acos)

/**
 * The angle from −π/2 to π/2 with the given tangent.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arctan(1).item() // => 0.785398
 * ```
 */
export const arctan: Unary = unaryInexact('arctan', lax.atan)

/**
 * The angle from −π to π of the point (y, x), given in this order: arctan(x₁ / x₂) in the right quadrant.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arctan2(np.array([1, -1]), -1) // => [2.3561945, -2.3561945]
 * ```
 */
export const arctan2: Binary = binaryInexact('arctan2', lax.atan2)

/**
 * The hyperbolic sine, (eˣ − e⁻ˣ)/2.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.sinh(1).item() // => 1.175201
 * ```
 */
export const sinh: Unary = unaryInexact('sinh', lax.sinh)

/**
 * The hyperbolic cosine, (eˣ + e⁻ˣ)/2.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.cosh(1).item() // => 1.54308
 * ```
 */
export const cosh: Unary = unaryInexact('cosh', lax.cosh)

/**
 * The hyperbolic tangent, sinh(x)/cosh(x).
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.tanh(1).item() // => 0.761594
 * ```
 */
export const tanh: Unary = unaryInexact('tanh', lax.tanh)

/**
 * The inverse of `sinh`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arcsinh(1).item() // => 0.8814
 * ```
 */
export const arcsinh: Unary = unaryInexact('arcsinh', lax.asinh)

/**
 * The inverse of `cosh`; NaN below 1.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arccosh(1).item() // => 0
 * ```
 */
export const arccosh: Unary = unaryInexact('arccosh', lax.acosh)

/**
 * The inverse of `tanh`; NaN beyond −1 and 1.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arctanh(0.5).item() // => 0.549306
 * ```
 */
export const arctanh: Unary = unaryInexact('arctanh', lax.atanh)

/**
 * Another name of `arcsin`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.asin(0).item() // => 0
 * ```
 */
export const asin: Unary = arcsin

/**
 * Another name of `arccos`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.acos(1).item() // => 0
 * ```
 */
export const acos: Unary = arccos

/**
 * Another name of `arctan`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.atan(0).item() // => 0
 * ```
 */
export const atan: Unary = arctan

/**
 * Another name of `arcsinh`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.asinh(0).item() // => 0
 * ```
 */
export const asinh: Unary = arcsinh

/**
 * Another name of `arccosh`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.acosh(1).item() // => 0
 * ```
 */
export const acosh: Unary = arccosh

/**
 * Another name of `arctanh`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.atanh(0).item() // => 0
 * ```
 */
export const atanh: Unary = arctanh

/**
 * Another name of `arctan2`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.atan2(0, 1).item() // => 0
 * ```
 */
export const atan2: Binary = arctan2

/**
 * Degrees to radians.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.deg2rad(180).item() // => 3.1415927
 * ```
 */
export const deg2rad: Unary = unaryInexact('deg2rad', (x) => lax.mul(x, scalarLike(x, Math.PI / 180)))

/**
 * Radians to degrees.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.rad2deg(np.pi).item() // => 180.0
 * ```
 */
export const rad2deg: Unary = unaryInexact('rad2deg', (x) => lax.mul(x, scalarLike(x, 180 / Math.PI)))

/**
 * Degrees to radians; another name of `deg2rad`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.radians(180).item() // => 3.1415927
 * ```
 */
export const radians: Unary = deg2rad

/**
 * Radians to degrees; another name of `rad2deg`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.degrees(np.pi).item() // => 180.0
 * ```
 */
export const degrees: Unary = rad2deg

/**
 * √(x² + y²), without overflow in between: m·√(1 + (n/m)²) with m the larger and n the smaller of |x| and |y|.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.hypot(3, 4).item() // => 5
 * ```
 */
export const hypot: Binary = binaryInexact('hypot', (x, y) => {
  const [a, b] = [lax.abs(x), lax.abs(y)]
  const [larger, smaller] = [lax.max(a, b), lax.min(a, b)]
  const isZero = lax.eq(larger, scalarLike(larger, 0))
  // both selections: the quotient must not be computed with a zero, or the gradient is NaN
  const ratio = lax.div(smaller, choose(isZero, 1, larger))
  const length = lax.mul(larger, lax.sqrt(lax.add(scalarLike(ratio, 1), lax.square(ratio))))
  const infinite = (z: NDArray) => lax.eq(z, scalarLike(z, Infinity))
  return choose(lax.or(infinite(a), infinite(b)), Infinity, choose(isZero, larger, length))
})

/** The derivative of order `k` of sin(x)/x at zero, as a function of x with the next one as its derivative. */
const sincAtZero = (k: number, x: NDArray): NDArray => {
  const f = customJvp((y: NDArray) => full(y.shape, k % 2 === 1 ? 0 : (-1) ** (k / 2) / (k + 1), y.dtype, y.weakType))
  f.defjvp(([y], [t]) => [f(y), lax.mul(sincAtZero(k + 1, y), t)])
  return f(x)
}

/**
 * sin(πx)/(πx), and 1 at 0, where all derivatives are right, too.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.sinc(np.array([0, 0.5])) // => [1, 0.63662]
 * ```
 */
export const sinc: Unary = unaryInexact('sinc', (x) => {
  const isZero = lax.eq(x, scalarLike(x, 0))
  const scaled = lax.mul(scalarLike(x, Math.PI), x)
  const safe = choose(isZero, 1, scaled)
  return choose(isZero, sincAtZero(0, scaled), lax.div(lax.sin(safe), safe))
})

/**
 * The angle of a complex number: of reals 0 or π, by their sign.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.angle(np.array([1, -1])) // => [0, 3.1415927]
 * ```
 */
export function angle(x: ArrayLike, options: { deg?: boolean } = {}): NDArray {
  checkOptions('angle', options, ['deg'])
  const [z] = promoteInexact('angle', x) as [NDArray]
  const result = lax.atan2(full(z.shape, 0, z.dtype, z.weakType), z)
  return options.deg === true ? degrees(result) : result
}
