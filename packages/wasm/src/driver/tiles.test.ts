// Programs in tiles on WebAssembly: on any number of threads they give the same bits, and what they give whole but for the order of sums.
import { type Target, compile } from '@fluxion/compiler'
import { type HostArray, type NDArray, evalJaxpr, lax, makeJaxpr, np, valueAndGrad } from '@fluxion/core'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { makeExecutable } from './executable.ts'
import { machineOf } from './machine.testing.ts'

const machines = [1, 2].map((count) => machineOf(count))
afterAll(() => machines.forEach(({ threads }) => threads.pool()?.stop()))

const target: Target = { name: 'wasm', parallel: false, host: true }
const limits = { loops: 1, work: 1, cache: 0, tile: 1, byte: 0.1, share: 0, tiles: 2 }
const hostOf = (x: NDArray): HostArray => ({ shape: x.shape, dtype: x.dtype, data: x.dataSync() })
const filled = (...shape: number[]): NDArray =>
  np
    .sin(
      np
        .arange(shape.reduce((a, b) => a * b))
        .astype('float32')
        .mul(1.7),
    )
    .reshape(shape)

/** The gradient of a network of one dtype, with a sum over all activities in its loss. */
function lossOf(dtype: 'float32' | 'float16', feedback: boolean) {
  return ([w, v, decay]: readonly NDArray[], xs: NDArray): NDArray => {
    const [, [activities, potentials]] = lax.scan(
      ([first, second]: [NDArray, NDArray], x: NDArray) => {
        const fired = np.tanh(first)
        const back = feedback ? fired.matmul(v!) : fired
        const next = first.mul(decay!).add(x.matmul(w!)).add(back)
        const out = second.mul(0.5).add(fired.matmul(v!))
        return [
          [next, out],
          [fired, out],
        ] as [[NDArray, NDArray], [NDArray, NDArray]]
      },
      [np.zeros([xs.shape[1]!, 16], { dtype }), np.zeros([xs.shape[1]!, 16], { dtype })] as [NDArray, NDArray],
      xs,
    )
    return potentials.max({ axis: 0 }).mean().add(activities.sum().mul(0.01)).astype('float32')
  }
}

test('networks give the same on one thread, on two, and whole', { timeout: 120_000 }, async () => {
  await Promise.all(machines.map(({ threads }) => threads.ready()))
  const settings = fc.record({
    dtype: fc.constantFrom('float32', 'float16'),
    feedback: fc.boolean(),
    batch: fc.constantFrom(2, 3, 16, 37, 40, 64),
    steps: fc.integer({ min: 4, max: 9 }),
    rows: fc.integer({ min: 1, max: 8 }),
  })
  let parallel = 0
  fc.assert(
    fc.property(settings, ({ dtype, feedback, batch, steps, rows }) => {
      const own = dtype as 'float32' | 'float16'
      const params = [filled(12, 16).mul(0.5), filled(16, 16).mul(0.1), filled(16).mul(0.4)].map((x) => x.astype(own))
      const xs = filled(steps, batch, 12).astype(own)
      const traced = makeJaxpr(valueAndGrad(lossOf(own, feedback)))(params, xs)
      const program = compile(traced, { ...target, tiles: { ...limits, rows } })
      if (program.steps.some(({ op }) => op === 'parallel')) parallel++
      const given = [...params, xs]
      const [one, two] = machines.map((machine) => {
        const run = makeExecutable(machine, program)
        return run(given.map((x) => machine.backend.put(hostOf(x)))).map((buffer) => [...buffer.read()])
      })
      expect(two).toEqual(one)
      const scale = own === 'float16' ? 4e-3 : 2e-5
      evalJaxpr(traced, given).forEach((x, i) => {
        const expected = [...x.dataSync()]
        const most = Math.max(1, ...expected.map(Math.abs))
        expected.forEach((value, k) => expect(Math.abs(one![i]![k]! - value)).toBeLessThan(scale * most))
      })
    }),
    { numRuns: 12, examples: [[{ dtype: 'float32', feedback: true, batch: 64, steps: 9, rows: 4 }]] },
  )
  expect(parallel).toBeGreaterThan(0)
})
