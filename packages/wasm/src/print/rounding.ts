/** What is known of values that are rounded to float16: those that one operation makes of float16s are rounded in fewer instructions. */
import { children, type Expr, type Narrow } from '@fluxion/compiler'
import { isHalf } from './halves.ts'
import { definitionOf, isSame, mayOverflow, rangeOf } from './ranges.ts'

/** What a float16 is rounded from. */
export interface HalfSource {
  /**
   * A `sum` of two float16s below 2⁻¹⁴ is one itself, since it is a multiple of the least; an `operation` on float16s gives less than 2⁴¹, or infinity
   * or NaN; of others nothing is known.
   */
  readonly kind: 'sum' | 'operation' | undefined
  /** Whether what is finite may be so large that it becomes infinite. */
  readonly overflows: boolean
  /** Whether the float16 may be −0. */
  readonly negativeZero: boolean
  /** Whether it is never infinite before it is rounded. */
  readonly finite: boolean
}

/** What is known of the value that is rounded. */
export function sourceOf({ dtype, x }: Narrow): HalfSource | undefined {
  if (dtype !== 'float16' || (x.op !== 'binary' && !(x.op === 'unary' && x.fn === 'sqrt'))) return undefined
  if (!children(x).every(isHalf)) return undefined
  const kind = x.op === 'unary' || x.fn === 'mul' || x.fn === 'div' ? 'operation' : 'sum'
  if (kind === 'sum' && x.fn !== 'add' && x.fn !== 'sub') return undefined
  const [low, high] = rangeOf(x)
  const finite = low > -Infinity && high < Infinity
  return { kind, overflows: mayOverflow(x), negativeZero: mayRoundToNegativeZero(x), finite }
}

const excludesZero = (x: Expr): boolean => rangeOf(x)[0] > 0 || rangeOf(x)[1] < 0
const isNegative = (x: Expr): boolean => rangeOf(x)[0] < 0 || mayBeNegativeZero(x)
/** Whether a value may be −0: an operation on float16s never gives what is too small for an f32. */
function mayBeNegativeZero(x: Expr): boolean {
  if (excludesZero(x)) return false
  switch (x.op) {
    case 'const':
      return Object.is(x.value, -0)
    case 'convert':
      return x.x.type !== 'bool'
    case 'load':
      return x.buffer.holds !== 'bool'
    case 'local': {
      const definition = definitionOf(x.local)
      return definition === undefined || mayBeNegativeZero(definition)
    }
    case 'narrow':
      return mayRoundToNegativeZero(x.x)
    case 'select':
      return mayBeNegativeZero(x.x) || mayBeNegativeZero(x.y)
    case 'binary':
      return !(isHalf(x.x) && isHalf(x.y)) || mayGiveNegativeZero(x)
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
