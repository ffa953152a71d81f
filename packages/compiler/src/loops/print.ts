/**
 * Kernels as text: loops by indentation, a statement a line. What a statement computes from more than once stands in a `let` line before it, so
 * that texts are as long as expressions are large.
 */
import { dtypes } from '@fluxion/core'
import { isIndex } from './indices.ts'
import type {
  BinaryOp,
  Buffer,
  CompareOp,
  Const,
  Expr,
  Kernel,
  Local,
  LoopVar,
  Reduce,
  ScalarFunction,
  Stmt,
  UnaryOp,
} from './ir.ts'
import { children, functionsOf, gridOf, walk } from './visit.ts'

/**
 * Print a kernel, after the functions that it calls.
 *
 * `parallel i < 2, j < 3:` is the grid, `//` and `%` are of indices and round down, `let` names what one statement uses several times.
 */
export function printKernel(kernel: Kernel): string {
  const functions = functionsOf(kernel).map(printFunction)
  const printer = new Printer()
  const params = kernel.params.map((buffer) => printer.declaration(buffer))
  const head = `${kernel.kind} ${kernel.name}(${params.join(', ')})`
  const grid = gridOf(kernel)
  const loops = grid.map((v) => printer.bound(v))
  const body = kernel.kind === 'nest' ? [] : printer.statement(sumOf(kernel))
  for (const statement of kernel.body) body.push(...printer.statement(statement))
  const lines = grid.length === 0 ? body : [`parallel ${loops.join(', ')}:`, ...indented(body)]
  return [...functions, [head, ...indented(lines)].join('\n')].join('\n')
}
/** Print statements by themselves. */
export function printStatements(body: readonly Stmt[]): string {
  const printer = new Printer()
  return body.flatMap((statement) => printer.statement(statement)).join('\n')
}
function printFunction({ name, params, body, result }: ScalarFunction): string {
  const printer = new Printer()
  const head = `function ${name}(${params.map((param) => printer.declared(param)).join(', ')}): ${result.type}`
  const lines = body.flatMap((statement) => printer.statement(statement))
  return [head, ...indented([...lines, ...printer.withLets([result], ([text]) => [`return ${text}`])])].join('\n')
}
/** A product's sum as the reduction that it is. */
const sumOf = ({ left, right, inner, sum }: Kernel & { kind: 'product' }): Reduce => {
  const fn = sum.type === 'bool' ? 'and' : 'mul'
  const value: Expr = { op: 'binary', fn, type: sum.type, x: left, y: right }
  const combine = sum.type === 'bool' ? 'or' : 'add'
  return { op: 'reduce', variables: inner, accumulators: [{ into: sum, combine, value }] }
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)

const infix: Partial<Readonly<Record<BinaryOp | CompareOp, readonly [text: string, level: number]>>> = {
  eq: ['==', 1],
  ne: ['!=', 1],
  lt: ['<', 1],
  le: ['<=', 1],
  gt: ['>', 1],
  ge: ['>=', 1],
  or: ['|', 2],
  xor: ['^', 3],
  and: ['&', 4],
  shl: ['<<', 5],
  shr: ['>>', 5],
  add: ['+', 6],
  sub: ['-', 6],
  mul: ['*', 7],
  div: ['/', 7],
  floorDiv: ['//', 7],
  floorMod: ['%', 7],
}
const prefix: Partial<Readonly<Record<UnaryOp, string>>> = { neg: '-', not: '~' }
const [unaryLevel, highest] = [8, 9]

function constantText({ type, value }: Const): string {
  if (type === 'bool') return value === 0 ? 'false' : 'true'
  if (type === 'i32') return `${value}`
  if (type === 'u32') return `${value}u`
  const text = Object.is(value, -0)
    ? '-0'
    : Number.isFinite(value)
      ? `${value}`
      : Number.isNaN(value)
        ? 'nan'
        : value > 0
          ? 'inf'
          : '-inf'
  return (/^-?\d+$/.test(text) ? `${text}.0` : text) + (type === 'f64' ? 'd' : '')
}

/** Names of what has identity, different ones for different things. */
export class Names {
  readonly #names = new Map<object, string>()
  readonly #taken = new Map<string, number>()
  has(of: object): boolean {
    return this.#names.has(of)
  }
  of(of: { readonly name: string }): string {
    let name = this.#names.get(of)
    if (name === undefined) this.#names.set(of, (name = this.fresh(of.name)))
    return name
  }
  fresh(name: string): string {
    for (;;) {
      const before = this.#taken.get(name) ?? 0
      this.#taken.set(name, before + 1)
      const candidate = before === 0 ? name : `${name}${before}`
      if (before === 0 || !this.#taken.has(candidate)) {
        this.#taken.set(candidate, this.#taken.get(candidate) ?? 1)
        return candidate
      }
    }
  }
}

class Printer {
  readonly #names = new Names()
  /** What `let` lines have named, in the statement that is being printed. */
  #lets: ReadonlyMap<Expr, string> = new Map()

  declaration(buffer: Buffer): string {
    return `${this.#names.of(buffer)}: ${dtypes[buffer.dtype].short}[${buffer.length}]`
  }
  /** A local, with its type where it appears first. */
  declared(of: Local): string {
    return this.#names.has(of) ? this.#names.of(of) : `${this.#names.of(of)}: ${of.type}`
  }
  bound(v: LoopVar): string {
    return `${this.#names.of(v)} < ${v.extent}`
  }

  statement(statement: Stmt): string[] {
    switch (statement.op) {
      case 'for': {
        const { variable, extent } = statement
        return this.withLets([extent], ([end]) => {
          const most = extent.op === 'const' ? '' : ` (at most ${variable.extent})`
          return [`for ${this.#names.of(variable)} < ${end}${most}:`, ...this.#body(statement.body)]
        })
      }
      case 'while':
        // The condition is computed in each turn, what it is computed from with it.
        return [
          ...this.withLets([statement.condition], ([text], lets) => [
            lets.length === 0 ? `while ${text}:` : `while (${lets.join(', ')} in ${text}):`,
          ]).slice(-1),
          ...this.#body(statement.body),
        ]
      case 'if':
        return this.withLets([statement.condition], ([text]) => [
          `if ${text}:`,
          ...this.#body(statement.yes),
          ...(statement.no.length === 0 ? [] : ['else:', ...this.#body(statement.no)]),
        ])
      case 'assign':
        return this.withLets([statement.value], ([text]) => [`${this.declared(statement.local)} = ${text}`])
      case 'store':
        return this.withLets([statement.index, statement.value], ([index, value]) => [
          `${this.#names.of(statement.buffer)}[${index}] = ${value}`,
        ])
      case 'update':
        return this.withLets([statement.index, statement.value], ([index, value]) => [
          `${this.#names.of(statement.buffer)}[${index}] ${statement.combine}= ${value}`,
        ])
      case 'reduce': {
        const { variables, accumulators } = statement
        const loops = variables.map((v) => this.bound(v))
        const values = accumulators.map(({ value }) => value)
        const lines = this.withLets(values, (texts) =>
          accumulators.map(({ into, combine }, at) => `${this.declared(into)} ${combine}= ${texts[at]}`),
        )
        return [`reduce${loops.length === 0 ? '' : ` ${loops.join(', ')}`}:`, ...indented(lines)]
      }
    }
  }
  #body(body: readonly Stmt[]): string[] {
    return indented(body.length === 0 ? ['pass'] : body.flatMap((statement) => this.statement(statement)))
  }

  /** Lines with the texts of expressions, after lines that name what these share. */
  withLets(roots: readonly Expr[], lines: (texts: readonly string[], lets: readonly string[]) => string[]): string[] {
    const outer = this.#lets
    const lets = new Map<Expr, string>()
    this.#lets = lets
    const named: string[] = []
    sharedIn(roots).forEach((x) => {
      const text = this.#text(x, 0)
      const name = `$${lets.size + 1}`
      lets.set(x, name)
      named.push(`let ${name} = ${text}`)
    })
    const texts = roots.map((x) => this.#text(x, 0))
    const result = [...named, ...lines(texts, named)]
    this.#lets = outer
    return result
  }

  /** Text in parentheses if it binds less than `level`. */
  #text(x: Expr, level: number): string {
    const name = this.#lets.get(x)
    if (name !== undefined) return name
    const [text, own] = this.#parts(x)
    return own < level ? `(${text})` : text
  }
  #parts(x: Expr): readonly [text: string, level: number] {
    const call = (name: string, ...args: readonly Expr[]): readonly [string, number] => [
      `${name}(${args.map((arg) => this.#text(arg, 0)).join(', ')})`,
      highest,
    ]
    switch (x.op) {
      case 'const':
        return [constantText(x), x.value < 0 ? unaryLevel : highest]
      case 'var':
        return [this.#names.of(x.variable), highest]
      case 'local':
        return [this.#names.of(x.local), highest]
      case 'load':
        return [`${this.#names.of(x.buffer)}[${this.#text(x.index, 0)}]`, highest]
      case 'unary': {
        const sign = prefix[x.fn]
        return sign === undefined ? call(x.fn, x.x) : [`${sign}${this.#text(x.x, unaryLevel)}`, unaryLevel]
      }
      case 'binary':
      case 'compare': {
        const operator = infix[x.fn]
        if (operator === undefined) return call(x.fn, x.x, x.y)
        const [text, level] = operator
        return [`${this.#text(x.x, level)} ${text} ${this.#text(x.y, level + 1)}`, level]
      }
      case 'select':
        return [`${this.#text(x.condition, 1)} ? ${this.#text(x.x, 1)} : ${this.#text(x.y, 1)}`, 0]
      case 'fma':
        return call('fma', x.x, x.y, x.z)
      case 'convert':
        return call(x.type, x.x)
      case 'bitcast':
        return call(`bits.${x.type}`, x.x)
      case 'narrow':
        return call(`narrow.${dtypes[x.dtype].short}`, x.x)
      case 'call':
        return call(x.callee.name, ...x.args)
      case 'host':
        return call(`host.${x.fn}`, ...x.args)
    }
  }
}

/** What is used several times among expressions and is worth a name, operands first. Indices and plain loads stay whole. */
function sharedIn(roots: readonly Expr[]): Expr[] {
  const uses = new Map<Expr, number>()
  const use = (x: Expr): void => void uses.set(x, (uses.get(x) ?? 0) + 1)
  roots.forEach(use)
  const order = new Set<Expr>()
  for (const root of roots) walk(root, (x) => children(x).forEach(use), order)
  return [...order].filter((x) => uses.get(x)! > 1 && !isPlain(x))
}
function isPlain(x: Expr): boolean {
  if (x.op === 'const' || x.op === 'local') return true
  const index = x.op === 'load' ? x.index : x
  if (!isIndex(index) && index.op !== 'local') return false
  let loads = 0
  walk(index, (part) => void (part.op === 'load' && loads++))
  return loads === 0
}
