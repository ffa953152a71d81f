/** What is known of values that are rounded to float16: those that one operation makes of float16s are rounded in fewer instructions. */
import { children, type Expr, type Local, type Narrow, type Stmt, walkStatements } from '@fluxion/compiler'
import { roundHalf } from '@fluxion/core'
import { isPositive, mayOverflow, noteDefinitions } from './ranges.ts'

/** What a float16 is rounded from. */
export interface HalfSource {
  /**
   * A `sum` of two float16s below 2⁻¹⁴ is one itself, since it is a multiple of the least; an `operation` on float16s gives less than 2⁴¹, or infinity
   * or NaN.
   */
  readonly kind: 'sum' | 'operation'
  /** Whether what is finite may be so large that it becomes infinite. */
  readonly overflows: boolean
  /** Whether it may be negative, or −0. */
  readonly signed: boolean
}

const halves = new WeakSet<Local>()
const known = new WeakMap<Expr, boolean>()
/** Note which locals of a kernel hold float16s only; before it is printed. */
export function noteHalves(body: readonly Stmt[]): void {
  noteDefinitions(body)
  const values = new Map<Local, Expr[]>()
  const others = new Set<Local>()
  walkStatements(body, (statement) => {
    if (statement.op === 'reduce') for (const { into } of statement.accumulators) others.add(into)
    if (statement.op !== 'assign' || statement.local.type !== 'f32') return
    const known = values.get(statement.local)
    if (known === undefined) values.set(statement.local, [statement.value])
    else known.push(statement.value)
  })
  // Carries of a loop are made of each other: all are taken to be float16s until one turns out not to be.
  let candidates = new Set([...values.keys()].filter((local) => !others.has(local)))
  for (;;) {
    const isHalfLocal = (local: Local): boolean => candidates.has(local)
    const decided = new Map<Expr, boolean>()
    const kept = [...candidates].filter((local) => values.get(local)!.every((x) => decide(x, isHalfLocal, decided)))
    if (kept.length === candidates.size) break
    candidates = new Set(kept)
  }
  for (const local of candidates) halves.add(local)
}
const isHalf = (x: Expr): boolean => decide(x, (local) => halves.has(local), known)
const isTruth = (x: Expr): boolean => x.op === 'convert' && x.x.type === 'bool'
/** Whether an expression is a float16, given which locals are and what was decided before. */
function decide(
  x: Expr,
  isHalfLocal: (local: Local) => boolean,
  decided: { get(x: Expr): boolean | undefined; set(x: Expr, half: boolean): void },
): boolean {
  const all = (...operands: readonly Expr[]): boolean =>
    operands.every((operand) => decide(operand, isHalfLocal, decided))
  const compute = (): boolean => {
    if (x.type !== 'f32') return false
    switch (x.op) {
      case 'narrow':
        return x.dtype === 'float16'
      case 'load':
        return x.buffer.holds === 'float16' || x.buffer.holds === 'bool'
      case 'const':
        return Object.is(roundHalf(x.value), x.value)
      case 'local':
        return isHalfLocal(x.local)
      case 'convert':
        return isTruth(x)
      case 'unary':
        return (x.fn === 'neg' || x.fn === 'abs') && all(x.x)
      case 'select':
        return all(x.x, x.y)
      case 'binary':
        if (x.fn === 'mul' && !(isTruth(x.x) || isTruth(x.y))) return false
        return (x.fn === 'mul' || x.fn === 'min' || x.fn === 'max') && all(x.x, x.y)
      default:
        return false
    }
  }
  let half = decided.get(x)
  if (half === undefined) decided.set(x, (half = compute()))
  return half
}
/** What is known of the value that is rounded. */
export function sourceOf({ dtype, x }: Narrow): HalfSource | undefined {
  if (dtype !== 'float16' || (x.op !== 'binary' && !(x.op === 'unary' && x.fn === 'sqrt'))) return undefined
  if (!children(x).every(isHalf)) return undefined
  const kind = x.op === 'unary' || x.fn === 'mul' || x.fn === 'div' ? 'operation' : 'sum'
  if (kind === 'sum' && x.fn !== 'add' && x.fn !== 'sub') return undefined
  return { kind, overflows: mayOverflow(x), signed: !isPositive(x) }
}
