/** Which floats of kernels may be −0. */
import type { Buffer, Expr } from '@fluxion/compiler'
import { isHalf } from './halves.ts'
import { definitionOf, isSame, rangeOf } from './ranges.ts'

const withoutNegativeZero = new WeakSet<Buffer>()
/** Say that none of a buffer's elements is −0. */
export const noteNoNegativeZero = (buffer: Buffer): void => void withoutNegativeZero.add(buffer)
export const mayHoldNegativeZero = (buffer: Buffer): boolean =>
  buffer.holds !== 'bool' && !withoutNegativeZero.has(buffer)

export const excludesZero = (x: Expr): boolean => rangeOf(x)[0] > 0 || rangeOf(x)[1] < 0
const isNegative = (x: Expr): boolean => rangeOf(x)[0] < 0 || mayBeNegativeZero(x)
const known = new WeakMap<Expr, boolean>()
/** Whether a value may be −0. */
export function mayBeNegativeZero(x: Expr): boolean {
  let may = known.get(x)
  if (may === undefined) known.set(x, (may = compute(x)))
  return may
}
function compute(x: Expr): boolean {
  if (excludesZero(x)) return false
  switch (x.op) {
    case 'const':
      return Object.is(x.value, -0)
    case 'convert':
      return x.x.type !== 'bool'
    case 'load':
      return mayHoldNegativeZero(x.buffer)
    case 'local': {
      const definition = definitionOf(x.local)
      return definition === undefined || mayBeNegativeZero(definition)
    }
    case 'narrow':
      return mayRoundToNegativeZero(x.x)
    case 'select':
      return mayBeNegativeZero(x.x) || mayBeNegativeZero(x.y)
    case 'binary':
      // a sum, or an operation on float16s, never gives what is too small for an f32
      return !(x.fn === 'add' || x.fn === 'sub' || (isHalf(x.x) && isHalf(x.y))) || mayGiveNegativeZero(x)
    default:
      return true
  }
}
function mayGiveNegativeZero({ fn, x, y }: Extract<Expr, { op: 'binary' }>): boolean {
  switch (fn) {
    // what cancels gives +0
    case 'add':
      return mayBeNegativeZero(x) && mayBeNegativeZero(y)
    case 'sub':
      return mayBeNegativeZero(x) && !excludesZero(y)
    case 'mul':
      if (isSame(x, y) || (!isNegative(x) && !isNegative(y))) return false
      return !(rangeOf(x)[0] > 0 && !mayBeNegativeZero(y)) && !(rangeOf(y)[0] > 0 && !mayBeNegativeZero(x))
    case 'div':
      return isNegative(x) || isNegative(y)
    default:
      return true
  }
}
/** Whether the result of one operation on float16s may be −0 once it is rounded to one. */
export function mayRoundToNegativeZero(x: Expr): boolean {
  if (x.op !== 'binary' || mayBeNegativeZero(x)) return true
  if (rangeOf(x)[0] >= 0) return false
  // a sum is as small as its operands, or 0
  if (x.fn === 'add' || x.fn === 'sub') return false
  const grows = (by: Expr): boolean => rangeOf(by)[0] >= 1 || rangeOf(by)[1] <= -1
  return !(x.fn === 'mul' && (grows(x.x) || grows(x.y)))
}
