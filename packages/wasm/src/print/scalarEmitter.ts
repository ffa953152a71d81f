/** Emits scalar expressions, and addresses: of these, what changes from turn to turn of a loop is one addition. */
import {
  type Buffer,
  type Expr,
  indexAdd,
  indexRange,
  linearIn,
  type LoopVar,
  type ScalarFunction,
} from '@fluxion/compiler'
import { bytesOf } from '@fluxion/core'
import type { FunctionBuilder, FunctionRef, Register } from '../assembler/function.ts'
import type { ModuleBuilder } from '../assembler/module.ts'
import { Placing } from './placing.ts'
import { binaryCode, bitcastCode, compareCode, convertCode, pushConstant, unaryCode, valueType } from './scalar.ts'
import { type Changes, noChanges, Scope } from './scope.ts'
import { sourceOf } from './rounding.ts'
import { loadScalar, narrowScalar } from './storage.ts'
import type { VectorSink } from './vector.ts'

export interface PrintOptions {
  /** Whether instructions of relaxed SIMD may be used. */
  readonly relaxed: boolean
}
/** Prints scalar functions, each once a module. */
export type FunctionPrinter = (module: ModuleBuilder, callee: ScalarFunction, options: PrintOptions) => FunctionRef

const leaf = (x: Expr): boolean => x.op === 'const' || x.op === 'var' || x.op === 'local'

export class ScalarEmitter extends Placing implements VectorSink {
  readonly module: ModuleBuilder
  readonly relaxed: boolean
  readonly #options: PrintOptions
  readonly #functionOf: FunctionPrinter
  /** Byte addresses of buffers. */
  readonly #bases = new Map<Buffer, Register>()
  readonly #forms = new Map<Buffer, string>()
  readonly #constants = new Map<string, Expr>()

  constructor(f: FunctionBuilder, module: ModuleBuilder, options: PrintOptions, functionOf: FunctionPrinter) {
    super(f)
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
  /** Where a buffer begins. */
  protected baseOf(buffer: Buffer): Register {
    return this.#bases.get(buffer)!
  }
  /** Turns of `body` as long as the condition holds. */
  while(condition: Expr, changes: Changes, body: () => void): void {
    const { f } = this
    const scope = new Scope('loop', undefined, changes, true)
    const code = this.inside(scope, () => {
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
    const [first, second] = [this.inside(scope, yes), no === undefined ? undefined : this.inside(scope, no)]
    this.statement([condition], () => this.scalar(condition))
    this.f.if(() => this.f.append(first), second === undefined ? undefined : () => this.f.append(second))
  }

  /** Push an expression's value; of one that varies from lane to lane, that of the first lane. `keep` it for others of the statement. */
  scalar(of: Expr, keep = false): void {
    const x = this.resolved(of)
    if (leaf(x)) this.#scalarCode(x)
    else this.once('scalar', x, valueType(x.type), () => this.#scalarCode(x), keep)
  }
  #scalarCode(x: Expr): void {
    const { f } = this
    switch (x.op) {
      case 'const':
        pushConstant(f, x.type, x.value)
        break
      case 'var':
        f.get(this.variables.get(x.variable)!)
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
        narrowScalar(this, x.dtype, sourceOf(x))
        break
      case 'call':
        for (const arg of x.args) this.scalar(arg)
        this.callCode(x)
        break
      case 'host':
        for (const arg of x.args) this.scalar(arg)
        this.hostCode(x)
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
    this.once(this.#forms.get(buffer)!, index, 'i32', () => this.#addressCode(buffer, index), true)
  }
  #addressCode(buffer: Buffer, index: Expr): void {
    const { f } = this
    const bytes = bytesOf(buffer.dtype)
    const variable = this.scopes.findLast((scope) => scope.variable !== undefined)?.variable
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
    const scope = this.scopes.findLast((each) => each.variable === variable)!
    let register = scope.multiples.get(factor)
    if (register === undefined) {
      register = f.register('i32')
      scope.multiples.set(factor, register)
      const log = Math.log2(factor)
      f.apart(scope.top, () => {
        f.get(this.variables.get(variable)!)
        if (factor !== 1) {
          if (Number.isInteger(log)) f.i32(log).op('i32.shl')
          else f.i32(factor).op('i32.mul')
        }
        f.set(register!)
      })
    }
    f.get(register)
  }
  lanesOf(type: 'i32' | 'f32' | 'f64', value: number): void {
    this.once('lanes', this.#constant(type, value), 'v128', () => {
      if (type === 'i32') this.f.v128(new Int32Array(4).fill(value))
      else if (type === 'f32') this.f.v128(new Float32Array(4).fill(value))
      else this.f.v128(new Float64Array(2).fill(value))
    })
  }
  /** Push start, start + 1, … */
  protected countedLanes(start: number): void {
    this.once('counted', this.#constant('i32', start), 'v128', () => {
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

  /** Emit a call; arguments are on the stack. */
  protected callCode({ callee }: Extract<Expr, { op: 'call' }>): void {
    this.f.call(this.#functionOf(this.module, callee, this.#options))
  }
  protected hostCode({ fn, args }: Extract<Expr, { op: 'host' }>): void {
    this.f.call(this.module.host(fn, args.length))
  }
}

/** The constant that an index ends with. */
function constantPart(index: Expr): number {
  if (index.op === 'const') return index.value
  if (index.op !== 'binary' || index.y.op !== 'const') return 0
  return index.fn === 'add' ? index.y.value : index.fn === 'sub' ? -index.y.value : 0
}
