/** The gamma distribution, and those whose samples are functions of its samples. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, dtypes } from '../dtype.ts'
import { customJvp } from '../control/custom.ts'
import { whileLoop } from '../control/loops.ts'
import { ShapeError, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { asArray, broadcastTo } from '../numpy/promote.ts'
import { choose } from '../numpy/select.ts'
import { add, divide, maximum, multiply, subtract } from '../numpy/ufuncs/arithmetic.ts'
import { power } from '../numpy/ufuncs/exponential.ts'
import { abs, and, eq, exp, ge, le, log, mul, neg, or, randomGammaGrad, sqrt } from '../primitive/elementwise.ts'
import { expandDims, reshape } from '../primitive/movement.ts'
import { randomSplit } from '../primitive/random.ts'
import { reduceMax, reduceSum } from '../primitive/reduce.ts'

import { stopGradient } from '../primitive/stop.ts'
import { type Shape, sizeOf } from '../shape.ts'
import { scalar } from '../trace.ts'
import { vmap } from '../transform/vectorize.ts'
import {
  type FloatOptions,
  type SampleShape,
  checkCount,
  keysOf,
  parameter,
  sampleShape,
  sampling,
} from './arguments.ts'
import { rademacher } from './choices.ts'
import { drawExponential } from './inverse.ts'
import type { Key } from './key.ts'
import { drawNormal } from './normal.ts'
import { drawUniform } from './uniform.ts'

/**
 * One gamma sample, or its logarithm, for a scalar a ≥ 0 (Marsaglia and Tsang, 2000, "A simple method for generating gamma
 * variables"): d·V with d = a − ⅓ and V = (1 + x/√(9d))³ for normal x, accepted by a uniform U. For a < 1 a sample of a + 1 is
 * multiplied by u^(1/a).
 */
function drawOne(key: NDArray, a: NDArray, inLogs: boolean): NDArray {
  const { dtype } = a
  const constant = (value: number): NDArray => scalar(value, dtype)
  const [zero, one, two] = [constant(0), constant(1), constant(2)]
  const large = ge(a, one)
  const d = subtract(choose(large, a, add(a, 1)), 1 / 3)
  const c = divide(1 / 3, sqrt(d))

  const rejected = ([, x, v, u]: readonly NDArray[]): NDArray =>
    and(
      ge(u!, subtract(1, multiply(0.0331, mul(x!, x!)))),
      ge(log(u!), add(multiply(x!, 0.5), mul(d, add(subtract(1, v!), log(v!))))),
    )
  const propose = ([start]: readonly NDArray[]): NDArray[] => {
    const [next, keyOfX, keyOfU] = keysOf(start!, 3) as [NDArray, NDArray, NDArray]
    const positive = whileLoop(
      ([, , v]: readonly NDArray[]) => le(v!, zero),
      ([inner]: readonly NDArray[]) => {
        const [following, subkey] = keysOf(inner!) as [NDArray, NDArray]
        const x = drawNormal(subkey, [], dtype)
        return [following, x, add(1, mul(x, c))]
      },
      [keyOfX, zero, constant(-1)] as readonly NDArray[],
    )
    const [, x, v] = positive as readonly [NDArray, NDArray, NDArray]
    return [next, mul(x, x), mul(mul(v, v), v), drawUniform(keyOfU, [], dtype)]
  }
  const [loopKey, boostKey] = keysOf(key) as [NDArray, NDArray]
  // U = 2 is rejected, so that the loop runs once at least
  const accepted = whileLoop(rejected, propose, [loopKey, zero, one, two] as readonly NDArray[])
  const volume = (accepted as readonly NDArray[])[2]!
  if (!inLogs) {
    const u = subtract(1, drawUniform(boostKey, [], dtype))
    return mul(mul(d, volume), choose(large, one, power(u, divide(1, a))))
  }
  const logU = neg(drawExponential(boostKey, [], dtype))
  const boost = choose(or(large, eq(logU, zero)), zero, mul(logU, divide(1, a)))
  return add(add(log(d), log(volume)), boost)
}

function drawAll(key: NDArray, a: NDArray, inLogs: boolean): NDArray {
  const count = sizeOf(a.shape)
  if (count === 0) return a
  const samples = vmap((one: NDArray, each: NDArray) => drawOne(one, each, inLogs))(
    randomSplit(key, [count]),
    reshape(a, [count]),
  )
  return reshape(samples, a.shape)
}

// The sample as a function of a at a fixed value of the distribution function, z(a) with F(z; a) = const, has the derivative
// dz/da = −(∂F/∂a)/(∂F/∂z) (Figurnov, Mohamed and Mnih, 2018, "Implicit reparameterization gradients").
const drawPlain = customJvp((key: NDArray, a: NDArray): NDArray => drawAll(key, a, false))
drawPlain.defjvp(([key, a], [, tangent]) => {
  const sample = drawPlain(key, a)
  return [sample, mul(tangent, randomGammaGrad(a, sample))]
})
const drawLogs = customJvp((key: NDArray, a: NDArray): NDArray => drawAll(key, a, true))
drawLogs.defjvp(([key, a], [, tangent]) => {
  const logarithm = drawLogs(key, a)
  const sample = maximum(exp(logarithm), dtypes[a.dtype].tiny)
  return [logarithm, mul(tangent, divide(randomGammaGrad(a, sample), sample))]
})

/**
 * Gamma samples of a shape parameter and scale 1, with density x^(a − 1) e^−x / Γ(a). Differentiable by `a`: the derivative is that
 * of the sample at a fixed value of the distribution function.
 *
 * @param a positive
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.all(random.gamma(random.key(0), 2.5, [10]).gt(0)).item() // => 1
 * ```
 */
export function gamma(key: Key, a: ArrayLike, shape?: SampleShape, options: FloatOptions = {}): NDArray {
  const drawn = sampling('random.gamma', key, shape, options, [a], [], parameter)
  return drawPlain(drawn.key, broadcastTo(drawn.params[0]!, drawn.shape))
}

/**
 * Logarithms of gamma samples, accurate where samples of a small `a` are too small for the dtype.
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.all(np.isfinite(random.loggamma(random.key(0), 0.001, [10]))).item() // => 1
 * ```
 */
export function loggamma(key: Key, a: ArrayLike, shape?: SampleShape, options: FloatOptions = {}): NDArray {
  const drawn = sampling('random.loggamma', key, shape, options, [a], [], parameter)
  return drawLogs(drawn.key, broadcastTo(drawn.params[0]!, drawn.shape))
}

/**
 * Beta samples, with density proportional to x^(a − 1)(1 − x)^(b − 1): A/(A + B) for gamma samples A of a and B of b.
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.all(random.beta(random.key(0), 2, 3, [10]).lt(1)).item() // => 1
 * ```
 */
export function beta(key: Key, a: ArrayLike, b: ArrayLike, shape?: SampleShape, options: FloatOptions = {}): NDArray {
  const drawn = sampling('random.beta', key, shape, options, [a, b])
  const keys = keysOf(drawn.key)
  const logs = drawn.params.map((param, i) => drawLogs(keys[i]!, broadcastTo(param, drawn.shape)))
  // scaled by the larger one, so that neither overflows
  const largest = maximum(logs[0]!, logs[1]!)
  const [x, y] = logs.map((one) => exp(subtract(one, largest))) as [NDArray, NDArray]
  return divide(x, add(x, y))
}

/**
 * Dirichlet samples: gamma samples of the `alpha`s, divided by their sum along the last axis.
 *
 * @param alpha f32[..., n], positive
 * @param shape without the last axis, that of `alpha` by default
 * @returns f32[...shape, n], with sums of 1
 * @throws ShapeError if `alpha` is a scalar
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * random.dirichlet(random.key(0), np.array([1, 2, 3]), [5]).shape // => [5, 3]
 * ```
 */
export function dirichlet(key: Key, alpha: ArrayLike, shape?: SampleShape, options: FloatOptions = {}): NDArray {
  const where = 'random.dirichlet'
  const { key: one, dtype } = sampling(where, key, [], options)
  const given = asArray(where, alpha, 1)
  if (given.ndim === 0) throw new ShapeError(misuse(where, 'an array of parameters f32[...,n]', showAval(given.aval)))
  const asked = sampleShape(where, shape, given.shape.slice(0, -1))
  const whole = [...asked, given.shape.at(-1)!]
  const logs = drawLogs(one, broadcastTo(parameter(where, given, dtype), whole))
  const axis = asked.length
  const scaled = exp(subtract(logs, stopGradient(expandDims(reduceMax(logs, [axis]), [axis]))))
  return divide(scaled, expandDims(reduceSum(scaled, [axis]), [axis]))
}

/** Chi-square samples of a checked key. */
const drawChisquare = (key: NDArray, df: NDArray, shape: Shape): NDArray =>
  multiply(exp(drawLogs(key, broadcastTo(divide(df, 2), shape))), 2)

/**
 * Chi-square samples: twice the gamma samples of half the degrees of freedom.
 *
 * @param df degrees of freedom, positive
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.chisquare(random.key(0), 3, [4]).shape // => [4]
 * ```
 */
export function chisquare(key: Key, df: ArrayLike, shape?: SampleShape, options: FloatOptions = {}): NDArray {
  const drawn = sampling('random.chisquare', key, shape, options, [df])
  return drawChisquare(drawn.key, drawn.params[0]!, drawn.shape)
}

/**
 * F samples: the ratio of two chi-square samples, each divided by its degrees of freedom.
 *
 * @param dfnum degrees of freedom above, positive
 * @param dfden degrees of freedom below, positive
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.f(random.key(0), 3, 5, [4]).shape // => [4]
 * ```
 */
export function f(
  key: Key,
  dfnum: ArrayLike,
  dfden: ArrayLike,
  shape?: SampleShape,
  options: FloatOptions = {},
): NDArray {
  const drawn = sampling('random.f', key, shape, options, [dfnum, dfden])
  const [above, below] = drawn.params as [NDArray, NDArray]
  const [keyBelow, keyAbove] = keysOf(drawn.key) as [NDArray, NDArray]
  const mean = (one: NDArray, df: NDArray): NDArray => divide(drawChisquare(one, df, drawn.shape), df)
  return divide(mean(keyAbove, above), mean(keyBelow, below))
}

/**
 * Student's t samples: N·√((df/2)/G) for normal N and gamma G of df/2.
 *
 * @param df degrees of freedom, positive
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.t(random.key(0), 4, [4]).shape // => [4]
 * ```
 */
export function t(key: Key, df: ArrayLike, shape?: SampleShape, options: FloatOptions = {}): NDArray {
  const drawn = sampling('random.t', key, shape, options, [df])
  const [keyOfNormal, keyOfGamma] = keysOf(drawn.key) as [NDArray, NDArray]
  const half = divide(drawn.params[0]!, 2)
  const samples = drawPlain(keyOfGamma, broadcastTo(half, drawn.shape))
  return multiply(drawNormal(keyOfNormal, drawn.shape, drawn.dtype), sqrt(divide(half, samples)))
}

/** Generalised normal samples of a checked key. */
function drawGeneralizedNormal(key: NDArray, p: NDArray, shape: Shape, dtype: DType): NDArray {
  const [keyOfGamma, keyOfSign] = keysOf(key) as [NDArray, NDArray]
  const inverse = divide(1, p)
  const samples = drawPlain(keyOfGamma, broadcastTo(inverse, shape))
  return multiply(rademacher(keyOfSign, shape, { dtype }), power(samples, inverse))
}

/**
 * Generalised normal samples, with density proportional to e^−|x|^p: gamma samples of 1/p to the power of 1/p, with random signs.
 *
 * @param p positive; 2 gives normal samples of variance ½, 1 Laplace samples
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.generalizedNormal(random.key(0), 1.5, [4]).shape // => [4]
 * ```
 */
export function generalizedNormal(key: Key, p: ArrayLike, shape: Shape = [], options: FloatOptions = {}): NDArray {
  const drawn = sampling('random.generalizedNormal', key, shape, options, [p], [], parameter)
  return drawGeneralizedNormal(drawn.key, drawn.params[0]!, drawn.shape, drawn.dtype)
}

export interface BallOptions extends FloatOptions {
  /** The norm in which the ball is one; 2 by default. */
  p?: ArrayLike
}
/**
 * Points spread evenly in the unit ball of d dimensions: g/(Σ|g|^p + E)^(1/p) for generalised normal g and exponential E (Barthe,
 * Guédon, Mendelson and Naor, 2005, "A probabilistic approach to the geometry of the l_p^n-ball").
 *
 * @param d the number of dimensions
 * @returns f32[...shape, d]
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * const points = random.ball(random.key(0), 3, [10])
 * np.all(np.sum(points.mul(points), { axis: 1 }).lt(1)).item() // => 1
 * ```
 */
export function ball(key: Key, d: number, shape: Shape = [], options: BallOptions = {}): NDArray {
  const where = 'random.ball'
  const { p = 2 } = options
  const drawn = sampling(where, key, shape, options, [], ['p'])
  const [keyOfPoint, keyOfRadius] = keysOf(drawn.key) as [NDArray, NDArray]
  const exponent = parameter(where, p, drawn.dtype)
  const g = drawGeneralizedNormal(keyOfPoint, exponent, [...drawn.shape, checkCount(where, 'd', d)], drawn.dtype)
  const sizes = reduceSum(power(abs(g), exponent), [drawn.shape.length])
  const radius = power(add(sizes, drawExponential(keyOfRadius, drawn.shape, drawn.dtype)), divide(1, exponent))
  return divide(g, expandDims(radius, [drawn.shape.length]))
}
