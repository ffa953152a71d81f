/** Which values of a kernel are float16s, whatever they are kept as. */
import { type Expr, type Local, type Stmt, walkStatements } from '@fluxion/compiler'
import { roundHalf } from '@fluxion/core'
import { noteDefinitions } from './ranges.ts'

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
/** Whether a value is a float16. */
export const isHalf = (x: Expr): boolean => decide(x, (local) => halves.has(local), known)
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
