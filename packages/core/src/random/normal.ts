/** The normal distribution and functions of its samples. */
import type { ArrayLike, NDArray } from '../array.ts'
import type { DType } from '../dtype.ts'
import { broadcastTo } from '../numpy/promote.ts'
import { add, divide, maximum, minimum, multiply, subtract } from '../numpy/ufuncs/arithmetic.ts'
import { choose } from '../numpy/select.ts'
import { neighbour } from '../primitive/elementwise/bits.ts'
import { erf, erfInv, exp, integerPow, le, mul, nextafter, sqrt, square } from '../primitive/elementwise.ts'
import { reduceSum } from '../primitive/reduce.ts'
import { scalarLike } from '../primitive/rules.ts'
import { stopGradient } from '../primitive/stop.ts'
import { type Shape, broadcastShapes } from '../shape.ts'
import { scalar } from '../trace.ts'
import { type FloatOptions, type SampleShape, keysOf, parameter, sampling, shapeOf } from './arguments.ts'
import { rademacher } from './choices.ts'
import type { Key } from './key.ts'
import { drawUniform, uniformBetween } from './uniform.ts'

/** Standard normal samples of a checked key. */
export function drawNormal(key: NDArray, shape: Shape, dtype: DType): NDArray {
  // the lowest number above −1: erf⁻¹(−1) would be infinite
  const lowest = scalar(neighbour(-1, 0, dtype), dtype)
  const u = uniformBetween(key, shape, lowest, scalar(1, dtype))
  return mul(scalarLike(u, Math.SQRT2), erfInv(u))
}

/**
 * Normal samples of mean 0 and standard deviation 1: √2·erf⁻¹(u) for uniform u between −1 and 1.
 *
 * @throws DtypeError if the key is none or the dtype is none of floats
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * const x = random.normal(random.key(0), [10000])
 * np.abs(np.mean(x)).lt(0.05).item() // => 1
 * ```
 */
export function normal(key: Key, shape: Shape = [], options: FloatOptions = {}): NDArray {
  const drawn = sampling('random.normal', key, shape, options)
  return drawNormal(drawn.key, drawn.shape, drawn.dtype)
}

/**
 * Normal samples between two bounds: √2·erf⁻¹(u) for uniform u between erf(lower/√2) and erf(upper/√2). The derivative by the bounds
 * passes through those.
 *
 * @param lower bounds that no sample reaches; they broadcast to the shape
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * const x = random.truncatedNormal(random.key(0), -2, 2, [100])
 * np.all(np.abs(x).lt(2)).item() // => 1
 * ```
 */
export function truncatedNormal(
  key: Key,
  lower: ArrayLike,
  upper: ArrayLike,
  shape?: SampleShape,
  options: FloatOptions = {},
): NDArray {
  const drawn = sampling('random.truncatedNormal', key, shape, options, [lower, upper], [], parameter)
  const [low, high] = drawn.params as [NDArray, NDArray]
  const root = scalar(Math.SQRT2, drawn.dtype)
  const [a, b] = [low, high].map((bound) => erf(divide(bound, root))) as [NDArray, NDArray]
  const x = multiply(root, erfInv(uniformBetween(drawn.key, drawn.shape, a, b)))
  // rounding must not reach the bounds
  const towards = (bound: NDArray, to: number): NDArray => nextafter(stopGradient(bound), scalar(to, drawn.dtype))
  return minimum(maximum(x, towards(low, Infinity)), towards(high, -Infinity))
}

export interface LognormalOptions extends FloatOptions {
  /** The standard deviation of the logarithm; 1 by default. */
  sigma?: ArrayLike
}
/**
 * Samples whose logarithms are normal: e^(σN).
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.all(random.lognormal(random.key(0), [100], { sigma: 0.5 }).gt(0)).item() // => 1
 * ```
 */
export function lognormal(key: Key, shape?: SampleShape, options: LognormalOptions = {}): NDArray {
  const { sigma = 1 } = options
  const drawn = sampling('random.lognormal', key, shape, options, [sigma], ['sigma'])
  return exp(multiply(drawNormal(drawn.key, drawn.shape, drawn.dtype), drawn.params[0]!))
}

/** Maxwell samples of a checked key. */
const drawMaxwell = (key: NDArray, shape: Shape, dtype: DType): NDArray =>
  sqrt(reduceSum(square(drawNormal(key, [...shape, 3], dtype)), [shape.length]))

/**
 * Maxwell samples, with density √(2/π)·x²e^−x²/2: the lengths of normal vectors in three dimensions.
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.maxwell(random.key(0), [2]).shape // => [2]
 * ```
 */
export function maxwell(key: Key, shape: Shape = [], options: FloatOptions = {}): NDArray {
  const drawn = sampling('random.maxwell', key, shape, options)
  return drawMaxwell(drawn.key, drawn.shape, drawn.dtype)
}

/**
 * Maxwell samples with random signs, scaled and shifted: ±M·scale + loc.
 *
 * @param shape comes before the shape of the parameters; if it is empty, theirs is taken twice, as in JAX
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.doubleSidedMaxwell(random.key(0), 1, 2, [5]).shape // => [5]
 * ```
 */
export function doubleSidedMaxwell(
  key: Key,
  loc: ArrayLike,
  scale: ArrayLike,
  shape: Shape = [],
  options: FloatOptions = {},
): NDArray {
  const where = 'random.doubleSidedMaxwell'
  const { key: one, shape: asked, dtype } = sampling(where, key, shape, options)
  const ofParams = broadcastShapes(where, shapeOf(loc), shapeOf(scale))
  const whole = [...(asked.length === 0 ? ofParams : asked), ...ofParams]
  const [keyOfLength, keyOfSign] = keysOf(one) as [NDArray, NDArray]
  const samples = multiply(rademacher(keyOfSign, whole, { dtype }), drawMaxwell(keyOfLength, whole, dtype))
  return add(multiply(samples, parameter(where, scale, dtype)), parameter(where, loc, dtype))
}

/**
 * Wald (inverse Gaussian) samples of a mean μ and scale 1.
 *
 * With y = N², x = μ + μ²y/2 − (μ/2)√(4μy + μ²y²): x with probability μ/(μ + x), else μ²/x
 * (Michael, Schucany and Haas, 1976, "Generating random variates using transformations with multiple roots").
 *
 * @param mean positive
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.all(random.wald(random.key(0), 1.5, [100]).gt(0)).item() // => 1
 * ```
 */
export function wald(key: Key, mean: ArrayLike, shape?: SampleShape, options: FloatOptions = {}): NDArray {
  const { key: one, shape: asked, dtype, params } = sampling('random.wald', key, shape, options, [mean])
  const [keyOfNormal, keyOfChoice] = keysOf(one) as [NDArray, NDArray]
  const mu = broadcastTo(params[0]!, asked)
  const y = integerPow(drawNormal(keyOfNormal, asked, dtype), 2)
  const z = drawUniform(keyOfChoice, asked, dtype)
  const squared = integerPow(mu, 2)
  const root = sqrt(add(multiply(multiply(mu, 4), y), multiply(squared, integerPow(y, 2))))
  const x = subtract(add(mu, divide(multiply(squared, y), 2)), multiply(divide(mu, 2), root))
  return choose(le(z, divide(mu, add(mu, x))), x, divide(squared, x))
}
