/** Decides which loops run several turns at once: a nest's innermost parallel loop, or the innermost loop of a reduction. */
import {
  children,
  type Expr,
  expressionsOf,
  linearIn,
  type Local,
  type LoopVar,
  type Nest,
  type Reduce,
  type Stmt,
  walkStatements,
} from '@fluxion/compiler'
import type { Vector } from './placing.ts'
import { holds } from './scope.ts'
import { unaryVector } from './vector.ts'

/** Whether an expression changes from turn to turn of a variable's loop. */
function variation(variable: LoopVar, varying: ReadonlySet<Local>): (x: Expr) => boolean {
  const known = new Map<Expr, boolean>()
  const varies = (x: Expr): boolean => {
    let result = known.get(x)
    if (result === undefined) {
      result =
        x.op === 'var' ? x.variable === variable : x.op === 'local' ? varying.has(x.local) : children(x).some(varies)
      known.set(x, result)
    }
    return result
  }
  return varies
}
/** The locals that hold another value in each turn of a variable's loop. */
export function varyingLocals(body: readonly Stmt[], variable: LoopVar): ReadonlySet<Local> {
  let varying = new Set<Local>()
  for (;;) {
    const varies = variation(variable, varying)
    const next = new Set(varying)
    walkStatements(body, (statement) => {
      if (statement.op === 'assign' && varies(statement.value)) next.add(statement.local)
      if (statement.op === 'reduce')
        for (const { into, value } of statement.accumulators) if (varies(value)) next.add(into)
    })
    if (next.size === varying.size) return varying
    varying = next
  }
}

/** What running expressions in lanes takes. */
interface Cost {
  /** Operations that are one or a few instructions for all lanes. */
  readonly cheap: number
  /** Lane by lane: accesses that are not contiguous, and operations without an instruction. */
  readonly slow: number
  /** Of the slow ones, loads whose lanes lie evenly. */
  readonly strided: number
  readonly lanes: 2 | 4
}
function costOf(body: readonly Stmt[], roots: readonly Expr[], variable: LoopVar, varying: ReadonlySet<Local>): Cost {
  const varies = variation(variable, varying)
  let [cheap, slow, strided] = [0, 0, 0]
  let lanes: 2 | 4 = 4
  const seen = new Set<Expr>()
  /** An index whose lanes lie evenly costs no more than an address. */
  const access = (index: Expr, loaded: boolean): void => {
    if (!varies(index)) return
    const linear = linearIn(index, variable)
    const even = linear !== undefined && !varies(linear.rest)
    const side = even && (linear.coefficient === 1 || (linear.coefficient === -1 && loaded))
    if (side) cheap++
    else slow++
    if (even && !side && loaded) strided++
    if (!even) visit(index)
  }
  const visit = (x: Expr): void => {
    if (seen.has(x)) return
    seen.add(x)
    if (x.type === 'f64') lanes = 2
    if (x.op === 'load') {
      access(x.index, true)
      return
    }
    children(x).forEach(visit)
    if (!varies(x)) return
    if (slowly(x, varies)) slow++
    else if (x.op !== 'var' && x.op !== 'local') cheap++
  }
  roots.forEach(visit)
  walkStatements(body, (statement) => {
    if (statement.op === 'store' || statement.op === 'update') {
      access(statement.index, false)
      visit(statement.value)
    } else expressionsOf(statement).forEach(visit)
  })
  return { cheap, slow, strided, lanes }
}
function slowly(x: Expr, varies: (x: Expr) => boolean): boolean {
  if (x.op === 'call' || x.op === 'host') return true
  if (x.op === 'unary') return unaryVector(x.fn, x.type) === undefined
  if (x.op !== 'binary' || x.type === 'f32' || x.type === 'f64') return false
  return x.fn === 'div' || x.fn === 'rem' || ((x.fn === 'shl' || x.fn === 'shr') && varies(x.y))
}
const worthwhile = ({ cheap, slow }: Cost): boolean => cheap >= 3 * slow
/** Where each element is computed by itself, loading lanes one by one takes no longer than without lanes. */
const worthwhileInLine = ({ cheap, slow, strided }: Cost): boolean => cheap >= 3 * (slow - strided) && cheap > 0

const owns = new WeakMap<Reduce, { readonly vector: Vector | undefined }>()
/** How a reduction in scalar code runs its own innermost loop in lanes, if it can. */
export function ownLanes(reduce: Reduce): Vector | undefined {
  let known = owns.get(reduce)
  if (known === undefined) owns.set(reduce, (known = { vector: planOwn(reduce) }))
  return known.vector
}
function planOwn({ variables, accumulators }: Reduce): Vector | undefined {
  const variable = variables.at(-1)
  if (variable === undefined) return undefined
  const cost = costOf(
    [],
    accumulators.map(({ value }) => value),
    variable,
    new Set(),
  )
  const { lanes } = cost
  if (variable.extent < lanes || !worthwhile(cost)) return undefined
  const most = cost.cheap <= 24 && accumulators.length <= 2 ? 4 : 2
  const copies = Math.min(most, Math.floor(variable.extent / lanes))
  return { variable, lanes, copies, varying: new Set() }
}

/** How much of a nest's body would go lane by lane. */
export function slowIn({ grid, body }: Nest): number {
  const variable = grid.at(-1)
  return variable === undefined ? 0 : costOf(body, [], variable, varyingLocals(body, variable)).slow
}
/**
 * Whether a body goes through steps, each of which needs what the one before gave: that takes as long as its chain of operations, in which the
 * chains of several vectors find room, and lanes that are loaded one by one.
 */
function steps(body: readonly Stmt[]): boolean {
  if (holds(body, ({ op }) => op === 'while' || op === 'reduce')) return false
  const started = new Set(body.flatMap((statement) => (statement.op === 'assign' ? [statement.local] : [])))
  return body.some(
    (loop) =>
      loop.op === 'for' && holds(loop.body, (statement) => statement.op === 'assign' && started.has(statement.local)),
  )
}
/** How a nest runs its innermost parallel loop in lanes, if it can and should. */
export function planNest({ grid, body }: Nest): Vector | undefined {
  const variable = grid.at(-1)
  if (variable === undefined) return undefined
  const varying = varyingLocals(body, variable)
  const varies = variation(variable, varying)
  const divergent = holds(
    body,
    (s) => (s.op === 'for' || s.op === 'while' || s.op === 'if') && expressionsOf(s).some(varies),
  )
  if (divergent) return undefined
  const cost = costOf(body, [], variable, varying)
  const { lanes, cheap, slow } = cost
  const loops = holds(body, (s) => s.op === 'for' || s.op === 'while' || s.op === 'reduce')
  if (variable.extent < lanes) return undefined
  // a reduction over the contiguous axis reads in order only with lanes of its own
  if (slow > 0 && holds(body, (s) => s.op === 'reduce' && ownLanes(s) !== undefined)) return undefined
  const inSteps = loops && steps(body)
  if (!(loops && !inSteps ? worthwhile : worthwhileInLine)(cost)) return undefined
  const most = cheap <= (loops && !inSteps ? 8 : 96) ? 4 : !loops || inSteps || cheap <= 16 ? 2 : 1
  return { variable, lanes, copies: Math.min(most, Math.floor(variable.extent / lanes)), varying }
}
