// What the check of kernels lets pass and what it refuses, with the statement named.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  add,
  assign,
  binary,
  compare,
  constant,
  f32,
  forLoop,
  i32,
  load,
  local,
  mul,
  store,
  u32,
  unary,
  update,
  variable,
  when,
} from './build.ts'
import { checkKernel } from './check.ts'
import { collapseGrid } from './collapse.ts'
import { Buffer, type Expr, Local, LoopVar, type Product, type ScalarFunction, type Stmt } from './ir.ts'
import { randomNest, tapes } from './kernels.testing.ts'
import { shareExpressions } from './share.ts'
import { buffersOf } from './visit.ts'

const i = new LoopVar('i', 4)
const x = new Buffer('x', 'float32', 4)
const out = new Buffer('out', 'float32', 4)
const sum = new Local('sum', 'f32')
const checked = (...body: readonly Stmt[]): unknown => {
  const kernel = { kind: 'nest', name: 'kernel', grid: [i], body } as const
  return checkKernel({ ...kernel, params: buffersOf(kernel) })
}
const stored = (value: Expr): Stmt => store(out, variable(i), value)

test('kernels that follow the rules pass, also once they are shared and collapsed', () => {
  fc.assert(
    fc.property(tapes, (tape) => {
      const kernel = randomNest(tape)
      checkKernel(kernel)
      checkKernel(collapseGrid({ ...kernel, body: shareExpressions(kernel.body) }))
    }),
    { numRuns: 200 },
  )
})

test('operands of other types are refused, naming the statement', () => {
  expect(() => checked(stored(add(f32(1), u32(1))))).toThrow(
    'kernel: expected add of f32, got u32\nin: out[i] = 1.0 + 1u',
  )
  expect(() => checked(stored(u32(1)))).toThrow('expected a value of f32 for out, got u32')
  expect(() => checked(stored(unary('popcount', f32(1))))).toThrow('expected popcount of u32, got f32')
  expect(() => checked(stored(load(x, f32(0))))).toThrow('expected an index of x of i32, got f32')
  expect(() => checked(when(i32(1), []))).toThrow('expected a bool as condition, got i32')
  expect(() => checked(assign(sum, i32(1)))).toThrow('expected f32, got i32')
  expect(() => checked(update(out, i32(0), 'xor', f32(1)))).toThrow('expected xor of i32 or u32 or bool, got f32')
  expect(() => checked(stored(constant('f32', 0.1)))).toThrow('expected a constant of f32, got 0.1')
  const truths = compare('lt', compare('eq', load(x, i32(0)), f32(1)), constant('bool', 1))
  expect(() => checked(when(truths, []))).toThrow('expected lt of f32 or f64 or i32 or u32, got bool')
  const divided = binary('floorDiv', variable(i), binary('div', i32(4), i32(2)))
  expect(() => checked(store(out, divided, f32(1)))).toThrow('expected floorDiv by a positive constant, got binary')
})

test('parameters are exactly the buffers that are used', () => {
  const kernel = { kind: 'nest', name: 'kernel', grid: [i], body: [stored(load(x, variable(i)))] } as const
  expect(() => checkKernel({ ...kernel, params: [out] })).toThrow('every buffer among the parameters, got none for x')
  expect(() => checkKernel({ ...kernel, params: [x, out, x] })).toThrow('the same twice')
  const other = new Buffer('other', 'bool', 1)
  expect(() => checkKernel({ ...kernel, params: [x, out, other] })).toThrow(
    'expected every parameter to be used, got other',
  )
})

test('variables and locals are bound before they are used', () => {
  const t = new LoopVar('t', 4)
  expect(() => checked(stored(load(x, variable(t))))).toThrow('expected t inside of its loop')
  expect(() => checked(stored(local(sum)), assign(sum, f32(1)))).toThrow('expected sum to have a value, got none yet')
  expect(() => checked(forLoop(t, [assign(sum, f32(1))]), stored(local(sum)))).toThrow('expected sum to have a value')
  expect(() => checked(forLoop(i, []))).toThrow('expected i to be bound once')
  expect(() => checked(forLoop(t, [], i32(5)))).toThrow('expected an extent of at most 4, got 5')
  const condition = compare('lt', load(x, i32(0)), f32(1))
  const both = when(condition, [assign(sum, f32(1))], [assign(sum, f32(2))])
  expect(() => checked(both, stored(local(sum)))).not.toThrow()
  const one = when(condition, [assign(sum, f32(1))])
  expect(() => checked(one, stored(local(sum)))).toThrow('expected sum to have a value')
})

test('a side of a product varies with its own loops only', () => {
  const [rows, columns, inner] = [new LoopVar('m', 2), new LoopVar('n', 2), new LoopVar('k', 2)]
  const product: Product = {
    kind: 'product',
    name: 'dot',
    params: [x, out],
    batch: [],
    rows: [rows],
    columns: [columns],
    inner: [inner],
    left: load(x, variable(rows)),
    right: load(x, variable(columns)),
    sum,
    body: [store(out, variable(rows), local(sum))],
  }
  expect(checkKernel(product)).toBe(product)
  expect(() => checkKernel({ ...product, left: load(x, variable(columns)) })).toThrow('expected n inside of its loop')
  expect(() => checkKernel({ ...product, body: [store(out, variable(inner), local(sum))] })).toThrow(
    'expected k inside',
  )
})

test('functions are checked where they are called', () => {
  const p = new Local('p', 'f32')
  const square: ScalarFunction = { name: 'square', params: [p], body: [], result: mul(local(p), local(p)) }
  const call = (callee: ScalarFunction, ...args: readonly Expr[]): Expr => ({ op: 'call', type: 'f32', callee, args })
  expect(() => checked(stored(call(square, load(x, variable(i)))))).not.toThrow()
  expect(() => checked(stored(call(square, i32(1))))).toThrow('expected f32 as p of square, got i32')
  expect(() => checked(stored(call(square)))).toThrow('expected 1 arguments of square, got 0')
  expect(() => checked(stored(call({ ...square, result: local(sum) }, f32(1))))).toThrow('expected sum to have a value')
  const loads = { ...square, result: load(x, i32(0)) }
  expect(() => checked(stored(call(loads, f32(1))))).toThrow('expected square without buffers, got x')
})
