/** Distributions whose samples are a function of uniform ones: mostly the inverse of the distribution function. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, dtypes } from '../dtype.ts'
import { broadcastTo } from '../numpy/promote.ts'
import { choose } from '../numpy/select.ts'
import { add, divide, multiply, subtract } from '../numpy/ufuncs/arithmetic.ts'
import { power } from '../numpy/ufuncs/exponential.ts'
import { exp, log, log1p, neg, sign, sqrt, tan, abs, lt } from '../primitive/elementwise.ts'
import type { Shape } from '../shape.ts'
import { scalar } from '../trace.ts'
import { type FloatOptions, type SampleShape, parameter, sampling } from './arguments.ts'
import type { Key } from './key.ts'
import { drawUniform, uniformBetween } from './uniform.ts'

/** Exponential samples of a checked key. */
export const drawExponential = (key: NDArray, shape: Shape, dtype: DType): NDArray =>
  // log(1 − u), since u may be 0 but not 1
  neg(log1p(neg(drawUniform(key, shape, dtype))))
/** Uniform samples from the smallest normal number up to 1: never 0. */
export const drawPositive = (key: NDArray, shape: Shape, dtype: DType): NDArray =>
  uniformBetween(key, shape, scalar(dtypes[dtype].tiny, dtype), scalar(1, dtype))

/**
 * Exponential samples of rate 1, with density e^−x: −log(1 − u).
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.all(random.exponential(random.key(0), [100]).ge(0)).item() // => 1
 * ```
 */
export function exponential(key: Key, shape: Shape = [], options: FloatOptions = {}): NDArray {
  const drawn = sampling('random.exponential', key, shape, options)
  return drawExponential(drawn.key, drawn.shape, drawn.dtype)
}

/**
 * Laplace samples, with density ½e^−|x|: sign(u)·log(1 − |u|) for uniform u between −1 and 1.
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.laplace(random.key(0), [2, 3]).shape // => [2, 3]
 * ```
 */
export function laplace(key: Key, shape: Shape = [], options: FloatOptions = {}): NDArray {
  const { key: one, shape: asked, dtype } = sampling('random.laplace', key, shape, options)
  // −1 itself would give an infinite sample
  const u = uniformBetween(one, asked, scalar(-1 + dtypes[dtype].eps / 2, dtype), scalar(1, dtype))
  return multiply(sign(u), log1p(neg(abs(u))))
}

/**
 * Logistic samples, with distribution function 1/(1 + e^−x): log u − log(1 − u).
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.logistic(random.key(0)).shape // => []
 * ```
 */
export function logistic(key: Key, shape: Shape = [], options: FloatOptions = {}): NDArray {
  const { key: one, shape: asked, dtype } = sampling('random.logistic', key, shape, options)
  const u = drawPositive(one, asked, dtype)
  return subtract(log(u), log1p(neg(u)))
}

/**
 * Cauchy samples, with density 1/(π(1 + x²)): tan π(u − ½).
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.cauchy(random.key(0), [4]).dtype // => 'float32'
 * ```
 */
export function cauchy(key: Key, shape: Shape = [], options: FloatOptions = {}): NDArray {
  const { key: one, shape: asked, dtype } = sampling('random.cauchy', key, shape, options)
  const u = uniformBetween(one, asked, scalar(dtypes[dtype].eps, dtype), scalar(1, dtype))
  return tan(multiply(Math.PI, subtract(u, 0.5)))
}

/**
 * Pareto samples of shape parameter b, with density b/x^(b + 1) from 1 on: e^(E/b) for exponential E.
 *
 * @param b positive
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.all(random.pareto(random.key(0), 3, [100]).ge(1)).item() // => 1
 * ```
 */
export function pareto(key: Key, b: ArrayLike, shape?: SampleShape, options: FloatOptions = {}): NDArray {
  const { key: one, shape: asked, dtype, params } = sampling('random.pareto', key, shape, options, [b])
  return exp(divide(drawExponential(one, asked, dtype), params[0]!))
}

/**
 * Weibull samples, with density (c/s)(x/s)^(c − 1) e^−(x/s)^c: s·(−log(1 − u))^(1/c). Parameters broadcast against `shape`.
 *
 * @param scale s, positive
 * @param concentration c, positive
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.weibullMin(random.key(0), 1, 2, [3]).shape // => [3]
 * ```
 */
export function weibullMin(
  key: Key,
  scale: ArrayLike,
  concentration: ArrayLike,
  shape: Shape = [],
  options: FloatOptions = {},
): NDArray {
  const where = 'random.weibullMin'
  const { key: one, shape: asked, dtype } = sampling(where, key, shape, options)
  const [s, c] = [scale, concentration].map((param) => parameter(where, param, dtype)) as [NDArray, NDArray]
  return multiply(power(drawExponential(one, asked, dtype), divide(1, c)), s)
}
/**
 * Rayleigh samples, with density (x/s²) e^−x²/(2s²): s·√(−2 log u).
 *
 * @param scale s, positive
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.rayleigh(random.key(0), 1, [3]).shape // => [3]
 * ```
 */
export function rayleigh(key: Key, scale: ArrayLike, shape?: SampleShape, options: FloatOptions = {}): NDArray {
  const { key: one, shape: asked, dtype, params } = sampling('random.rayleigh', key, shape, options, [scale])
  return multiply(params[0]!, sqrt(multiply(log(drawUniform(one, asked, dtype)), -2)))
}

/**
 * Triangular samples between `left` and `right`, most often near `mode`.
 *
 * With F = (mode − left)/(right − left): left + √(u(right − left)(mode − left)) where u < F, else
 * right − √((1 − u)(right − left)(right − mode)).
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * const x = random.triangular(random.key(0), -1, 0, 3, [100])
 * np.all(np.abs(x.sub(1)).le(2)).item() // => 1
 * ```
 */
export function triangular(
  key: Key,
  left: ArrayLike,
  mode: ArrayLike,
  right: ArrayLike,
  shape?: SampleShape,
  options: FloatOptions = {},
): NDArray {
  const drawn = sampling('random.triangular', key, shape, options, [left, mode, right])
  const [a, c, b] = drawn.params as [NDArray, NDArray, NDArray]
  const u = drawUniform(drawn.key, drawn.shape, drawn.dtype)
  const width = subtract(b, a)
  const rising = add(a, sqrt(multiply(multiply(u, width), subtract(c, a))))
  const falling = subtract(b, sqrt(multiply(multiply(subtract(1, u), width), subtract(b, c))))
  const middle = broadcastTo(divide(subtract(c, a), width), drawn.shape)
  return choose(lt(u, middle), rising, falling)
}
