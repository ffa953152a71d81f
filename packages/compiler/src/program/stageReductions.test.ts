// Reductions in two stages mean what they meant in one.
import type { DType } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { add, assign, load, local, mul, scalarType, store, variable } from '../loops/build.ts'
import { flatIndex, indexAdd } from '../loops/indices.ts'
import { Buffer, type Combine, type Expr, Local, LoopVar, type Stmt } from '../loops/ir.ts'
import { buffersOf } from '../loops/visit.ts'
import { checkProgram } from './check.ts'
import { interpretProgram } from './interpret.ts'
import { type Program, Slot, placeOf } from './program.ts'
import { inputsOf } from './programs.testing.ts'
import { stageReductions } from './stageReductions.ts'

interface Shape {
  readonly batch: number
  readonly rows: readonly number[]
  readonly columns: number
}
/** out[b, i] = scale[i] · (combined x[b, r…, i] · y[b, r…, i]) in a program of one kernel. */
function reducing({ batch, rows, columns }: Shape, combine: Combine, dtype: DType, weighted: boolean): Program {
  const size = rows.reduce((n, extent) => n * extent, columns * batch)
  const [x, y, scale, out] = [
    new Buffer('x', dtype, size),
    new Buffer('y', dtype, size),
    new Buffer('scale', dtype, columns),
    new Buffer('out', dtype, batch * columns),
  ] as const
  const [b, i] = [new LoopVar('b', batch), new LoopVar('i', columns)]
  const loops = rows.map((extent) => new LoopVar('r', extent))
  const at = flatIndex([b, ...loops, i].map(variable), [batch, ...rows, columns])
  const type = scalarType(dtype)
  const [total, factor] = [new Local('total', type), new Local('factor', type)]
  const product = mul(load(x, at), load(y, at))
  const value: Expr = weighted ? mul(local(factor), product) : product
  const body: Stmt[] = [
    assign(factor, load(scale, variable(i))),
    { op: 'reduce', variables: loops, accumulators: [{ into: total, combine, value }] },
    store(out, flatIndex([b, i].map(variable), [batch, columns]), add(local(total), local(factor))),
  ]
  const kernel = { kind: 'nest', name: 'kernel', grid: [b, i], body } as const
  const params = buffersOf(kernel)
  const slots = new Map(params.map((buffer) => [buffer, new Slot(buffer.dtype, buffer.length)]))
  return {
    name: 'program',
    inputs: [x, y, scale].map((buffer) => slots.get(buffer)!),
    captured: [],
    outputs: [slots.get(out)!],
    steps: [{ op: 'launch', kernel: { ...kernel, params }, args: params.map((buffer) => placeOf(slots.get(buffer)!)) }],
  }
}
const data = (result: ReturnType<typeof interpretProgram>): number[] => result.flatMap((array) => [...array.data])

test('a program does the same in stages, whatever the rows: whole parts, rests, several loops', () => {
  const rows = fc.oneof(
    fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 1 }),
    fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 3 }),
  )
  const shapes = fc.record({ batch: fc.integer({ min: 1, max: 2 }), rows, columns: fc.integer({ min: 1, max: 5 }) })
  const combines = fc.constantFrom<Combine>('add', 'mul', 'min', 'max')
  const dtypes = fc.constantFrom<DType>('float32', 'float64', 'int32')
  let stages = 0
  fc.assert(
    fc.property(shapes, combines, dtypes, fc.boolean(), (shape, combine, dtype, weighted) => {
      const program = reducing(shape, combine === 'mul' && dtype !== 'int32' ? 'add' : combine, dtype, weighted)
      const staged = stageReductions(program, 0)
      checkProgram(staged)
      const inputs = inputsOf(program)
      expect(data(interpretProgram(staged, inputs))).toEqual(data(interpretProgram(program, inputs)))
      stages += staged.steps.length - 1
    }),
    { numRuns: 200 },
  )
  expect(stages).toBeGreaterThan(60)
})

test('a reduction with few results does the same in parts', () => {
  const rows = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 3 })
  let stages = 0
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 3 }), fc.boolean(), (extents, columns, weighted) => {
      fc.pre(extents.reduce((n, extent) => n * extent, 1) < 5000)
      const program = reducing({ batch: 1, rows: extents, columns }, 'add', 'int32', weighted)
      const staged = stageReductions(program, Infinity, 0)
      checkProgram(staged)
      const inputs = inputsOf(program)
      expect(data(interpretProgram(staged, inputs))).toEqual(data(interpretProgram(program, inputs)))
      stages += staged.steps.length - 1
    }),
    { numRuns: 100 },
  )
  expect(stages).toBeGreaterThan(40)
})
test('parts of a sum of all elements are equal where they can be, and have a small rest otherwise', () => {
  const parts = (...rows: number[]): unknown => {
    const { steps } = stageReductions(reducing({ batch: 1, rows, columns: 1 }, 'add', 'int32', false), Infinity, 0)
    const [first] = steps
    return steps.length === 1 || first?.op !== 'launch' || first.kernel.kind !== 'nest'
      ? 'whole'
      : first.kernel.grid.map(({ extent }) => extent)
  }
  expect(parts(3200)).toEqual([32, 1, 1])
  expect(parts(1001)).toEqual([77, 1, 1])
  expect(parts(1009)).toEqual([32, 1, 1])
  expect(parts(5, 14)).toEqual([5, 7, 1, 1])
  expect(parts(31)).toEqual('whole')
})

test('parts are of whole rows, and rows that no part has are added at the end', () => {
  const program = reducing({ batch: 1, rows: [150], columns: 4 }, 'add', 'int32', false)
  const { steps } = stageReductions(program, 0)
  const grids = steps.map((step) => (step.op === 'launch' && step.kernel.kind === 'nest' ? step.kernel.grid : []))
  expect(grids.map((grid) => grid.map(({ extent }) => extent))).toEqual([
    [2, 1, 4],
    [1, 4],
  ])
})

test('short reductions, and those along rows that lie in memory, stay whole', () => {
  const short = reducing({ batch: 1, rows: [150], columns: 4 }, 'add', 'float32', false)
  expect(stageReductions(short).steps).toEqual(short.steps)
  const x = new Buffer('x', 'float32', 64 * 64)
  const out = new Buffer('out', 'float32', 64)
  const [i, r] = [new LoopVar('i', 64), new LoopVar('r', 64)]
  const total = new Local('total', 'f32')
  const value = load(x, indexAdd(flatIndex([i, r].map(variable), [64, 64])))
  const body: Stmt[] = [
    { op: 'reduce', variables: [r], accumulators: [{ into: total, combine: 'add', value }] },
    store(out, variable(i), local(total)),
  ]
  const [from, to] = [new Slot('float32', x.length), new Slot('float32', out.length)]
  const kernel = { kind: 'nest', name: 'rows', grid: [i], body, params: [x, out] } as const
  const along: Program = {
    name: 'rows',
    inputs: [from],
    captured: [],
    outputs: [to],
    steps: [{ op: 'launch', kernel, args: [placeOf(from), placeOf(to)] }],
  }
  expect(stageReductions(along, 0).steps).toEqual(along.steps)
})
