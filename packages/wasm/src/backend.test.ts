// The WebAssembly back end as the core sees it: results, callbacks, memory, donation.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type ConcreteArray,
  type NDArray,
  backend,
  debug,
  grad,
  jit,
  lax,
  makeJaxpr,
  np,
  pureCallback,
  setBackend,
} from '@fluxion/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWasm } from './backend.ts'
import { WasmBuffer } from './buffer.ts'
import { operationKey } from '@fluxion/compiler'
import { Heap, Resident } from './heap/heap.ts'

const before = backend()
beforeAll(() => setBackend(createWasm({ budget: 32 * 2 ** 20 })))
afterAll(() => setBackend(before))

/** Run the garbage collector until a condition holds, or a second has passed. */
async function collectUntil(holds: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 100 && !holds(); i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
/** The heap stayed near its budget, and what moved out of it is garbage; what a process takes at most is measured in ones of their own. */
async function expectBounded(x: NDArray, start: NodeJS.MemoryUsage): Promise<void> {
  expect(((x as ConcreteArray).buffer as WasmBuffer).heap.size).toBeLessThan(64 * 2 ** 20)
  const grown = (): number => process.memoryUsage().arrayBuffers - start.arrayBuffers
  await collectUntil(() => grown() < 48 * 2 ** 20)
  expect(grown()).toBeLessThan(48 * 2 ** 20)
}

test('eager operations and jitted functions give the same, with relaxed SIMD and without', () => {
  const f = (x: NDArray): NDArray => np.square(x.matmul(x.T)).sum({ axis: 0 })
  const x = np.linspace(-1, 1, 77).reshape([7, 11])
  const expected = [...f(x).dataSync()]
  expect([...jit(f)(x).dataSync()]).toEqual(expected)
  const outer = backend()
  setBackend(createWasm({ relaxed: false }))
  const plain = [...jit(f)(x).dataSync()]
  setBackend(outer)
  plain.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5))
})
test('half floats are two bytes in the heap and rounded numbers outside', () => {
  const x = np.array([1, 2.5, 65504, 1e-7], { dtype: 'float16' })
  expect([...x.mul(1).dataSync()]).toEqual([1, 2.5, 65504, Math.fround(1.1920928955078125e-7)])
  expect([...x.mul(2).dataSync()]).toEqual([2, 5, Infinity, Math.fround(2.384185791015625e-7)])
  expect([...np.array([1, 3.140625], { dtype: 'bfloat16' }).add(0).dataSync()]).toEqual([1, 3.140625])
})
test('callbacks run in order, see values, and may run other programs', () => {
  const seen: number[] = []
  const f = jit((x: NDArray) => {
    const y = lax.foriLoop(
      0,
      3,
      (i: NDArray, c: NDArray) => {
        debug.callback((v: NDArray) => void seen.push(v.item(), v.add(0.5).item()), c)
        return c.mul(2)
      },
      x,
    )
    return pureCallback((v: NDArray) => v.add(1), { shape: [], dtype: 'float32' }, y) as NDArray
  })
  expect(f(np.array(1)).item()).toBe(9)
  expect(seen).toEqual([1, 1.5, 2, 2.5, 4, 4.5])
})
test('callbacks outside of programs are called at once', () => {
  const seen: number[] = []
  debug.callback((v: NDArray) => void seen.push(v.item()), np.array(4))
  expect(seen).toEqual([4])
  const doubled = pureCallback(
    (v: NDArray) => v.mul(2),
    { shape: [2], dtype: 'float16' },
    np.array([1, 2], { dtype: 'float16' }),
  )
  expect([...(doubled as NDArray).add(1).dataSync()]).toEqual([3, 5])
})
test('a program is shown as text of WebAssembly', () => {
  const text = jit((x: NDArray) => x.add(1))
    .lower(np.zeros([8]))
    .asText('wat')
  expect(text).toContain('(import "env" "memory"')
  expect(text).toContain('f32x4.add')
})
test('arrays of another back end are moved when they are used', () => {
  const wasm = backend()
  setBackend(before)
  const x = np.array([1, 2, 3])
  setBackend(wasm)
  expect([...x.add(x).dataSync()]).toEqual([2, 4, 6])
})
test('a result shares nothing with a donated argument that it passes through', () => {
  const f = jit((x: NDArray, y: NDArray) => [x, x.add(y)] as const, { donateArgnums: 0 })
  const [x, sum] = f(np.array([1, 2]).add(0), np.array([1, 1]))
  expect([...x.dataSync(), ...sum.dataSync()]).toEqual([1, 2, 2, 3])
})
test('operations share a program if their parameters are equal, and programs among these if they do the same', () => {
  const aval = { shape: [2], dtype: 'float32', weakType: false } as const
  const primitive = { name: 'p' } as never
  const key = (params: object): string => operationKey(primitive, [aval], params)
  expect(key({ axes: [0], by: -0 })).toBe(key({ axes: [0], by: -0 }))
  expect(key({ by: -0 })).not.toBe(key({ by: 0 }))
  expect(key({ by: 1 })).not.toBe(key({ by: '1' }))
  const [f, g] = [(): number => 1, (): number => 1]
  expect(key({ f })).toBe(key({ f }))
  expect(key({ f })).not.toBe(key({ f: g }))
})
test('a train step in a loop that never awaits keeps memory bounded', async () => {
  const loss = (w: NDArray, x: NDArray): NDArray => np.square(x.matmul(w)).sum()
  const step = jit((w: NDArray, x: NDArray) => w.sub(grad(loss)(w, x).mul(0.01)))
  let w: NDArray = np.zeros([128, 256])
  const x = np.ones([8, 128])
  w = step(w, x)
  const start = process.memoryUsage()
  // 512 MiB of weights one after the other.
  for (let i = 0; i < 4096; i++) w = step(w, x)
  expect(Number.isFinite(w.sum().item())).toBe(true)
  await expectBounded(w, start)
}, 30_000)
test('between tasks the room of large arrays that are gone is free at once', async () => {
  const heap = new Heap({ budget: 2 ** 30 })
  const outer = backend()
  const make = (): WasmBuffer[] =>
    Array.from({ length: 20 }, () => {
      const x = new Resident('float32', 2 ** 18)
      heap.settle(x)
      heap.unpin(x)
      return new WasmBuffer(outer, heap, x)
    })
  expect(make().length).toBe(20)
  expect(heap.used).toBe(20 * 2 ** 20)
  await collectUntil(() => heap.used === 0)
  expect(heap.used).toBe(0)
})
test('eager updates of a large array keep memory bounded', async () => {
  let x: NDArray = np.zeros([2 ** 20])
  const start = process.memoryUsage()
  for (let i = 0; i < 250; i++) x = x.add(1)
  expect(x.dataSync()[2 ** 20 - 1]).toBe(250)
  await expectBounded(x, start)
}, 30_000)

test('a result takes the memory of a donated input, unless others hold that too', () => {
  const backend = createWasm()
  const program = makeJaxpr((x: NDArray) => x.mul(2))(np.ones([1000]))
  const run = backend.compile(program, 'double', [0])
  const data = new Float32Array(1000).fill(3)
  const [first] = run([backend.put({ shape: [1000], dtype: 'float32', data })]) as [WasmBuffer]
  const { used } = first.heap
  const [second] = run([first]) as [WasmBuffer]
  expect(second.heap.used).toBe(used)
  expect(second.read()[999]).toBe(12)
  expect(() => first.read()).toThrow(/disposed/)
  const shared = new WasmBuffer(backend, second.heap, second.value)
  const [third] = run([second]) as [WasmBuffer]
  expect([third.read()[0], shared.read()[0]]).toEqual([24, 12])
})
