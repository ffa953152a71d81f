/** In what order elements are sorted. An element is a list of values, one for each array that is sorted along. */
import { and, bitcast, constant, convert, div, eq, gt, le, lt, not, or, u32 } from '../../loops/build.ts'
import type { Expr } from '../../loops/ir.ts'

/** Whether `a` must come after `b`; false of equal elements, which keep their order. */
export type After = (a: readonly Expr[], b: readonly Expr[]) => Expr

const isFloat = (x: Expr): boolean => x.type === 'f32' || x.type === 'f64'

/** NaN lies above all numbers, whatever its sign; zeros of both signs are equal. */
export function above(a: Expr, b: Expr): Expr {
  if (isFloat(a)) return and(not(le(a, b)), eq(b, b))
  // machines do not order truth values
  return a.type === 'bool' ? gt(convert('u32', a), convert('u32', b)) : gt(a, b)
}
/** Ascending by the first `count` values, from the first on. */
export const ascending =
  (count: number): After =>
  (a, b) => {
    const last = count - 1
    let result = above(a[last]!, b[last]!)
    for (let key = last - 1; key >= 0; key--)
      result = or(above(a[key]!, b[key]!), and(not(above(b[key]!, a[key]!)), result))
    return result
  }

export const isNegativeZero = (x: Expr): Expr =>
  x.type === 'f32'
    ? eq(bitcast('u32', x), u32(0x80000000))
    : and(eq(x, constant(x.type, 0)), lt(div(constant(x.type, 1), x), constant(x.type, 0)))
/** Descending by the first value; here 0 lies above −0. */
export const descending: After = ([a], [b]) => {
  const below = above(b!, a!)
  if (!isFloat(a!)) return below
  const bothZero = and(isNegativeZero(a!), eq(b!, constant(b!.type, 0)))
  return or(below, and(bothZero, not(isNegativeZero(b!))))
}
