/** Walks over expressions and statements: what they hold, and the same with some of it replaced. */
import { mapAtoms } from './indices.ts'
import type { Buffer, Expr, Local, LoopVar, Nest, Product, ScalarFunction, Stmt } from './ir.ts'

/** How often what stands in all these loops runs. */
export const pointsOf = (variables: readonly LoopVar[]): number =>
  variables.reduce((points, { extent }) => points * extent, 1)

/** The expressions that one is computed from. */
export function children(x: Expr): readonly Expr[] {
  switch (x.op) {
    case 'const':
    case 'var':
    case 'local':
      return []
    case 'load':
      return [x.index]
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'narrow':
      return [x.x]
    case 'binary':
    case 'compare':
      return [x.x, x.y]
    case 'fma':
      return [x.x, x.y, x.z]
    case 'select':
      return [x.condition, x.x, x.y]
    case 'call':
    case 'host':
      return x.args
  }
}
/** The same operation on other operands; the expression itself if they are its own. */
export function withChildren(x: Expr, operands: readonly Expr[]): Expr {
  const own = children(x)
  if (own.every((operand, at) => operand === operands[at])) return x
  const [a, b, c] = operands as [Expr, Expr, Expr]
  switch (x.op) {
    case 'const':
    case 'var':
    case 'local':
      return x
    case 'load':
      return { ...x, index: a }
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'narrow':
      return { ...x, x: a }
    case 'binary':
    case 'compare':
      return { ...x, x: a, y: b }
    case 'fma':
      return { ...x, x: a, y: b, z: c }
    case 'select':
      return { ...x, condition: a, x: b, y: c }
    case 'call':
    case 'host':
      return { ...x, args: operands }
  }
}

/**
 * A function from expressions to the same with parts replaced: where `replace` returns an expression, by that, which is not looked into.
 * Shared expressions stay shared, indices stay canonical, and what holds nothing to replace stays the same object.
 */
export function rewriting(replace: (x: Expr) => Expr | undefined): (x: Expr) => Expr {
  const done = new Map<Expr, Expr>()
  const rewrite = (x: Expr): Expr => {
    let result = done.get(x)
    if (result === undefined) {
      result = replace(x) ?? mapAtoms(x, rewrite) ?? withChildren(x, children(x).map(rewrite))
      done.set(x, result)
    }
    return result
  }
  return rewrite
}
/** A function that puts expressions in the place of variables and locals. */
export const substituting = (values: ReadonlyMap<LoopVar | Local, Expr>): ((x: Expr) => Expr) =>
  rewriting((x) => (x.op === 'var' ? values.get(x.variable) : x.op === 'local' ? values.get(x.local) : undefined))

/** Visit an expression and everything that it is computed from, each once for one `seen`; operands first, in `seen` too. */
export function walk(x: Expr, visit: (x: Expr) => void, seen: Set<Expr> = new Set()): void {
  if (seen.has(x)) return
  for (const operand of children(x)) walk(operand, visit, seen)
  seen.add(x)
  visit(x)
}

/** The expressions of a statement itself, without those of statements in it. */
export function expressionsOf(statement: Stmt): readonly Expr[] {
  switch (statement.op) {
    case 'for':
      return [statement.extent]
    case 'while':
    case 'if':
      return [statement.condition]
    case 'assign':
      return [statement.value]
    case 'store':
    case 'update':
      return [statement.index, statement.value]
    case 'reduce':
      return statement.accumulators.map(({ value }) => value)
  }
}
/** The lists of statements in a statement. */
export function bodiesOf(statement: Stmt): readonly (readonly Stmt[])[] {
  switch (statement.op) {
    case 'for':
    case 'while':
      return [statement.body]
    case 'if':
      return [statement.yes, statement.no]
    case 'assign':
    case 'store':
    case 'update':
    case 'reduce':
      return []
  }
}
/** Visit statements and those in them, in order. */
export function walkStatements(body: readonly Stmt[], visit: (statement: Stmt) => void): void {
  for (const statement of body) {
    visit(statement)
    for (const inner of bodiesOf(statement)) walkStatements(inner, visit)
  }
}
/** A statement with each expression in it, also of statements inside, mapped; loops keep their variables. */
export function mapStatement(statement: Stmt, f: (x: Expr) => Expr): Stmt {
  const inside = (body: readonly Stmt[]): Stmt[] => body.map((inner) => mapStatement(inner, f))
  switch (statement.op) {
    case 'for':
      return { ...statement, extent: f(statement.extent), body: inside(statement.body) }
    case 'while':
      return { ...statement, condition: f(statement.condition), body: inside(statement.body) }
    case 'if':
      return { ...statement, condition: f(statement.condition), yes: inside(statement.yes), no: inside(statement.no) }
    case 'assign':
      return { ...statement, value: f(statement.value) }
    case 'store':
    case 'update':
      return { ...statement, index: f(statement.index), value: f(statement.value) }
    case 'reduce': {
      const accumulators = statement.accumulators.map((each) => ({ ...each, value: f(each.value) }))
      return { ...statement, accumulators }
    }
  }
}
/** Every expression of statements and of those in them, and what these are computed from, each once. */
export function walkExpressions(body: readonly Stmt[], visit: (x: Expr) => void, seen: Set<Expr> = new Set()): void {
  walkStatements(body, (statement) => {
    for (const x of expressionsOf(statement)) walk(x, visit, seen)
  })
}

/** A kernel whose parameters are still to be listed. */
export type Unlisted = Omit<Nest, 'params'> | Omit<Product, 'params'>
/** What a product reads. */
export const readsOf = ({ left, right, finite }: Pick<Product, 'left' | 'right' | 'finite'>): readonly Expr[] =>
  finite === undefined ? [left, right] : [left, right, finite]
/** The buffers of a kernel: its parameters. Those that are loaded from come first. */
export function buffersOf(kernel: Unlisted): Buffer[] {
  const found = new Set<Buffer>()
  const seen = new Set<Expr>()
  const visit = (x: Expr): void => void (x.op === 'load' && found.add(x.buffer))
  if (kernel.kind === 'product') for (const read of readsOf(kernel)) walk(read, visit, seen)
  walkExpressions(kernel.body, visit, seen)
  walkStatements(kernel.body, (statement) => {
    if (statement.op === 'store' || statement.op === 'update') found.add(statement.buffer)
  })
  return [...found]
}
/** The scalar functions that a kernel calls, each after those that it calls itself. */
export function functionsOf(kernel: Unlisted): ScalarFunction[] {
  const found = new Set<ScalarFunction>()
  const visit = (x: Expr): void => {
    if (x.op !== 'call' || found.has(x.callee)) return
    const seen = new Set<Expr>()
    walkExpressions(x.callee.body, visit, seen)
    walk(x.callee.result, visit, seen)
    found.add(x.callee)
  }
  const seen = new Set<Expr>()
  if (kernel.kind === 'product') for (const read of readsOf(kernel)) walk(read, visit, seen)
  walkExpressions(kernel.body, visit, seen)
  return [...found]
}
/** The loops of a kernel's grid, outermost first. */
export const gridOf = (kernel: Unlisted): readonly LoopVar[] =>
  kernel.kind === 'nest' ? kernel.grid : [...kernel.batch, ...kernel.rows, ...kernel.columns]
