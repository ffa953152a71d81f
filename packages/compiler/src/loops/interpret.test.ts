// What the loop IR means: every operation, statement and dtype, as the interpreter has it.
import type { DType, TypedArray } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  add,
  assign,
  binary,
  bitcast,
  constant,
  convert,
  div,
  f32,
  fma,
  forLoop,
  i32,
  load,
  local,
  max,
  min,
  mul,
  narrow,
  neg,
  scalarType,
  select,
  shl,
  shr,
  store,
  sub,
  u32,
  unary,
  update,
  variable,
  when,
  whilst,
  lt,
  compare,
} from './build.ts'
import { flatIndex } from './indices.ts'
import { interpretKernel } from './interpret.ts'
import { Buffer, type Expr, Local, LoopVar, type Nest, type Product, type ScalarFunction, type Stmt } from './ir.ts'
import { buffersOf } from './visit.ts'

const nest = (grid: readonly LoopVar[], body: readonly Stmt[]): Nest => {
  const kernel = { kind: 'nest', name: 'kernel', grid, body } as const
  return { ...kernel, params: buffersOf(kernel) }
}
/** What an expression over constants gives, stored as `dtype`. */
function valueOf(x: Expr, dtype: DType, data: TypedArray): number {
  interpretKernel(nest([], [store(new Buffer('out', dtype, 1), i32(0), x)]), [data])
  return data[0]!
}
const f32Of = (x: Expr): number => valueOf(x, 'float32', new Float32Array(1))
const f64Of = (x: Expr): number => valueOf(x, 'float64', new Float64Array(1))
const i32Of = (x: Expr): number => valueOf(x, 'int32', new Int32Array(1))
const u32Of = (x: Expr): number => valueOf(x, 'uint32', new Uint32Array(1))
const boolOf = (x: Expr): number => valueOf(x, 'bool', new Uint8Array(1))

test('f32 arithmetic is rounded after each operation', () => {
  const numbers = fc.double({ noDefaultInfinity: false }).map(Math.fround)
  fc.assert(
    fc.property(numbers, numbers, (x, y) => {
      expect(f32Of(add(f32(x), f32(y)))).toBe(Math.fround(x + y))
      expect(f32Of(div(f32(x), f32(y)))).toBe(Math.fround(x / y))
      expect(f32Of(add(mul(f32(x), f32(y)), f32(1)))).toBe(Math.fround(Math.fround(x * y) + 1))
      expect(f32Of(unary('sqrt', f32(x)))).toBe(Math.fround(Math.sqrt(x)))
    }),
  )
})

test('integers wrap', () => {
  const words = fc.integer()
  fc.assert(
    fc.property(words, words, fc.integer({ min: 0, max: 31 }), (x, y, by) => {
      const wrapped = (exact: bigint): number => Number(BigInt.asIntN(32, exact))
      const [a, b] = [BigInt(x), BigInt(y)]
      // A local keeps the constants from being folded.
      const given = new Local('x', 'i32')
      const of = (f: (x: Expr) => Expr): number => {
        const out = new Int32Array(1)
        const statements = [assign(given, i32(x)), store(new Buffer('out', 'int32', 1), i32(0), f(local(given)))]
        interpretKernel(nest([], statements), [out])
        return out[0]!
      }
      expect(of((v) => add(v, i32(y)))).toBe(wrapped(a + b))
      expect(of((v) => sub(v, i32(y)))).toBe(wrapped(a - b))
      expect(of((v) => mul(v, i32(y)))).toBe(wrapped(a * b))
      expect(of((v) => neg(v))).toBe(wrapped(-a))
      expect(of((v) => shl(v, i32(by)))).toBe(wrapped(a << BigInt(by)))
      expect(of((v) => shr(v, i32(by)))).toBe(wrapped(a >> BigInt(by)))
      const unsigned = shr(bitcast('u32', i32(x)), u32(by))
      expect(u32Of(unsigned)).toBe(Number(BigInt.asUintN(32, a) >> BigInt(by)))
      if (y !== 0 && !(x === -(2 ** 31) && y === -1)) {
        expect(of((v) => div(v, i32(y)))).toBe(wrapped(a / b))
        expect(of((v) => binary('rem', v, i32(y)))).toBe(wrapped(a % b))
      }
      if (y > 0) {
        const quotient = of((v) => binary('floorDiv', v, i32(y)))
        const rest = of((v) => binary('floorMod', v, i32(y)))
        expect(quotient * y + rest).toBe(x)
        expect(rest >= 0 && rest < y).toBe(true)
      }
    }),
  )
})

test('min and max of floats give NaN if one is, and order -0 below 0', () => {
  expect(f32Of(min(f32(1), f32(NaN)))).toBeNaN()
  expect(f32Of(max(f32(NaN), f32(1)))).toBeNaN()
  expect(f32Of(min(f32(0), f32(-0)))).toBe(-0)
  expect(f32Of(max(f32(-0), f32(0)))).toBe(0)
})

test('rounding to whole numbers takes ties to even and keeps the sign of 0', () => {
  const rounded = [0.5, 1.5, 2.5, -0.5, -0.2, -1.5, 2 ** 52 + 1, NaN].map((x) =>
    f64Of(unary('nearest', constant('f64', x))),
  )
  expect(rounded).toEqual([0, 2, 2, -0, -0, -2, 2 ** 52 + 1, NaN])
})

test('floats to integers truncate and saturate, NaN becomes 0', () => {
  const numbers = [1.9, -1.9, 3e9, -3e9, 1e10, Infinity, -Infinity, NaN]
  expect(numbers.map((x) => i32Of(convert('i32', f32(x))))).toEqual([
    1,
    -1,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31 - 1,
    2 ** 31 - 1,
    -(2 ** 31),
    0,
  ])
  expect(numbers.map((x) => u32Of(convert('u32', f32(x))))).toEqual([1, 0, 3e9, 0, 2 ** 32 - 1, 2 ** 32 - 1, 0, 0])
  expect(f32Of(convert('f32', i32(2 ** 24 + 1)))).toBe(2 ** 24)
  expect([0, -0, NaN, 0.1].map((x) => boolOf(convert('bool', f32(x))))).toEqual([0, 0, 1, 1])
})

test('values are narrowed to what a dtype can hold', () => {
  const narrowed = (dtype: DType, x: number, data: TypedArray): number =>
    valueOf(narrow(dtype, constant(scalarType(dtype), x)), dtype, data)
  expect(narrowed('int8', 200, new Int8Array(1))).toBe(-56)
  expect(narrowed('uint8', 300, new Uint8Array(1))).toBe(44)
  expect(narrowed('int16', 40000, new Int16Array(1))).toBe(-25536)
  expect(narrowed('uint16', 70000, new Uint16Array(1))).toBe(4464)
  expect(narrowed('float16', 65519, new Float32Array(1))).toBe(65504)
  expect(narrowed('float16', 65520, new Float32Array(1))).toBe(Infinity)
  expect(narrowed('bfloat16', 1 + 2 ** -8, new Float32Array(1))).toBe(1)
})

test('bits are told from numbers', () => {
  expect(u32Of(bitcast('u32', f32(-0)))).toBe(0x80000000)
  expect(f32Of(bitcast('f32', u32(0x7f800000)))).toBe(Infinity)
  expect(u32Of(unary('popcount', u32(0xf0f0)))).toBe(8)
  expect(u32Of(unary('clz', u32(1)))).toBe(31)
})

test('a grid visits each point once, an argument may begin anywhere in its array', () => {
  const [i, j] = [new LoopVar('i', 2), new LoopVar('j', 3)]
  const [x, y] = [new Buffer('x', 'float32', 6), new Buffer('y', 'float32', 6)]
  const transpose = nest(
    [i, j],
    [
      store(
        y,
        flatIndex([variable(j), variable(i)], [3, 2]),
        mul(load(x, flatIndex([variable(i), variable(j)], [2, 3])), f32(2)),
      ),
    ],
  )
  const out = new Float32Array(8)
  interpretKernel(transpose, [new Float32Array([9, 0, 1, 2, 3, 4, 5]), out], [1, 2])
  expect([...out]).toEqual([0, 0, 0, 6, 2, 8, 4, 10])
})

test('sums of floats are rounded once', () => {
  const r = new LoopVar('r', 3)
  const [x, out] = [new Buffer('x', 'float32', 3), new Buffer('out', 'float32', 1)]
  const total = new Local('total', 'f32')
  const sum = nest(
    [],
    [
      { op: 'reduce', variables: [r], accumulators: [{ into: total, combine: 'add', value: load(x, variable(r)) }] },
      store(out, i32(0), local(total)),
    ],
  )
  const result = new Float32Array(1)
  interpretKernel(sum, [new Float32Array([2 ** 25, 1, -(2 ** 25)]), result])
  expect(result[0]).toBe(1)
})

test('sums of float64 keep what plain addition loses, and infinities', () => {
  const r = new LoopVar('r', 4)
  const [x, out] = [new Buffer('x', 'float64', 4), new Buffer('out', 'float64', 1)]
  const total = new Local('total', 'f64')
  const sum = nest(
    [],
    [
      { op: 'reduce', variables: [r], accumulators: [{ into: total, combine: 'add', value: load(x, variable(r)) }] },
      store(out, i32(0), local(total)),
    ],
  )
  const of = (...numbers: number[]): number => {
    const result = new Float64Array(1)
    interpretKernel(sum, [new Float64Array(numbers), result])
    return result[0]!
  }
  expect(of(1, 1e100, 1, -1e100)).toBe(2)
  expect(of(1, Infinity, 1, 1)).toBe(Infinity)
  expect(of(1, Infinity, -Infinity, 1)).toBeNaN()
})

test('a reduction combines for each of its accumulators, and gives the identity of no values', () => {
  const r = new LoopVar('r', 4)
  const n = new LoopVar('n', 0)
  const [x, out] = [new Buffer('x', 'int32', 4), new Buffer('out', 'int32', 3)]
  const [low, high, none] = ['low', 'high', 'none'].map((name) => new Local(name, 'i32')) as [Local, Local, Local]
  const value = load(x, variable(r))
  const kernel = nest(
    [],
    [
      {
        op: 'reduce',
        variables: [r],
        accumulators: [
          { into: low, combine: 'min', value },
          { into: high, combine: 'max', value },
        ],
      },
      { op: 'reduce', variables: [n], accumulators: [{ into: none, combine: 'mul', value: load(x, variable(n)) }] },
      ...[low, high, none].map((each, at) => store(out, i32(at), local(each))),
    ],
  )
  const result = new Int32Array(3)
  interpretKernel(kernel, [new Int32Array([3, -5, 8, 0]), result])
  expect([...result]).toEqual([-5, 8, 1])
})

test('a product sums over its inner loops, then runs its body', () => {
  const [i, j, k] = [new LoopVar('i', 2), new LoopVar('j', 2), new LoopVar('k', 3)]
  const [a, b, c] = [new Buffer('a', 'int32', 6), new Buffer('b', 'int32', 6), new Buffer('c', 'int32', 4)]
  const sum = new Local('sum', 'i32')
  const body = [store(c, flatIndex([variable(i), variable(j)], [2, 2]), add(local(sum), i32(1)))]
  const product: Product = {
    kind: 'product',
    name: 'dot',
    params: [a, b, c],
    batch: [],
    rows: [i],
    columns: [j],
    inner: [k],
    sum,
    body,
    left: load(a, flatIndex([variable(i), variable(k)], [2, 3])),
    right: load(b, flatIndex([variable(k), variable(j)], [3, 2])),
  }
  const out = new Int32Array(4)
  interpretKernel(product, [new Int32Array([1, 2, 3, 4, 5, 6]), new Int32Array([1, 0, 0, 1, 2, 2]), out])
  expect([...out]).toEqual([8, 9, 17, 18])
})

test('updates combine with what is there, as the dtype of the buffer has it', () => {
  const i = new LoopVar('i', 3)
  const [x, out] = [new Buffer('x', 'uint8', 3), new Buffer('out', 'uint8', 2)]
  const result = new Uint8Array([250, 7])
  interpretKernel(nest([i], [update(out, i32(0), 'add', load(x, variable(i)))]), [new Uint8Array([2, 3, 4]), result])
  expect([...result]).toEqual([3, 7])
})

test('loops, conditions and assignments run in order; an expression means its value where it is used', () => {
  const t = new LoopVar('t', 10)
  const out = new Buffer('out', 'int32', 3)
  const [n, total] = [new Local('n', 'i32'), new Local('total', 'i32')]
  const twice = add(local(total), local(total))
  const kernel = nest(
    [],
    [
      assign(n, i32(4)),
      assign(total, i32(0)),
      forLoop(t, [when(lt(variable(t), i32(2)), [assign(total, add(local(total), i32(10)))])], local(n)),
      store(out, i32(0), twice),
      whilst(lt(i32(1), local(n)), [assign(n, sub(local(n), i32(1))), assign(total, add(twice, i32(1)))]),
      store(out, i32(1), twice),
      store(out, i32(2), local(n)),
    ],
  )
  const result = new Int32Array(3)
  interpretKernel(kernel, [result])
  // 20 → 41 → 83 → 167
  expect([...result]).toEqual([40, 334, 1])
})

test('functions are called with their own locals, and may call others', () => {
  const [x, steps] = [new Local('x', 'f64'), new LoopVar('steps', 3)]
  const root = new Local('root', 'f64')
  const newton: ScalarFunction = {
    name: 'root',
    params: [x],
    body: [
      assign(root, local(x)),
      forLoop(steps, [assign(root, mul(constant('f64', 0.5), add(local(root), div(local(x), local(root)))))]),
    ],
    result: local(root),
  }
  const call = (y: Expr): Expr => ({ op: 'call', type: 'f64', callee: newton, args: [y] })
  const step = (y: number): number => [1, 2, 3].reduce((r) => 0.5 * (r + y / r), y)
  expect(f64Of(call(call(constant('f64', 16))))).toBe(step(step(16)))
  const two = add(call(constant('f64', 4)), call(constant('f64', 9)))
  expect(f64Of(two)).toBe(step(4) + step(9))
})

test('shared expressions are computed once: a chain of doublings ends', () => {
  let x: Expr = load(new Buffer('x', 'float32', 1), i32(0))
  for (let n = 0; n < 100; n++) x = add(x, x)
  const out = new Float32Array(1)
  interpretKernel(nest([], [store(new Buffer('out', 'float32', 1), i32(0), x)]), [new Float32Array([1]), out])
  expect(out[0]).toBe(2 ** 100)
})

test('functions of the host come by name', () => {
  const host = (fn: string, x: number): Expr => ({ op: 'host', type: 'f64', fn, args: [constant('f64', x)] })
  expect(f64Of(host('cosh', 1))).toBe(Math.cosh(1))
  const out = new Float64Array(1)
  const kernel = nest([], [store(new Buffer('out', 'float64', 1), i32(0), host('triple', 2))])
  interpretKernel(kernel, [out], [], { triple: (x) => 3 * x! })
  expect(out[0]).toBe(6)
  expect(() => interpretKernel(kernel, [out])).toThrow("kernel: the host has no function 'triple'")
})

test('what the IR forbids throws, naming the kernel and the buffer', () => {
  const x = new Buffer('x', 'float32', 4)
  const out = new Buffer('out', 'float32', 1)
  const run = (value: Expr): void =>
    interpretKernel(nest([], [store(out, i32(0), value)]), [new Float32Array(4), new Float32Array(1)])
  expect(() => run(load(x, i32(4)))).toThrow('kernel: x has 4 elements, got the index 4')
  expect(() => run(load(x, i32(-1)))).toThrow('kernel: x has 4 elements, got the index -1')
  // A printer may compute both sides of a choice.
  const condition = compare('lt', f32(0), fma(f32(1), f32(1), f32(1)))
  expect(() => run(select(condition, load(x, i32(0)), load(x, i32(9))))).toThrow('got the index 9')
  const kernel = nest([], [store(out, i32(0), load(x, i32(0)))])
  expect(() => interpretKernel(kernel, [new Float32Array(4), new Float32Array(1)], [1])).toThrow(
    'kernel: x has 4 elements from 1 on, got an array of 4',
  )
  expect(() => valueOf(i32(200), 'int8', new Int8Array(1))).toThrow('out holds int8, got 200')
  expect(() => valueOf(f32(1.0001), 'float16', new Float32Array(1))).toThrow('out holds float16')
  const zero = new Local('zero', 'i32')
  const divided = [assign(zero, i32(0)), store(new Buffer('out', 'int32', 1), i32(0), div(i32(1), local(zero)))]
  expect(() => interpretKernel(nest([], divided), [new Int32Array(1)])).toThrow('an integer is divided by 0')
})
