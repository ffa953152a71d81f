/** What approximations of functions of f32 are built from: polynomials, signs, powers of two, tests by bits. */
import { add, and, bitcast, f32, fma, i32, lt, or, shl, u32, xor } from '../loops/build.ts'
import type { Expr } from '../loops/ir.ts'

/** c₀ + c₁x + c₂x² + … by Horner's rule. */
export function polynomial(x: Expr, coefficients: readonly (number | Expr)[]): Expr {
  const [last, ...before] = coefficients.map((c) => (typeof c === 'number' ? f32(c) : c)).reverse()
  return before.reduce((sum, coefficient) => fma(sum, x, coefficient), last!)
}

const sign = u32(0x80000000)
export const bitsOf = (x: Expr): Expr => bitcast('u32', x)
export const signBit = (x: Expr): Expr => and(bitsOf(x), sign)
/** The leading 12 bits of a number. */
export const head = (x: Expr): Expr => bitcast('f32', and(bitsOf(x), u32(0xfffff000)))
/** |x| as bits: they order as the numbers do, with NaN above infinity. */
export const magnitudeBits = (x: Expr): Expr => and(bitsOf(x), u32(0x7fffffff))
/** The bits of a positive number of f32, as a constant. */
export function pattern(x: number): number {
  return new Uint32Array(new Float32Array([x]).buffer)[0]!
}
/** Whether |x| < limit; false of NaN. */
export const within = (x: Expr, limit: number): Expr => lt(magnitudeBits(x), u32(pattern(limit)))
/** Whether the sign bit is set. */
export const isNegative = (x: Expr): Expr => lt(bitcast('i32', x), i32(0))
/** A number that is positive, or 0, with the sign of another. */
export const withSign = (magnitude: Expr, x: Expr): Expr => bitcast('f32', or(bitsOf(magnitude), signBit(x)))
/** A number with its sign changed where another's is negative. */
export const timesSign = (x: Expr, y: Expr): Expr => bitcast('f32', xor(bitsOf(x), signBit(y)))

/** A whole f32 of less than 2^22 as the low bits of an i32, whose high bits are those of 1.5 · 2^23. */
export const countBits = (n: Expr): Expr => bitcast('i32', add(n, f32(1.5 * 2 ** 23)))
export const countZero = 0x4b400000
/** 2^(n + exponent) as an f32, for `countBits` of n, where it is a normal number; the exponent may depend on the element. */
export const powerOfTwo = (bits: Expr, exponent: number | Expr): Expr =>
  bitcast('f32', add(shl(bits, i32(23)), typeof exponent === 'number' ? i32((exponent + 127) * 2 ** 23) : exponent))
