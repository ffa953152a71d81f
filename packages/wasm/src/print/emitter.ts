/** Emits expressions with a few lanes: several turns of a loop at once. */
import { type Buffer, children, type Expr, indexAdd, linearIn, type ScalarType } from '@fluxion/compiler'
import { bytesOf } from '@fluxion/core'
import { binaryCode, unaryCode, valueType } from './scalar.ts'
import { ScalarEmitter } from './scalarEmitter.ts'
import { sourceOf } from './rounding.ts'
import { halfOfTruths, loadTruths, quarterOfTruths } from './together.ts'
import { gather, loadSplat, loadVector, narrowVector } from './storage.ts'
import {
  binaryVector,
  choose,
  compareVector,
  convertVector,
  divideVector,
  extractLane,
  replaceLane,
  reverseLanes,
  splat,
  unaryVector,
  widenMask,
} from './vector.ts'

/** How the lanes of an index lie. */
export interface Access {
  readonly kind: 'contiguous' | 'strided' | 'scattered'
  readonly coefficient: number
}

export class Emitter extends ScalarEmitter {
  /** Push the lanes of a copy of an expression. */
  lanes(of: Expr, copy: number): void {
    const x = this.resolved(of)
    if (!this.varies(x)) {
      this.#equalLanes(x)
      return
    }
    if (x.op === 'local') this.f.get(this.registerOf(x.local, copy))
    else this.once(`lanes${copy}`, x, 'v128', () => this.#lanesCode(x, copy))
  }
  /**
   * Compute all copies of expressions side by side, operation by operation, before they are used: processors see far enough ahead to overlap
   * chains of dependent operations that are near each other, not those of whole copies or of whole expressions one after the other. What has
   * the longest way to go to a result comes first.
   */
  interleave(...roots: readonly Expr[]): void {
    const { copies } = this.vector!
    if (copies === 1) return
    const order: Expr[] = []
    const ways = new Map<Expr, number>()
    const visit = (of: Expr): void => {
      const x = this.resolved(of)
      if (ways.has(x) || !this.varies(x) || x.op === 'local' || x.op === 'var') return
      ways.set(x, 0)
      if (x.op !== 'load') children(x).forEach(visit)
      order.push(x)
    }
    roots.forEach(visit)
    for (const x of order.toReversed()) {
      const way = ways.get(x)! + latencyOf(x)
      ways.set(x, way)
      if (x.op === 'load') continue
      for (const of of children(x)) {
        const child = this.resolved(of)
        const known = ways.get(child)
        if (known !== undefined && known < way) ways.set(child, way)
      }
    }
    for (const x of order.toSorted((a, b) => ways.get(b)! - ways.get(a)!)) {
      // what goes lane by lane has no chain to overlap
      if (x.op === 'call' || x.op === 'host') continue
      for (let copy = 0; copy < copies; copy++) {
        this.once(`lanes${copy}`, x, 'v128', () => this.#lanesCode(x, copy), true)
        this.f.op('drop')
      }
    }
  }
  #equalLanes(x: Expr): void {
    if (x.op === 'const') {
      if (x.type === 'bool') this.lanesOf('i32', x.value === 0 ? 0 : -1)
      else this.lanesOf(x.type === 'u32' ? 'i32' : x.type, x.value)
      return
    }
    this.once('lanes', x, 'v128', () => {
      if (x.op === 'load' && (this.frame.uses.get(x) ?? 0) < 2) {
        const offset = this.address(x.buffer, x.index)
        loadSplat(this, x.type, x.buffer.dtype, offset)
        return
      }
      // before a loop, for those turns too that have no lanes
      this.scalar(x, this.frame.temporaries === undefined)
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
        f.get(this.variables.get(x.variable)!).op('i32x4.splat')
        this.countedLanes(copy * this.vector!.lanes)
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
        narrowVector(this, x.dtype, sourceOf(x))
        break
      case 'call':
        this.#laneByLane(x, x.args, copy, () => this.callCode(x))
        break
      case 'host':
        this.#laneByLane(x, x.args, copy, () => this.hostCode(x))
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
    if (x.fn === 'and' && x.x.op === 'binary' && x.x.fn === 'shr' && x.y.op === 'const' && x.y.value === 1) {
      if (this.varies(x.x.y)) {
        this.#lanesBit(x.x, copy)
        return
      }
    }
    const code = binaryVector(x.fn, x.type)
    if (code === undefined) {
      this.#laneByLane(x, [x.x, x.y], copy, () => binaryCode(x.fn, x.type)(f))
      return
    }
    this.lanes(x.x, copy)
    this.lanes(x.y, copy)
    code(this)
  }
  /** A bit of x, whose place varies from lane to lane: x & 1 << place tells it, too, and 1 << place is often known before a loop. */
  #lanesBit({ type, x, y }: Extract<Expr, { op: 'binary' }>, copy: number): void {
    this.lanes(x, copy)
    this.lanes(placeValue(type, y), copy)
    this.f.op('v128.and')
    this.lanesOf('i32', 0)
    this.f.op('i32x4.ne')
    this.lanesOf('i32', 1)
    this.f.op('v128.and')
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
    const { lanes } = this.vector!
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

  #lanesLoad(x: Extract<Expr, { op: 'load' }>, copy: number): void {
    const { buffer, index } = x
    const access = this.access(index)
    const { lanes, copies } = this.vector!
    if (access.kind === 'contiguous' && buffer.dtype === 'bool' && lanes === 4 && (copies === 2 || copies === 4)) {
      const load = (): void => loadTruths(this, copies, this.address(buffer, index))
      const half = (): void => {
        this.once('truths', x, 'v128', load, true)
        halfOfTruths(this, copy)
      }
      this.once(copy < 2 ? 'truths0' : 'truths2', x, 'v128', half, true)
      quarterOfTruths(this, copy)
    } else if (access.kind === 'contiguous') {
      const offset = this.address(buffer, index, copy * lanes)
      loadVector(this, buffer.dtype, lanes, offset, buffer.holds)
    } else if (access.coefficient === -1) {
      const offset = this.address(buffer, indexAdd(index, -(copy * lanes + lanes - 1)))
      loadVector(this, buffer.dtype, lanes, offset, buffer.holds)
      reverseLanes(this, buffer.dtype === 'float64', lanes)
    } else
      this.eachLane(access, buffer, index, copy, (address) => gather(this, buffer.dtype, lanes, address, buffer.holds))
  }
  /** How the lanes of an index lie. */
  access(index: Expr): Access {
    const linear = linearIn(index, this.vector!.variable)
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
    const { lanes } = this.vector!
    if (kind !== 'scattered') {
      use((lane) => this.address(buffer, indexAdd(index, coefficient * (copy * lanes + lane))))
      return
    }
    const bytes = bytesOf(buffer.dtype)
    const addresses = f.temporary('v128')
    this.lanes(index, copy)
    f.i32(Math.log2(bytes)).op('i32x4.shl').get(this.baseOf(buffer)).op('i32x4.splat', 'i32x4.add').set(addresses)
    use((lane) => {
      f.get(addresses).lane('i32x4.extract_lane', lane)
      return 0
    })
    f.release(addresses)
  }
}

/** About how many cycles an operation takes. */
function latencyOf(x: Expr): number {
  if (x.op === 'narrow') return x.dtype === 'float16' ? 14 : 4
  if (x.op === 'fma' || (x.op === 'unary' && x.fn === 'sqrt') || (x.op === 'binary' && x.fn === 'div')) return 12
  return x.op === 'binary' ? 4 : 2
}

const placeValues = new WeakMap<Expr, Expr>()
/** 1 << place; one object for each place. */
function placeValue(type: ScalarType, place: Expr): Expr {
  let value = placeValues.get(place)
  if (value === undefined) {
    value = { op: 'binary', fn: 'shl', type, x: { op: 'const', type, value: 1 }, y: place }
    placeValues.set(place, value)
  }
  return value
}
