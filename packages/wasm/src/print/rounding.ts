/** What is known of values that are rounded to float16: those that one operation makes of float16s are rounded in fewer instructions. */
import { children, type Expr, type Narrow } from '@fluxion/compiler'
import { isHalf } from './halves.ts'
import { infinite, mayOverflow, rangeOf } from './ranges.ts'
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
  /** Whether it is less than 2¹⁰⁰ before it is rounded, and never infinite. */
  readonly finite: boolean
}

/** What is known of the value that is rounded; nothing if it does not become a float16. */
export function sourceOf(narrowed: Narrow): HalfSource | undefined {
  const { dtype, x } = narrowed
  if (dtype !== 'float16') return undefined
  const kind = kindOf(x)
  const [low, high] = rangeOf(x)
  return {
    kind,
    overflows: kind === undefined ? Math.max(-low, high) >= infinite : mayOverflow(x),
    negativeZero: !isUnseenZero(narrowed) && (kind === undefined || mayRoundToNegativeZero(x)),
    finite: Math.max(-low, high) < 2 ** 100,
  }
}
function kindOf(x: Expr): HalfSource['kind'] {
  if (!children(x).every(isHalf)) return undefined
  if (x.op === 'unary') return x.fn === 'sqrt' ? 'operation' : undefined
  if (x.op !== 'binary') return undefined
  if (x.fn === 'add' || x.fn === 'sub') return 'sum'
  return x.fn === 'mul' || x.fn === 'div' ? 'operation' : undefined
}
