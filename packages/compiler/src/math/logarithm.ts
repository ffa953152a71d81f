/**
 * The logarithm and the inverses of hyperbolic functions, of f32. A number is 2^e (1 + f) with 1 + f from √½ to √2, and its logarithm
 * e·log 2 + log(1 + f); bounds are in docs/accuracy.md.
 */
import {
  abs,
  add,
  and,
  bitcast,
  convert,
  div,
  eq,
  f32,
  fma,
  ge,
  gt,
  i32,
  lt,
  mul,
  or,
  select,
  shl,
  shr,
  sub,
  u32,
  unary,
} from '../loops/build.ts'
import type { Expr } from '../loops/ir.ts'
import { bitsOf, magnitudeBits, polynomial, withSign, within } from './bits.ts'
import { log2High, log2Low } from './exponential.ts'

/** √½, from which on the numbers with the exponent of 0 begin. */
const halfRoot = 0x3f3504f3

interface Split {
  /** An i32. */
  readonly exponent: Expr
  /** From √½ to √2. */
  readonly mantissa: Expr
}
/** The two parts of a positive, normal number. */
export function split(x: Expr): Split {
  const above = sub(bitcast('i32', x), i32(halfRoot))
  return {
    exponent: shr(above, i32(23)),
    mantissa: bitcast('f32', add(and(above, i32(0x7fffff)), i32(halfRoot))),
  }
}
/** f³ P(f), which with f − f²/2 is log(1 + f), for f from √½ − 1 to √2 − 1. */
function logTail(f: Expr, square: Expr): Expr {
  const rest = polynomial(
    f,
    [0.333333164, -0.250008106, 0.20002301, -0.166245565, 0.141809642, -0.131285563, 0.128827572, -0.0786118954],
  )
  return mul(mul(f, square), rest)
}
/** log(1 + f) − f. */
export function logRest(f: Expr): Expr {
  const square = mul(f, f)
  return fma(square, f32(-0.5), logTail(f, square))
}
/** e·log 2 + log(1 + f) for a whole f32 e: the parts of log 2 are added to their like. */
export function logOf(e: Expr, f: Expr): Expr {
  const square = mul(f, f)
  const low = fma(square, f32(-0.5), fma(e, f32(log2Low), logTail(f, square)))
  return fma(e, f32(log2High), add(f, low))
}

/** log x of a positive, normal number. */
export function logOfNormal(x: Expr): Expr {
  const { exponent, mantissa } = split(x)
  return logOf(convert('f32', exponent), sub(mantissa, f32(1)))
}
/** log x. */
export function log(x: Expr): Expr {
  const bits = bitsOf(x)
  const small = within(x, 2 ** -126)
  const { exponent, mantissa } = split(select(small, mul(x, f32(2 ** 23)), x))
  const result = logOf(convert('f32', sub(exponent, select(small, i32(23), i32(0)))), sub(mantissa, f32(1)))
  const positive = lt(sub(bits, u32(1)), u32(0x7f7fffff))
  const special = select(eq(magnitudeBits(x), u32(0)), f32(-Infinity), select(eq(bits, u32(0x7f800000)), x, f32(NaN)))
  return select(positive, result, special)
}

/**
 * log(1 + y), or where `plain` log(2y), for y ≥ −1: with 1 + y ≈ 2^e (1 + f), f is 2^-e y + (2^-e − 1), of which the second part is exact, so that
 * no digit of a small y is lost.
 */
function logOfSum(y: Expr, plain?: Expr): Expr {
  const sum = add(f32(1), y)
  const { exponent, mantissa } = split(plain === undefined ? sum : select(plain, y, sum))
  const inverse = bitcast('f32', shl(sub(i32(127), exponent), i32(23)))
  const large = gt(exponent, i32(24))
  const f = select(
    plain === undefined ? large : or(large, plain),
    sub(mantissa, f32(1)),
    fma(y, inverse, sub(inverse, f32(1))),
  )
  const e = plain === undefined ? exponent : add(exponent, select(plain, i32(1), i32(0)))
  return logOf(convert('f32', e), f)
}
/** log(1 + x). */
export function log1p(x: Expr): Expr {
  const bits = bitsOf(x)
  const special = select(eq(bits, u32(0xbf800000)), f32(-Infinity), select(eq(bits, u32(0x7f800000)), x, f32(NaN)))
  const inside = and(gt(x, f32(-1)), lt(x, f32(Infinity)))
  return withSign(select(inside, logOfSum(x), special), x)
}
/** log(|x| + √(x² + 1)), as log(1 + |x| + x²/(1 + √(x² + 1))); of large numbers log(2|x|). */
export function asinh(x: Expr): Expr {
  const size = abs(x)
  const large = gt(size, f32(2 ** 14))
  const square = mul(size, size)
  const y = add(size, div(square, add(f32(1), unary('sqrt', add(square, f32(1))))))
  const result = logOfSum(select(large, size, y), large)
  return withSign(select(lt(size, f32(Infinity)), result, size), x)
}
/** log(x + √(x² − 1)), as log(1 + t + √(2t + t²)) with t = x − 1; of large numbers log(2x). */
export function acosh(x: Expr): Expr {
  const t = sub(x, f32(1))
  const large = gt(x, f32(2 ** 14))
  const y = add(t, unary('sqrt', fma(t, t, add(t, t))))
  const result = logOfSum(select(large, x, y), large)
  const infinite = eq(bitsOf(x), u32(0x7f800000))
  return select(ge(x, f32(1)), select(infinite, x, result), f32(NaN))
}
/** ½ log((1 + |x|)/(1 − |x|)), as ½ log(1 + 2|x|/(1 − |x|)). */
export function atanh(x: Expr): Expr {
  const size = abs(x)
  const y = div(add(size, size), sub(f32(1), size))
  const edge = select(eq(magnitudeBits(x), u32(0x3f800000)), f32(Infinity), f32(NaN))
  return withSign(select(within(x, 1), mul(f32(0.5), logOfSum(y)), edge), x)
}
