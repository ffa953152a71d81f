/** In what order elements are sorted. An element is a list of values, one for each array that is sorted along. */
import {
  and,
  bitcast,
  constant,
  convert,
  div,
  eq,
  gt,
  i32,
  le,
  lt,
  neg,
  not,
  or,
  select,
  u32,
} from '../../../loops/build.ts'
import type { Expr } from '../../../loops/ir.ts'
import type { Target } from '../../lowering.ts'

/** Whether `a` must come after `b`; false of equal elements, which keep their order. */
export type After = (a: readonly Expr[], b: readonly Expr[]) => Expr
type Above = (a: Expr, b: Expr) => Expr

const isFloat = (x: Expr): boolean => x.type === 'f32' || x.type === 'f64'
export const isNegativeZero = (x: Expr): Expr =>
  x.type === 'f32'
    ? eq(bitcast('u32', x), u32(0x80000000))
    : and(eq(x, constant(x.type, 0)), lt(div(constant(x.type, 1), x), constant(x.type, 0)))

/** The order of floats as one of integers, for machines that take subnormal numbers for zeros; NaN lies above all. */
function key(x: Expr, zerosDiffer: boolean): Expr {
  const bits = bitcast('i32', x)
  const size = and(bits, i32(0x7fffffff))
  // −0 lies with 0, or just below
  const below = zerosDiffer ? not(size) : neg(size)
  return select(gt(size, i32(0x7f800000)), i32(0x7fffffff), select(lt(bits, i32(0)), below, size))
}
/** NaN lies above all numbers, whatever its sign; zeros of both signs are equal. */
const above =
  ({ host }: Target): Above =>
  (a, b) => {
    if (isFloat(a)) return host ? and(not(le(a, b)), eq(b, b)) : gt(key(a, false), key(b, false))
    // machines do not order truth values
    return a.type === 'bool' ? gt(convert('u32', a), convert('u32', b)) : gt(a, b)
  }
/** Ascending by the first `count` values, from the first on. */
export function ascending(count: number, target: Target): After {
  const isAbove = above(target)
  return (a, b) => {
    let result = isAbove(a[count - 1]!, b[count - 1]!)
    for (let i = count - 2; i >= 0; i--) result = or(isAbove(a[i]!, b[i]!), and(not(isAbove(b[i]!, a[i]!)), result))
    return result
  }
}
/** Descending by the first value; here 0 lies above −0. */
export function descending(target: Target): After {
  const isAbove = above(target)
  return ([x], [y]) => {
    const [a, b] = [x!, y!]
    if (!isFloat(a)) return isAbove(b, a)
    if (!target.host) return gt(key(b, true), key(a, true))
    const bothZero = and(isNegativeZero(a), eq(b, constant(b.type, 0)))
    return or(isAbove(b, a), and(bothZero, not(isNegativeZero(b))))
  }
}
