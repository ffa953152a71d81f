/** The incomplete gamma and beta functions, regularised, with what their derivatives need. */
import { continuedFraction } from './fraction.ts'
import { digamma, lgamma, stirlingTail } from './gamma.ts'

/** x^a e^-x / Γ(a). For large a as √(a/2π) e^(a (log(1+u) − u)) with u = x/a − 1, which keeps the digits that a log x − log Γ(a) cancels. */
function factor(a: number, x: number): number {
  if (a < 10) return Math.exp(a * Math.log(x) - x - lgamma(a))
  const u = (x - a) / a
  return Math.sqrt(a / (2 * Math.PI)) * Math.exp(a * (Math.log1p(u) - u) - stirlingTail(a))
}
/** Σ xⁿ / (a(a+1)…(a+n)), by which the factor gives P(a, x) (DLMF 8.7.1), and its derivative in a. */
function series(a: number, x: number): readonly [value: number, slope: number] {
  let term = 1 / a
  let logSlope = -1 / a
  let [sum, slope] = [term, term * logSlope]
  for (let n = 1; n < 100000; n++) {
    term *= x / (a + n)
    logSlope -= 1 / (a + n)
    sum += term
    slope += term * logSlope
    if (term < sum * 2 ** -54 && Math.abs(term * logSlope) < Math.abs(slope) * 2 ** -54) break
  }
  return [sum, slope]
}
const numerator = (a: number) => (n: number) => n * (a - n)
const denominator = (a: number, x: number) => (n: number) => x + 2 * n + 1 - a
/** 1/(x+1−a − 1(1−a)/(x+3−a − …)), by which the factor gives Q(a, x) (DLMF 8.9.2), and its derivative in a, backwards through the levels. */
function fraction(a: number, x: number): readonly [value: number, slope: number] {
  // a whole a ends the fraction at step a, but not its derivative: the steps are those of a fraction that does not end
  const between = Math.floor(a) + 0.5
  const [, steps] = continuedFraction(numerator(between), denominator(between, x))
  let [level, slope] = [denominator(a, x)(steps), -1]
  for (let n = steps; n > 0; n--) {
    const top = numerator(a)(n)
    slope = -1 + n / level - (top * slope) / (level * level)
    level = denominator(a, x)(n - 1) + top / level
  }
  return [1 / level, -slope / (level * level)]
}
// The series converges fast where x < a, the fraction where x > a.
const bySeries = (a: number, x: number): boolean => x < 1 || x < a

/** P(a, x), the regularised lower incomplete gamma function. */
export function igamma(a: number, x: number): number {
  if (!(x >= 0 && a >= 0) || (x === 0 && a === 0)) return NaN
  if (x === 0) return 0
  if (x === Infinity) return a === Infinity ? NaN : 1
  if (a === 0) return 1
  if (a === Infinity) return 0
  return bySeries(a, x) ? factor(a, x) * series(a, x)[0] : 1 - factor(a, x) * fraction(a, x)[0]
}
/** Q(a, x) = 1 − P(a, x). */
export function igammac(a: number, x: number): number {
  if (!(x >= 0 && a >= 0) || (x === 0 && a === 0)) return NaN
  if (x === 0) return 1
  if (x === Infinity) return a === Infinity ? NaN : 0
  if (a === 0) return 0
  if (a === Infinity) return 1
  return bySeries(a, x) ? 1 - factor(a, x) * series(a, x)[0] : factor(a, x) * fraction(a, x)[0]
}
/** The derivative of P(a, x) in a over x^a e^-x / Γ(a). */
function relativeSlope(a: number, x: number): number {
  const logSlope = Math.log(x) - digamma(a)
  const [value, slope] = bySeries(a, x) ? series(a, x) : fraction(a, x)
  return (bySeries(a, x) ? 1 : -1) * (value * logSlope + slope)
}
/** ∂P(a, x)/∂a. */
export function igammaGradA(a: number, x: number): number {
  if (!(x >= 0 && a > 0)) return NaN
  return x === 0 || x === Infinity ? 0 : factor(a, x) * relativeSlope(a, x)
}
/** How a sample x of the gamma distribution moves with a while its quantile stays: −∂P/∂a over the density. */
export function randomGammaGrad(a: number, x: number): number {
  if (!(x >= 0 && a > 0)) return NaN
  return x === 0 ? 0 : -x * relativeSlope(a, x)
}

/** Iₓ(a, b), the regularised incomplete beta function, by its continued fraction (DLMF 8.17.22), for x on the side where it converges fast. */
export function regularizedIncompleteBeta(a: number, b: number, x: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) return NaN
  if (x === 0 || x === 1) return x
  if (x > (a + 1) / (a + b + 2)) return 1 - lowerBeta(b, a, 1 - x, x)
  return lowerBeta(a, b, x, 1 - x)
}
/** Iₓ(a, b) with y = 1 − x. */
function lowerBeta(a: number, b: number, x: number, y: number): number {
  const coefficient = (n: number): number => {
    const m = Math.floor(n / 2)
    if (n % 2 === 0) return (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    return (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
  }
  const [value] = continuedFraction(coefficient, () => 1)
  return Math.exp(a * Math.log(x) + b * Math.log(y) + lgamma(a + b) - lgamma(a) - lgamma(b)) / (a * value)
}
