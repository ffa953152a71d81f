/** Square and cube roots. */
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
  i32,
  lt,
  mul,
  narrow,
  or,
  select,
  sub,
  u32,
  unary,
} from '../../../loops/build.ts'
import type { Expr } from '../../../loops/ir.ts'
import type { Rows } from '../../lowering.ts'
import { unaryRow } from '../elements.ts'

/** Within 1.5 ulp: the root and the quotient are rounded each. */
const rsqrt = (x: Expr): Expr => div(constant(x.type, 1), unary('sqrt', x))

/**
 * The cube root of an f32, within 1 ulp. A third of the bits, read as a number, is a third of the logarithm, and within 6 % of the root; two of
 * Halley's steps t + t·(x − t³)/(2t³ + x), each of which cubes the error, leave what rounding adds.
 */
function cbrt(x: Expr): Expr {
  const size = abs(x)
  // What has no leading one is brought up by 2^24, whose root is 2^8; and down what would overflow.
  const [small, large] = [lt(size, f32(2 ** -126)), lt(f32(2 ** 100), size)]
  const scaled = mul(size, select(small, f32(2 ** 24), select(large, f32(2 ** -24), f32(1))))
  const back = select(small, f32(2 ** -8), select(large, f32(2 ** 8), f32(1)))
  const third = convert('i32', mul(convert('f32', bitcast('i32', scaled)), f32(1 / 3)))
  const guess = bitcast('f32', add(third, i32(Math.round((127 - 127 / 3 - 0.0331) * 2 ** 23))))
  const improved = (t: Expr): Expr => {
    const cube = mul(mul(t, t), t)
    return add(t, mul(t, div(sub(scaled, cube), add(add(cube, cube), scaled))))
  }
  const root = mul(improved(improved(guess)), back)
  const bits = bitcast('u32', x)
  const magnitude = and(bits, u32(0x7fffffff))
  // zero, infinity and NaN are their own roots
  const itself = or(eq(magnitude, u32(0)), ge(magnitude, u32(0x7f800000)))
  return select(itself, x, bitcast('f32', or(and(bits, u32(0x80000000)), bitcast('u32', root))))
}

export const rootRows: Rows = {
  sqrt: unaryRow((x, dtype) => narrow(dtype, unary('sqrt', x))),
  rsqrt: unaryRow((x, dtype) => narrow(dtype, rsqrt(x))),
  cbrt: unaryRow((x, dtype) =>
    dtype === 'float64' ? { op: 'host', type: 'f64', fn: 'cbrt', args: [x] } : narrow(dtype, cbrt(x)),
  ),
}
