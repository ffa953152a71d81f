/** Arguments of sine and cosine less the nearest multiple of π/2. */
import {
  abs,
  add,
  and,
  assign,
  bitcast,
  convert,
  f32,
  fma,
  ge,
  local,
  lt,
  mul,
  not,
  or,
  select,
  shl,
  shr,
  sub,
  u32,
  unary,
} from '../loops/build.ts'
import { type Expr, Local, type Stmt } from '../loops/ir.ts'
import { countBits, magnitudeBits } from './bits.ts'

/** An angle as n·π/2 + r, |r| ≤ π/4. */
export interface Turn {
  /** n, in its last two bits, as a u32. */
  readonly quarters: Expr
  readonly r: Expr
}

/** From which size on an argument is large. */
export const largeFrom = 8192
/** π/2 in parts: the first three have 11 bits, so that their products with counts of up to 13 are exact. */
const [first, second, third, fourth] = [1.5703125, 0.0004837512969970703, 7.549533620476723e-8, 2.5633440682570896e-12]
/**
 * The turn of |x| that is not large: the multiple is subtracted part by part (Cody and Waite). The first two differences are exact; what rounding
 * takes from the third is added with the last part.
 */
export function smallTurn(x: Expr): Turn {
  const size = abs(x)
  const n = unary('nearest', mul(size, f32(2 / Math.PI)))
  const exact = fma(n, f32(-second), fma(n, f32(-first), size))
  const rest = fma(n, f32(-third), exact)
  const lost = fma(n, f32(-third), sub(exact, rest))
  return { quarters: bitcast('u32', countBits(n)), r: add(rest, fma(n, f32(-fourth), lost)) }
}

/** 24 zeros and the leading bits of 1/2π, by words. */
const inverse = [0x28, 0xbe60db93, 0x91054a7f, 0x9d5f47d, 0x4d377036, 0xd8a5664f, 0x10e4107f, 0x9458eaf7]
/** 2π/2^32, and its first 12 bits. */
const unit = (2 * Math.PI) / 2 ** 32
const unitHigh = Math.floor(unit * 2 ** 38) / 2 ** 38
/** The high word of a product of u32s, the first of them below 2^24. */
function highProduct(x: Expr, y: Expr): Expr {
  const [high, low] = [(z: Expr) => shr(z, u32(16)), (z: Expr) => and(z, u32(0xffff))]
  const middle = add(mul(low(x), high(y)), high(mul(low(x), low(y))))
  return add(add(mul(high(x), high(y)), high(middle)), high(add(low(middle), mul(high(x), low(y)))))
}
/**
 * The turn of a large, finite |x| (Payne and Hanek, 1983): |x| is a whole m < 2^24 times a power of two, and m times 1/2π times that power has to
 * be known only modulo 1: of 1/2π three words serve, beginning where the exponent says. Returns statements, and the turn after them.
 */
export function largeTurn(x: Expr): Turn & { readonly body: readonly Stmt[] } {
  const word = (name: string): Local => new Local(name, 'u32')
  const [mantissa, high, low, negative] = [word('mantissa'), word('high'), word('low'), new Local('negative', 'bool')]
  const windows = [word('window'), word('window'), word('window')]
  const bits = magnitudeBits(x)
  // Bits of the words above to leave out: m·2^(E − 150) needs none of the first E − 126.
  const start = sub(shr(bits, u32(23)), u32(126))
  const [skipped, shift] = [shr(start, u32(5)), and(start, u32(31))]
  const wordAt = (i: number): Expr =>
    [3, 2, 1, 0].reduce<Expr>(
      (later, k) => select(lt(skipped, u32(k + 1)), u32(inverse[k + i]!), later),
      u32(inverse[4 + i] ?? 0),
    )
  const shifted = (i: number): Expr => or(shl(wordAt(i), shift), shr(shr(wordAt(i + 1), u32(1)), sub(u32(31), shift)))
  const [m, h, l, below] = [local(mantissa), local(high), local(low), local(negative)]
  const [w0, w1, w2] = windows.map(local) as [Expr, Expr, Expr]
  const least = mul(m, w1)
  const sum = add(least, highProduct(m, w2))
  // A fraction of a turn in 64 bits, of which the nearest quarter is taken away; what is left may be negative.
  const nearest = shr(add(h, u32(2 ** 29)), u32(30))
  const rest = sub(h, shl(nearest, u32(30)))
  const [restHigh, restLow] = [select(below, not(rest), rest), select(below, not(l), l)]
  // Times 2π/2^32, both in two parts, of which the first have 12 bits: their product is exact, and only the sum rounds.
  const head = bitcast('f32', and(bitcast('u32', convert('f32', restHigh)), u32(0xfffff000)))
  const beyond = convert('f32', bitcast('i32', sub(restHigh, convert('u32', head))))
  const tail = fma(convert('f32', restLow), f32(2 ** -32), beyond)
  const angle = fma(head, f32(unitHigh), fma(head, f32(unit - unitHigh), mul(tail, f32(unit))))
  return {
    body: [
      assign(mantissa, or(and(bits, u32(0x7fffff)), u32(0x800000))),
      ...windows.map((window, i) => assign(window, shifted(i))),
      assign(low, sum),
      assign(high, add(add(mul(m, w0), highProduct(m, w1)), select(lt(l, least), u32(1), u32(0)))),
      assign(negative, ge(rest, u32(2 ** 31))),
    ],
    quarters: nearest,
    r: select(below, sub(f32(0), angle), angle),
  }
}
