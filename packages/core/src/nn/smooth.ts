/** Activation functions that are smooth: made of exponentials and error functions. */
import type { ArrayLike, NDArray } from '../array.ts'
import { customJvp } from '../control/custom.ts'
import { ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { erfc, logistic } from '../lax/index.ts'
import { split } from '../primitive/movement.ts'
import { asArray, promoteDtypesInexact } from '../numpy/promote.ts'
import type { Unary } from '../types.ts'
import { absolute, add, divide, multiply, negative, square } from '../numpy/ufuncs/arithmetic.ts'
import { less } from '../numpy/ufuncs/comparison.ts'
import { exp, expm1, log, log1p, logaddexp, power, sqrt } from '../numpy/ufuncs/exponential.ts'
import { where } from '../numpy/ufuncs/selection.ts'
import { tanh as hyperbolicTangent } from '../numpy/ufuncs/trigonometric.ts'
import { normalAxis } from '../shape.ts'

/**
 * The logistic function, 1 / (1 + e⁻ˣ).
 *
 * @example
 * ```ts
 * import { nn } from 'fluxion'
 * nn.sigmoid(0).item() // => 0.5
 * ```
 */
export const sigmoid: Unary = logistic
/** The hyperbolic tangent. */
export const tanh: Unary = hyperbolicTangent
/** log(1 + eˣ), without overflow. */
export const softplus: Unary = (x: ArrayLike) => logaddexp(x, 0)
/** log(1 / (1 + e⁻ˣ)), without overflow. */
export const logSigmoid: Unary = (x: ArrayLike) => negative(softplus(negative(x)))
/** x / (|x| + 1). */
export const softSign: Unary = (x: ArrayLike) => {
  const array = asArray('softSign', x)
  return divide(array, add(absolute(array), 1))
}
/**
 * x · sigmoid(x), also called swish.
 *
 * @see Elfwing et al., 2018, "Sigmoid-weighted linear units for neural network function approximation in reinforcement learning"
 */
export const silu: Unary = (x: ArrayLike) => {
  const array = asArray('silu', x)
  return multiply(array, sigmoid(array))
}
/** The other name of `silu`. */
export const swish: Unary = silu
/**
 * x · tanh(softplus(x)).
 *
 * @see Misra, 2019, "Mish: a self regularized non-monotonic activation function"
 */
export const mish: Unary = (x: ArrayLike) => {
  const array = asArray('mish', x)
  return multiply(array, tanh(softplus(array)))
}

/**
 * x · Φ(x), where Φ is the normal distribution function; by default through tanh, as x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))).
 *
 * @param options `approximate`: true by default; false takes the error function
 * @see Hendrycks and Gimpel, 2016, "Gaussian error linear units"
 */
export function gelu(x: ArrayLike, options: { approximate?: boolean } = {}): NDArray {
  checkOptions('gelu', options, ['approximate'])
  const [array] = promoteDtypesInexact('gelu', x) as [NDArray]
  if (options.approximate === false)
    return multiply(multiply(0.5, array), erfc(multiply(negative(array), Math.SQRT1_2)))
  const inner = multiply(Math.sqrt(2 / Math.PI), add(array, multiply(0.044715, power(array, 3))))
  return multiply(array, multiply(0.5, add(1, tanh(inner))))
}

/**
 * (x + √(x² + b)) / 2, which resembles `softplus` at b = 4 and `relu` at b = 0.
 *
 * @param options `b`: 4 by default
 * @see Barron, 2021, "Squareplus: a softplus-like algebraic rectifier"
 */
export function squareplus(x: ArrayLike, options: { b?: ArrayLike } = {}): NDArray {
  checkOptions('squareplus', options, ['b'])
  return divide(add(x, sqrt(add(square(x), options.b ?? 4))), 2)
}

/**
 * The first half of an axis times the sigmoid of the second.
 *
 * @param options `axis`: −1 by default
 * @throws ShapeError if the axis is of odd size
 * @see Dauphin et al., 2017, "Language modeling with gated convolutional networks"
 */
export function glu(x: ArrayLike, options: { axis?: number } = {}): NDArray {
  checkOptions('glu', options, ['axis'])
  const array = asArray('glu', x)
  const axis = normalAxis('glu', options.axis ?? -1, array.ndim)
  const half = array.shape[axis]! / 2
  if (!Number.isInteger(half)) throw new ShapeError(misuse('glu', `an even size of axis ${axis}`, showAval(array.aval)))
  const [value, gate] = split(array, [half, half], axis)
  return multiply(value!, sigmoid(gate!))
}

const log1mexpRule = customJvp((x: NDArray) =>
  where(less(x, Math.LN2), log(negative(expm1(negative(x)))), log1p(negative(exp(negative(x))))),
)
// (log(1 − e⁻ˣ))' = 1 / (eˣ − 1)
log1mexpRule.defjvp(([x], [t]) => [log1mexpRule(x), divide(t, expm1(x))])
/**
 * log(1 − e⁻ˣ) for x > 0, exact near 0 and far from it.
 *
 * @see Mächler, 2012, "Accurately computing log(1 − exp(−|a|))"
 */
export const log1mexp: Unary = (x: ArrayLike) => log1mexpRule(promoteDtypesInexact('log1mexp', x)[0]!)
