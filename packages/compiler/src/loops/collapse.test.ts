// Collapsed loops mean what they meant, and only such are collapsed as make one range.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { convert, load, local, store, variable } from './build.ts'
import { collapseGrid } from './collapse.ts'
import { flatIndex, unflatten } from './indices.ts'
import { interpretKernel } from './interpret.ts'
import { Buffer, type Expr, Local, LoopVar, type Nest, type Stmt } from './ir.ts'
import { argumentsOf, randomNest, tapes } from './kernels.testing.ts'
import { shareExpressions } from './share.ts'
import { buffersOf } from './visit.ts'

const nest = (grid: readonly LoopVar[], body: readonly Stmt[]): Nest => {
  const kernel = { kind: 'nest', name: 'kernel', grid, body } as const
  return { ...kernel, params: buffersOf(kernel) }
}
const extents = (variables: readonly LoopVar[]): number[] => variables.map(({ extent }) => extent)
const [i, j, k] = [new LoopVar('i', 2), new LoopVar('j', 3), new LoopVar('k', 5)]
const x = new Buffer('x', 'float32', 30)
const out = new Buffer('out', 'float32', 30)
const flat = (...variables: readonly LoopVar[]): Expr => flatIndex(variables.map(variable), extents(variables))

test('a kernel does the same before and after, also once its expressions are shared', () => {
  fc.assert(
    fc.property(tapes, (tape) => {
      const kernel = randomNest(tape)
      const [before, after, both] = [argumentsOf(kernel), argumentsOf(kernel), argumentsOf(kernel)]
      interpretKernel(kernel, before)
      interpretKernel(collapseGrid(kernel), after)
      interpretKernel(collapseGrid({ ...kernel, body: shareExpressions(kernel.body) }), both)
      expect(after).toEqual(before)
      expect(both).toEqual(before)
    }),
    { numRuns: 300 },
  )
})

test('loops over one range become one', () => {
  const { grid, body } = collapseGrid(nest([i, j, k], [store(out, flat(i, j, k), load(x, flat(i, j, k)))]))
  expect(extents(grid)).toEqual([30])
  const n = variable(grid[0]!)
  expect(body).toEqual([store(out, n, load(x, n))])
})

test('loops that a transposition or a broadcast tells apart stay', () => {
  const transposed = nest([i, j, k], [store(out, flat(j, i, k), load(x, flat(i, j, k)))])
  expect(extents(collapseGrid(transposed).grid)).toEqual([2, 3, 5])
  const rows = nest([i, j, k], [store(out, flat(i, j, k), load(x, variable(k)))])
  expect(extents(collapseGrid(rows).grid)).toEqual([6, 5])
})

test('a variable that is used as a number keeps its loop', () => {
  const iota = nest([i, j], [store(out, flat(i, j), convert('f32', variable(j)))])
  expect(extents(collapseGrid(iota).grid)).toEqual([2, 3])
  const place = nest([i, j], [store(out, flat(i, j), convert('f32', flat(i, j)))])
  expect(extents(collapseGrid(place).grid)).toEqual([6])
})

test('loops whose range is regrouped become one within the quotients', () => {
  const [a, b] = unflatten(flat(i, j, k), [15, 2]) as [Expr, Expr]
  const { grid, body } = collapseGrid(nest([i, j, k], [store(out, flat(i, j, k), load(x, flatIndex([b, a], [2, 15])))]))
  expect(extents(grid)).toEqual([30])
  const kernel = nest(grid, body)
  const args = argumentsOf(kernel)
  interpretKernel(kernel, args)
  expect(args[1]![1]).toBe(args[0]![15])
})

test('loops of one turn go', () => {
  const one = new LoopVar('one', 1)
  expect(collapseGrid(nest([one], [store(out, variable(one), load(x, variable(one)))])).grid).toEqual([])
})

test('the variables of a reduction collapse, too', () => {
  const total = new Local('total', 'f32')
  const sum: Stmt = {
    op: 'reduce',
    variables: [j, k],
    accumulators: [{ into: total, combine: 'add', value: load(x, flat(i, j, k)) }],
  }
  const { body } = collapseGrid(nest([i], [sum, store(out, variable(i), local(total))]))
  expect(extents((body[0] as typeof sum & { op: 'reduce' }).variables)).toEqual([15])
})
