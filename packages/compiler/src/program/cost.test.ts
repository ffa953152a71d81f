// What programs cost, counted.
import { expect, test } from 'vitest'
import {
  add,
  convert,
  f32,
  fma,
  forLoop,
  i32,
  load,
  local,
  mul,
  narrow,
  store,
  unary,
  update,
  variable,
  when,
  lt,
} from '../loops/build.ts'
import { flatIndex } from '../loops/indices.ts'
import { Buffer, Local, LoopVar, type Product, type Stmt } from '../loops/ir.ts'
import { buffersOf } from '../loops/visit.ts'
import { costOf, costOfKernel } from './cost.ts'
import { Counter, Slot, type Step, placeOf } from './program.ts'
import { combining, filledOf, filling } from './programs.testing.ts'

const [i, j] = [new LoopVar('i', 8), new LoopVar('j', 4)]
const [x, out] = [new Buffer('x', 'float32', 32), new Buffer('out', 'float16', 8)]
const costOfNest = (...body: readonly Stmt[]): { flops: number; bytesRead: number; bytesWritten: number } => {
  const kernel = { kind: 'nest', name: 'kernel', grid: [i], body } as const
  const { flops, bytesRead, bytesWritten } = costOfKernel({ ...kernel, params: buffersOf(kernel) })
  return { flops, bytesRead, bytesWritten }
}
const element = load(x, flatIndex([variable(i), variable(j)], [8, 4]))

test('operations count once a point, shared ones once a statement', () => {
  const twice = add(load(x, variable(i)), f32(1))
  const value = unary('sqrt', mul(twice, twice))
  expect(costOfNest(store(out, variable(i), narrow('float16', value)))).toEqual({
    flops: 8 * 3,
    bytesRead: 8 * 4,
    bytesWritten: 8 * 2,
  })
})

test('reductions and loops count each turn; an element counts once however often it is read', () => {
  const total = new Local('total', 'f32')
  const sum: Stmt = {
    op: 'reduce',
    variables: [j],
    accumulators: [{ into: total, combine: 'add', value: mul(element, element) }],
  }
  const done = store(out, variable(i), narrow('float16', local(total)))
  expect(costOfNest(sum, done)).toEqual({ flops: 8 * 4 * 2, bytesRead: 32 * 4, bytesWritten: 8 * 2 })
  expect(costOfNest(sum, sum, done).bytesRead).toBe(32 * 4)
  const looped = forLoop(j, [store(out, variable(i), narrow('float16', fma(element, element, element)))], i32(3))
  expect(costOfNest(looped)).toEqual({ flops: 8 * 3 * 2, bytesRead: 24 * 4, bytesWritten: 8 * 2 })
})

test('integers are no floating-point operations, updates read what they write, a condition costs its dearer branch', () => {
  const counts = new Buffer('counts', 'int32', 2)
  expect(costOfNest(update(counts, i32(0), 'add', convert('i32', load(x, variable(i)))))).toEqual({
    flops: 0,
    bytesRead: 8 * 4 + 2 * 4,
    bytesWritten: 2 * 4,
  })
  const condition = lt(load(x, variable(i)), f32(0))
  const branch = when(condition, [store(out, variable(i), narrow('float16', mul(load(x, i32(0)), f32(2))))], [])
  expect(costOfNest(branch).flops).toBe(8)
})

test('a product is two operations a turn', () => {
  const [m, n, k] = [new LoopVar('m', 2), new LoopVar('n', 3), new LoopVar('k', 5)]
  const [left, right, result] = [
    new Buffer('left', 'float32', 10),
    new Buffer('right', 'float32', 15),
    new Buffer('out', 'float32', 6),
  ]
  const sum = new Local('sum', 'f32')
  const product: Product = {
    kind: 'product',
    name: 'dot',
    params: [left, right, result],
    batch: [],
    rows: [m],
    columns: [n],
    inner: [k],
    left: load(left, flatIndex([variable(m), variable(k)], [2, 5])),
    right: load(right, flatIndex([variable(k), variable(n)], [5, 3])),
    sum,
    body: [store(result, flatIndex([variable(m), variable(n)], [2, 3]), add(local(sum), f32(1)))],
  }
  expect(costOfKernel(product)).toMatchObject({ kernels: 1, flops: 2 * 30 + 6, bytesRead: 25 * 4, bytesWritten: 6 * 4 })
})

test('steps in loops count as often as they run, of a condition the dearest branch, of a while one turn', () => {
  const [a, b] = [new Slot('float32', 4), new Slot('float32', 4)]
  const flag = new Slot('bool', 1)
  const kernel = combining(filledOf(b), filledOf(a), filledOf(a))
  const loop: Step = {
    op: 'loop',
    counter: new Counter(5),
    body: [kernel, { op: 'copy', from: placeOf(b), to: placeOf(a), length: 4 }],
  }
  const outer: Step = { op: 'loop', counter: new Counter(3), body: [loop] }
  const of = (...steps: readonly Step[]): unknown =>
    costOf({ name: 'program', inputs: [a], captured: [], outputs: [], steps })
  expect(of(outer)).toEqual({
    kernels: 15,
    copies: 15,
    callbacks: 0,
    // the operand twice, and the copy
    bytesRead: 15 * 48,
    bytesWritten: 15 * 32,
    flops: 15 * 4 * 2,
    arenaBytes: 64,
    privateBytes: 0,
  })
  expect(of({ op: 'switch', index: placeOf(a), branches: [[], [kernel, kernel], [kernel]] })).toMatchObject({
    kernels: 2,
  })
  const test = [filling(filledOf(flag), 0)]
  expect(of({ op: 'while', test, flag: placeOf(flag), body: [kernel] })).toMatchObject({ kernels: 3 })
})
