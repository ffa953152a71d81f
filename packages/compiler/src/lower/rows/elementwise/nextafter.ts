/** The numbers next to one. */
import type { DType } from '@fluxion/core'
import {
  abs,
  add,
  and,
  bitcast,
  constant,
  eq,
  f32,
  lt,
  mul,
  narrow,
  ne,
  not,
  or,
  select,
  sub,
  u32,
  xor,
} from '../../../loops/build.ts'
import type { Expr } from '../../../loops/ir.ts'
import type { Rows } from '../../lowering.ts'
import { binaryRow } from '../elements.ts'

const magnitudeBits = u32(0x7fffffff)
const infinity = u32(0x7f800000)

/** The magnitude next to |x|: bits of a magnitude count neighbours, of narrower formats in larger steps. */
function neighbour32(x: Expr, outward: Expr, dtype: DType): Expr {
  const step = u32(dtype === 'float32' ? 1 : dtype === 'bfloat16' ? 2 ** 16 : 2 ** 13)
  const size = and(bitcast('u32', x), magnitudeBits)
  const moved = bitcast('f32', select(outward, add(size, step), sub(size, step)))
  if (dtype !== 'float16') return moved
  // Subnormal halves are multiples of 2^-24. Above 65504 comes infinity, whatever an f32 holds there.
  const unit = f32(2 ** -24)
  const low = select(outward, add(abs(x), unit), sub(abs(x), unit))
  const least = u32(0x38800000)
  const isLow = or(lt(size, least), and(eq(size, least), not(outward)))
  return select(isLow, low, select(eq(size, infinity), f32(65504), narrow('float16', moved)))
}

/**
 * The same of f64s, whose bits are not at hand: a number times (1 + 2^-52)·2^-53, added and rounded, is the next one, as long as nothing
 * underflows; there the number is brought up first, or the step is the least number (Rump, Zimmermann, Boldo and Melquiond, 2009).
 */
function neighbour64(x: Expr, outward: Expr): Expr {
  const f64 = (value: number): Expr => constant('f64', value)
  const size = abs(x)
  const moved = (from: Expr, by: Expr): Expr => select(outward, add(from, by), sub(from, by))
  const share = f64(2 ** -53 * (1 + 2 ** -52))
  const large = moved(size, mul(share, size))
  const raised = mul(size, f64(2 ** 53))
  const middle = mul(moved(raised, mul(share, raised)), f64(2 ** -53))
  const small = moved(size, f64(2 ** -1074))
  const finite = select(lt(size, f64(2 ** -1021)), small, select(lt(size, f64(2 ** -969)), middle, large))
  return select(eq(size, f64(Infinity)), f64(Number.MAX_VALUE), finite)
}

const least: Readonly<Record<string, number>> = { float16: 2 ** -24, bfloat16: 2 ** -133, float32: 2 ** -149 }

function nextafter(x: Expr, y: Expr, dtype: DType): Expr {
  const zero = constant(x.type, 0)
  const [negative, down] = [lt(x, zero), lt(y, x)]
  const outward = not(xor(negative, down))
  const size = x.type === 'f64' ? neighbour64(x, outward) : neighbour32(x, outward, dtype)
  // 0 − 0 is +0: what comes to zero from below is, too
  const signed = select(negative, sub(zero, size), size)
  const first = constant(x.type, least[dtype] ?? 2 ** -1074)
  const fromZero = select(down, sub(zero, first), first)
  const moved = select(eq(x, zero), fromZero, signed)
  return select(or(ne(x, x), ne(y, y)), add(x, y), select(eq(x, y), y, moved))
}

export const neighbourRows: Rows = { nextafter: binaryRow(nextafter) }
