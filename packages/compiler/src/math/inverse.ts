/** Inverses of sine, cosine and tangent, of f32; bounds are in docs/accuracy.md. */
import { abs, add, and, div, eq, f32, fma, gt, le, lt, mul, select, sub, u32, unary } from '../loops/build.ts'
import type { Expr } from '../loops/ir.ts'
import { bitsOf, isNegative, magnitudeBits, pattern, polynomial, timesSign, withSign } from './bits.ts'

/** π in two parts. */
const [piHigh, piLow] = [Math.fround(Math.PI), Math.PI - Math.fround(Math.PI)]

/** atan t for 0 ≤ t ≤ 1. */
function atanOf(t: Expr): Expr {
  const square = mul(t, t)
  const rest = polynomial(
    square,
    [
      -0.333332986, 0.19998531, -0.142640516, 0.109511755, -0.084004797, 0.0579066426, -0.0311270915, 0.0108873891,
      -0.00178754563,
    ],
  )
  return fma(mul(t, square), rest, t)
}
/** π/2 − x and π − x, for x from 0 to π/2: the parts of the constant added to their like. */
const quarterLess = (x: Expr): Expr => sub(f32(piHigh / 2), sub(x, f32(piLow / 2)))
const halfLess = (x: Expr): Expr => sub(f32(piHigh), sub(x, f32(piLow)))

/** atan x; from 1 on it is π/2 − atan 1/x. */
export function atan(x: Expr): Expr {
  const size = abs(x)
  const large = gt(size, f32(1))
  const angle = atanOf(select(large, div(f32(1), size), size))
  return withSign(select(large, quarterLess(angle), angle), x)
}
/** The angle of the point (x, y), from −π to π; zeros have sides, as IEEE has it. */
export function atan2(y: Expr, x: Expr): Expr {
  const [height, width] = [abs(y), abs(x)]
  // by bits, of which those of NaN are the greatest
  const steep = gt(magnitudeBits(y), magnitudeBits(x))
  const [short, long] = [select(steep, width, height), select(steep, height, width)]
  // 0/0 counts as 0, and ∞/∞ as 1
  const atOrigin = eq(bitsOf(long), u32(0))
  const far = and(eq(bitsOf(short), u32(0x7f800000)), eq(bitsOf(long), u32(0x7f800000)))
  const ratio = select(atOrigin, f32(0), select(far, f32(1), div(short, long)))
  const angle = atanOf(ratio)
  const upper = select(steep, quarterLess(angle), angle)
  return timesSign(select(isNegative(x), halfLess(upper), upper), y)
}

/** asin s − s for |s| ≤ ½, given s². */
const asinRest = (s: Expr, square: Expr): Expr =>
  mul(mul(s, square), polynomial(square, [0.166667521, 0.0749530718, 0.0454696417, 0.0241814982, 0.0421651192]))
/** A size up to ½, or √((1 − size)/2), of which the arc is half what is left to π/2. */
function halved(x: Expr): { readonly small: Expr; readonly s: Expr; readonly rest: Expr } {
  const size = abs(x)
  const small = le(size, f32(0.5))
  const half = fma(size, f32(-0.5), f32(0.5))
  const square = select(small, mul(size, size), half)
  const s = select(small, size, unary('sqrt', half))
  return { small, s, rest: asinRest(s, square) }
}
const inUnit = (x: Expr, result: Expr): Expr => select(lt(magnitudeBits(x), u32(pattern(1) + 1)), result, f32(NaN))
/** asin x; above ½ it is π/2 − 2 asin √((1 − x)/2). */
export function asin(x: Expr): Expr {
  const { small, s, rest } = halved(x)
  const arc = add(s, rest)
  return inUnit(x, withSign(select(small, arc, quarterLess(add(arc, arc))), x))
}
/** acos x: π/2 − asin x, above ½ 2 asin √((1 − x)/2), below −½ what that of −x leaves of π. */
export function acos(x: Expr): Expr {
  const { small, s, rest } = halved(x)
  const arc = add(s, rest)
  const twice = add(arc, arc)
  const signed = timesSign(arc, x)
  return inUnit(x, select(small, quarterLess(signed), select(isNegative(x), halfLess(twice), twice)))
}
