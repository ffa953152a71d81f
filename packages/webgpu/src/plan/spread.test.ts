// Programs that are spread over a device mean what they meant before.
import {
  Buffer,
  type Expr,
  type Kernel,
  Local,
  LoopVar,
  type Program,
  Slot,
  buffersOf,
  checkProgram,
  compare,
  flatIndex,
  i32,
  interpretProgram,
  load,
  local,
  placeOf,
  store,
  variable,
} from '@fluxion/compiler'
import type { HostArray } from '@fluxion/core'
import { expect, test } from 'vitest'
import { gpuTraits } from '../testing.testing.ts'
import { stageForBindings } from './bindings.ts'
import { spread } from './spread.ts'

/** A program of one kernel, which reads some buffers and writes one. */
function programOf(kernel: Kernel, inputs: readonly Buffer[], out: Buffer): Program {
  const slots = new Map(kernel.params.map((buffer) => [buffer, new Slot(buffer.dtype, buffer.length)] as const))
  const args = kernel.params.map((buffer) => placeOf(slots.get(buffer)!))
  return {
    name: 'test',
    inputs: inputs.map((buffer) => slots.get(buffer)!),
    captured: [],
    outputs: [slots.get(out)!],
    steps: [{ op: 'launch', kernel, args }],
  }
}
/** Small whole numbers, whose sums are exact in any order. */
const inputsOf = (program: Program): HostArray[] =>
  program.inputs.map(({ dtype, length }, input) => ({
    shape: [length],
    dtype,
    data: Float32Array.from({ length }, (_, at) => ((at * 7 + input) % 5) - 2),
  }))
function expectSame(program: Program, changed: Program): void {
  checkProgram(changed)
  const inputs = inputsOf(program)
  expect(interpretProgram(changed, inputs)).toEqual(interpretProgram(program, inputs))
}

function reduction(points: number, turns: number): Program {
  const [i, r] = [new LoopVar('i', points), new LoopVar('r', turns)]
  const [x, out] = [new Buffer('x', 'float32', points * turns), new Buffer('out', 'float32', points)]
  const [sum, any] = [new Local('sum', 'f32'), new Local('any', 'bool')]
  const value = load(x, flatIndex([variable(i), variable(r)], [points, turns]))
  const head = {
    kind: 'nest',
    name: 'sum',
    grid: [i],
    body: [
      {
        op: 'reduce',
        variables: [r],
        accumulators: [
          { into: sum, combine: 'add', value },
          { into: any, combine: 'or', value: compare('lt', value, load(x, i32(0))) },
        ],
      },
      store(out, variable(i), local(sum)),
    ],
  } as const
  return programOf({ ...head, params: buffersOf(head) }, [x], out)
}
function product(rows: number, columns: number, inner: number): Program {
  const loops = [rows, columns, inner].map((extent, at) => new LoopVar('mnk'[at]!, extent)) as [
    LoopVar,
    LoopVar,
    LoopVar,
  ]
  const [m, n, k] = loops.map(variable) as [Expr, Expr, Expr]
  const x = new Buffer('x', 'float32', rows * inner)
  const y = new Buffer('y', 'float32', inner * columns)
  const out = new Buffer('out', 'float32', rows * columns)
  const sum = new Local('sum', 'f32')
  const head = {
    kind: 'product',
    name: 'product',
    batch: [],
    rows: [loops[0]],
    columns: [loops[1]],
    inner: [loops[2]],
    left: load(x, flatIndex([m, k], [rows, inner])),
    right: load(y, flatIndex([k, n], [inner, columns])),
    sum,
    body: [store(out, flatIndex([m, n], [rows, columns]), local(sum))],
  } as const
  return programOf({ ...head, params: buffersOf(head) }, [x, y], out)
}

test.each([true, false])('long reductions of few points are two kernels (workgroups: %s)', (shared) => {
  for (const [points, turns] of [
    [1, 65_536],
    [3, 20_011],
  ] as const) {
    const program = reduction(points, turns)
    const changed = spread(program, { ...gpuTraits, shared })
    expect(changed.steps.length).toBe(2)
    expectSame(program, changed)
  }
  const short = reduction(5, 60)
  expect(spread(short, { ...gpuTraits, shared }).steps).toEqual(short.steps)
})
test('products of few tiles with many inner turns are two kernels, those of vectors reductions', () => {
  for (const [rows, columns, inner, kernels] of [
    [20, 20, 4096, 2],
    [5, 6, 1031, 2],
    [30, 1, 50, 1],
    [1, 3, 40_000, 2],
    [3, 3, 10, 1],
  ] as const) {
    const program = product(rows, columns, inner)
    const changed = spread(program, gpuTraits)
    expect(changed.steps.length).toBe(kernels)
    const [first] = changed.steps
    expect(first?.op === 'launch' && first.kernel.kind).toBe(Math.min(rows, columns) <= 2 ? 'nest' : 'product')
    expectSame(program, changed)
  }
})
test('arrays beyond what a device binds are copied into the arena, and results out of it', () => {
  const i = new LoopVar('i', 4)
  const inputs = Array.from({ length: 6 }, (_, at) => new Buffer(`x${at}`, 'float32', 4 + at))
  const outs = [new Buffer('a', 'float32', 4), new Buffer('b', 'float32', 4)] as const
  const body = inputs.map((x, at) => store(outs[at % 2]!, variable(i), load(x, variable(i))))
  const head = { kind: 'nest', name: 'many', grid: [i], body } as const
  const program = programOf({ ...head, params: buffersOf(head) }, inputs, outs[1])
  const changed = stageForBindings(program, 4, () => 1)
  expect(changed.steps.filter(({ op }) => op === 'copy').length).toBeGreaterThan(3)
  expectSame(program, changed)
  expect(stageForBindings(program, 8, () => 1)).toBe(program)
})
