/** Random small loop nests of well-typed statements, and data for them: for tests. */
import {
  assign,
  binary,
  type BinaryOp,
  bitcast,
  Buffer,
  buffersOf,
  compare,
  constant,
  convert,
  type Expr,
  flatIndex,
  fma,
  forLoop,
  i32,
  indexAdd,
  indexDiv,
  indexMod,
  indexMul,
  load,
  Local,
  local,
  LoopVar,
  lt,
  max,
  min,
  narrow,
  type Nest,
  type ScalarFunction,
  type ScalarType,
  scalarType,
  select,
  type Stmt,
  store,
  unary,
  update,
  variable,
  when,
  whilst,
} from '@fluxion/compiler'
import { type TypedArray } from '@fluxion/core'
import { dtypes, hostArray } from './run.testing.ts'

const floats = [
  0,
  -0,
  1,
  -1,
  0.5,
  1.5,
  2.5,
  -3.25,
  65504,
  -65520,
  1e-7,
  6e-8,
  3e38,
  -1e30,
  2 ** -140,
  NaN,
  Infinity,
  -Infinity,
]
const wholes = [0, 1, -1, 2, 3, 5, -7, 31, 127, 128, 255, -128, 32767, 65535, 2 ** 31 - 1, -(2 ** 31)]

/** Makes choices; the data of a kernel comes from them, too. */
export type Choose = (below: number) => number
/** A random nest, and an element for each place of each of its parameters. */
export class RandomKernel {
  readonly choose: Choose
  readonly #types: readonly ScalarType[]
  readonly #exact = new Set<Buffer>()
  #locals: Local[] = []
  #outs = 0
  constructor(choose: Choose) {
    this.choose = choose
    this.#types = choose(4) === 0 ? ['f32', 'i32', 'u32', 'bool', 'f64'] : ['f32', 'f32', 'i32', 'u32', 'bool']
  }
  pick<T>(items: readonly T[]): T {
    return items[this.choose(items.length)]!
  }
  build(): { nest: Nest; data: TypedArray[] } {
    const extents = [0, 1, 3, 4, 5, 7, 8, 17, 24, 33]
    const rank = this.pick([0, 1, 1, 1, 2, 2, 3])
    const grid = Array.from({ length: rank }, (_, i) => {
      const inner = i === rank - 1
      return new LoopVar('ijk'[i]!, inner ? this.pick(extents) : this.pick([1, 2, 3, 5]))
    })
    const statements = Array.from({ length: 1 + this.choose(3) }, () => this.#statement(grid, 2)).flat()
    const body = [...statements, this.#store(grid)]
    const kernel = { kind: 'nest', name: 'kernel', grid, body } as const
    const params = buffersOf(kernel)
    return { nest: { ...kernel, params }, data: params.map((buffer) => this.#data(buffer)) }
  }
  #data(buffer: Buffer): TypedArray {
    const { dtype, length } = buffer
    const type = scalarType(dtype)
    const exact = this.#exact.has(buffer)
    const array = hostArray(dtype, length, () => {
      if (exact) return type === 'bool' ? this.choose(2) : this.choose(33) - (type === 'u32' ? 0 : 16)
      if (type === 'bool') return this.choose(2)
      if (type === 'f32' || type === 'f64')
        return this.choose(3) === 0 ? this.pick(floats) : (this.choose(4001) - 2000) / 64
      return this.choose(2) === 0 ? this.pick(wholes) : this.choose(100)
    })
    if (dtype !== 'float16' && dtype !== 'bfloat16') return array
    // rounding through the heap's bits would hide what a wrong rounding does: these are short numbers
    return array.map((x) => (dtype === 'float16' ? halfOf(x) : bfloatOf(x))) as TypedArray
  }

  /** An index of some form over loops, and how long a buffer must be for it. */
  #index(loops: readonly LoopVar[]): { index: Expr; length: number } {
    const some = this.choose(3) === 0 ? loops.filter(() => this.choose(2) === 0) : loops
    const shape = some.map(({ extent }) => extent)
    const flat = flatIndex(some.map(variable), shape)
    const size = shape.reduce((a, b) => a * b, 1)
    switch (this.choose(10)) {
      case 0:
        return { index: indexAdd(flat, 3), length: size + 3 }
      case 1:
        return { index: indexAdd(size - 1, indexMul(flat, -1)), length: size }
      case 2:
        return { index: indexMul(flat, 2), length: 2 * size }
      case 3:
        return { index: indexDiv(flat, this.pick([2, 3, 4, 8, 12])), length: size }
      case 4:
        return { index: indexMod(indexAdd(flat, 2), this.pick([2, 3, 8])), length: 8 }
      case 5: {
        const at = new Buffer('at', this.pick(['int32', 'uint8', 'int16'] as const), Math.max(1, size))
        const given = convert('i32', load(at, size === 0 ? i32(0) : flat))
        return { index: max(i32(0), min(given, i32(4))), length: 5 }
      }
      default:
        return { index: flat, length: size }
    }
  }
  #load(type: ScalarType, loops: readonly LoopVar[], exact: boolean): Expr {
    const dtype = this.pick(dtypes.filter((each) => scalarType(each) === type))
    const { index, length } = this.#index(loops)
    const buffer = new Buffer('x', dtype, Math.max(1, length))
    if (exact) this.#exact.add(buffer)
    return load(buffer, index)
  }
  #expr(type: ScalarType, loops: readonly LoopVar[], depth: number): Expr {
    const known = this.#locals.filter((each) => each.type === type)
    if (known.length > 0 && this.choose(4) === 0) return local(this.pick(known))
    if (depth === 0) {
      const kind = this.choose(5)
      if (kind === 0) return constant(type, type === 'bool' ? this.choose(2) : this.choose(7))
      if (kind === 1 && type === 'i32' && loops.length > 0) return variable(this.pick(loops))
      return this.#load(type, loops, false)
    }
    const of = (other: ScalarType): Expr => this.#expr(other, loops, depth - 1)
    const kind = this.choose(10)
    if (kind === 0) return select(of('bool'), of(type), of(type))
    if (kind === 1) {
      const from = this.pick(this.#types)
      return convert(type, of(from))
    }
    if (kind === 2) {
      // several uses of one expression
      const x = of(type)
      return type === 'bool' ? binary('xor', x, x) : binary(this.pick(['add', 'mul', 'min']), x, x)
    }
    switch (type) {
      case 'bool': {
        if (kind < 6) {
          const side = this.pick(this.#types)
          const fn = this.pick(
            side === 'bool' ? (['eq', 'ne'] as const) : (['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const),
          )
          return compare(fn, of(side), of(side))
        }
        return kind === 6 ? unary('not', of('bool')) : binary(this.pick(['and', 'or', 'xor']), of('bool'), of('bool'))
      }
      case 'f32':
      case 'f64': {
        if (kind === 3) return unary(this.pick(['neg', 'abs', 'sqrt', 'floor', 'ceil', 'trunc', 'nearest']), of(type))
        if (kind === 4 && type === 'f32') return narrow(this.pick(['float16', 'bfloat16']), of(type))
        if (kind === 5 && type === 'f32') return bitcast('f32', bitcast('i32', of('f32')))
        if (kind === 6 && type === 'f64') return { op: 'host', type, fn: 'cbrt', args: [of('f64')] }
        if (kind === 7 && type === 'f32')
          return { op: 'call', type, callee: power, args: [of('f32'), binary('and', of('i32'), i32(3))] }
        return binary(this.pick(['add', 'sub', 'mul', 'div', 'min', 'max']), of(type), of(type))
      }
      case 'i32':
      case 'u32': {
        if (kind === 3) return unary(this.pick(type === 'u32' ? ['not'] : ['neg', 'abs', 'not']), of(type))
        if (kind === 4) return unary(this.pick(type === 'u32' ? ['popcount', 'clz'] : ['abs', 'neg']), of(type))
        if (kind === 5) return narrow(this.pick(type === 'u32' ? ['uint8', 'uint16'] : ['int8', 'int16']), of(type))
        if (kind === 6) {
          const by =
            this.choose(2) === 0 ? constant(type, this.choose(32)) : binary('and', of(type), constant(type, 31))
          return binary(this.pick(['shl', 'shr']), of(type), by)
        }
        if (kind === 7) {
          const divisor = max(binary('and', of(type), constant(type, 7)), constant(type, 1))
          return binary(this.pick(['div', 'rem']), of(type), divisor)
        }
        if (kind === 8 && type === 'i32') {
          return binary(this.pick(['floorDiv', 'floorMod']), of(type), i32(this.pick([1, 2, 3, 7, 8, 100])))
        }
        if (kind === 9 && loops.length > 0) {
          // a bit of each byte, as of bits that are unpacked
          const place = convert(type, indexMod(variable(this.pick(loops)), 8))
          return binary('and', binary('shr', of(type), place), constant(type, 1))
        }
        const ops: readonly BinaryOp[] = ['add', 'sub', 'mul', 'min', 'max', 'and', 'or', 'xor']
        return binary(this.pick(ops), of(type), of(type))
      }
    }
  }
  /** Store each point's value at a place of its own. */
  #store(loops: readonly LoopVar[]): Stmt {
    const dtype = this.pick(dtypes.filter((each) => this.#types.includes(scalarType(each))))
    const shape = loops.map(({ extent }) => extent)
    const size = shape.reduce((a, b) => a * b, 1)
    const flat = flatIndex(loops.map(variable), shape)
    const index = this.choose(4) === 0 ? indexAdd(indexMul(flat, this.pick([-1, 2])), 2 * size) : flat
    const out = new Buffer(`out${this.#outs++}`, dtype, 4 * size + 1)
    return store(out, index, narrow(dtype, this.#expr(scalarType(dtype), loops, 3)))
  }
  #statement(loops: readonly LoopVar[], depth: number): Stmt[] {
    const kind = this.choose(depth === 0 ? 3 : 9)
    switch (kind) {
      case 0:
      case 1: {
        const type = this.pick(this.#types)
        const made = new Local('t', type)
        const statement = assign(made, this.#expr(type, loops, 2))
        this.#locals.push(made)
        return [statement]
      }
      case 2:
        return [this.#store(loops)]
      case 3:
      case 4:
        return [this.#reduce(loops)]
      case 5: {
        const v = new LoopVar('l', this.pick([0, 1, 2, 5]))
        const type = this.pick(this.#types)
        const total = new Local('s', type)
        const first = assign(total, this.#expr(type, loops, 1))
        this.#locals.push(total)
        const body = this.#inside(() => [
          ...this.#statement([...loops, v], depth - 1),
          assign(total, this.#expr(type, [...loops, v], 2)),
        ])
        const uniform =
          this.choose(2) === 0 ? i32(v.extent) : min(i32(v.extent), max(i32(0), this.#expr('i32', loops, 1)))
        return [first, forLoop(v, body, uniform)]
      }
      case 6: {
        const type = this.pick(this.#types)
        const changed = new Local('c', type)
        const first = assign(changed, this.#expr(type, loops, 1))
        this.#locals.push(changed)
        const yes = this.#inside(() => [
          ...this.#statement(loops, depth - 1),
          assign(changed, this.#expr(type, loops, 2)),
        ])
        const no = this.choose(2) === 0 ? [] : this.#inside(() => this.#statement(loops, depth - 1))
        return [first, when(this.#expr('bool', loops, 2), yes, no)]
      }
      case 7: {
        const count = new Local('n', 'i32')
        const first = assign(count, binary('and', this.#expr('i32', loops, 1), i32(3)))
        const body = this.#inside(() => [
          ...this.#statement(loops, depth - 1),
          assign(count, binary('add', local(count), i32(2))),
        ])
        this.#locals.push(count)
        return [first, whilst(lt(local(count), i32(5)), body)]
      }
      default: {
        const { index, length } = this.#index(loops)
        const dtype = this.pick(['int32', 'uint8', 'int16', 'bool', 'float32', 'float16'] as const)
        const type = scalarType(dtype)
        const combine = this.pick(type === 'bool' ? (['and', 'or'] as const) : (['min', 'max'] as const))
        const value = narrow(dtype, this.#expr(type, loops, 2))
        return [update(new Buffer('u', dtype, Math.max(1, length)), index, combine, value)]
      }
    }
  }
  /** Locals that are declared inside are not known outside. */
  #inside<T>(body: () => T): T {
    const outer = this.#locals
    this.#locals = [...outer]
    const result = body()
    this.#locals = outer
    return result
  }
  /** Reductions whose result does not depend on the order. */
  #reduce(loops: readonly LoopVar[]): Stmt {
    const variables = Array.from(
      { length: 1 + this.choose(2) },
      (_, i) => new LoopVar(`r${i}`, this.pick([0, 1, 2, 3, 4, 6, 9, 33, 70])),
    )
    const all = [...loops, ...variables]
    const accumulators = Array.from({ length: 1 + this.choose(2) }, () => {
      const type = this.pick(this.#types)
      const float = type === 'f32' || type === 'f64'
      const combine = this.pick(
        type === 'bool'
          ? (['and', 'or', 'xor'] as const)
          : float
            ? (['add', 'add', 'min', 'max'] as const)
            : (['add', 'mul', 'min', 'max', 'and', 'or', 'xor'] as const),
      )
      const exact = float && combine === 'add'
      const value = exact ? this.#exactExpr(type, all) : this.#expr(type, all, this.choose(3))
      return { into: new Local('r', type), combine, value }
    })
    for (const { into } of accumulators) this.#locals.push(into)
    return { op: 'reduce', variables, accumulators }
  }
  #exactExpr(type: ScalarType, loops: readonly LoopVar[]): Expr {
    const x = (): Expr => this.#load(type, loops, true)
    return this.pick([
      (): Expr => x(),
      (): Expr => binary('mul', x(), x()),
      (): Expr => select(this.#expr('bool', loops, 1), x(), x()),
      (): Expr => fma(x(), x(), x()),
    ])()
  }
}
const [base, exponent, result] = [new Local('x', 'f32'), new Local('n', 'i32'), new Local('y', 'f32')]
const turn = new LoopVar('t', 4)
/** A scalar function with a loop whose end is computed. */
export const power: ScalarFunction = {
  name: 'power',
  params: [base, exponent],
  body: [
    assign(result, constant('f32', 1)),
    forLoop(turn, [assign(result, binary('mul', local(result), local(base)))], local(exponent)),
  ],
  result: local(result),
}

const single = new Float32Array(1)
const word = new Uint32Array(single.buffer)
/** The float16 with the leading bits of a number: by cutting, which is exact for what it is used for. */
function halfOf(x: number): number {
  if (Number.isNaN(x) || Math.abs(x) === Infinity || x === 0) return x
  if (Math.abs(x) > 65504) return Math.sign(x) * Infinity
  const unit = 2 ** Math.max(-24, Math.floor(Math.log2(Math.abs(x))) - 10)
  return Math.trunc(x / unit) * unit
}
function bfloatOf(x: number): number {
  if (Number.isNaN(x)) return x
  single[0] = x
  word[0] = word[0]! & 0xffff0000
  return single[0]
}

/** Choices from a seed: a kernel takes thousands, too many for fast-check to make and to shrink. */
export function chooser(seed: number): Choose {
  let state = seed | 0
  return (below) => {
    // a step of a Weyl sequence, then the mixing of MurmurHash3
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) % below
  }
}
