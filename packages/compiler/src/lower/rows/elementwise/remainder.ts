/** Remainders of division. */
import { type DType, isFloat } from '@fluxion/core'
import {
  add,
  and,
  assign,
  binary,
  bitcast,
  constant,
  eq,
  f32,
  ge,
  gt,
  local,
  min,
  ne,
  or,
  select,
  shl,
  shr,
  sub,
  u32,
  unary,
  when,
  whilst,
} from '../../../loops/build.ts'
import { type Expr, Local, type ScalarFunction, type Stmt } from '../../../loops/ir.ts'
import type { Rows } from '../../lowering.ts'
import { binaryRow, numberOf } from '../elements.ts'

const sign = 0x80000000
const infinity = 0x7f800000

/**
 * The remainder of f32s, exact: x and y as whole numbers of 24 bits times powers of two; the power by which x is larger is taken off eight bits
 * at a time, so that each dividend has 32 bits.
 */
const remainder: ScalarFunction = (() => {
  const [x, y, result] = [new Local('x', 'f32'), new Local('y', 'f32'), new Local('result', 'f32')]
  const word = (name: string): Local => new Local(name, 'u32')
  const [a, b, ea, eb, ma, mb, left, step] = ['a', 'b', 'ea', 'eb', 'ma', 'mb', 'left', 'step'].map(word) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  /** The exponent and the 24 bits of a number other than zero; those of a subnormal number are moved up. */
  const parts = (of: Local, exponent: Local, mantissa: Local): Stmt[] => [
    assign(exponent, shr(local(of), u32(23))),
    assign(mantissa, or(and(local(of), u32(0x7fffff)), u32(0x800000))),
    when(
      eq(local(exponent), u32(0)),
      [
        assign(step, sub(unary('clz', local(of)), u32(8))),
        assign(mantissa, shl(local(of), local(step))),
        // counted from 64, so that it stays positive
        assign(exponent, sub(u32(65), local(step))),
      ],
      [assign(exponent, add(local(exponent), u32(64)))],
    ),
  ]
  const magnitude = (of: Local): Expr => and(bitcast('u32', local(of)), u32(sign - 1))
  const finish = [
    assign(step, sub(unary('clz', local(ma)), u32(8))),
    assign(ma, shl(local(ma), local(step))),
    // eb − step is the exponent, from 64; at 64 or below the number is subnormal
    assign(
      a,
      select(
        gt(local(eb), add(local(step), u32(64))),
        or(and(local(ma), u32(0x7fffff)), shl(sub(local(eb), add(local(step), u32(64))), u32(23))),
        shr(local(ma), and(sub(add(local(step), u32(65)), local(eb)), u32(31))),
      ),
    ),
  ]
  const divide: Stmt[] = [
    ...parts(a, ea, ma),
    ...parts(b, eb, mb),
    assign(ma, binary('rem', local(ma), local(mb))),
    assign(left, sub(local(ea), local(eb))),
    whilst(gt(local(left), u32(0)), [
      assign(step, min(local(left), u32(8))),
      assign(ma, binary('rem', shl(local(ma), local(step)), local(mb))),
      assign(left, sub(local(left), local(step))),
    ]),
    assign(a, u32(0)),
    when(ne(local(ma), u32(0)), finish),
    assign(result, bitcast('f32', or(and(bitcast('u32', local(x)), u32(sign)), local(a)))),
  ]
  const body: Stmt[] = [
    assign(a, magnitude(x)),
    assign(b, magnitude(y)),
    assign(result, local(x)),
    when(
      or(or(ge(local(a), u32(infinity)), gt(local(b), u32(infinity))), eq(local(b), u32(0))),
      [assign(result, f32(NaN))],
      // what is smaller than the divisor is the remainder
      [when(ge(local(a), local(b)), divide)],
    ),
  ]
  return { name: 'remainder', params: [x, y], body, result: local(result) }
})()

/** The remainder has the sign of x; of integers by zero it is x. */
function rem(x: Expr, y: Expr, dtype: DType): Expr {
  if (dtype === 'float64') return { op: 'host', type: 'f64', fn: 'rem', args: [x, y] }
  if (isFloat(dtype)) return { op: 'call', type: 'f32', callee: remainder, args: [x, y] }
  const [zero, one] = [numberOf(dtype, 0), numberOf(dtype, 1)]
  const byZero = eq(y, zero)
  // by −1 nothing remains, and the least integer by it would overflow
  const unsafe = dtype === 'int32' ? or(byZero, eq(y, constant(x.type, -1))) : byZero
  return select(byZero, x, binary('rem', x, select(unsafe, one, y)))
}

export const remainderRows: Rows = { rem: binaryRow(rem) }
