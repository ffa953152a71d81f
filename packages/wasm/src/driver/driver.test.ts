/** Programs with every kind of step, against what they mean. */
import {
  Buffer,
  type Callback,
  Counter,
  type Expr,
  LoopVar,
  type Nest,
  type Place,
  type Program,
  Slot,
  type Step,
  add,
  buffersOf,
  f32,
  indexAdd,
  interpretProgram,
  i32,
  load,
  lt,
  mul,
  placeOf,
  store,
  variable,
} from '@fluxion/compiler'
import { type Backend, type HostArray, np } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { WasmBuffer } from '../buffer.ts'
import { Heap, Resident } from '../heap/heap.ts'
import { Threads } from '../threads/threads.ts'
import { type Machine, makeExecutable, printProgram } from './executable.ts'

function machine(): Machine {
  const heap = new Heap({ budget: 2 ** 20 })
  const backend: Backend = {
    name: 'wasm',
    put: ({ dtype, data }) => new WasmBuffer(backend, heap, new Resident(dtype, data.length, data)),
    apply: () => [],
    compile: () => () => [],
  }
  return { backend, heap, threads: new Threads(heap.memory, 1), relaxed: false, run: () => [] }
}
const host = (data: Float32Array): HostArray => ({ shape: [data.length], dtype: 'float32', data })
function execute(program: Program, inputs: readonly Float32Array[], on: Machine = machine()): number[][] {
  const buffers = inputs.map((data) => on.backend.put(host(data)))
  return makeExecutable(on, program)(buffers).map((buffer) => [...buffer.read()])
}
function interpreted(program: Program, inputs: readonly Float32Array[]): number[][] {
  return interpretProgram(program, inputs.map(host)).map(({ data }) => [...data])
}
/** A launch that stores `value` of buffers with these lengths at each of `count` points. */
function launch(count: number, reads: readonly Place[], to: Place, value: (i: Expr, from: Buffer[]) => Expr): Step {
  const i = new LoopVar('i', count)
  const from = reads.map((_, at) => new Buffer(`x${at}`, reads[at]!.slot.dtype, count))
  const out = new Buffer('out', to.slot.dtype, count)
  const nest = {
    kind: 'nest',
    name: 'step',
    grid: [i],
    body: [store(out, variable(i), value(variable(i), from))],
  } as const
  const params = buffersOf(nest)
  const kernel: Nest = { ...nest, params }
  return { op: 'launch', kernel, args: params.map((buffer) => (buffer === out ? to : reads[from.indexOf(buffer)]!)) }
}
const f32s = (length: number): Slot => new Slot('float32', length)
const at = (slot: Slot, offset: number, ...moves: Place['moves']): Place => ({ slot, offset, moves })
const numbers = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i - 3)

test('loops move places by their counters, and alternate between two halves', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 6 }), (steps, size) => {
      const counter = new Counter(steps)
      const [xs, carry, ys, last] = [f32s(steps * size), f32s(2 * size), f32s(steps * size), f32s(size)]
      const old = at(carry, 0, { counter, stride: size, alternate: true })
      const fresh = at(carry, size, { counter, stride: -size, alternate: true })
      const moving = { counter, stride: size }
      const program: Program = {
        name: 'scan',
        inputs: [xs],
        captured: [],
        outputs: [ys, last, xs],
        steps: [
          launch(size, [], at(carry, 0), () => f32(1)),
          {
            op: 'loop',
            counter,
            body: [
              launch(size, [at(xs, 0, moving), old], fresh, (i, [x, c]) =>
                add(mul(load(c!, i), f32(0.5)), load(x!, i)),
              ),
              { op: 'copy', from: fresh, to: at(ys, (steps - 1) * size, { counter, stride: -size }), length: size },
            ],
          },
          { op: 'copy', from: at(carry, steps % 2 === 0 ? 0 : size), to: placeOf(last), length: size },
        ],
      }
      const input = numbers(steps * size)
      expect(execute(program, [input])).toEqual(interpreted(program, [input]))
    }),
    { numRuns: 30 },
  )
})
test('a while loop runs as long as its flag holds', () => {
  const [start, x, flag] = [f32s(1), f32s(1), new Slot('bool', 1)]
  const program: Program = {
    name: 'double',
    inputs: [start],
    captured: [],
    outputs: [x],
    steps: [
      { op: 'copy', from: placeOf(start), to: placeOf(x), length: 1 },
      {
        op: 'while',
        test: [launch(1, [placeOf(x)], placeOf(flag), (i, [v]) => lt(load(v!, i), f32(100)))],
        flag: placeOf(flag),
        body: [launch(1, [placeOf(x)], placeOf(x), (i, [v]) => mul(load(v!, i), f32(2)))],
      },
    ],
  }
  expect(execute(program, [Float32Array.of(3)])).toEqual([[192]])
  expect(execute(program, [Float32Array.of(101)])).toEqual([[101]])
})
test('a switch runs the branch of its number, clamped to those there are', () => {
  for (const count of [1, 2, 5]) {
    const [index, x] = [new Slot('int32', 1), f32s(1)]
    const branches = Array.from({ length: count }, (_, n) => [launch(1, [], placeOf(x), () => f32(10 * n))])
    const program: Program = {
      name: 'choose',
      inputs: [index],
      captured: [],
      outputs: [x],
      steps: [{ op: 'switch', index: placeOf(index), branches }],
    }
    const on = machine()
    const run = makeExecutable(on, program)
    for (const chosen of [-7, -1, 0, 1, 2, 4, 5, 1000]) {
      const data = Int32Array.of(chosen)
      const [result] = run([on.backend.put({ shape: [], dtype: 'int32', data })])
      expect(result!.read()[0]).toBe(10 * Math.min(Math.max(chosen, 0), count - 1))
    }
  }
})
test('callbacks see arrays and give arrays in each turn, and may run programs and make memory grow', () => {
  const on = machine()
  const counter = new Counter(3)
  const [xs, ys] = [f32s(6), f32s(6)]
  const moving = { counter, stride: 2 }
  const big = f32s(2 ** 20)
  const fill: Program = {
    name: 'fill',
    inputs: [],
    captured: [],
    outputs: [big],
    steps: [launch(2 ** 20, [], placeOf(big), () => f32(1))],
  }
  const inner = makeExecutable(on, fill)
  const seen: number[][] = []
  const primitive = {
    name: 'callback',
    reference([x]: readonly HostArray[]): HostArray[] {
      seen.push([...x!.data])
      expect(inner([])[0]!.read()[2 ** 20 - 1]).toBe(1)
      return [{ ...x!, data: x!.data.map((v) => v * 10) }]
    },
  }
  const aval = { shape: [2], dtype: 'float32', weakType: false } as const
  const call: Callback = {
    op: 'callback',
    primitive,
    params: {},
    inputs: [{ aval, place: at(xs, 0, moving) }],
    outputs: [{ aval, place: at(ys, 0, moving) }],
  }
  const program: Program = {
    name: 'outer',
    inputs: [xs],
    captured: [],
    outputs: [ys],
    steps: [{ op: 'loop', counter, body: [call] }],
  }
  expect(execute(program, [Float32Array.of(1, 2, 3, 4, 5, 6)], on)).toEqual([[10, 20, 30, 40, 50, 60]])
  expect(seen).toEqual([
    [1, 2],
    [3, 4],
    [5, 6],
  ])
  expect(on.heap.size).toBeGreaterThan(4 * 2 ** 20)
})
test('an error in a callback leaves the heap as it was', () => {
  const on = machine()
  const [x, y] = [f32s(4), f32s(4)]
  const primitive = {
    name: 'callback',
    reference: () => {
      throw new Error('no')
    },
  }
  const program: Program = {
    name: 'fails',
    inputs: [x],
    captured: [],
    outputs: [y],
    steps: [{ op: 'callback', primitive, params: {}, inputs: [], outputs: [] }],
  }
  const run = makeExecutable(on, program)
  const input = on.backend.put(host(numbers(4)))
  expect(() => run([input])).toThrow('no')
  input.dispose()
  expect(on.heap.used).toBe(0)
})
test('a result that is an input outlives it, and one that stands twice is disposed of twice', () => {
  const on = machine()
  const [x, y] = [f32s(4), f32s(4)]
  const program: Program = {
    name: 'through',
    inputs: [x],
    captured: [],
    outputs: [x, y, y],
    steps: [{ op: 'copy', from: placeOf(x), to: placeOf(y), length: 4 }],
  }
  const input = on.backend.put(host(numbers(4)))
  const [a, b, c] = makeExecutable(on, program)([input])
  input.dispose()
  expect([...a!.read()]).toEqual([-3, -2, -1, 0])
  b!.dispose()
  expect([...c!.read()]).toEqual([-3, -2, -1, 0])
  a!.dispose()
  c!.dispose()
  expect(on.heap.used).toBe(0)
})
test('captured arrays are inputs of their own', () => {
  const [x, y] = [f32s(3), f32s(3)]
  const program: Program = {
    name: 'captured',
    inputs: [],
    captured: [{ slot: x, value: np.array([1, 2, 3]) }],
    outputs: [y, x],
    steps: [launch(3, [placeOf(x)], placeOf(y), (i, [v]) => mul(load(v!, i), f32(2)))],
  }
  expect(execute(program, [])).toEqual([
    [2, 4, 6],
    [1, 2, 3],
  ])
})
test('kernels that are the same are printed once', () => {
  const [x, y, z] = [f32s(3), f32s(3), f32s(3)]
  const twice = (from: Slot, to: Slot, factor: number): Step =>
    launch(3, [placeOf(from)], placeOf(to), (i, [v]) => mul(load(v!, i), f32(factor)))
  const program = (factor: number): Program => ({
    name: 'same',
    inputs: [x],
    captured: [],
    outputs: [z],
    steps: [twice(x, y, 2), twice(y, z, factor)],
  })
  expect(printProgram(program(2), machine()).module.functions.length).toBe(2)
  expect(printProgram(program(3), machine()).module.functions.length).toBe(3)
  expect(execute(program(3), [Float32Array.of(1, 2, 3)])).toEqual([[6, 12, 18]])
})
test('long kernels run in several calls', () => {
  const count = 3_000_000
  const [x, y] = [f32s(count), f32s(count)]
  const program: Program = {
    name: 'long',
    inputs: [x],
    captured: [],
    outputs: [y],
    steps: [
      launch(count, [placeOf(x)], placeOf(y), (i, [v]) => add(mul(load(v!, indexAdd(i, i32(0))), f32(2)), f32(1))),
    ],
  }
  const [result] = execute(program, [numbers(count)])
  expect(result!.every((value, i) => value === 2 * (i - 3) + 1)).toBe(true)
})
