/** Traces of kernels: with the GPU's own times, in order, under the programs that they belong to. */
import { type NDArray, type TypedArray, backend, grad, jit, np, profiler, setBackend } from '@fluxion/core'
import { expect, test } from 'vitest'
import { createWebGpu } from '../backend.ts'
import { testDevice } from '../testing.testing.ts'
import { type Launched, addKernels } from './timestamps.ts'

type Added = Parameters<Parameters<typeof addKernels>[0]['add']>[0]
const track = { process: 'gpu', thread: 'kernels' }
const launched = (name: string, call: Launched['call']): Launched => ({
  name,
  call,
  kernel: undefined,
  workgroups: undefined,
})
function added(...batches: Parameters<typeof addKernels>[1]): Added[] {
  const spans: Added[] = []
  addKernels({ add: (span) => void spans.push(span) }, batches, track)
  return spans
}

test('kernels begin no earlier than they were submitted, by the smallest shift that does it', () => {
  const call = { program: 'f' }
  const kernel = (name: string, start: bigint) => ({ launched: launched(name, call), start, end: start + 1_000_000n })
  const spans = added(
    { submitted: 100, kernels: [kernel('a', 7_000_000_000n), kernel('b', 7_001_000_000n)] },
    { submitted: 104, kernels: [kernel('c', 7_003_000_000n)] },
  )
  expect(spans.map(({ name, start, end }) => [name, start, end])).toEqual([
    ['f', 101, 105],
    ['a', 101, 102],
    ['b', 102, 103],
    ['c', 104, 105],
  ])
})
test('kernels that overlap come one after the other, and clocks that run backwards give no negative times', () => {
  const [f, g] = [{ program: 'f' }, { program: 'g' }]
  const spans = added({
    submitted: 0,
    kernels: [
      { launched: launched('a', f), start: 10_000_000n, end: 14_000_000n },
      { launched: launched('b', g), start: 12_000_000n, end: 11_000_000n },
    ],
  })
  expect(spans.map(({ name, start, end }) => [name, start, end])).toEqual([
    ['f', 0, 4],
    ['a', 0, 4],
    ['g', 4, 4],
    ['b', 4, 4],
  ])
})
test('a trace of a gradient has its kernels, with bytes and operations, inside of the calls of its program', async () => {
  const on = createWebGpu(await testDevice())
  const before = backend()
  setBackend(on)
  try {
    const model = grad((x: NDArray) => np.tanh(np.matmul(x, x)).sum())
    const slope = jit(function slope(x: NDArray) {
      return model(x)
    })
    profiler.startTrace()
    const results: Promise<TypedArray>[] = []
    for (let i = 0; i < 3; i++) results.push(slope(np.ones([16, 16])).data())
    const { traceEvents } = await profiler.stopTrace()
    await Promise.all(results)
    const gpu = traceEvents.find(
      ({ name, args }) => name === 'process_name' && String(args!['name']).startsWith('webgpu'),
    )
    const here = traceEvents.filter(({ pid, ph }) => pid === gpu!.pid && ph === 'X')
    const calls = here.filter(({ cat, name }) => cat === 'call' && name === 'slope')
    const kernels = here.filter(({ cat }) => cat === 'kernel')
    expect(calls.length).toBe(3)
    expect(kernels.length).toBeGreaterThanOrEqual(6)
    for (const { dur } of here) expect(dur).toBeGreaterThanOrEqual(0)
    const inside = kernels.filter(({ ts, dur }) =>
      calls.some((call) => call.ts! <= ts! && ts! + dur! <= call.ts! + call.dur! + 1e-6),
    )
    const product = inside.filter(({ name }) => name.includes('dot_general'))
    expect(product.length).toBeGreaterThanOrEqual(3)
    for (const { args } of product) {
      expect(args!['flops']).toBeGreaterThanOrEqual(2 * 16 ** 3)
      expect(args!['bytes']).toBeGreaterThanOrEqual(2 * 4 * 16 ** 2)
      expect(args!['workgroups']).toBeGreaterThan(0)
    }
    expect(product.some(({ dur }) => dur! > 0)).toBe(true)
    // once a trace has ended, nothing is timed
    await slope(np.ones([16, 16])).data()
    profiler.startTrace()
    expect((await profiler.stopTrace()).traceEvents).toEqual([])
  } finally {
    setBackend(before)
  }
})
