/** Polynomials as lists of coefficients, that of the highest power first. */
import type { ArrayLike, NDArray } from '../array.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { convert } from '../primitive/elementwise.ts'
import * as lax from '../primitive/movement.ts'
import { broadcastShapes, range } from '../shape.ts'
import { fromHost } from '../trace.ts'
import { vander } from './grids.ts'
import { at } from './indexing/at.ts'
import { get } from './indexing/get.ts'
import { epsOf } from './linalg/checks.ts'
import { inv, lstsq } from './linalg/solve.ts'
import { concatenate, stack } from './manipulation/join.ts'
import { atleast1d } from './manipulation/shapes.ts'
import { matmul, outer } from './products/matmul.ts'
import { convolve } from './products/vectors.ts'
import { asArray, broadcastTo, promoteDtypes, promoteDtypesInexact } from './promote.ts'
import { sum } from './reductions.ts'
import { add, divide, multiply, negative, square } from './ufuncs/arithmetic.ts'
import { sqrt } from './ufuncs/exponential.ts'

function coefficients(where: string, ...lists: readonly NDArray[]): void {
  const odd = lists.find((list) => list.ndim !== 1)
  if (odd !== undefined) throw new ShapeError(misuse(where, 'coefficients of rank 1', showAval(odd.aval)))
}
const checkOrder = (where: string, m: number): void => {
  if (!Number.isInteger(m) || m < 0)
    throw new OptionError(misuse(where, 'an order that is an integer and not negative', String(m)))
}

/**
 * The values of a polynomial, by Horner's rule.
 *
 * @param p f[n, ...] coefficients; further axes broadcast with `x`
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.polyval(np.array([1, 0, 2]), np.array([1, 3])) // => [3, 11]
 * ```
 */
export function polyval(p: ArrayLike, x: ArrayLike): NDArray {
  const [a, points] = promoteDtypes('polyval', p, x) as [NDArray, NDArray]
  if (a.ndim === 0) throw new ShapeError(misuse('polyval', 'coefficients of rank 1 or more', showAval(a.aval)))
  const shape = broadcastShapes('polyval', a.shape.slice(1), points.shape)
  const zero = lax.full(shape, 0, points.dtype, points.weakType)
  return range(a.shape[0]).reduce((y, i) => add(multiply(y, points), get(a, i)), zero)
}

/**
 * The sum of two polynomials.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.polyadd(np.array([1, 2]), np.array([5, 0, 1])) // => [5, 1, 3]
 * ```
 */
export function polyadd(p: ArrayLike, q: ArrayLike): NDArray {
  const [a, b] = promoteDtypes('polyadd', p, q) as [NDArray, NDArray]
  coefficients('polyadd', a, b)
  const [long, short] = b.size <= a.size ? [a, b] : [b, a]
  return at(long, { start: long.size - short.size, stop: null, step: 1 }).add(short)
}

/**
 * The difference of two polynomials.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.polysub(np.array([1, 2]), np.array([0, 1])) // => [1, 1]
 * ```
 */
export function polysub(p: ArrayLike, q: ArrayLike): NDArray {
  const [a, b] = promoteDtypes('polysub', p, q) as [NDArray, NDArray]
  return polyadd(a, negative(b))
}

/**
 * The product of two polynomials.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.polymul(np.array([1, 1]), np.array([1, -1])) // => [1, 0, -1]
 * ```
 */
export function polymul(p: ArrayLike, q: ArrayLike): NDArray {
  const [a, b] = promoteDtypesInexact('polymul', p, q) as [NDArray, NDArray]
  coefficients('polymul', a, b)
  const some = (list: NDArray): NDArray => (list.size === 0 ? lax.full([1], 0, list.dtype) : list)
  return convolve(some(a), some(b))
}

/**
 * Quotient and remainder of two polynomials, by long division. The remainder has as many coefficients as the dividend.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [quotient, remainder] = np.polydiv(np.array([1, 0, -1]), np.array([1, 1]))
 * quotient // => [1, -1]
 * remainder // => [0, 0, 0]
 * ```
 */
export function polydiv(p: ArrayLike, q: ArrayLike): [quotient: NDArray, remainder: NDArray] {
  const [a, b] = promoteDtypesInexact('polydiv', p, q) as [NDArray, NDArray]
  coefficients('polydiv', a, b)
  const steps = a.size - b.size + 1
  const scale = divide(1, get(b, 0))
  const digits: NDArray[] = []
  let rest = a
  for (const k of range(Math.max(0, steps))) {
    const digit = multiply(scale, get(rest, k))
    digits.push(digit)
    rest = at(rest, { start: k, stop: k + b.size, step: 1 }).add(negative(multiply(digit, b)))
  }
  return [digits.length === 0 ? lax.full([1], 0, a.dtype) : stack(digits), rest]
}

/** For each power the product of the m powers from it downwards: what differentiating m times brings down. */
function broughtDown(like: NDArray, powers: readonly number[], m: number): NDArray {
  const products = powers.map((power) => range(m).reduce((product, j) => product * Math.max(1, power - j), 1))
  return convert(
    fromHost({ shape: [products.length], dtype: 'float64', data: Float64Array.from(products) }),
    like.dtype,
  )
}

/**
 * A derivative of a polynomial.
 *
 * @param options `m`: how often to differentiate; 1 by default
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.polyder(np.array([1, 2, 3])) // => [2, 2]
 * ```
 */
export function polyder(p: ArrayLike, options: { m?: number } = {}): NDArray {
  checkOptions('polyder', options, ['m'])
  const { m = 1 } = options
  checkOrder('polyder', m)
  const [a] = promoteDtypesInexact('polyder', p) as [NDArray]
  coefficients('polyder', a)
  const length = Math.max(0, a.size - m)
  const powers = range(length).map((i) => a.size - 1 - i)
  return multiply(get(a, { start: 0, stop: length, step: 1 }), broughtDown(a, powers, m))
}

/**
 * An integral of a polynomial.
 *
 * @param options `m`: how often to integrate, 1 by default; `k`: the constants, one for all or one for each time, 0 by default
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.polyint(np.array([2, 2])) // => [1, 2, 0]
 * ```
 */
export function polyint(p: ArrayLike, options: { m?: number; k?: ArrayLike } = {}): NDArray {
  checkOptions('polyint', options, ['m', 'k'])
  const { m = 1, k = 0 } = options
  checkOrder('polyint', m)
  const [a, given] = promoteDtypesInexact('polyint', p, k) as [NDArray, NDArray]
  coefficients('polyint', a)
  const constants = atleast1d(given)
  if (constants.ndim !== 1 || (constants.size !== 1 && constants.size !== m)) {
    throw new ShapeError(misuse('polyint', `one constant, or ${m}`, showAval(given.aval)))
  }
  if (m === 0) return a
  const all = concatenate([a, broadcastTo(constants, [m])])
  // a constant of an early integration is integrated by those that follow
  const powers = range(all.size).map((i) => all.size - 1 - i)
  return divide(all, broughtDown(a, powers, m))
}

/**
 * A polynomial with given roots and leading coefficient 1.
 *
 * @param roots f[n]
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.poly(np.array([1, -1])) // => [1, 0, -1]
 * ```
 */
export function poly(roots: ArrayLike): NDArray {
  const [given] = promoteDtypesInexact('poly', roots) as [NDArray]
  const list = atleast1d(given)
  coefficients('poly', list)
  if (list.size === 0) return lax.full([], 1, list.dtype)
  return range(list.size).reduce(
    (p, i) => convolve(p, stack([1, negative(get(list, i))])),
    lax.full([1], 1, list.dtype),
  )
}

export interface PolyfitOptions {
  /** Singular values below this times the largest count as zero; n ε by default. */
  rcond?: number
  /** A weight for each point. */
  w?: ArrayLike
}
interface Fit {
  readonly coefficients: NDArray
  readonly residuals: NDArray
  readonly rank: NDArray
  readonly singularValues: NDArray
  readonly rcond: number
  /** The scaled system, and the scale of each power. */
  readonly lhs: NDArray
  readonly scale: NDArray
}

function fit(where: string, x: ArrayLike, y: ArrayLike, degree: number, options: PolyfitOptions): Fit {
  checkOptions(where, options, ['rcond', 'w'])
  checkOrder(where, degree)
  const [points, values] = promoteDtypesInexact(where, x, y) as [NDArray, NDArray]
  if (points.ndim !== 1 || points.size === 0 || values.ndim < 1 || values.ndim > 2 || values.shape[0] !== points.size) {
    const got = `${showAval(points.aval)} and ${showAval(values.aval)}`
    throw new ShapeError(misuse(where, 'points of rank 1, and as many values of rank 1 or 2', got))
  }
  const weights = options.w === undefined ? undefined : asArray(where, options.w)
  if (weights !== undefined && (weights.ndim !== 1 || weights.size !== points.size)) {
    throw new ShapeError(misuse(where, `${points.size} weights`, showAval(weights.aval)))
  }
  const weighed = (rows: NDArray): NDArray =>
    weights === undefined
      ? rows
      : multiply(rows, lax.reshape(weights, [weights.size, ...rows.shape.slice(1).map(() => 1)]))
  const powers = weighed(vander(points, { columns: degree + 1 }))
  // columns of length 1 make the system better conditioned
  const scale = sqrt(sum(square(powers), { axis: 0 }))
  const lhs = divide(powers, scale)
  const rcond = options.rcond ?? points.size * epsOf(points)
  const [c, residuals, rank, singularValues] = lstsq(lhs, weighed(values), { rcond })
  const scaled = divide(c, c.ndim === 1 ? scale : lax.expandDims(scale, [1]))
  return { coefficients: scaled, residuals, rank, singularValues, rcond, lhs, scale }
}

/**
 * The polynomial that comes closest to given values at given points: least squares.
 *
 * @param y f[n] or f[n, k]
 * @returns f[degree + 1] or f[degree + 1, k], that of the highest power first
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.round(np.polyfit(np.array([0, 1, 2]), np.array([1, 3, 5]), 1), { decimals: 3 }) // => [2, 1]
 * ```
 */
export const polyfit = (x: ArrayLike, y: ArrayLike, degree: number, options: PolyfitOptions = {}): NDArray =>
  fit('polyfit', x, y, degree, options).coefficients

/**
 * The same with the estimated covariance of the coefficients: `[coefficients, covariance]`.
 *
 * @throws ShapeError unless there are more points than coefficients
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [coefficients, covariance] = np.polyfitWithCovariance(np.arange(4), np.array([1, 3, 4, 7]), 1)
 * covariance.shape // => [2, 2]
 * ```
 */
export function polyfitWithCovariance(
  x: ArrayLike,
  y: ArrayLike,
  degree: number,
  options: PolyfitOptions = {},
): [coefficients: NDArray, covariance: NDArray] {
  const found = fit('polyfitWithCovariance', x, y, degree, options)
  const { lhs, scale, residuals } = found
  const [n, order] = [lhs.shape[0], degree + 1]
  if (n <= order) throw new ShapeError(misuse('polyfitWithCovariance', `more than ${order} points`, String(n)))
  const base = divide(inv(matmul(lax.transpose(lhs, [1, 0]), lhs)), outer(scale, scale))
  const factor = divide(residuals, n - order)
  const covariance =
    found.coefficients.ndim === 1 ? multiply(base, factor) : multiply(lax.expandDims(base, [2]), factor)
  return [found.coefficients, covariance]
}
