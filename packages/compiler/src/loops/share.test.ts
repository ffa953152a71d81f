// Shared expressions mean what they meant, and are computed once where nothing changes them in between.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { add, assign, f32, forLoop, i32, load, local, lt, mul, store, variable, when } from './build.ts'
import { indexAdd, indexMul } from './indices.ts'
import { interpretKernel } from './interpret.ts'
import { Buffer, type Expr, Local, LoopVar, type Stmt } from './ir.ts'
import { argumentsOf, randomNest, tapes } from './kernels.testing.ts'
import { printStatements } from './print.ts'
import { shareExpressions } from './share.ts'

const [x, y, z] = ['x', 'y', 'z'].map((name) => new Buffer(name, 'float32', 64)) as [Buffer, Buffer, Buffer]
const i = new LoopVar('i', 8)
const shared = (...body: readonly Stmt[]): string => `\n${printStatements(shareExpressions(body))}\n`

test('a kernel does the same before and after', () => {
  fc.assert(
    fc.property(tapes, (tape) => {
      const kernel = randomNest(tape)
      const [before, after] = [argumentsOf(kernel), argumentsOf(kernel)]
      interpretKernel(kernel, before)
      interpretKernel({ ...kernel, body: shareExpressions(kernel.body) }, after)
      expect(after).toEqual(before)
    }),
    { numRuns: 400 },
  )
})

test('what two statements compute gets a local', () => {
  const value = mul(load(x, variable(i)), f32(2))
  expect(shared(store(y, variable(i), value), store(z, variable(i), add(value, f32(1))))).toMatchInlineSnapshot(`
    "
    t: f32 = x[i] * 2.0
    y[i] = t
    z[i] = t + 1.0
    "
  `)
})

test('a load does not pass a store to its buffer', () => {
  const value = mul(load(x, i32(0)), f32(2))
  const body = [store(x, i32(0), value), store(y, i32(0), value), store(z, i32(0), value)]
  expect(shared(...body)).toMatchInlineSnapshot(`
    "
    x[0] = x[0] * 2.0
    t: f32 = x[0] * 2.0
    y[0] = t
    z[0] = t
    "
  `)
})

test('what does not vary in a loop leaves it', () => {
  const [total, scale] = [new Local('total', 'f32'), mul(load(x, i32(0)), load(x, i32(1)))]
  const value: Expr = mul(scale, load(y, variable(i)))
  const reduce: Stmt = { op: 'reduce', variables: [i], accumulators: [{ into: total, combine: 'add', value }] }
  expect(shared(reduce, store(z, i32(0), local(total)))).toMatchInlineSnapshot(`
    "
    t: f32 = x[0] * x[1]
    reduce i < 8:
      total: f32 add= t * y[i]
    z[0] = total
    "
  `)
})

test('nothing is loaded that was not before', () => {
  const guarded = load(x, i32(63))
  const [n, condition] = [new Local('n', 'i32'), lt(load(y, i32(0)), f32(1))]
  const branch = when(condition, [store(y, i32(0), guarded), store(z, i32(0), guarded)])
  expect(shared(branch)).toMatchInlineSnapshot(`
    "
    if y[0] < 1.0:
      t: f32 = x[63]
      y[0] = t
      z[0] = t
    "
  `)
  const loop = forLoop(i, [store(y, variable(i), guarded)], local(n))
  expect(shared(loop)).toBe(`\n${printStatements([loop])}\n`)
})

test('parts of indices stay in them', () => {
  const place = indexAdd(indexMul(variable(i), 8), 3)
  const body = [store(y, place, load(x, place)), store(z, place, f32(1)), assign(new Local('a', 'f32'), f32(1))]
  expect(shareExpressions(body)).toEqual(body)
})
