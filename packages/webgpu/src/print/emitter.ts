/** Prints expressions and statements as lines of WGSL. */
import {
  type Expr,
  type Local,
  type LoopVar,
  type ScalarFunction,
  type Stmt,
  children,
  indexRange,
  walkStatements,
} from '@fluxion/compiler'
import { DeviceError } from '@fluxion/core'
import { perWord } from './access.ts'
import { literal, wgslType } from './literals.ts'
import type { Shader } from './shader.ts'
import { identityText, needsCascade, openCascade } from './sums.ts'

interface Text {
  readonly text: string
  /** How deep expressions stand in each other: WGSL's parsers have a limit. */
  readonly depth: number
}
const deepest = 24

export class Emitter {
  readonly shader: Shader
  lines: string[] = []
  #indent = ''
  readonly #variables = new Map<LoopVar, string>()
  readonly #locals = new Map<Local, string>()
  readonly #functions: Map<ScalarFunction, string>
  /** Of the statement that is being printed: expressions that have a name, and those that get one. */
  #memo = new Map<Expr, Text>()
  #shared: ReadonlySet<Expr> = new Set()
  /** Stores that are done otherwise. */
  interceptStore: ((statement: Extract<Stmt, { op: 'store' }>) => boolean) | undefined
  /** Loads that are done otherwise, as text. */
  interceptLoad: ((x: Expr) => string | undefined) | undefined
  interceptReduce: ((statement: Extract<Stmt, { op: 'reduce' }>) => boolean) | undefined

  constructor(shader: Shader, functions: Map<ScalarFunction, string> = new Map()) {
    this.shader = shader
    this.#functions = functions
  }

  line(text: string): void {
    this.lines.push(`${this.#indent}${text}`)
  }
  block(opening: string, body: () => void, closing = '}'): void {
    this.line(opening)
    const outer = this.#indent
    this.#indent += '  '
    body()
    this.#indent = outer
    this.line(closing)
  }
  bind(variable: LoopVar, text: string): void {
    this.#variables.set(variable, text)
  }
  /** A new constant of the text's value. */
  name(wish: string, text: string): string {
    const name = this.shader.names.unique(wish)
    this.line(`let ${name} = ${text};`)
    return name
  }
  /** Declare the locals of statements: where one is assigned says nothing about where it is used. */
  declare(body: readonly Stmt[], ...more: readonly Local[]): void {
    const found = new Set<Local>(more)
    walkStatements(body, (statement) => {
      if (statement.op === 'assign') found.add(statement.local)
      if (statement.op === 'reduce') for (const { into } of statement.accumulators) found.add(into)
    })
    for (const local of found) this.line(`var ${this.localName(local)}: ${wgslType(local.type)};`)
  }
  localName(local: Local): string {
    let name = this.#locals.get(local)
    if (name === undefined) this.#locals.set(local, (name = this.shader.names.unique(local.name)))
    return name
  }

  /** The texts of expressions that one statement uses; what several of them share is computed before it. */
  texts(...xs: readonly Expr[]): string[] {
    this.#memo = new Map()
    this.#shared = sharedAmong(xs)
    return xs.map((x) => this.#text(x).text)
  }
  #text(x: Expr): Text {
    const known = this.#memo.get(x)
    if (known !== undefined) return known
    let result = this.#compute(x)
    if (result.depth > 0 && (this.#shared.has(x) || result.depth >= deepest))
      result = { text: this.name('t', result.text), depth: 0 }
    this.#memo.set(x, result)
    return result
  }
  #compute(x: Expr): Text {
    wgslType(x.type)
    switch (x.op) {
      case 'const':
        return { text: literal(x.type, x.value), depth: 0 }
      case 'var':
        return { text: this.#variables.get(x.variable)!, depth: 0 }
      case 'local':
        return { text: this.localName(x.local), depth: 0 }
      case 'host':
        throw new DeviceError(
          `webgpu: '${x.fn}' runs on the host\nhint: run this on the CPU: jit(f, { device: "wasm" })`,
        )
      case 'load': {
        const other = this.interceptLoad?.(x)
        if (other !== undefined) return { text: other, depth: 0 }
        const index = this.#text(x.index)
        const at = this.shader.elementAt(x.buffer, index.text)
        if (perWord(x.buffer.dtype) === 1) return { text: this.shader.load(x.buffer, at), depth: index.depth + 2 }
        return { text: this.shader.load(x.buffer, this.name('at', at)), depth: 4 }
      }
      default: {
        const operands = children(x).map((operand) => this.#text(operand))
        const depth = 1 + Math.max(0, ...operands.map((operand) => operand.depth))
        return {
          text: this.#operation(
            x,
            operands.map(({ text }) => text),
          ),
          depth,
        }
      }
    }
  }
  #operation(x: Expr, [a = '', b = '', c = '', ...more]: readonly string[]): string {
    const { library } = this.shader
    switch (x.op) {
      case 'unary':
        return unaries[x.fn](a, x.type)
      case 'binary':
        if (x.fn === 'floorDiv' || x.fn === 'floorMod') {
          if (indexRange(x.x)[0] >= 0) return x.fn === 'floorDiv' ? `(${a} / ${b})` : `(${a} % ${b})`
          return library.call(x.fn === 'floorDiv' ? 'flooredDiv' : 'flooredMod', a, b)
        }
        if (x.fn === 'shl') return `(${a} << ${unsigned(x.y, b)})`
        if (x.fn === 'shr') return `(${a} >> ${unsigned(x.y, b)})`
        if (x.fn === 'sub' || x.fn === 'div') return `(${a} ${x.fn === 'sub' ? '-' : '/'} ${b})`
        if (x.fn === 'rem') return x.type === 'f32' ? library.call('floatRem', a, b) : `(${a} % ${b})`
        return this.shader.combine(x.fn, x.type, a, b)
      case 'fma':
        return `fma(${a}, ${b}, ${c})`
      case 'compare':
        return this.#compare(x.fn, x.x, x.y, a, b)
      case 'select':
        return `select(${c}, ${b}, ${a})`
      case 'convert':
        return this.#convert(x.x.type, x.type, a)
      case 'bitcast':
        return `bitcast<${wgslType(x.type)}>(${a})`
      case 'narrow':
        return x.dtype === 'bool' ? a : this.shader.fromBits(x.dtype, this.shader.toBits(x.dtype, a))
      case 'call':
        return `${this.#function(x.callee)}(${[a, b, c, ...more].slice(0, x.args.length).join(', ')})`
      default:
        return ''
    }
  }
  #compare(fn: Extract<Expr, { op: 'compare' }>['fn'], x: Expr, y: Expr, a: string, b: string): string {
    const { library } = this.shader
    if (x.type === 'bool') {
      if (fn === 'eq' || fn === 'ne') return `(${a} ${fn === 'eq' ? '==' : '!='} ${b})`
      return `(u32(${a}) ${signs[fn]} u32(${b}))`
    }
    if (x.type !== 'f32') return `(${a} ${signs[fn]} ${b})`
    if (x === y) {
      if (fn === 'lt' || fn === 'gt') return 'false'
      return fn === 'ne' ? library.call('isNan', a) : `!${library.call('isNan', a)}`
    }
    switch (fn) {
      case 'eq':
        return library.call('isEqual', a, b)
      case 'ne':
        return `!${library.call('isEqual', a, b)}`
      case 'lt':
        return library.call('isLess', a, b)
      case 'gt':
        return library.call('isLess', b, a)
      case 'le':
        return library.call('isAtMost', a, b)
      case 'ge':
        return library.call('isAtMost', b, a)
    }
  }
  #convert(from: Expr['type'], to: Expr['type'], x: string): string {
    const { library } = this.shader
    if (to === 'bool') return from === 'f32' ? library.call('isNonzero', x) : `(${x} != ${literal(from, 0)})`
    if (from === 'bool') return `select(${literal(to, 0)}, ${literal(to, 1)}, ${x})`
    if (from === 'f32') return library.call(to === 'i32' ? 'toI32' : 'toU32', x)
    return `${wgslType(to)}(${x})`
  }
  /** The name of a scalar function's, which is printed when it is first called. */
  #function(callee: ScalarFunction): string {
    let name = this.#functions.get(callee)
    if (name === undefined) {
      name = this.shader.names.unique(callee.name)
      this.#functions.set(callee, name)
      const inside = new Emitter(this.shader, this.#functions)
      const params = callee.params.map((param) => [this.shader.names.unique(param.name), wgslType(param.type)] as const)
      const head = params.map(([param, type]) => `${param}: ${type}`).join(', ')
      inside.block(`fn ${name}(${head}) -> ${wgslType(callee.result.type)} {`, () => {
        inside.declare(callee.body, ...callee.params)
        callee.params.forEach((param, at) => inside.line(`${inside.localName(param)} = ${params[at]![0]};`))
        inside.statements(callee.body)
        inside.line(`return ${inside.texts(callee.result)[0]!};`)
      })
      this.shader.declarations.push(inside.lines.join('\n'))
    }
    return name
  }

  statements(body: readonly Stmt[]): void {
    for (const statement of body) this.statement(statement)
  }
  statement(statement: Stmt): void {
    switch (statement.op) {
      case 'assign':
        this.line(`${this.localName(statement.local)} = ${this.texts(statement.value)[0]!};`)
        return
      case 'store': {
        if (this.interceptStore?.(statement)) return
        const [index, value] = this.texts(statement.index, unrounded(statement))
        for (const line of this.shader.store(statement.buffer, index!, value!)) this.line(line)
        return
      }
      case 'update': {
        const [index, value] = this.texts(statement.index, statement.value)
        for (const line of this.shader.update(statement.buffer, index!, statement.combine, value!)) this.line(line)
        return
      }
      case 'if': {
        const [condition] = this.texts(statement.condition)
        this.block(`if (${condition!}) {`, () => this.statements(statement.yes))
        if (statement.no.length > 0) {
          this.lines.pop()
          this.block('} else {', () => this.statements(statement.no))
        }
        return
      }
      case 'for': {
        const extent = this.name('extent', this.texts(statement.extent)[0]!)
        this.loop(statement.variable, extent, () => this.statements(statement.body))
        return
      }
      case 'while':
        this.block('loop {', () => {
          this.line(`if (!(${this.texts(statement.condition)[0]!})) { break; }`)
          this.statements(statement.body)
        })
        return
      case 'reduce':
        if (this.interceptReduce?.(statement)) return
        this.reduce(statement)
    }
  }
  loop(variable: LoopVar, extent: string, body: () => void): void {
    const name = this.shader.names.unique(variable.name)
    this.bind(variable, name)
    this.block(`for (var ${name} = 0i; ${name} < ${extent}; ${name}++) {`, body)
  }
  /** A reduction by one invocation. */
  reduce({ variables, accumulators }: Extract<Stmt, { op: 'reduce' }>): void {
    const turns = variables.reduce((n, { extent }) => n * extent, 1)
    const [open, add, close] = this.accumulation(accumulators, turns)
    open()
    const nest = (depth: number): void => {
      const variable = variables[depth]
      if (variable === undefined) add()
      else this.loop(variable, `${variable.extent}i`, () => nest(depth + 1))
    }
    nest(0)
    close()
  }
  /** How values are accumulated over some turns: what comes before the loops, what in each turn, and what after. */
  accumulation(
    accumulators: Extract<Stmt, { op: 'reduce' }>['accumulators'],
    turns: number,
  ): [open: () => void, add: () => void, close: () => void] {
    const cascades = accumulators.map(({ into, combine }) =>
      needsCascade(combine, into.type, turns) ? openCascade(this, turns) : undefined,
    )
    const totals = accumulators.map(({ into }) => this.shader.names.unique(into.name))
    return [
      () => {
        accumulators.forEach(({ into, combine }, at) => {
          cascades[at]?.open()
          this.line(`var ${totals[at]!} = ${identityText(combine, into.type)};`)
        })
      },
      () => {
        const values = this.texts(...accumulators.map(({ value }) => value))
        accumulators.forEach(({ into, combine }, at) => {
          this.line(`${totals[at]!} = ${this.shader.combine(combine, into.type, totals[at]!, values[at]!)};`)
          cascades[at]?.turn(totals[at]!)
        })
      },
      () => {
        accumulators.forEach(({ into }, at) => {
          const total = cascades[at]?.total(totals[at]!) ?? totals[at]!
          this.line(`${this.localName(into)} = ${total};`)
        })
      },
    ]
  }
}

/** A stored value without the rounding that storing does anyway. */
export const unrounded = ({ buffer, value }: Extract<Stmt, { op: 'store' }>): Expr =>
  value.op === 'narrow' && value.dtype === buffer.dtype ? value.x : value

/** Expressions that are used more than once. */
function sharedAmong(xs: readonly Expr[]): ReadonlySet<Expr> {
  const [seen, shared] = [new Set<Expr>(), new Set<Expr>()]
  const visit = (x: Expr): void => {
    if (seen.has(x)) {
      shared.add(x)
      return
    }
    seen.add(x)
    children(x).forEach(visit)
  }
  xs.forEach(visit)
  return shared
}

const unsigned = (x: Expr, text: string): string =>
  x.op === 'const' ? `${x.value >>> 0}u` : x.type === 'u32' ? text : `u32(${text})`
const signs = { eq: '==', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' } as const

type Unary = (x: string, type: Expr['type']) => string
const called =
  (name: string): Unary =>
  (x) =>
    `${name}(${x})`
const unaries: Readonly<Record<Extract<Expr, { op: 'unary' }>['fn'], Unary>> = {
  neg: (x, type) => (type === 'u32' ? `(0u - ${x})` : `(-${x})`),
  abs: called('abs'),
  sqrt: called('sqrt'),
  floor: called('floor'),
  ceil: called('ceil'),
  trunc: called('trunc'),
  nearest: called('round'),
  not: (x, type) => (type === 'bool' ? `!${x}` : `~${x}`),
  popcount: called('countOneBits'),
  clz: called('countLeadingZeros'),
}
