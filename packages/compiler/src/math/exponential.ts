/**
 * The exponential function and what is made of it, of f32. Each is a number 2^n times a polynomial in r = x − n·log 2, |r| ≤ ½ log 2; bounds are in
 * docs/accuracy.md.
 */
import { abs, add, div, f32, fma, i32, lt, max, min, mul, neg, select, sub, unary } from '../loops/build.ts'
import type { Expr } from '../loops/ir.ts'
import { countBits, countZero, isNegative, polynomial, powerOfTwo, withSign, within } from './bits.ts'

/** log 2 in two parts; the first has 15 bits, so that its product with a count of up to 9 is exact. */
export const log2High = 0.693145751953125
export const log2Low: number = Math.LN2 - log2High

interface Reduced {
  /** n as an f32, and as the low bits of an i32. */
  readonly bits: Expr
  /** x − n·log 2. */
  readonly r: Expr
}
function reduced(x: Expr): Reduced {
  const n = unary('nearest', mul(x, f32(Math.LOG2E)))
  return { bits: countBits(n), r: fma(n, f32(-log2Low), fma(n, f32(-log2High), x)) }
}
/** e^r for |r| ≤ ½ log 2, with a relative error of 2^-28 beside rounding. */
const expOfRest = (r: Expr): Expr => polynomial(r, [1, 1, 0.5, 0.166665196, 0.0416664034, 0.00836883113, 0.00139405322])
/** e^r − 1 for |r| ≤ ½ log 2, with a relative error of 2^-31 beside rounding. */
const expm1OfRest = (r: Expr): Expr =>
  fma(mul(r, r), polynomial(r, [0.5, 0.166666672, 0.0416664891, 0.00833320804, 0.00139326858, 0.000199442555]), r)

/** p · 2^n: the power in two steps, of which the second rounds to what has no leading one, or overflows. */
export function scaled(p: Expr, bits: Expr): Expr {
  const down = lt(bits, i32(countZero))
  const power = powerOfTwo(bits, select(down, i32((127 + 64) * 2 ** 23), i32(126 * 2 ** 23)))
  return mul(mul(p, power), select(down, f32(2 ** -64), f32(2)))
}
/** e^x. */
export function exp(x: Expr): Expr {
  const { bits, r } = reduced(min(max(x, f32(-104)), f32(89)))
  return scaled(expOfRest(r), bits)
}
/** 2^x. */
export function exp2(x: Expr): Expr {
  const held = min(max(x, f32(-151)), f32(129))
  const n = unary('nearest', held)
  return scaled(exp2OfRest(sub(held, n)), countBits(n))
}
/** 2^r for |r| ≤ ½, with a relative error of 2^-28 beside rounding. */
export const exp2OfRest = (r: Expr): Expr =>
  polynomial(r, [1, 0.693147182, 0.240226507, 0.0555035919, 0.00961806159, 0.00133912021, 0.000154633031])

/** e^x for x ≤ 0. */
export function expOfNegative(x: Expr): Expr {
  const { bits, r } = reduced(max(x, f32(-104)))
  return mul(mul(expOfRest(r), powerOfTwo(bits, 64)), f32(2 ** -64))
}
/** ½ e^x for x ≥ 0, which overflows where that does. */
function halfExp(x: Expr): Expr {
  const { bits, r } = reduced(min(x, f32(90)))
  return mul(mul(expOfRest(r), powerOfTwo(bits, -2)), f32(2))
}

/** e^x − 1 = 2^n (e^r − 1) + (2^n − 1), halved on the way so that 2^n does not overflow. */
export function expm1(x: Expr): Expr {
  const { bits, r } = reduced(min(max(x, f32(-18)), f32(89)))
  const half = powerOfTwo(bits, -1)
  const result = mul(fma(half, expm1OfRest(r), sub(half, f32(0.5))), f32(2))
  // keeps −0, and what halving would lose
  return select(within(x, 2 ** -25), x, result)
}
/** e^x − 1 for −20 ≤ x ≤ 0. */
function expm1OfNegative(x: Expr): Expr {
  const { bits, r } = reduced(x)
  const power = powerOfTwo(bits, 0)
  return fma(power, expm1OfRest(r), sub(power, f32(1)))
}

/** 1/(1 + e^-x), as e^-|x| over or under 1 + e^-|x|, so that neither tail loses digits. */
export function logistic(x: Expr): Expr {
  const e = expOfNegative(neg(abs(x)))
  return div(select(isNegative(x), e, f32(1)), add(f32(1), e))
}
/** tanh |x| = −t/(t + 2) with t = e^(−2|x|) − 1. */
export function tanh(x: Expr): Expr {
  const t = expm1OfNegative(max(mul(abs(x), f32(-2)), f32(-20)))
  return withSign(abs(div(t, add(t, f32(2)))), x)
}
/** Of |x| ≥ 1 it is h − ¼/h with h = ½ e^|x|; below, an odd polynomial. */
export function sinh(x: Expr): Expr {
  const size = abs(x)
  const half = halfExp(size)
  const square = mul(x, x)
  const small = fma(
    mul(size, square),
    polynomial(square, [0.166666672, 0.00833331142, 0.000198426322, 2.78396305e-6]),
    size,
  )
  return withSign(select(within(x, 1), small, sub(half, div(f32(0.25), half))), x)
}
/** h + ¼/h with h = ½ e^|x|. */
export function cosh(x: Expr): Expr {
  const half = halfExp(abs(x))
  return add(half, div(f32(0.25), half))
}

/** e^x for −80 ≤ x ≤ 0, where powers of two are normal numbers. */
export function expOfSmall(x: Expr): Expr {
  const { bits, r } = reduced(x)
  return mul(expOfRest(r), powerOfTwo(bits, 0))
}
/** e^(x + y) z for −110 ≤ x ≤ 0 and a y that is small beside 1. */
export function scaledExp(x: Expr, y: Expr, z: Expr): Expr {
  const { bits, r } = reduced(x)
  return mul(mul(mul(expOfRest(add(r, y)), z), powerOfTwo(bits, 64)), f32(2 ** -64))
}
