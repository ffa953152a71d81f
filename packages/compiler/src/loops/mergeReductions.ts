/** Makes one reduction of several that run over the same range and read the same elements. */
import { variable } from './build.ts'
import type { Buffer, Expr, Local, LoopVar, Reduce, Stmt } from './ir.ts'
import { rewriting, substituting, walk, walkExpressions, walkStatements } from './visit.ts'

/** More results than this at once do not fit the registers of a machine. */
const mostAccumulators = 4

/** What statements change that an expression can see. */
function changesOf(statements: readonly Stmt[]): ReadonlySet<Buffer | Local> {
  const changed = new Set<Buffer | Local>()
  walkStatements(statements, (statement) => {
    if (statement.op === 'assign') changed.add(statement.local)
    if (statement.op === 'store' || statement.op === 'update') changed.add(statement.buffer)
    if (statement.op === 'reduce') for (const { into } of statement.accumulators) changed.add(into)
  })
  return changed
}
/** What statements see of locals. */
function localsIn(statements: readonly Stmt[]): ReadonlySet<Local> {
  const found = new Set<Local>()
  walkExpressions(statements, (x) => void (x.op === 'local' && found.add(x.local)))
  return found
}
const loadsOf = (reduce: Reduce): Extract<Expr, { op: 'load' }>[] => {
  const loads: Extract<Expr, { op: 'load' }>[] = []
  walkExpressions([reduce], (x) => void (x.op === 'load' && loads.push(x)))
  return loads
}

/** Two reductions as one, if both load something at the same places; loads that are the same become one object. */
function merged(first: Reduce, second: Reduce): Reduce | undefined {
  const { variables } = first
  const sameRange =
    variables.length === second.variables.length &&
    variables.every(({ extent }, at) => extent === second.variables[at]!.extent)
  if (!sameRange || first.accumulators.length + second.accumulators.length > mostAccumulators) return undefined
  const renamed = substituting(
    new Map<LoopVar | Local, Expr>(second.variables.map((v, at) => [v, variable(variables[at]!)])),
  )
  const known = loadsOf(first)
  let shared = 0
  const same = rewriting((x) => {
    if (x.op !== 'load') return undefined
    const found = known.find(({ buffer, index }) => buffer === x.buffer && index === x.index)
    if (found !== undefined) shared++
    return found
  })
  const accumulators = second.accumulators.map((each) => ({ ...each, value: same(renamed(each.value)) }))
  return shared === 0 ? undefined : { ...first, accumulators: [...first.accumulators, ...accumulators] }
}

/** Statements that do the same, with reductions merged into earlier ones where nothing in between tells them apart. */
export function mergeReductions(body: readonly Stmt[]): readonly Stmt[] {
  const result: Stmt[] = []
  for (const statement of body) {
    const at = statement.op === 'reduce' ? earlier(result, statement) : undefined
    if (at === undefined) result.push(statement)
    else result[at.place] = at.reduce
  }
  return result
}
function earlier(before: readonly Stmt[], reduce: Reduce): { place: number; reduce: Reduce } | undefined {
  for (let place = before.length - 1; place >= 0; place--) {
    const candidate = before[place]!
    if (candidate.op === 'reduce') {
      const between = changesOf(before.slice(place))
      const into = new Set(reduce.accumulators.map((each) => each.into))
      let free = ![...localsIn(before.slice(place))].some((local) => into.has(local))
      for (const { value } of reduce.accumulators) {
        walk(value, (x) => {
          if ((x.op === 'local' && between.has(x.local)) || (x.op === 'load' && between.has(x.buffer))) free = false
        })
      }
      for (const local of into) if (between.has(local)) free = false
      const one = free ? merged(candidate, reduce) : undefined
      if (one !== undefined) return { place, reduce: one }
    }
  }
  return undefined
}
