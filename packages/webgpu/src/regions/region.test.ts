// Loops as one kernel each: which can be, that they mean the same, and that a device computes the same by them.
import {
  type Program,
  type Target,
  compile,
  costOf,
  interpretProgram,
  printProgram,
  walkSteps,
} from '@fluxion/compiler'
import {
  type ClosedJaxpr,
  type HostArray,
  type NDArray,
  backend,
  grad,
  lax,
  makeJaxpr,
  nn,
  np,
  random,
  setBackend,
  jit,
} from '@fluxion/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type WebGpu, createWebGpu } from '../backend.ts'
import { Device } from '../device/device.ts'
import { separate } from '../print/access.ts'
import { printKernel } from '../print/kernel.ts'
import type { Traits } from '../print/traits.ts'
import { gpuTraits, testDevice } from '../testing.testing.ts'
import { isRegion, withRegions } from './region.ts'

const target: Target = { name: 'webgpu', parallel: true, host: false }
const [steps, batch, units, inputs] = [5, 6, 4, 3]
type Loss = (w: NDArray[], xs: NDArray) => NDArray

/** A long short-term memory over time. */
const lstm: Loss = ([wx, wh, b], xs) => {
  const step = ([h, c]: NDArray[], x: NDArray): [NDArray[], NDArray] => {
    const gates = np.matmul(x, wx!).add(np.matmul(h!, wh!)).add(b!)
    const [i, g, f, o] = np.split(gates, 4, { axis: -1 }) as [NDArray, NDArray, NDArray, NDArray]
    const next = nn
      .sigmoid(f)
      .mul(c!)
      .add(nn.sigmoid(i).mul(np.tanh(g)))
    const out = nn.sigmoid(o).mul(np.tanh(next))
    return [[out, next], out]
  }
  const zeros = np.zeros([xs.shape[1]!, units])
  const [, hs] = lax.scan(step, [zeros, zeros], xs)
  return hs.mul(hs).sum()
}
const lstmWeights = (): NDArray[] =>
  [[inputs, 4 * units], [units, 4 * units], [4 * units]].map((shape, i) => random.normal(random.key(i), shape).mul(0.5))
/** Spiking neurons with dense recurrence, whose spikes have a smooth slope. */
const recurrent: Loss = ([wx, wh], xs) => {
  const step = ([v, z]: NDArray[], x: NDArray): [NDArray[], NDArray] => {
    const current = np.matmul(x, wx!).add(np.matmul(z!, wh!))
    const potential = v!.mul(0.9).add(current).sub(z!)
    const soft = nn.sigmoid(potential.sub(1).mul(4))
    const spikes = soft.add(lax.stopGradient(np.greater(potential, 1).astype('float32').sub(soft)))
    return [[potential, spikes], spikes]
  }
  const zeros = np.zeros([xs.shape[1]!, units])
  const [, zs] = lax.scan(step, [zeros, zeros], xs)
  return zs.mul(np.arange(units).add(1)).sum()
}
const recurrentWeights = (): NDArray[] =>
  [
    [inputs, units],
    [units, units],
  ].map((shape, i) => random.normal(random.key(i + 7), shape))
const sequence = (): NDArray => random.normal(random.key(3), [steps, batch, inputs])

const models: readonly [name: string, loss: Loss, weights: () => NDArray[]][] = [
  ['an LSTM', lstm, lstmWeights],
  ['spiking neurons with dense recurrence', recurrent, recurrentWeights],
]
const programOf = (f: (...args: never[]) => unknown, ...args: unknown[]): Program =>
  compile(makeJaxpr(f as (...args: unknown[]) => NDArray)(...args) as unknown as ClosedJaxpr, target, 'f')
const hostOf = (x: NDArray): HostArray => ({ shape: x.shape, dtype: x.dtype, data: x.dataSync() })
/** How many tiles each region of a program has. */
function tilesIn(program: Program): number[] {
  const found: number[] = []
  walkSteps(program.steps, (step) => {
    if (step.op === 'launch' && isRegion(step.kernel)) found.push(step.kernel.tile.extent)
  })
  return found
}
const loopsIn = (program: Program): number => {
  let found = 0
  walkSteps(program.steps, (step) => void (found += Number(step.op === 'loop')))
  return found
}
/** Sums are rounded once or at each step. */
function expectSame(got: Program, program: Program, args: readonly HostArray[]): void {
  const [results, expected] = [interpretProgram(got, args), interpretProgram(program, args)]
  results.forEach(({ data }, i) => {
    const near = expected[i]!.data
    data.forEach((x, j) => expect(Math.abs(x - near[j]!)).toBeLessThanOrEqual(2e-5 * (1 + Math.abs(near[j]!))))
  })
}
const alone: Traits = { ...gpuTraits, shared: false }

for (const [name, loss, weights] of models) {
  for (const traits of [alone, gpuTraits]) {
    test(`${name}: a recurrence and its gradient are a kernel each, and mean the same (${traits.shared ? 'workgroups' : 'invocations'})`, () => {
      const [w, xs] = [weights(), sequence()]
      for (const [f, most] of [
        [loss, 1],
        [grad(loss), 2],
      ] as const) {
        const program = programOf(f, w, xs)
        const merged = withRegions(program, traits, 2 ** 27)
        expect(loopsIn(program), printProgram(program)).toBe(most)
        expect(loopsIn(merged), printProgram(program)).toBe(0)
        expect(tilesIn(merged)).toEqual(Array.from({ length: most }, () => batch))
        expect(costOf(merged).kernels).toBeLessThanOrEqual(costOf(program).kernels - most * (steps - 1))
        expectSame(merged, program, [...w, xs].map(hostOf))
      }
    })
  }
}

test('a tile has several places of the axis where there are enough tiles', () => {
  const program = withRegions(programOf(lstm, lstmWeights(), np.ones([steps, 128, inputs])), gpuTraits, 2 ** 27)
  walkSteps(program.steps, (step) => {
    if (step.op !== 'launch' || !isRegion(step.kernel)) return
    expect([step.kernel.rows, step.kernel.tile.extent]).toEqual([4, 32])
  })
  expect(tilesIn(program)).toEqual([32])
})
/** The scan of a step over `sequence()`, which keeps a state of [batch, inputs]. */
const scanOf = (step: (h: NDArray, x: NDArray) => NDArray) => (xs: NDArray) =>
  lax.scan((h: NDArray, x: NDArray): [NDArray, NDArray] => [step(h, x), h], np.zeros([batch, inputs]), xs)[1]
const square = (): NDArray =>
  np
    .arange(inputs * inputs)
    .reshape([inputs, inputs])
    .mul(0.1)
const steppings: readonly (readonly [name: string, tiles: number, step: (h: NDArray, x: NDArray) => NDArray])[] = [
  [
    'a matrix on the other side: the columns are the axis',
    batch,
    (h, x) => np.matmul(square().T, h.T).T.add(x).mul(0.1),
  ],
  [
    'sums and extremes along what is no axis',
    batch,
    (h, x) =>
      np
        .cumsum(np.matmul(h, square()).add(x), { axis: 1 })
        .sub(h.max({ axis: 1, keepdims: true }))
        .mul(0.1),
  ],
  [
    'booleans and halves',
    batch,
    (h, x) =>
      np
        .greater(np.matmul(h.astype('float16'), square().astype('float16')), 0.1)
        .astype('float32')
        .add(x),
  ],
  [
    'means over the batch',
    1,
    (h, x) =>
      np
        .matmul(h.sub(h.mean({ axis: 0 })), square())
        .add(x)
        .mul(0.1),
  ],
  [
    'a shift along the batch',
    1,
    (h, x) =>
      np
        .matmul(np.roll(h, 1, { axis: 0 }), square())
        .add(x)
        .mul(0.1),
  ],
]
test.each([...steppings])('%s: a kernel of %d tiles, and the same results', (_, tiles, step) => {
  const program = programOf(scanOf(step), sequence())
  expect(loopsIn(program), printProgram(program)).toBe(1)
  for (const traits of [alone, gpuTraits]) {
    const merged = withRegions(program, traits, 2 ** 27)
    expect(tilesIn(merged), printProgram(program)).toEqual([tiles])
    const args = [hostOf(sequence())]
    expectSame(merged, program, args)
  }
})
/** A recurrence with noise: the key of its random numbers, and a count, are carried along. */
const noisy = (xs: NDArray): NDArray[] => {
  const step = ([h, key, count]: NDArray[], x: NDArray): [NDArray[], NDArray] => {
    const keys = random.split(key!)
    const [next, own] = [keys.get(0), keys.get(1)]
    const noise = random.bits(own, [batch, inputs]).mod(7).astype('float32')
    const state = np.matmul(h!, square()).add(noise).add(x).mul(count!.astype('float32'))
    return [[state, next, count!.add(1).mod(3)], state]
  }
  const zeros = np.zeros([batch, inputs])
  const [[h, , count], states] = lax.scan(step, [zeros, random.key(2), np.array(1)], xs) as [NDArray[], NDArray]
  return [states, h!, count!]
}
test('each tile keeps keys and counts of its own', () => {
  const program = programOf(noisy, sequence())
  expect(loopsIn(program)).toBe(1)
  for (const traits of [alone, gpuTraits]) {
    const merged = withRegions(program, traits, 2 ** 27)
    expect(tilesIn(merged), printProgram(program)).toEqual([batch])
    expectSame(merged, program, [hostOf(sequence())])
  }
})
test('loops inside of loops go along, or are kernels by themselves', () => {
  const inner = (h: NDArray, x: NDArray): NDArray =>
    lax.foriLoop(0, 3, (_, state: NDArray) => np.tanh(np.matmul(state, square())).add(x), h)
  const program = programOf(scanOf(inner), sequence())
  expect(loopsIn(program)).toBe(2)
  const whole = withRegions(program, gpuTraits, 2 ** 27)
  expect([tilesIn(whole), loopsIn(whole)]).toEqual([[batch], 0])
  const mixing = programOf(
    scanOf((h, x) => inner(h.sub(h.mean({ axis: 0 })), x)),
    sequence(),
  )
  // What mixes its batch and is small is one workgroup's.
  const parts = withRegions(mixing, gpuTraits, 2 ** 27)
  expect([tilesIn(parts), loopsIn(parts)]).toEqual([[1], 0])
  const args = [hostOf(sequence())]
  expectSame(whole, program, args)
  expectSame(parts, mixing, args)
})
test('of a large loop that mixes its batch, the loop inside that does not is a kernel', () => {
  const large = (xs: NDArray): NDArray => {
    const outer = (h: NDArray, x: NDArray): [NDArray, NDArray] => {
      const inner = lax.foriLoop(0, 3, (_, state: NDArray) => np.tanh(np.matmul(state, np.eye(64))).add(x), h)
      return [inner.sub(inner.mean({ axis: 0 })), inner]
    }
    return lax.scan(outer, xs.get(0), xs)[1]
  }
  const merged = withRegions(programOf(large, np.ones([4, 256, 64])), gpuTraits, 2 ** 27)
  expect([tilesIn(merged), loopsIn(merged)]).toEqual([[32], 1])
})
test('loops stay as they are where matrices are too large for tiles to read them at each step', () => {
  const wide = (w: NDArray, h: NDArray): NDArray =>
    lax.foriLoop(0, 4, (_, state: NDArray) => np.tanh(np.matmul(state, w)), h)
  const of = (size: number): Program => programOf(wide, np.zeros([size, size]), np.zeros([256, size]))
  expect(tilesIn(withRegions(of(64), gpuTraits, 2 ** 27))).toEqual([32])
  expect(tilesIn(withRegions(of(1024), gpuTraits, 2 ** 27))).toEqual([])
  expect(tilesIn(withRegions(of(64), gpuTraits, 2 ** 12))).toEqual([])
})

let on: WebGpu[] = []
const before = backend()
beforeAll(async () => {
  const { gpu, traits } = await testDevice()
  on = [traits, { ...traits, ...gpuTraits }, { ...gpuTraits, workgroup: { bytes: 0, invocations: 16 } }].map((each) =>
    createWebGpu(new Device(gpu, 'test', each)),
  )
})
afterAll(() => setBackend(before))
const cases: readonly (readonly [name: string, loss: Loss, weights: () => NDArray[], xs: () => NDArray])[] = [
  ['an LSTM', lstm, lstmWeights, sequence],
  ['spiking neurons with dense recurrence', recurrent, recurrentWeights, sequence],
  ['tiles of several places', recurrent, recurrentWeights, () => random.normal(random.key(4), [3, 64, inputs])],
]
/** What a function gives on each device is what it gives on the reference back end. */
async function expectOnDevices(f: () => NDArray[], tolerance: number): Promise<void> {
  const expected = f().map((x) => x.dataSync())
  for (const device of on) {
    setBackend(device)
    try {
      for (const [i, result] of f().entries()) {
        const data = await result.data()
        data.forEach((x, j) => {
          const near = expected[i]![j]!
          expect(Math.abs(x - near)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(near)))
        })
      }
    } finally {
      setBackend(before)
    }
  }
}
for (const [name, , step] of steppings) {
  test(
    `${name}: a device computes the same`,
    () => expectOnDevices(() => [jit(scanOf(step))(sequence())], 2e-3),
    120_000,
  )
}
test('keys and counts: a device computes the same', () => expectOnDevices(() => jit(noisy)(sequence()), 1e-4), 120_000)
test('what shares words is stored by whole words where a row is made of them', async () => {
  const packed = (xs: NDArray): NDArray[] => {
    const step = (h: NDArray, x: NDArray): [NDArray, NDArray[]] => {
      const next = np.tanh(np.matmul(h, np.ones([8, 8])).add(x))
      return [next, [np.greater(next, 0), next.astype('float16')]]
    }
    return lax.scan(step, np.zeros([batch, 8]), xs)[1]
  }
  const xs = (): NDArray => random.normal(random.key(5), [steps, batch, 8])
  const program = withRegions(programOf(packed, xs()), gpuTraits, 2 ** 27)
  walkSteps(program.steps, (step) => {
    if (step.op !== 'launch' || !isRegion(step.kernel)) return
    const { source } = printKernel(step.kernel, separate(step.kernel), gpuTraits)
    expect(source).toContain('workgroupBarrier')
    expect(source).not.toContain('atomic')
  })
  expect(tilesIn(program)).toEqual([batch])
  await expectOnDevices(() => jit(packed)(xs()), 1e-3)
}, 120_000)
for (const [name, loss, weights, inputsOf] of cases) {
  test(`${name}: a device computes the same gradient, in workgroup memory and out of it`, async () => {
    const [w, xs] = [weights(), inputsOf()]
    await expectOnDevices(() => jit(grad(loss))(w, xs) as NDArray[], 1e-4)
  }, 120_000)
}
