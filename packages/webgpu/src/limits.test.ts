// A device that binds little at once: arrays are bound in pieces, more of them than fit go through the arena, and what is too large for a buffer is refused.
import {
  type DType,
  DeviceError,
  type NDArray,
  backend,
  debug,
  jit,
  lax,
  np,
  setBackend,
  valueAndGrad,
} from '@fluxion/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type WebGpu, createWebGpu } from './backend.ts'
import { Device } from './device/device.ts'
import { testDevice } from './testing.testing.ts'

const piece = 2 ** 14
const limits = { maxBufferSize: 2 ** 18, maxStorageBufferBindingSize: piece + 100, maxStorageBuffersPerShaderStage: 10 }
let on: WebGpu
let together: WebGpu
const before = backend()
beforeAll(async () => {
  const { gpu, traits } = await testDevice()
  on = createWebGpu(new Device(gpu, 'small', traits, limits))
  together = createWebGpu(new Device(gpu, 'small, with workgroup memory', { ...traits, shared: true }, limits))
})
afterAll(() => setBackend(before))

type Listed = (...xs: NDArray[]) => NDArray[]
/** Small whole numbers, which all dtypes have and sums keep exact. */
const whole =
  (shape: number[], dtype: DType = 'float32') =>
  (): NDArray =>
    np
      .arange(
        shape.reduce((a, b) => a * b, 1),
        { dtype: 'int32' },
      )
      .mul(7)
      .mod(11)
      .reshape(shape)
      .astype(dtype)
async function expectSame(f: Listed, xs: readonly (() => NDArray)[], device: WebGpu = on): Promise<void> {
  const run = async (): Promise<number[][]> => {
    const results = jit(f)(...xs.map((x) => x()))
    return Promise.all(results.map(async (x) => [...(await x.data())]))
  }
  setBackend(before)
  const expected = await run()
  setBackend(device)
  try {
    expect(await run()).toEqual(expected)
  } finally {
    setBackend(before)
  }
}
/** Elements of three pieces and a little. */
const long = (3 * piece) / 4 + 37

test('elementwise kernels read and write arrays in pieces', () =>
  expectSame((x, y) => [x.mul(2).add(y)], [whole([long]), whole([long])]))
test('narrow dtypes, whose elements share words, in pieces', async () => {
  await expectSame((x) => [x.add(1), x.gt(3)], [whole([2 * long], 'float16')])
  await expectSame((x, y) => [x.add(y)], [whole([4 * long], 'uint8'), whole([4 * long], 'uint8')])
  // rows that begin between words
  await expectSame((x) => [np.transpose(x).get('1:')], [whole([2, 2 * long], 'uint8')])
})
test('reductions, along pieces and across them', async () => {
  for (const device of [on, together]) {
    await expectSame((x) => [x.sum({ axis: 0 }), x.sum({ axis: 1 }), x.max()], [whole([65, 200])], device)
  }
})
test('products of operands in pieces', () =>
  expectSame((x, y) => [x.matmul(y).add(1)], [whole([130, 70]), whole([70, 101])]))
test('gathers and updates of elements in pieces', async () => {
  const at = (length: number) => (): NDArray =>
    np.arange(length, { dtype: 'int32' }).mul(7919).mod(long).astype('int32')
  await expectSame((x, i) => [np.take(x, i)], [whole([long]), at(500)])
  await expectSame((x, i, v) => [x.at(i).add(v)], [whole([long]), at(500), whole([500])])
  await expectSame((x, i, v) => [x.at(i).set(v)], [whole([long], 'float16'), at(500), whole([500], 'float16')])
  await expectSame((x, i, v) => [x.at(i).max(v)], [whole([long], 'int32'), at(500), whole([500], 'int32')])
})
test('loops over pieces, with stacked results', () =>
  expectSame(
    (x) => {
      const [last, all] = lax.scan((c: NDArray, row: NDArray) => [c.add(row), c.mul(2)], np.zeros([1000]), x)
      return [last, all]
    },
    [whole([13, 1000])],
  ))
test('conditions on single elements of a long array', () =>
  expectSame(
    (x) => {
      const flags = x.get(`${long - 3}:`)
      const step = (c: NDArray, flag: NDArray): [NDArray, null] => [
        lax.cond(
          flag.gt(4),
          (v: NDArray) => v.add(1),
          (v: NDArray) => v.mul(3),
          c,
        ),
        null,
      ]
      return [lax.scan(step, np.ones([]), flags)[0]]
    },
    [whole([long], 'int32')],
  ))
test('more arrays than a device binds, some of them in pieces', () =>
  expectSame(
    (...xs) => [xs.reduce((sum, x) => sum.add(x))],
    Array.from({ length: 14 }, (_, i) => whole([i % 3 === 0 ? long : 1])),
  ))
test('a gradient step is that of the reference back end', () =>
  expectSame(
    (w, x) => {
      const [l, g] = valueAndGrad((v: NDArray, u: NDArray) => u.matmul(v).sum())(w, x)
      return [w.sub(g), l]
    },
    [whole([90, 60]), whole([64, 90])],
  ))
test('callbacks see arrays of several pieces', async () => {
  setBackend(on)
  try {
    const seen: number[] = []
    const f = jit((x: NDArray) => {
      debug.callback((v: NDArray) => seen.push(v.size), x)
      return x.add(1)
    })
    await f(np.zeros([long])).data()
    expect(seen).toEqual([long])
  } finally {
    setBackend(before)
  }
})
test('an array that is larger than a buffer is refused, in whatever way it comes', () => {
  setBackend(on)
  try {
    const much = limits.maxBufferSize / 4 + 1
    expect(() => jit(() => np.zeros([much]))()).toThrow('buffers of this GPU have 262144 at most')
    expect(() => np.array(new Float32Array(much)).add(1)).toThrow(DeviceError)
    // Temporaries too, each of which would fit.
    const rest = jit((x: NDArray) => np.sort(np.sort(x.mul(2)).mul(-1)))
    expect(() => rest(np.zeros([much - 1]))).toThrow('in between')
  } finally {
    setBackend(before)
  }
})
