/** What is known of values that are rounded to float16: those that one operation makes of float16s are rounded in fewer instructions. */
import { children, type Narrow } from '@fluxion/compiler'
import { isHalf } from './halves.ts'
import { mayOverflow, rangeOf } from './ranges.ts'
import { mayRoundToNegativeZero } from './signs.ts'
import { isUnseenZero } from './zeros.ts'

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
export function sourceOf(narrowed: Narrow): HalfSource | undefined {
  const { dtype, x } = narrowed
  if (dtype !== 'float16' || (x.op !== 'binary' && !(x.op === 'unary' && x.fn === 'sqrt'))) return undefined
  if (!children(x).every(isHalf)) return undefined
  const kind = x.op === 'unary' || x.fn === 'mul' || x.fn === 'div' ? 'operation' : 'sum'
  if (kind === 'sum' && x.fn !== 'add' && x.fn !== 'sub') return undefined
  const [low, high] = rangeOf(x)
  const finite = low > -Infinity && high < Infinity
  return { kind, overflows: mayOverflow(x), negativeZero: !isUnseenZero(narrowed) && mayRoundToNegativeZero(x), finite }
}
