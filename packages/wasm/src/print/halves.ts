/** What is known of values that are rounded to float16: those that one operation makes of float16s are rounded in fewer instructions. */
import { children, type Expr, type Local, type Narrow, type Stmt, walkStatements } from '@fluxion/compiler'
import { roundHalf } from '@fluxion/core'

/**
 * What a float16 is rounded from: `sum`, of two float16s, below 2⁻¹⁴ is one itself, since it is a multiple of the least; an `operation` on float16s
 * gives less than 2⁴¹, or infinity or NaN.
 */
export type HalfSource = 'sum' | 'operation'

const halves = new WeakSet<Local>()
const known = new WeakMap<Expr, boolean>()
/** Note which locals of a kernel hold float16s only; before it is printed. */
export function noteHalves(body: readonly Stmt[]): void {
  const counts = new Map<Local, number>()
  walkStatements(body, (statement) => {
    if (statement.op === 'assign') counts.set(statement.local, (counts.get(statement.local) ?? 0) + 1)
    if (statement.op === 'reduce') for (const { into } of statement.accumulators) counts.set(into, 2)
  })
  walkStatements(body, (statement) => {
    if (statement.op !== 'assign' || statement.local.type !== 'f32' || counts.get(statement.local) !== 1) return
    if (isHalf(statement.value)) halves.add(statement.local)
  })
}
function isHalf(x: Expr): boolean {
  let half = known.get(x)
  if (half === undefined) known.set(x, (half = decide(x)))
  return half
}
const isTruth = (x: Expr): boolean => x.op === 'convert' && x.x.type === 'bool'
function decide(x: Expr): boolean {
  if (x.type !== 'f32') return false
  switch (x.op) {
    case 'narrow':
      return x.dtype === 'float16'
    case 'load':
      return x.buffer.holds === 'float16' || x.buffer.holds === 'bool'
    case 'const':
      return Object.is(roundHalf(x.value), x.value)
    case 'local':
      return halves.has(x.local)
    case 'convert':
      return isTruth(x)
    case 'unary':
      return (x.fn === 'neg' || x.fn === 'abs') && isHalf(x.x)
    case 'select':
      return isHalf(x.x) && isHalf(x.y)
    case 'binary':
      if (x.fn === 'mul' && !(isTruth(x.x) || isTruth(x.y))) return false
      return (x.fn === 'mul' || x.fn === 'min' || x.fn === 'max') && isHalf(x.x) && isHalf(x.y)
    default:
      return false
  }
}
/** What is known of the value that is rounded. */
export function sourceOf({ dtype, x }: Narrow): HalfSource | undefined {
  if (dtype !== 'float16' || (x.op !== 'binary' && !(x.op === 'unary' && x.fn === 'sqrt'))) return undefined
  if (!children(x).every(isHalf)) return undefined
  if (x.op === 'unary' || x.fn === 'mul' || x.fn === 'div') return 'operation'
  return x.fn === 'add' || x.fn === 'sub' ? 'sum' : undefined
}
