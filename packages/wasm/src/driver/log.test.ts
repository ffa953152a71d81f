// Launches that are noted while a trace runs: on all threads, nested, with the same results as without.
import { type NDArray, backend, jit, lax, np, profiler, setBackend } from '@fluxion/core'
import { afterAll, expect, test } from 'vitest'
import { createWasm } from '../backend.ts'

type Trace = Awaited<ReturnType<typeof profiler.stopTrace>>
const before = backend()
afterAll(() => setBackend(before))

/** Whether the spans of each row stand inside of each other or apart. */
function nests({ traceEvents }: Trace): boolean {
  const ends = new Map<number, number[]>()
  return traceEvents.every(({ ph, tid, ts, dur }) => {
    if (ph !== 'X') return true
    const open = ends.get(tid) ?? []
    ends.set(tid, open)
    // to the nearest microsecond: clocks of threads have steps
    while (open.length > 0 && open.at(-1)! <= ts! + 1) open.pop()
    const inside = open.length === 0 || ts! + dur! <= open.at(-1)! + 1
    open.push(ts! + dur!)
    return inside && dur! >= 0
  })
}
const rowsOf = ({ traceEvents }: Trace): Map<number, string> =>
  new Map(traceEvents.filter(({ name }) => name === 'thread_name').map(({ tid, args }) => [tid, String(args!['name'])]))
/** A step that is independent along its batch, long enough for workers to come in. */
function model(w: NDArray, x: NDArray): NDArray {
  const step = (h: NDArray, row: NDArray): [NDArray, NDArray] => [np.tanh(np.matmul(h, w).add(row)), h]
  return lax.scan(step, np.zeros([x.shape[1]!, w.shape[0]!]), x)[1].sum()
}

test('kernels of a program and of its parts are spans within its call, with what they cost', async () => {
  setBackend(createWasm({ threads: 1 }))
  const f = jit(model)
  const args = [np.eye(16), np.ones([20, 8, 16])] as const
  const expected = f(...args).item()
  profiler.startTrace()
  const seen = f(...args).item()
  const trace = await profiler.stopTrace()
  expect(seen).toBe(expected)
  expect(f(...args).item()).toBe(expected)
  const kernels = trace.traceEvents.filter(({ cat }) => cat === 'kernel')
  const products = kernels.filter(({ name }) => name.includes('dot_general'))
  expect(products.length).toBeGreaterThanOrEqual(20)
  for (const { args: cost } of products) expect(cost!['flops']).toBeGreaterThan(0)
  expect(nests(trace)).toBe(true)
  const call = trace.traceEvents.find(({ name }) => name === 'jit(model)')!
  for (const { ts, dur } of kernels) {
    expect(ts!).toBeGreaterThanOrEqual(call.ts! - 1)
    expect(ts! + dur!).toBeLessThanOrEqual(call.ts! + call.dur! + 1)
  }
  expect([...rowsOf(trace).values()]).toEqual(['main'])
})
test('workers have rows of their own', async () => {
  const on = createWasm({ threads: 2 })
  setBackend(on)
  const f = jit((x: NDArray) => np.tanh(np.matmul(x, x)).sum())
  const x = np.ones([256, 256]).mul(0.01)
  const expected = f(x).item()
  profiler.startTrace()
  // The first calls may be over before the worker has compiled the module.
  const results = Array.from({ length: 300 }, () => f(x).item())
  const trace = await profiler.stopTrace()
  expect(new Set(results)).toEqual(new Set([expected]))
  expect(new Set(rowsOf(trace).values())).toEqual(new Set(['main', 'worker 1']))
  expect(nests(trace)).toBe(true)
})
test('a call with more launches than are kept says how many are missing', async () => {
  setBackend(createWasm({ threads: 1 }))
  const f = jit(function long(x: NDArray) {
    return lax.foriLoop(0, 10_000, (_, y: NDArray) => np.matmul(y, y), x)
  })
  const x = np.eye(2)
  profiler.startTrace()
  f(x)
  const { traceEvents } = await profiler.stopTrace()
  expect(traceEvents.filter(({ cat }) => cat === 'kernel').length).toBe(8192)
  const [missing] = traceEvents.filter(({ name }) => name.endsWith('launches more than are kept'))
  expect(Number.parseInt(missing!.name)).toBeGreaterThanOrEqual(10_000 - 8192)
})
