/** Checks kernels: operands fit their operations, and everything is bound before it is used. */
import { InvariantError } from '@fluxion/core'
import { isNarrow, scalarType } from './build.ts'
import type {
  BinaryOp,
  Buffer,
  Combine,
  Expr,
  Kernel,
  Local,
  LoopVar,
  ScalarFunction,
  ScalarType,
  Stmt,
  UnaryOp,
} from './ir.ts'
import { printStatements } from './print.ts'
import { buffersOf, children, expressionsOf } from './visit.ts'

type Types = readonly ScalarType[]
const floats: Types = ['f32', 'f64']
const integers: Types = ['i32', 'u32']
const numbers: Types = [...floats, ...integers]
const bits: Types = [...integers, 'bool']

const unaryTypes: Readonly<Record<UnaryOp, Types>> = {
  neg: ['f32', 'f64', 'i32'],
  abs: ['f32', 'f64', 'i32'],
  sqrt: floats,
  floor: floats,
  ceil: floats,
  trunc: floats,
  nearest: floats,
  not: bits,
  popcount: ['u32'],
  clz: ['u32'],
}
const binaryTypes: Readonly<Record<BinaryOp, Types>> = {
  add: numbers,
  sub: numbers,
  mul: numbers,
  div: numbers,
  rem: numbers,
  floorDiv: ['i32'],
  floorMod: ['i32'],
  min: numbers,
  max: numbers,
  and: bits,
  or: bits,
  xor: bits,
  shl: integers,
  shr: integers,
}
const combineTypes: Readonly<Record<Combine, Types>> = {
  add: numbers,
  mul: numbers,
  min: numbers,
  max: numbers,
  and: bits,
  or: bits,
  xor: bits,
}

/**
 * Check a kernel by the rules of the IR, and return it.
 *
 * @throws InvariantError naming the kernel and the statement
 */
export function checkKernel(kernel: Kernel): Kernel {
  const checker = new Checker(kernel.name)
  const { params } = kernel
  if (new Set(params).size !== params.length) checker.fail('different parameters', 'the same twice')
  const used = buffersOf(kernel)
  for (const buffer of used) {
    if (!params.includes(buffer)) checker.fail('every buffer among the parameters', `none for ${buffer.name}`)
  }
  for (const buffer of params) {
    if (!used.includes(buffer)) checker.fail('every parameter to be used', `${buffer.name}, which is not`)
  }
  if (kernel.kind === 'nest') {
    checker.body(kernel.body, checker.binding(kernel.grid, emptyScope))
    return kernel
  }
  const { batch, rows, columns, inner, left, right, sum, body } = kernel
  const all = checker.binding([...batch, ...rows, ...columns, ...inner], emptyScope)
  const without = (names: readonly LoopVar[]): Scope =>
    new Set([...all].filter((name) => !names.includes(name as LoopVar)))
  for (const [side, scope] of [
    [left, without(columns)],
    [right, without(rows)],
  ] as const) {
    checker.expression(side, scope)
    checker.expect(side.type === sum.type, `operands of ${sum.type}`, side.type)
  }
  checker.body(body, new Set([...without(inner), sum]))
  return kernel
}

/** What is bound: variables of loops around, locals that have a value. */
type Scope = ReadonlySet<LoopVar | Local>
const emptyScope: Scope = new Set()

class Checker {
  readonly #name: string
  /** What is checked now, for messages. */
  #statement: Stmt | undefined
  /** Functions that were checked, or are being checked. */
  readonly #functions = new Set<ScalarFunction>()

  constructor(name: string) {
    this.#name = name
  }
  fail(expected: string, got: string): never {
    const where =
      this.#statement === undefined ? '' : `\nin: ${printStatements([this.#statement]).replaceAll('\n', '\n    ')}`
    throw new InvariantError(`${this.#name}: expected ${expected}, got ${got}${where}`)
  }
  expect(condition: boolean, expected: string, got: string): void {
    if (!condition) this.fail(expected, got)
  }

  binding(variables: readonly LoopVar[], scope: Scope): Scope {
    const inside = new Set(scope)
    for (const v of variables) {
      this.expect(Number.isInteger(v.extent) && v.extent >= 0, `a whole extent of ${v.name}`, `${v.extent}`)
      this.expect(!inside.has(v), `${v.name} to be bound once`, 'a loop inside of its own')
      inside.add(v)
    }
    return inside
  }

  /** Check statements; returns what is bound after them. Locals that get a value inside of loops and conditions have it only there. */
  body(body: readonly Stmt[], scope: Scope): Scope {
    const now = new Set(scope)
    for (const statement of body) {
      this.#statement = statement
      this.#check(statement, now)
    }
    return now
  }
  #check(statement: Stmt, scope: Set<LoopVar | Local>): void {
    if (statement.op !== 'reduce') for (const x of expressionsOf(statement)) this.expression(x, scope)
    switch (statement.op) {
      case 'for': {
        const { variable, extent, body } = statement
        this.expect(extent.type === 'i32', 'an i32 as extent', extent.type)
        const fits = extent.op !== 'const' || (extent.value >= 0 && extent.value <= variable.extent)
        this.expect(fits, `an extent of at most ${variable.extent}`, extent.op === 'const' ? `${extent.value}` : '')
        this.body(body, this.binding([variable], scope))
        return
      }
      case 'while':
        this.expect(statement.condition.type === 'bool', 'a bool as condition', statement.condition.type)
        this.body(statement.body, scope)
        return
      case 'if': {
        this.expect(statement.condition.type === 'bool', 'a bool as condition', statement.condition.type)
        const [yes, no] = [this.body(statement.yes, scope), this.body(statement.no, scope)]
        // What both branches give a value to has one.
        for (const name of yes) if (no.has(name)) scope.add(name)
        return
      }
      case 'assign':
        this.expect(statement.value.type === statement.local.type, statement.local.type, statement.value.type)
        scope.add(statement.local)
        return
      case 'store':
        this.#write(statement.buffer, statement.index, statement.value)
        return
      case 'update':
        this.#write(statement.buffer, statement.index, statement.value)
        this.#combines(statement.combine, statement.value.type)
        return
      case 'reduce': {
        const inside = this.binding(statement.variables, scope)
        const { accumulators } = statement
        const locals = accumulators.map(({ into }) => into)
        this.expect(new Set(locals).size === locals.length, 'different accumulators', 'the same twice')
        for (const { into, combine, value } of accumulators) {
          this.expression(value, inside)
          this.expect(value.type === into.type, into.type, value.type)
          this.#combines(combine, into.type)
        }
        for (const into of locals) scope.add(into)
      }
    }
  }
  #write(buffer: Buffer, index: Expr, value: Expr): void {
    this.expect(index.type === 'i32', `an i32 as index of ${buffer.name}`, index.type)
    const type = scalarType(buffer.dtype)
    this.expect(value.type === type, `a value of ${type} for ${buffer.name}`, value.type)
  }
  #combines(combine: Combine, type: ScalarType): void {
    this.expect(combineTypes[combine].includes(type), `${combine} of ${combineTypes[combine].join(' or ')}`, type)
  }

  expression(x: Expr, scope: Scope, seen: Set<Expr> = new Set()): void {
    if (seen.has(x)) return
    seen.add(x)
    for (const operand of children(x)) this.expression(operand, scope, seen)
    this.#operation(x, scope)
  }
  #operation(x: Expr, scope: Scope): void {
    const takes = (name: string, types: Types, type: ScalarType): void =>
      this.expect(types.includes(type), `${name} of ${types.join(' or ')}`, type)
    const are = (name: string, type: ScalarType, ...operands: readonly Expr[]): void => {
      for (const operand of operands) this.expect(operand.type === type, `${name} of ${type}`, operand.type)
    }
    switch (x.op) {
      case 'const':
        this.expect(holds(x.type, x.value), `a constant of ${x.type}`, `${x.value}`)
        return
      case 'var':
        this.expect(scope.has(x.variable), `${x.variable.name} inside of its loop`, 'it elsewhere')
        return
      case 'local':
        this.expect(scope.has(x.local), `${x.local.name} to have a value`, 'none yet')
        are(x.local.name, x.local.type, x)
        return
      case 'load':
        are(`an index of ${x.buffer.name}`, 'i32', x.index)
        are(`a load from ${x.buffer.name}`, scalarType(x.buffer.dtype), x)
        return
      case 'unary':
        takes(x.fn, unaryTypes[x.fn], x.type)
        are(x.fn, x.type, x.x)
        return
      case 'binary': {
        takes(x.fn, binaryTypes[x.fn], x.type)
        are(x.fn, x.type, x.x, x.y)
        if (x.fn !== 'floorDiv' && x.fn !== 'floorMod') return
        const positive = x.y.op === 'const' && x.y.value > 0
        this.expect(positive, `${x.fn} by a positive constant`, x.y.op === 'const' ? `${x.y.value}` : x.y.op)
        return
      }
      case 'fma':
        takes('fma', floats, x.type)
        are('fma', x.type, x.x, x.y, x.z)
        return
      case 'compare':
        takes(x.fn, x.fn === 'eq' || x.fn === 'ne' ? [...numbers, 'bool'] : numbers, x.x.type)
        are(x.fn, x.x.type, x.y)
        return
      case 'select':
        are('a condition', 'bool', x.condition)
        are('a choice', x.type, x.x, x.y)
        return
      case 'convert':
        return
      case 'bitcast':
        takes('bits', words, x.type)
        takes('bits', words, x.x.type)
        return
      case 'narrow':
        are(`a value for ${x.dtype}`, scalarType(x.dtype), x, x.x)
        this.expect(isNarrow(x.dtype), 'a narrow dtype', x.dtype)
        return
      case 'call':
        this.#call(x.callee, x.args)
        are(x.callee.name, x.callee.result.type, x)
        return
      case 'host':
        are(x.fn, 'f64', ...x.args)
    }
  }
  #call(callee: ScalarFunction, args: readonly Expr[]): void {
    const { name, params, body, result } = callee
    this.expect(args.length === params.length, `${params.length} arguments of ${name}`, `${args.length}`)
    params.forEach((param, at) =>
      this.expect(args[at]!.type === param.type, `${param.type} as ${param.name} of ${name}`, args[at]!.type),
    )
    if (this.#functions.has(callee)) return
    this.#functions.add(callee)
    const outside = this.#statement
    const used = buffersOf({ kind: 'nest', name, grid: [], body: [...body, returned(result)] })
    this.expect(used.length === 0, `${name} without buffers`, used.map((buffer) => buffer.name).join(', '))
    const after = this.body(body, new Set(params))
    this.#statement = returned(result)
    this.expression(result, after)
    this.#statement = outside
  }
}
const words: Types = ['f32', 'i32', 'u32']
const returned = (value: Expr): Stmt => ({ op: 'assign', local: { name: 'result', type: value.type }, value })

/** Whether a number is one of the type's. */
function holds(type: ScalarType, value: number): boolean {
  switch (type) {
    case 'bool':
      return value === 0 || value === 1
    case 'i32':
      return (value | 0) === value
    case 'u32':
      return value >>> 0 === value
    case 'f32':
      return Object.is(Math.fround(value), value)
    case 'f64':
      return true
  }
}
