/** Makes one loop of two adjacent ones wherever nothing tells them apart, and drops loops of one turn. */
import { i32, variable } from './build.ts'
import { indexDiv, indexMod, termsOf } from './indices.ts'
import { type Expr, LoopVar, type Nest, type Stmt } from './ir.ts'
import { children, expressionsOf, mapStatement, substituting, walkStatements } from './visit.ts'

/**
 * Whether `outer` and `inner` stand nowhere but in sums of c · extent(inner) · outer + c · inner, so that one variable can stand for the
 * place in both.
 */
function areOne(outer: LoopVar, inner: LoopVar, roots: readonly Expr[]): boolean {
  const seen = new Set<Expr>()
  const holds = (x: Expr): boolean => {
    if (seen.has(x)) return true
    seen.add(x)
    if (x.op === 'var') return x.variable !== outer && x.variable !== inner
    const terms = termsOf(x)
    if (terms.length === 0) return children(x).every(holds)
    const coefficientOf = (v: LoopVar): number =>
      terms.find(({ atom }) => atom.op === 'var' && atom.variable === v)?.coefficient ?? 0
    if (coefficientOf(outer) !== inner.extent * coefficientOf(inner)) return false
    return terms.every(({ atom }) => atom.op === 'var' || holds(atom))
  }
  return roots.every(holds)
}

interface Collapsed {
  readonly variables: readonly LoopVar[]
  /** From expressions over the variables before to the same over those now. */
  readonly rewrite: (x: Expr) => Expr
}
/** Of one list of loops around expressions: `undefined` if nothing changes. */
function collapse(variables: readonly LoopVar[], roots: readonly Expr[]): Collapsed | undefined {
  const values = new Map<LoopVar, Expr>()
  const left = variables.filter((v) => v.extent !== 1)
  for (const v of variables) if (v.extent === 1) values.set(v, i32(0))
  let rewrite = substituting(values)
  let now = left
  for (let at = left.length - 2; at >= 0; at--) {
    const [outer, inner] = [now[at]!, now[at + 1]!]
    // By the extent of a loop without turns nothing can be divided.
    if (inner.extent === 0 || !areOne(outer, inner, roots.map(rewrite))) continue
    const one = new LoopVar(outer.name, outer.extent * inner.extent)
    const n = variable(one)
    // The quotient and the remainder join again to n in every sum that they stand in.
    const merge = substituting(
      new Map([
        [outer, indexDiv(n, inner.extent)],
        [inner, indexMod(n, inner.extent)],
      ]),
    )
    const before = rewrite
    rewrite = (x) => merge(before(x))
    now = [...now.slice(0, at), one, ...now.slice(at + 2)]
  }
  return now.length === variables.length ? undefined : { variables: now, rewrite }
}

/** The expressions of statements, of those inside too. */
function rootsOf(body: readonly Stmt[]): Expr[] {
  const roots: Expr[] = []
  walkStatements(body, (statement) => roots.push(...expressionsOf(statement)))
  return roots
}
/** Statements with the variables of their reductions collapsed; a reduction keeps one variable at least. */
function collapseReductions(body: readonly Stmt[]): readonly Stmt[] {
  return body.map((statement): Stmt => {
    switch (statement.op) {
      case 'for':
      case 'while':
        return { ...statement, body: collapseReductions(statement.body) }
      case 'if':
        return { ...statement, yes: collapseReductions(statement.yes), no: collapseReductions(statement.no) }
      case 'reduce': {
        const collapsed = collapse(statement.variables, expressionsOf(statement))
        if (collapsed === undefined) return statement
        const { variables, rewrite } = collapsed
        return {
          ...mapStatement(statement, rewrite),
          variables: variables.length === 0 ? statement.variables.slice(0, 1) : variables,
        } as Stmt
      }
      case 'assign':
      case 'store':
      case 'update':
        return statement
    }
  })
}

/**
 * A nest with fewer loops that does the same. Two adjacent loops, of the grid or of a reduction, become one where every index is linear in
 * both with coefficients that make them one row-major range; loops of one turn go.
 */
export function collapseGrid(nest: Nest): Nest {
  const body = collapseReductions(nest.body)
  const collapsed = collapse(nest.grid, rootsOf(body))
  if (collapsed === undefined) return { ...nest, body }
  return {
    ...nest,
    grid: collapsed.variables,
    body: body.map((statement) => mapStatement(statement, collapsed.rewrite)),
  }
}
