/** Whole powers with exponents known only when the program runs. */
import type { DType } from '@fluxion/core'
import {
  and,
  assign,
  bitcast,
  constant,
  eq,
  local,
  lt,
  mul,
  narrow,
  ne,
  or,
  select,
  shr,
  sub,
  u32,
  whilst,
} from '../../../loops/build.ts'
import { type Expr, Local, type ScalarFunction } from '../../../loops/ir.ts'

/** x^y by squaring, of words: what wraps is the same for signed and unsigned numbers. */
const power: ScalarFunction = (() => {
  const [x, y] = [new Local('x', 'u32'), new Local('y', 'u32')]
  const [base, rest, result] = [new Local('base', 'u32'), new Local('rest', 'u32'), new Local('result', 'u32')]
  const body = [
    assign(base, local(x)),
    assign(rest, local(y)),
    assign(result, u32(1)),
    whilst(ne(local(rest), u32(0)), [
      assign(result, select(eq(and(local(rest), u32(1)), u32(1)), mul(local(result), local(base)), local(result))),
      assign(base, mul(local(base), local(base))),
      assign(rest, shr(local(rest), u32(1))),
    ]),
  ]
  return { name: 'whole_power', params: [x, y], body, result: local(result) }
})()

/** x^y of two integers of one dtype, which wraps; a negative exponent leaves the whole part of the inverse, and 0 of 0. */
export function wholePower(x: Expr, y: Expr, dtype: DType): Expr {
  const powered = (exponent: Expr): Expr =>
    bitcast(x.type as 'i32' | 'u32', {
      op: 'call',
      type: 'u32',
      callee: power,
      args: [bitcast('u32', x), bitcast('u32', exponent)],
    })
  if (x.type === 'u32') return narrow(dtype, powered(y))
  const [zero, one] = [constant('i32', 0), constant('i32', 1)]
  const unit = or(eq(x, one), eq(x, constant('i32', -1)))
  const negative = lt(y, zero)
  // ±1 to a negative power is that to the opposite one
  const result = powered(select(negative, sub(zero, y), y))
  return narrow(dtype, select(negative, select(unit, result, zero), result))
}
