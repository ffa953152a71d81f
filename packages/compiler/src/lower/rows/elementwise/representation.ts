/** Representations: bits read as another dtype, and floats rounded to formats of fewer bits. */
import { type DType, bytesOf, dtypes } from '@fluxion/core'
import {
  abs,
  add,
  and,
  bitcast,
  constant,
  convert,
  div,
  eq,
  f32,
  ge,
  gt,
  lt,
  mul,
  narrow,
  ne,
  or,
  select,
  shl,
  shr,
  sub,
  u32,
  unary,
} from '../../../loops/build.ts'
import type { Expr } from '../../../loops/ir.ts'
import type { MapRow, Rows } from '../../lowering.ts'
import { bitsOfInteger, elementOf, integerOfBits } from '../elements.ts'

const signBit = u32(0x80000000)
const magnitudeBits = u32(0x7fffffff)
const infinity = u32(0x7f800000)
/** 2^-14, the least normal float16. */
const leastHalf = u32(0x38800000)

/** The 16 bits of a float16 that is given as the f32 of its value. */
function halfBits(x: Expr): Expr {
  const bits = bitcast('u32', x)
  const size = and(bits, magnitudeBits)
  const subnormal = convert('u32', mul(abs(x), f32(2 ** 24)))
  const finite = select(lt(size, leastHalf), subnormal, shr(sub(size, u32(0x38000000)), u32(13)))
  const special = select(eq(size, infinity), u32(0x7c00), u32(0x7e00))
  return or(
    select(lt(size, infinity), finite, special),
    select(gt(size, infinity), u32(0), and(shr(bits, u32(16)), u32(0x8000))),
  )
}
function ofHalfBits(word: Expr): Expr {
  const [exponent, fraction] = [and(word, u32(0x7c00)), and(word, u32(0x3ff))]
  const moved = shl(and(word, u32(0x7fff)), u32(13))
  const subnormal = bitcast('u32', mul(convert('f32', fraction), f32(2 ** -24)))
  const normal = add(moved, u32(0x38000000))
  const size = select(eq(exponent, u32(0)), subnormal, select(eq(exponent, u32(0x7c00)), or(moved, infinity), normal))
  return bitcast('f32', or(size, shl(and(word, u32(0x8000)), u32(16))))
}

const host = (fn: string, ...args: Expr[]): Expr => ({ op: 'host', type: 'f64', fn, args })
/** The bits of a value as words of 32, the lower first. */
function wordsOf(x: Expr, dtype: DType): readonly Expr[] {
  switch (dtype) {
    case 'float64':
      return [convert('u32', host('lowWord', x)), convert('u32', host('highWord', x))]
    case 'float16':
      return [halfBits(x)]
    case 'bfloat16':
      return [shr(bitcast('u32', x), u32(16))]
    case 'float32':
      return [bitcast('u32', x)]
    case 'bool':
      return [convert('u32', x)]
    default:
      return [bitsOfInteger(x, dtype)]
  }
}
/** The value that has these bits; those above the dtype's width are dropped. */
function ofWords(words: readonly Expr[], dtype: DType): Expr {
  const [low, high] = words as [Expr, Expr]
  switch (dtype) {
    case 'float64':
      return host('fromWords', convert('f64', high), convert('f64', low))
    case 'float16':
      return ofHalfBits(and(low, u32(0xffff)))
    case 'bfloat16':
      return bitcast('f32', shl(low, u32(16)))
    case 'float32':
      return bitcast('f32', low)
    case 'bool':
      return convert('bool', low)
    default:
      return integerOfBits(low, dtype)
  }
}

interface BitcastParams {
  readonly newDtype: DType
}
const bitcastRow: MapRow<BitcastParams> = {
  kind: 'map',
  at([x], { newDtype }, outs, index) {
    const { dtype } = x!.aval
    if (dtype === newDtype) return x!.at(index)
    const [from, to] = [bytesOf(dtype), bytesOf(newDtype)]
    if (from === to) return ofWords(wordsOf(x!.at(index), dtype), newDtype)
    if (from > to) {
      // part number `last` of the words
      const words = wordsOf(x!.at(index.slice(0, -1)), dtype)
      const last = bitcast('u32', index.at(-1)!)
      const [perWord, shift] = [4 / to, Math.log2(to * 8)]
      const word = words.length === 1 ? words[0]! : select(lt(last, u32(perWord)), words[0]!, words[1]!)
      return ofWords([shr(word, shl(and(last, u32(perWord - 1)), u32(shift)))], newDtype)
    }
    const bits = dtypes[dtype].bits
    const parts = Array.from({ length: to / from }, (_, i) => wordsOf(x!.at([...index, constant('i32', i)]), dtype)[0]!)
    const perWord = Math.min(parts.length, 32 / bits)
    const words = Array.from({ length: parts.length / perWord }, (_, w) =>
      parts.slice(w * perWord, (w + 1) * perWord).reduce((word, part, i) => or(word, shl(part, u32(i * bits)))),
    )
    return ofWords(words, newDtype)
  },
}

interface Precision {
  readonly exponentBits: number
  readonly mantissaBits: number
}
const mantissaOf = (dtype: DType): number => -Math.log2(dtypes[dtype].eps)

/** `x` with that many bits after the leading one, ties to even: by its bits, whose places count multiples of the last one that stays. */
function roundedMantissa(x: Expr, mantissaBits: number, dtype: DType): Expr {
  const size = and(bitcast('u32', x), magnitudeBits)
  const drop = 23 - mantissaBits
  const half = u32(2 ** (drop - 1) - 1)
  // without any bit after it, the leading one is the last that stays; it does not stand among the bits
  const odd = mantissaBits === 0 ? select(ge(size, u32(0x800000)), u32(1), u32(0)) : and(shr(size, u32(drop)), u32(1))
  const kept = and(add(size, add(half, odd)), u32((0xffffffff << drop) >>> 0))
  if (dtype !== 'float16') return bitcast('f32', select(ge(size, infinity), size, kept))
  // Subnormal halves, which are normal f32s, have one last place.
  const places = f32(2 ** (14 + mantissaBits))
  const fixed = mul(unary('nearest', mul(abs(x), places)), f32(2 ** -(14 + mantissaBits)))
  return select(lt(size, leastHalf), fixed, bitcast('f32', select(ge(size, infinity), size, kept)))
}
/** The power of two at or below |x| of an f64, at least 2^-1022 (Rump, Ogita and Oishi, 2008: the unit in the first place). */
function leadingPower(size: Expr): Expr {
  const f64 = (value: number): Expr => constant('f64', value)
  const large = gt(size, f64(2 ** 900))
  const y = mul(size, select(large, f64(2 ** -100), f64(1)))
  const q = mul(y, f64(2 ** 52 + 1))
  const unit = mul(abs(sub(q, mul(q, f64(1 - 2 ** -53)))), select(large, f64(2 ** 100), f64(1)))
  return select(lt(size, f64(2 ** -1022)), f64(2 ** -1022), unit)
}
function roundedMantissa64(x: Expr, mantissaBits: number): Expr {
  const f64 = (value: number): Expr => constant('f64', value)
  const size = abs(x)
  const power = leadingPower(size)
  // |x| / power is below 2, or of subnormal numbers below 1; all but the rounding is exact
  const digits = unary('nearest', mul(div(size, power), f64(2 ** mantissaBits)))
  const rounded = mul(mul(digits, f64(2 ** -mantissaBits)), power)
  return select(lt(size, f64(Infinity)), rounded, size)
}

const reducePrecision: MapRow<Precision> = {
  kind: 'map',
  at([operand], { exponentBits, mantissaBits }, outs, index) {
    const { dtype } = operand!.aval
    const x = elementOf(operand!, index)
    const { type } = x
    const number = (value: number): Expr => constant(type, value)
    const negative = type === 'f64' ? lt(x, number(0)) : ne(and(bitcast('u32', x), signBit), u32(0))
    const size =
      mantissaBits >= mantissaOf(dtype)
        ? abs(x)
        : type === 'f64'
          ? roundedMantissa64(x, mantissaBits)
          : roundedMantissa(x, mantissaBits, dtype)
    const bias = 2 ** (exponentBits - 1) - 1
    const isNarrow = bias < 1 - Math.log2(dtypes[dtype].tiny)
    // from 2^(bias + 1) on infinity, below 2^(1 − bias) zero
    const ranged = isNarrow
      ? select(
          ge(size, number(2 ** (bias + 1))),
          number(Infinity),
          select(lt(size, number(2 ** (1 - bias))), number(0), size),
        )
      : size
    const signed =
      type === 'f64'
        ? select(negative, mul(number(-1), ranged), mul(ranged, select(eq(x, number(0)), x, number(1))))
        : bitcast('f32', or(bitcast('u32', ranged), and(bitcast('u32', x), signBit)))
    return select(ne(x, x), x, narrow(dtype, signed))
  },
}

export const convertBitsRows: Rows = { bitcast_convert_type: bitcastRow, reduce_precision: reducePrecision }
