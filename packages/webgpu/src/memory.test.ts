// Memory of the GPU's, in bytes of the pool: it stays bounded whether arrays are disposed of, donated, or only forgotten.
import { type NDArray, backend, jit, np, setBackend } from '@fluxion/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type WebGpu, createWebGpu } from './backend.ts'
import { classOf } from './memory/pool.ts'
import { testDevice } from './testing.testing.ts'

const mebibyte = 2 ** 20
const budget = 16 * mebibyte
let on: WebGpu
const before = backend()
beforeAll(async () => {
  on = createWebGpu(await testDevice(), budget)
  setBackend(on)
})
afterAll(() => setBackend(before))
const increment = (x: NDArray): NDArray => x.add(1)

test('sizes of buffers waste no more than a quarter', () => {
  for (const bytes of [1, 256, 257, 5000, 2 ** 16, 2 ** 20, 2 ** 20 + 4, 3_000_000]) {
    expect(classOf(bytes)).toBeGreaterThanOrEqual(bytes)
    if (bytes > 2 ** 16) expect(classOf(bytes)).toBeLessThanOrEqual(1.25 * bytes)
    expect(classOf(classOf(bytes))).toBe(classOf(bytes))
  }
})
test('arrays that are disposed of: two are in use at a time, the same ones throughout', async () => {
  const f = jit(increment)
  let x = f(np.zeros([2 ** 18]))
  await x.data()
  const { used } = on.pool
  for (let i = 0; i < 50; i++) {
    const next = f(x)
    x.dispose()
    x = next
    expect(on.pool.used).toBeLessThanOrEqual(used + mebibyte)
  }
  expect((await x.data())[0]).toBe(51)
  expect(on.pool.used).toBeLessThanOrEqual(used)
  x.dispose()
  expect(() => x.add(1)).toThrow('disposed')
})
test('donated arguments: results are written over them', async () => {
  const f = jit((x: NDArray, y: NDArray) => [x.add(y), x.mean()] as const, { donateArgnums: 0 })
  const y = np.ones([2 ** 18]).mul(2)
  let x = np.zeros([2 ** 18]).add(0)
  await Promise.all([x.data(), y.data()])
  const { used, idle } = on.pool
  for (let i = 0; i < 30; i++) {
    const [next, mean] = f(x, y)
    expect(() => x.add(1)).toThrow('donated')
    x = next
    mean.dispose()
    // No other array of that size, not for a moment.
    expect(on.pool.used + on.pool.idle).toBeLessThan(used + idle + mebibyte)
  }
  expect((await x.data())[7]).toBe(60)
  x.dispose()
  y.dispose()
})
test('what somebody else still reads is not written over', async () => {
  const f = jit(increment, { donateArgnums: 0 })
  const x = np.arange(5000).mul(1)
  const read = x.data()
  const next = f(x)
  expect([(await read)[3], (await next.data())[3]]).toEqual([3, 4])
  // One array as two arguments, of which one is donated.
  const both = jit((a: NDArray, b: NDArray) => [a.add(1), b.mul(2)] as const, { donateArgnums: 0 })
  const shared = np.arange(5000).mul(1)
  const kept = jit((a: NDArray) => a)(shared)
  const [sum, double] = both(shared, kept)
  expect([(await sum.data())[5], (await double.data())[5], (await kept.data())[5]]).toEqual([6, 10, 5])
})
test('results over donated arguments in loops, branches and small arrays, with kernels of many arrays', async () => {
  const many = jit((...xs: NDArray[]) => xs.map((x, i) => x.add(i)), {
    donateArgnums: Array.from({ length: 12 }, (_, i) => i),
  })
  const arrays = Array.from({ length: 12 }, (_, i) => np.full([40 + i], i).mul(1))
  const results = await Promise.all(many(...arrays).map((x) => x.data()))
  expect(results.map((data) => data[39])).toEqual(Array.from({ length: 12 }, (_, i) => 2 * i))
})
test('arrays that are only forgotten: calls wait for the garbage collector when the budget is used up', async () => {
  const f = jit(increment)
  const held = f(np.zeros([2 ** 18]))
  let x = f(held)
  let most = 0
  for (let i = 0; i < 200; i++) {
    x = f(x)
    most = Math.max(most, on.pool.used)
    if (i % 20 === 0) {
      await x.data()
      most = Math.max(most, on.pool.used)
    }
  }
  // 200 MiB have been computed; a call that begins below the budget may go beyond it.
  expect(most).toBeLessThanOrEqual(budget + 3 * mebibyte)
  expect([(await x.data())[0], (await held.data())[0]]).toEqual([202, 1])
})
test('a loop that never awaits queues its calls', async () => {
  const f = jit(increment)
  let x = f(np.zeros([2 ** 18]))
  for (let i = 0; i < 200; i++) x = f(x)
  expect(on.pool.used).toBeLessThanOrEqual(budget + 3 * mebibyte)
  expect((await x.data())[0]).toBe(201)
})
test('more than the budget can be held', async () => {
  const arrays = Array.from({ length: 40 }, (_, i) => np.full([2 ** 18], i).add(1))
  const firsts = await Promise.all(arrays.map(async (x) => (await x.data())[0]))
  expect(firsts).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
  for (const x of arrays) x.dispose()
})
