/** Arithmetic, comparisons, logic and choices, element by element; each float operation is rounded to its dtype. */
import { type DType, dtypes, isFloat } from '@fluxion/core'
import {
  abs,
  add,
  and,
  bitcast,
  compare,
  constant,
  convert,
  div,
  eq,
  ge,
  gt,
  le,
  lt,
  max,
  min,
  mul,
  narrow,
  ne,
  neg,
  not,
  or,
  select,
  shl,
  shr,
  sub,
  u32,
  unary,
  xor,
} from '../../../loops/build.ts'
import type { CompareOp, Expr } from '../../../loops/ir.ts'
import type { MapRow, Rows } from '../../lowering.ts'
import { binaryRow, bitsOfInteger, elementOf, integerOfBits, numberOf, unaryRow } from '../elements.ts'

/** An operation whose result in the machine type need not be one that the dtype can hold. */
const rounded = (f: (x: Expr, y: Expr) => Expr): MapRow<object> => binaryRow((x, y, dtype) => narrow(dtype, f(x, y)))

/** A number times 0 or 1 needs no rounding. */
const product: MapRow<object> = {
  kind: 'map',
  at([x, y], _, outs, index) {
    const exact = mul(elementOf(x!, index), elementOf(y!, index))
    const { dtype } = x!.aval
    return isFloat(dtype) && (x!.zeroOne === true || y!.zeroOne === true) ? exact : narrow(dtype, exact)
  },
}

const negated = (x: Expr): Expr => (x.type === 'u32' ? sub(u32(0), x) : neg(x))

/** Integers by zero give a word of ones; the least by −1 wraps to itself. */
function divided(x: Expr, y: Expr, dtype: DType): Expr {
  if (isFloat(dtype)) return narrow(dtype, div(x, y))
  const [zero, one] = [numberOf(dtype, 0), numberOf(dtype, 1)]
  const ones = constant(x.type, x.type === 'u32' ? 2 ** 32 - 1 : -1)
  const byZero = eq(y, zero)
  // the one quotient that would overflow
  const byMinusOne = dtype === 'int32' ? eq(y, ones) : numberOf('bool', 0)
  const quotient = div(x, select(or(byZero, byMinusOne), one, y))
  return narrow(dtype, select(byZero, ones, select(byMinusOne, negated(x), quotient)))
}

/** x^y by squaring, in the order of the reference but without its products by 1. */
function powered(x: Expr, y: number): Expr {
  let result: Expr | undefined
  for (let base = x, rest = y; rest > 0;) {
    if (rest % 2 === 1) result = result === undefined ? base : mul(result, base)
    rest = Math.floor(rest / 2)
    if (rest > 0) base = mul(base, base)
  }
  return result ?? constant(x.type, 1)
}
/** Bit-equal to the reference, which multiplies in float64, for y from −1 to 2; else each product is rounded. */
const integerPow: MapRow<{ readonly y: number }> = {
  kind: 'map',
  at([x], { y }, outs, index) {
    const power = powered(elementOf(x!, index), Math.abs(y))
    return narrow(x!.aval.dtype, y < 0 ? div(numberOf(x!.aval.dtype, 1), power) : power)
  },
}

/** −1, 0 or 1; of floats zeros keep their sign and NaN stays. */
function signOf(x: Expr): Expr {
  const [zero, one] = [constant(x.type, 0), constant(x.type, 1)]
  if (x.type === 'u32') return select(eq(x, zero), zero, one)
  return select(lt(x, zero), constant(x.type, -1), select(gt(x, zero), one, x))
}

type RoundingMethod = 'AWAY_FROM_ZERO' | 'TO_NEAREST_EVEN'
const round: MapRow<{ readonly roundingMethod: RoundingMethod }> = {
  kind: 'map',
  at([operand], { roundingMethod }, outs, index) {
    const x = elementOf(operand!, index)
    if (roundingMethod === 'TO_NEAREST_EVEN') return unary('nearest', x)
    // the fraction is exact; adding 0.5 first would round
    const whole = unary('trunc', x)
    const away = add(whole, select(lt(x, constant(x.type, 0)), constant(x.type, -1), constant(x.type, 1)))
    return select(ge(abs(sub(x, whole)), constant(x.type, 0.5)), away, whole)
  },
}

/** bool is compared as a number: machines do not order truth values. */
const compared = (fn: CompareOp): MapRow<object> =>
  binaryRow((x, y) => (x.type === 'bool' ? compare(fn, convert('u32', x), convert('u32', y)) : compare(fn, x, y)))
const largest = (x: Expr, y: Expr): Expr => (x.type === 'bool' ? or(x, y) : max(x, y))
const smallest = (x: Expr, y: Expr): Expr => (x.type === 'bool' ? and(x, y) : min(x, y))

/** By bits, which compilers that assume finite numbers leave alone. */
export const finite = (x: Expr): Expr =>
  x.type === 'f64'
    ? lt(abs(x), constant('f64', Infinity))
    : ne(and(bitcast('u32', x), u32(0x7f800000)), u32(0x7f800000))

/** A shift by the width or more, or by a negative number, which is a large one without its sign, moves every bit out. */
const shifted = (shift: (bits: Expr, by: Expr) => Expr): MapRow<object> =>
  binaryRow((x, y, dtype) => {
    const by = bitcast('u32', y)
    const result = shift(bitsOfInteger(x, dtype), and(by, u32(31)))
    return integerOfBits(select(lt(by, u32(dtypes[dtype].bits)), result, u32(0)), dtype)
  })
const signedOfWidth: Readonly<Record<number, DType>> = { 8: 'int8', 16: 'int16', 32: 'int32' }
/** The sign comes in, of unsigned integers the highest bit. */
function shiftedWithSign(x: Expr, y: Expr, dtype: DType): Expr {
  const { bits } = dtypes[dtype]
  const signed = narrow(signedOfWidth[bits]!, bitcast('i32', x))
  return integerOfBits(shr(signed, bitcast('i32', min(bitcast('u32', y), u32(bits - 1)))), dtype)
}

/** The case whose number the first operand is, clamped to those there are. */
const selectN: MapRow<object> = {
  kind: 'map',
  at([which, ...cases], _, outs, index) {
    const w = elementOf(which!, index)
    const values = cases.map((x) => elementOf(x, index))
    if (w.type === 'bool') return values.length === 1 ? values[0]! : select(w, values[1]!, values[0]!)
    return values.reduceRight((later, value, i) => select(le(w, constant(w.type, i)), value, later))
  },
}
const clamp: MapRow<object> = {
  kind: 'map',
  at: ([lo, x, hi], _, outs, index) =>
    smallest(largest(elementOf(x!, index), elementOf(lo!, index)), elementOf(hi!, index)),
}

export const elementwiseRows: Rows = {
  add: rounded(add),
  add_any: rounded(add),
  sub: rounded(sub),
  mul: product,
  div: binaryRow(divided),
  max: binaryRow(largest),
  min: binaryRow(smallest),
  neg: unaryRow((x, dtype) => (isFloat(dtype) ? neg(x) : narrow(dtype, negated(x)))),
  abs: unaryRow((x, dtype) => (isFloat(dtype) ? abs(x) : x.type === 'u32' ? x : narrow(dtype, abs(x)))),
  square: unaryRow((x, dtype) => narrow(dtype, mul(x, x))),
  sign: unaryRow(signOf),
  floor: unaryRow((x) => unary('floor', x)),
  ceil: unaryRow((x) => unary('ceil', x)),
  round,
  integer_pow: integerPow,

  eq: compared('eq'),
  ne: compared('ne'),
  lt: compared('lt'),
  le: compared('le'),
  gt: compared('gt'),
  ge: compared('ge'),
  is_finite: unaryRow(finite),

  not: unaryRow((x, dtype) => (dtype === 'bool' ? not(x) : narrow(dtype, not(x)))),
  and: binaryRow(and),
  or: binaryRow(or),
  xor: binaryRow(xor),
  shift_left: shifted(shl),
  shift_right_logical: shifted(shr),
  shift_right_arithmetic: binaryRow(shiftedWithSign),
  population_count: unaryRow((x, dtype) => integerOfBits(unary('popcount', bitsOfInteger(x, dtype)), dtype)),
  clz: unaryRow((x, dtype) =>
    integerOfBits(sub(unary('clz', bitsOfInteger(x, dtype)), u32(32 - dtypes[dtype].bits)), dtype),
  ),

  select_n: selectN,
  clamp,
}
