/**
 * Emits expressions, scalar or a few lanes wide. What a loop does not change is computed before it, what a statement uses several times is
 * kept in a register; of addresses, what changes from turn to turn is one addition.
 */
import {
  type Buffer,
  children,
  type Expr,
  indexAdd,
  indexRange,
  linearIn,
  type Local,
  type LoopVar,
  type ScalarFunction,
} from '@fluxion/compiler'
import { bytesOf } from '@fluxion/core'
import type { FunctionBuilder, FunctionRef, Instruction, Register, ValueType } from '../assembler/function.ts'
import type { ModuleBuilder } from '../assembler/module.ts'
import { binaryCode, bitcastCode, compareCode, convertCode, pushConstant, unaryCode, valueType } from './scalar.ts'
import { Cache, type Changes, noChanges, Scope } from './scope.ts'
import { gather, loadScalar, loadSplat, loadVector, narrowScalar, narrowVector } from './storage.ts'
import {
  binaryVector,
  choose,
  compareVector,
  convertVector,
  divideVector,
  extractLane,
  replaceLane,
  splat,
  unaryVector,
  type VectorSink,
  widenMask,
} from './vector.ts'

export interface PrintOptions {
  /** Whether instructions of relaxed SIMD may be used. */
  readonly relaxed: boolean
}
/** How code runs several turns of a loop at once. */
export interface Vector {
  readonly variable: LoopVar
  /** Turns in a register; two where there are f64s. */
  readonly lanes: 2 | 4
  /** Registers side by side: copy k holds the turns from k · lanes on. */
  readonly copies: number
  /** Locals that hold another value in each lane. */
  readonly varying: ReadonlySet<Local>
}
/** What statements share while one of them is emitted. */
interface Frame {
  readonly uses: ReadonlyMap<Expr, number>
  readonly cache: Cache
  /** Registers to give back at the end; `undefined` where they stay. */
  readonly temporaries: Register[] | undefined
}
export interface LoopRange {
  /** Where the variable starts, and below which it ends: a constant, or a register that the loop does not change. */
  readonly start: number | Register
  readonly end: number | Register
  readonly step: number
  /** Whether there is at least one turn. */
  readonly runs: boolean
  /** Whether what no turn changes may be computed even if there is no turn. */
  readonly safe?: boolean
}

const leaf = (x: Expr): boolean => x.op === 'const' || x.op === 'var' || x.op === 'local'
/** What traps or reads out of bounds when it runs where it should not. */
const mayTrap = (x: Expr): boolean =>
  x.op === 'load' ||
  x.op === 'call' ||
  x.op === 'host' ||
  (x.op === 'binary' &&
    (x.fn === 'div' || x.fn === 'rem') &&
    x.type !== 'f32' &&
    x.type !== 'f64' &&
    x.y.op !== 'const')
/** How often each expression is used in those given, as an operand or by itself. */
function usesIn(roots: readonly Expr[]): Map<Expr, number> {
  const uses = new Map<Expr, number>()
  const use = (x: Expr): void => {
    const count = uses.get(x) ?? 0
    uses.set(x, count + 1)
    if (count === 0) children(x).forEach(use)
  }
  roots.forEach(use)
  return uses
}

export class Emitter implements VectorSink {
  readonly f: FunctionBuilder
  readonly module: ModuleBuilder
  readonly relaxed: boolean
  readonly #options: PrintOptions
  readonly #functionOf: (module: ModuleBuilder, callee: ScalarFunction, options: PrintOptions) => FunctionRef
  /** Byte addresses of buffers. */
  readonly #bases = new Map<Buffer, Register>()
  readonly #forms = new Map<Buffer, string>()
  readonly #variables = new Map<LoopVar, Register>()
  readonly #locals = new Map<Local, Register[]>()
  /** Locals that stand for an expression that the loop around does not change. */
  readonly #aliases = new Map<Local, Expr>()
  readonly #constants = new Map<string, Expr>()
  #scopes: readonly Scope[] = [new Scope('function', undefined, noChanges, false)]
  #frame: Frame = { uses: new Map(), cache: new Cache(), temporaries: undefined }
  #vector: Vector | undefined
  #varies = new Map<Expr, boolean>()

  constructor(
    f: FunctionBuilder,
    module: ModuleBuilder,
    options: PrintOptions,
    functionOf: (module: ModuleBuilder, callee: ScalarFunction, options: PrintOptions) => FunctionRef,
  ) {
    this.f = f
    this.module = module
    this.relaxed = options.relaxed
    this.#options = options
    this.#functionOf = functionOf
  }

  /** Say where a buffer begins. */
  bindBuffer(buffer: Buffer, base: Register): void {
    this.#forms.set(buffer, `address${this.#bases.size}`)
    this.#bases.set(buffer, base)
  }
  /** Say which register counts a loop variable that no `loop` of this emitter's binds: that of the first lane. */
  bindVariable(variable: LoopVar, register: Register): void {
    this.#variables.set(variable, register)
  }
  /** Say which registers hold a local: one for each copy if it varies from lane to lane. */
  bindLocal(local: Local, registers: readonly Register[]): void {
    this.#locals.set(local, [...registers])
  }
  /** The register of a local, or of a copy of it. */
  registerOf(local: Local, copy = 0): Register {
    let registers = this.#locals.get(local)
    if (registers === undefined) this.#locals.set(local, (registers = []))
    const type: ValueType = this.#vector?.varying.has(local) === true ? 'v128' : valueType(local.type)
    const known = registers[copy]
    // the same body is printed with lanes and without
    if (known !== undefined && known.type === type) return known
    return (registers[copy] = this.f.register(type))
  }

  /**
   * Let a local stand for a value that the innermost loop does not change, so that what is computed from it may go before the loop, too;
   * `false` if it does. Only for locals assigned once, and used in that loop only.
   */
  alias(local: Local, value: Expr): boolean {
    const invariant = value.op !== 'const' && this.#home(this.#level(value)) !== undefined
    if (invariant) this.#aliases.set(local, value)
    else this.#aliases.delete(local)
    return invariant
  }

  get vector(): Vector | undefined {
    return this.#vector
  }
  /** Emit what `body` emits with lanes for a variable's turns, or without. */
  withVector(vector: Vector | undefined, body: () => void): void {
    const [outer, varies] = [this.#vector, this.#varies]
    this.#vector = vector
    this.#varies = new Map()
    try {
      body()
    } finally {
      this.#vector = outer
      this.#varies = varies
    }
  }
  /** Emit a statement over these expressions: what they share is computed once. */
  statement(roots: readonly Expr[], body: () => void): void {
    const outer = this.#frame
    const temporaries: Register[] = []
    this.#frame = { uses: usesIn(roots), cache: new Cache(), temporaries }
    try {
      body()
    } finally {
      this.#frame = outer
    }
    for (const register of temporaries) this.f.release(register)
  }

  /** How often the current statement uses an expression. */
  uses(x: Expr): number {
    return this.#frame.uses.get(x) ?? 0
  }

  /** Emit inside of a scope; gives the scope's code. */
  #inside(scope: Scope, body: () => void): readonly Instruction[] {
    const code: Instruction[] = []
    const outer = this.#scopes
    this.#scopes = [...outer, scope]
    try {
      this.f.apart(code, body)
    } finally {
      this.#scopes = outer
    }
    return code
  }
  /** Loops that share what is computed before the first. */
  group(changes: Changes, body: () => void): void {
    const scope = new Scope('loop', undefined, changes, false)
    const code = this.#inside(scope, body)
    this.f.append(scope.before).append(code)
  }
  /** A loop over a variable. */
  loop(variable: LoopVar, range: LoopRange, changes: Changes, body: () => void): void {
    const { f } = this
    const register = this.#variables.get(variable) ?? f.register('i32')
    this.#variables.set(variable, register)
    const scope = new Scope('loop', variable, changes, !range.runs && range.safe !== true)
    const code = this.#inside(scope, body)
    const push = (value: number | Register): void => void (typeof value === 'number' ? f.i32(value) : f.get(value))
    push(range.start)
    f.set(register)
    const turns = (): void =>
      void f.loop((again) => {
        f.append(scope.top).append(code)
        f.get(register).i32(range.step).op('i32.add').tee(register)
        push(range.end)
        f.op('i32.lt_s').brIf(again)
      })
    f.append(scope.before)
    if (range.runs) turns()
    else {
      f.get(register)
      push(range.end)
      f.op('i32.lt_s').if(turns)
    }
  }
  /** Turns of `body` as long as the condition holds. */
  while(condition: Expr, changes: Changes, body: () => void): void {
    const { f } = this
    const scope = new Scope('loop', undefined, changes, true)
    const code = this.#inside(scope, () => {
      f.block((done) => {
        f.loop((again) => {
          this.statement([condition], () => this.scalar(condition))
          f.op('i32.eqz').brIf(done)
          body()
          f.br(again)
        })
      })
    })
    f.append(scope.before).append(code)
  }
  /** A branch on a condition. */
  branch(condition: Expr, yes: () => void, no: (() => void) | undefined): void {
    const scope = new Scope('branch', undefined, noChanges, true)
    const [first, second] = [this.#inside(scope, yes), no === undefined ? undefined : this.#inside(scope, no)]
    this.statement([condition], () => this.scalar(condition))
    this.f.if(() => this.f.append(first), second === undefined ? undefined : () => this.f.append(second))
  }

  /** The deepest scope on which an expression's value depends, as a number; 0 if on none. */
  #level(x: Expr): number {
    const { levels } = this.#scopes.at(-1)!
    let level = levels.get(x)
    if (level === undefined) {
      level = Math.max(this.#ownLevel(x), ...children(x).map((child) => this.#level(child)))
      levels.set(x, level)
    }
    return level
  }
  #ownLevel(x: Expr): number {
    const last = (test: (scope: Scope) => boolean): number => Math.max(0, this.#scopes.findLastIndex(test))
    if (x.op === 'var') return last((scope) => scope.variable === x.variable)
    if (x.op === 'local') {
      const alias = this.#aliases.get(x.local)
      return alias === undefined ? last((scope) => scope.changes.locals.has(x.local)) : this.#level(alias)
    }
    const guarded = mayTrap(x) ? last((scope) => scope.guards) : 0
    if (x.op !== 'load') return guarded
    return Math.max(
      guarded,
      last((scope) => scope.changes.buffers.has(x.buffer)),
    )
  }
  /** The outermost loop that does not change a value of this level: before it is where the value is computed. */
  #home(level: number): number | undefined {
    const home = this.#scopes.findIndex((scope, i) => i > level && scope.kind === 'loop')
    return home < 0 ? undefined : home
  }
  /** A register filled before a loop. */
  #hoisted(home: number, form: string, x: Expr, type: ValueType, emit: () => void): Register {
    const scope = this.#scopes[home]!
    const known = scope.hoisted.get(form, x)
    if (known !== undefined) return known
    const register = this.f.register(type)
    const [scopes, frame] = [this.#scopes, this.#frame]
    this.#scopes = scopes.slice(0, home)
    this.#frame = { uses: frame.uses, cache: scope.hoisted, temporaries: undefined }
    this.f.apart(scope.before, () => {
      emit()
      this.f.set(register)
    })
    this.#scopes = scopes
    this.#frame = frame
    scope.hoisted.set(form, x, register)
    return register
  }
  /** Push a value in some form: from before a loop, from a register of the statement, or computed here. */
  #once(form: string, x: Expr, type: ValueType, emit: () => void, keep = false): void {
    const home = this.#home(this.#level(x))
    if (home !== undefined) {
      this.f.get(this.#hoisted(home, form, x, type, emit))
      return
    }
    const { cache, temporaries, uses } = this.#frame
    const known = cache.get(form, x)
    if (known !== undefined) {
      this.f.get(known)
      return
    }
    emit()
    if (!keep && (uses.get(x) ?? 0) < 2) return
    const register = temporaries === undefined ? this.f.register(type) : this.f.temporary(type)
    temporaries?.push(register)
    cache.set(form, x, register)
    this.f.tee(register)
  }

  /** Push an expression's value; of one that varies from lane to lane, that of the first lane. */
  scalar(of: Expr): void {
    const x = this.#resolved(of)
    if (leaf(x)) this.#scalarCode(x)
    else this.#once('scalar', x, valueType(x.type), () => this.#scalarCode(x))
  }
  #resolved(x: Expr): Expr {
    const alias = x.op === 'local' ? this.#aliases.get(x.local) : undefined
    return alias === undefined ? x : this.#resolved(alias)
  }
  #scalarCode(x: Expr): void {
    const { f } = this
    switch (x.op) {
      case 'const':
        pushConstant(f, x.type, x.value)
        break
      case 'var':
        f.get(this.#variables.get(x.variable)!)
        break
      case 'local':
        f.get(this.registerOf(x.local))
        break
      case 'load': {
        const offset = this.address(x.buffer, x.index)
        loadScalar(this, x.buffer.dtype, offset)
        break
      }
      case 'unary':
        this.scalar(x.x)
        unaryCode(x.fn, x.type)(f)
        break
      case 'binary':
        this.#scalarBinary(x)
        break
      case 'fma':
        this.#scalarFma(x)
        break
      case 'compare':
        this.scalar(x.x)
        this.scalar(x.y)
        compareCode(x.fn, x.x.type)(f)
        break
      case 'select':
        this.scalar(x.x)
        this.scalar(x.y)
        this.scalar(x.condition)
        f.op('select')
        break
      case 'convert':
        this.scalar(x.x)
        convertCode(x.x.type, x.type)(f)
        break
      case 'bitcast':
        this.scalar(x.x)
        bitcastCode(x.x.type, x.type)(f)
        break
      case 'narrow':
        this.scalar(x.x)
        narrowScalar(this, x.dtype)
        break
      case 'call':
        for (const arg of x.args) this.scalar(arg)
        f.call(this.#functionOf(this.module, x.callee, this.#options))
        break
      case 'host':
        for (const arg of x.args) this.scalar(arg)
        f.call(this.module.host(x.fn, x.args.length))
        break
    }
  }
  #scalarBinary(x: Extract<Expr, { op: 'binary' }>): void {
    const { f } = this
    this.scalar(x.x)
    if ((x.fn === 'floorDiv' || x.fn === 'floorMod') && x.y.op === 'const') {
      const by = x.y.value
      const log = Math.log2(by)
      if (Number.isInteger(log)) {
        if (x.fn === 'floorDiv') f.i32(log).op('i32.shr_s')
        else f.i32(by - 1).op('i32.and')
        return
      }
      if (indexRange(x.x)[0] >= 0) {
        f.i32(by).op(x.fn === 'floorDiv' ? 'i32.div_u' : 'i32.rem_u')
        return
      }
    }
    this.scalar(x.y)
    binaryCode(x.fn, x.type)(f)
  }
  /** With relaxed SIMD as a vector's lanes do it, so that they agree. */
  #scalarFma({ type, x, y, z }: Extract<Expr, { op: 'fma' }>): void {
    const { f } = this
    const half = type === 'f32'
    this.scalar(x)
    if (!this.relaxed) {
      this.scalar(y)
      f.op(half ? 'f32.mul' : 'f64.mul')
      this.scalar(z)
      f.op(half ? 'f32.add' : 'f64.add')
      return
    }
    f.op(half ? 'f32x4.splat' : 'f64x2.splat')
    this.scalar(y)
    f.op(half ? 'f32x4.splat' : 'f64x2.splat')
    this.scalar(z)
    f.op(half ? 'f32x4.splat' : 'f64x2.splat').op(half ? 'f32x4.relaxed_madd' : 'f64x2.relaxed_madd')
    f.lane(half ? 'f32x4.extract_lane' : 'f64x2.extract_lane', 0)
  }

  /**
   * Push an element's address, but for a constant part: that is returned, for the offset of the instruction that uses the address. `further`
   * elements are added.
   */
  address(buffer: Buffer, index: Expr, further = 0): number {
    const bytes = bytesOf(buffer.dtype)
    const constant = constantPart(index)
    // an offset does not wrap: what it is added to must not be before the buffer
    const split = constant > 0 && indexRange(indexAdd(index, -constant))[0] >= 0
    this.#pushAddress(buffer, split ? indexAdd(index, -constant) : index)
    return ((split ? constant : 0) + further) * bytes
  }
  #pushAddress(buffer: Buffer, index: Expr): void {
    if (index.op === 'const' && index.value === 0) {
      this.f.get(this.#bases.get(buffer)!)
      return
    }
    this.#once(this.#forms.get(buffer)!, index, 'i32', () => this.#addressCode(buffer, index), true)
  }
  #addressCode(buffer: Buffer, index: Expr): void {
    const { f } = this
    const bytes = bytesOf(buffer.dtype)
    const variable = this.#scopes.findLast((scope) => scope.variable !== undefined)?.variable
    const linear = variable === undefined ? undefined : linearIn(index, variable)
    if (linear !== undefined && linear.coefficient !== 0) {
      this.#pushAddress(buffer, linear.rest)
      this.#pushMultiple(variable!, linear.coefficient * bytes)
      f.op('i32.add')
      return
    }
    f.get(this.#bases.get(buffer)!)
    this.scalar(index)
    if (bytes > 1) f.i32(Math.log2(bytes)).op('i32.shl')
    f.op('i32.add')
  }
  /** Push a multiple of a loop's variable, computed once a turn. */
  #pushMultiple(variable: LoopVar, factor: number): void {
    const { f } = this
    const scope = this.#scopes.findLast((each) => each.variable === variable)!
    let register = scope.multiples.get(factor)
    if (register === undefined) {
      register = f.register('i32')
      scope.multiples.set(factor, register)
      const log = Math.log2(factor)
      f.apart(scope.top, () => {
        f.get(this.#variables.get(variable)!)
        if (factor !== 1) {
          if (Number.isInteger(log)) f.i32(log).op('i32.shl')
          else f.i32(factor).op('i32.mul')
        }
        f.set(register!)
      })
    }
    f.get(register)
  }

  /** Whether an expression has another value in each lane. */
  varies(x: Expr): boolean {
    const vector = this.#vector
    if (vector === undefined || x.op === 'const') return false
    if (x.op === 'var') return x.variable === vector.variable
    if (x.op === 'local') return vector.varying.has(x.local)
    let varies = this.#varies.get(x)
    if (varies === undefined) {
      varies = children(x).some((child) => this.varies(child))
      this.#varies.set(x, varies)
    }
    return varies
  }
  lanesOf(type: 'i32' | 'f32' | 'f64', value: number): void {
    this.#once('lanes', this.#constant(type, value), 'v128', () => {
      if (type === 'i32') this.f.v128(new Int32Array(4).fill(value))
      else if (type === 'f32') this.f.v128(new Float32Array(4).fill(value))
      else this.f.v128(new Float64Array(2).fill(value))
    })
  }
  /** Push start, start + 1, … */
  #countedLanes(start: number): void {
    this.#once('counted', this.#constant('i32', start), 'v128', () => {
      this.f.v128(Int32Array.from([0, 1, 2, 3], (lane) => start + lane))
    })
  }
  /** One object for each constant. */
  #constant(type: 'i32' | 'f32' | 'f64', value: number): Expr {
    const key = `${type}:${Object.is(value, -0) ? '-0' : value}`
    let constant = this.#constants.get(key)
    if (constant === undefined) this.#constants.set(key, (constant = { op: 'const', type, value }))
    return constant
  }

  /** Push the lanes of a copy of an expression. */
  lanes(of: Expr, copy: number): void {
    const x = this.#resolved(of)
    if (!this.varies(x)) {
      this.#equalLanes(x)
      return
    }
    if (x.op === 'local') this.f.get(this.registerOf(x.local, copy))
    else this.#once(`lanes${copy}`, x, 'v128', () => this.#lanesCode(x, copy))
  }
  #equalLanes(x: Expr): void {
    if (x.op === 'const') {
      if (x.type === 'bool') this.lanesOf('i32', x.value === 0 ? 0 : -1)
      else this.lanesOf(x.type === 'u32' ? 'i32' : x.type, x.value)
      return
    }
    this.#once('lanes', x, 'v128', () => {
      if (x.op === 'load' && (this.#frame.uses.get(x) ?? 0) < 2) {
        const offset = this.address(x.buffer, x.index)
        loadSplat(this, x.type, x.buffer.dtype, offset)
        return
      }
      this.scalar(x)
      splat(this, x.type)
    })
  }
  #lanesCode(x: Expr, copy: number): void {
    const { f } = this
    switch (x.op) {
      case 'const':
      case 'local':
        break
      case 'var':
        f.get(this.#variables.get(x.variable)!).op('i32x4.splat')
        this.#countedLanes(copy * this.#vector!.lanes)
        f.op('i32x4.add')
        break
      case 'load':
        this.#lanesLoad(x, copy)
        break
      case 'unary': {
        const code = unaryVector(x.fn, x.type)
        if (code === undefined) {
          this.#laneByLane(x, [x.x], copy, () => unaryCode(x.fn, x.type)(f))
          break
        }
        this.lanes(x.x, copy)
        code(this)
        break
      }
      case 'binary':
        this.#lanesBinary(x, copy)
        break
      case 'fma':
        this.#lanesFma(x, copy)
        break
      case 'compare':
        this.lanes(x.x, copy)
        this.lanes(x.y, copy)
        compareVector(x.fn, x.x.type)(this)
        break
      case 'select':
        this.#lanesSelect(x, copy)
        break
      case 'convert':
        this.lanes(x.x, copy)
        convertVector(x.x.type, x.type)(this)
        break
      case 'bitcast':
        this.lanes(x.x, copy)
        break
      case 'narrow':
        this.lanes(x.x, copy)
        narrowVector(this, x.dtype)
        break
      case 'call':
        this.#laneByLane(x, x.args, copy, () => f.call(this.#functionOf(this.module, x.callee, this.#options)))
        break
      case 'host':
        this.#laneByLane(x, x.args, copy, () => f.call(this.module.host(x.fn, x.args.length)))
        break
    }
  }
  #lanesSelect({ type, condition, x, y }: Extract<Expr, { op: 'select' }>, copy: number): void {
    const none = y.op === 'const' && Object.is(y.value, 0)
    this.lanes(x, copy)
    if (!none) this.lanes(y, copy)
    this.lanes(condition, copy)
    if (type === 'f64') widenMask(this)
    if (none) this.f.op('v128.and')
    else choose(this)
  }
  #lanesBinary(x: Extract<Expr, { op: 'binary' }>, copy: number): void {
    const { f } = this
    if ((x.fn === 'shl' || x.fn === 'shr') && !this.varies(x.y)) {
      this.lanes(x.x, copy)
      this.scalar(x.y)
      f.op(x.fn === 'shl' ? 'i32x4.shl' : x.type === 'i32' ? 'i32x4.shr_s' : 'i32x4.shr_u')
      return
    }
    if ((x.fn === 'floorDiv' || x.fn === 'floorMod') && x.y.op === 'const') {
      this.lanes(x.x, copy)
      divideVector(this, x.fn, x.y.value)
      return
    }
    if ((x.fn === 'min' || x.fn === 'max') && this.#boundedLanes(x.fn, x, copy)) return
    const code = binaryVector(x.fn, x.type)
    if (code === undefined) {
      this.#laneByLane(x, [x.x, x.y], copy, () => binaryCode(x.fn, x.type)(f))
      return
    }
    this.lanes(x.x, copy)
    this.lanes(x.y, copy)
    code(this)
  }
  /**
   * `min` and `max` of floats take V8 eight instructions; with a constant one will do: c < x ? c : x gives NaN if x is, and is wrong only of
   * zeros, where min(0, −0) would be 0 and max(−0, 0) be −0, which adding 0 mends.
   */
  #boundedLanes(fn: 'min' | 'max', x: Extract<Expr, { op: 'binary' }>, copy: number): boolean {
    const { f } = this
    if (x.type !== 'f32' && x.type !== 'f64') return false
    const [value, bound] = x.x.op === 'const' ? [x.y, x.x] : [x.x, x.y]
    if (bound.op !== 'const' || Number.isNaN(bound.value) || (fn === 'min' && Object.is(bound.value, -0))) return false
    this.lanes(value, copy)
    this.lanes(bound, copy)
    const shape = x.type === 'f32' ? 'f32x4' : 'f64x2'
    f.op(fn === 'min' ? `${shape}.pmin` : `${shape}.pmax`)
    if (fn === 'max' && Object.is(bound.value, 0)) {
      this.lanes(bound, copy)
      f.op(`${shape}.add`)
    }
    return true
  }
  #lanesFma({ type, x, y, z }: Extract<Expr, { op: 'fma' }>, copy: number): void {
    const { f } = this
    this.lanes(x, copy)
    this.lanes(y, copy)
    if (!this.relaxed) f.op(type === 'f32' ? 'f32x4.mul' : 'f64x2.mul')
    this.lanes(z, copy)
    if (this.relaxed) f.op(type === 'f32' ? 'f32x4.relaxed_madd' : 'f64x2.relaxed_madd')
    else f.op(type === 'f32' ? 'f32x4.add' : 'f64x2.add')
  }
  /** What has no vector instruction: each lane by itself. */
  #laneByLane(x: Expr, args: readonly Expr[], copy: number, code: () => void): void {
    const { f } = this
    const { lanes } = this.#vector!
    const operands = args.map((arg) => {
      const varies = this.varies(arg)
      const register = f.temporary(varies ? 'v128' : valueType(arg.type))
      if (varies) this.lanes(arg, copy)
      else this.scalar(arg)
      f.set(register)
      return { register, varies, type: arg.type }
    })
    const result = f.temporary('v128')
    this.lanesOf('i32', 0)
    f.set(result)
    for (let lane = 0; lane < lanes; lane++) {
      f.get(result)
      for (const { register, varies, type } of operands) {
        f.get(register)
        if (varies) extractLane(this, type, lane)
      }
      code()
      replaceLane(this, x.type, lane)
      f.set(result)
    }
    f.get(result)
    for (const { register } of operands) f.release(register)
    f.release(result)
  }

  #lanesLoad({ buffer, index }: Extract<Expr, { op: 'load' }>, copy: number): void {
    const access = this.access(index)
    const { lanes } = this.#vector!
    if (access.kind === 'contiguous') {
      const offset = this.address(buffer, index, copy * lanes)
      loadVector(this, buffer.dtype, lanes, offset)
    } else this.eachLane(access, buffer, index, copy, (address) => gather(this, buffer.dtype, lanes, address))
  }
  /** How the lanes of an index lie. */
  access(index: Expr): Access {
    const linear = linearIn(index, this.#vector!.variable)
    if (linear === undefined || this.varies(linear.rest)) return { kind: 'scattered', coefficient: 0 }
    return { kind: linear.coefficient === 1 ? 'contiguous' : 'strided', coefficient: linear.coefficient }
  }
  /** Give `use` a function that pushes the address of a lane and returns its offset. */
  eachLane(
    { kind, coefficient }: Access,
    buffer: Buffer,
    index: Expr,
    copy: number,
    use: (address: (lane: number) => number) => void,
  ): void {
    const { f } = this
    const { lanes } = this.#vector!
    if (kind !== 'scattered') {
      use((lane) => this.address(buffer, indexAdd(index, coefficient * (copy * lanes + lane))))
      return
    }
    const bytes = bytesOf(buffer.dtype)
    const addresses = f.temporary('v128')
    this.lanes(index, copy)
    f.i32(Math.log2(bytes)).op('i32x4.shl').get(this.#bases.get(buffer)!).op('i32x4.splat', 'i32x4.add').set(addresses)
    use((lane) => {
      f.get(addresses).lane('i32x4.extract_lane', lane)
      return 0
    })
    f.release(addresses)
  }
}

export interface Access {
  readonly kind: 'contiguous' | 'strided' | 'scattered'
  readonly coefficient: number
}
/** The constant that an index ends with. */
function constantPart(index: Expr): number {
  if (index.op === 'const') return index.value
  if (index.op !== 'binary' || index.y.op !== 'const') return 0
  return index.fn === 'add' ? index.y.value : index.fn === 'sub' ? -index.y.value : 0
}
