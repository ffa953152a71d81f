/**
 * Powers of f32s, as 2 to the y·log₂|x|. Numbers are pairs of f32s where one does not hold enough digits; products are made exact by cutting their
 * factors to 12 bits, so that nothing depends on how `fma` rounds.
 */
import {
  add,
  and,
  bitcast,
  convert,
  div,
  eq,
  f32,
  fma,
  gt,
  i32,
  lt,
  max,
  min,
  mul,
  ne,
  not,
  or,
  select,
  sub,
  truth,
  u32,
  unary,
} from '../loops/build.ts'
import type { Expr } from '../loops/ir.ts'
import { bitsOf, countBits, head, isNegative, magnitudeBits, polynomial, signBit } from './bits.ts'
import { exp2OfRest, scaled } from './exponential.ts'
import { split } from './logarithm.ts'

/** A sum of two f32s, of which the second is the smaller by far. */
interface Pair {
  readonly high: Expr
  readonly low: Expr
}
/** x + y as a pair, for |x| ≥ |y| or x = 0. */
function sum(x: Expr, y: Expr): Pair {
  const high = add(x, y)
  return { high, low: sub(y, sub(high, x)) }
}

/** 2/log 2, and its leading bits. */
const scale = 2 / Math.LN2
const scaleHead = Math.floor(scale * 1024) / 1024
const thirdHead = 1365 / 4096

/**
 * log₂ x of a positive number, with a relative error of about 2^-33: x = 2^e m, and log m is 2 artanh t = 2t (1 + t²/3 + …) at t = (m − 1)/(m + 1).
 */
function logOf(x: Expr): Pair {
  const small = lt(magnitudeBits(x), u32(0x800000))
  const { exponent, mantissa } = split(select(small, mul(x, f32(2 ** 24)), x))
  const e = convert('f32', sub(exponent, select(small, i32(24), i32(0))))
  const [above, below] = [sub(mantissa, f32(1)), add(mantissa, f32(1))]
  const [belowHead, belowTail] = [head(below), add(sub(below, head(below)), sub(mantissa, sub(below, f32(1))))]
  // t in two parts, the second from what division by the first leaves
  const t = head(div(above, below))
  const left = fma(t, mul(belowTail, f32(-1)), sub(above, mul(t, belowHead)))
  const tLow = div(left, below)
  // w = t²/3 + t⁴/5 + …
  const square = mul(t, t)
  const squareLow = mul(tLow, add(add(t, t), tLow))
  const squareHead = head(square)
  const first = mul(squareHead, f32(thirdHead))
  const both = add(square, squareLow)
  const others = polynomial(both, [0.200000763, 0.142735451, 0.117098212])
  const rest = fma(
    sub(square, squareHead),
    f32(thirdHead),
    fma(square, f32(1 / 3 - thirdHead), fma(squareLow, f32(1 / 3), mul(mul(both, both), others))),
  )
  const w = head(first)
  const wLow = add(sub(first, w), rest)
  // (t + tLow)(1 + w + wLow)
  const { high, low } = sum(t, mul(t, w))
  const series = add(low, fma(t, wLow, fma(tLow, add(w, wLow), tLow)))
  // times 2/log 2, plus e
  const highHead = head(high)
  const product = mul(highHead, f32(scaleHead))
  const productLow = fma(
    sub(high, highHead),
    f32(scale),
    fma(highHead, f32(scale - scaleHead), mul(series, f32(scale))),
  )
  const whole = sum(e, product)
  const total = sum(
    select(eq(e, f32(0)), product, whole.high),
    add(select(eq(e, f32(0)), f32(0), whole.low), productLow),
  )
  return total
}

/** An exponent: its leading 12 bits, and what a power must know of it beside its value. */
interface Exponent extends Pair {
  readonly isZero: Expr
  readonly isNegative: Expr
  readonly isNaN: Expr
  readonly isWhole: Expr
  readonly isOdd: Expr
}
function exponentOf(y: Expr): Exponent {
  const whole = eq(unary('trunc', y), y)
  const half = mul(y, f32(0.5))
  // Beyond 2^40 every base but 1 overflows, or vanishes.
  const held = min(max(y, f32(-(2 ** 40))), f32(2 ** 40))
  return {
    high: head(held),
    low: sub(held, head(held)),
    isZero: eq(magnitudeBits(y), u32(0)),
    isNegative: isNegative(y),
    isNaN: gt(magnitudeBits(y), u32(0x7f800000)),
    isWhole: whole,
    isOdd: and(whole, ne(unary('trunc', half), half)),
  }
}
/** An i32 or u32 as an exponent, without loss. */
function wholeExponentOf(y: Expr): Exponent {
  const type = y.type as 'i32' | 'u32'
  const high = head(convert('f32', y))
  return {
    high,
    low: convert('f32', bitcast('i32', sub(y, convert(type, high)))),
    isZero: eq(bitcast('u32', y), u32(0)),
    isNegative: type === 'i32' ? lt(y, i32(0)) : truth(false),
    isNaN: truth(false),
    isWhole: truth(true),
    isOdd: eq(and(bitcast('u32', y), u32(1)), u32(1)),
  }
}

/** x^y of an f32 and an f32, i32 or u32, with IEEE's special cases. */
export function pow(x: Expr, y: Expr): Expr {
  const exponent = y.type === 'f32' ? exponentOf(y) : wholeExponentOf(y)
  const size = bitcast('f32', magnitudeBits(x))
  const log = logOf(size)
  const logHead = head(log.high)
  const logTail = add(sub(log.high, logHead), log.low)
  const product = mul(exponent.high, logHead)
  const rest = fma(exponent.high, logTail, mul(exponent.low, add(logHead, logTail)))
  const power = add(product, rest)
  const held = min(max(power, f32(-151)), f32(129))
  const n = unary('nearest', held)
  const fraction = select(eq(power, held), add(sub(product, n), rest), f32(0))
  const finite = scaled(exp2OfRest(fraction), countBits(n))

  const atZero = eq(magnitudeBits(x), u32(0))
  const unbounded = or(atZero, eq(magnitudeBits(x), u32(0x7f800000)))
  const below = isNegative(x)
  // The power of 0 or infinity: one of the two.
  const end = select(eq(atZero, exponent.isNegative), f32(Infinity), f32(0))
  const isNaN = or(
    or(gt(magnitudeBits(x), u32(0x7f800000)), exponent.isNaN),
    and(and(below, not(unbounded)), not(exponent.isWhole)),
  )
  const sign = select(exponent.isOdd, signBit(x), u32(0))
  const signed = bitcast('f32', or(bitsOf(select(unbounded, end, finite)), sign))
  const one = or(exponent.isZero, eq(bitsOf(x), u32(0x3f800000)))
  return select(one, f32(1), select(isNaN, f32(NaN), signed))
}
