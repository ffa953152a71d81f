// The back end as the core uses it: the same as the reference back end, as handles that are awaited; its memory; and what happens when something goes wrong.
import {
  type ConcreteArray,
  type DType,
  DeviceError,
  type NDArray,
  backend,
  debug,
  ioCallback,
  jit,
  lax,
  np,
  pureCallback,
  random,
  setBackend,
  valueAndGrad,
} from '@fluxion/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type WebGpu, createWebGpu } from './backend.ts'
import { Device, requestDevice } from './device/device.ts'
import { testDevice } from './testing.testing.ts'

let on: WebGpu
const before = backend()
beforeAll(async () => {
  on = createWebGpu(await testDevice())
  setBackend(on)
})
afterAll(() => setBackend(before))

const reading = (x: NDArray): Promise<number[]> => x.data().then((data) => [...data])
/** What a function gives on the GPU and on the reference back end. */
async function expectSame(f: (...xs: NDArray[]) => NDArray, ...xs: (() => NDArray)[]): Promise<void> {
  const got = await reading(jit(f)(...xs.map((x) => x())))
  setBackend(before)
  try {
    const expected = await reading(jit(f)(...xs.map((x) => x())))
    expect(got.length).toBe(expected.length)
    // float32, in another order
    got.forEach((x, at) =>
      expect(Math.abs(x - expected[at]!)).toBeLessThanOrEqual(1e-5 + 2e-6 * Math.abs(expected[at]!)),
    )
  } finally {
    setBackend(on)
  }
}
const range =
  (shape: number[], dtype: DType = 'float32') =>
  (): NDArray =>
    np
      .arange(shape.reduce((a, b) => a * b, 1))
      .reshape(shape)
      .astype(dtype)
      .div(8)
      .astype(dtype)

test('operations give handles at once, which are awaited', async () => {
  const x = np.arange(4).mul(2)
  expect(await reading(x)).toEqual([0, 2, 4, 6])
  expect(() => x.dataSync()).toThrow(DeviceError)
  expect(() => x.sum().item()).toThrow('hint: await x.data() reads it')
  // What comes from the host can be read at once.
  expect(np.array([1, 2]).toArray()).toEqual([1, 2])
})
test('a training step is that of the reference back end', async () => {
  const loss = (w: NDArray, x: NDArray): NDArray => np.mean(np.square(np.maximum(x.matmul(w), 0).sub(0.5)))
  await expectSame(
    (w, x) => {
      const [l, g] = valueAndGrad(loss)(w, x)
      return w.sub(g.mul(0.1)).add(l)
    },
    range([20, 7]),
    range([33, 20]),
  )
})
test('random bits, and half floats', async () => {
  await expectSame(() => random.uniform(random.key(3), [50]))
  await expectSame((x) => x.mul(x).sum({ axis: 0 }).astype('float32'), range([9, 5], 'float16'))
  await expectSame((x) => np.matmul(x, x.T).astype('float32'), range([9, 5], 'bfloat16'))
})
test('scans, with inner loops, conditions and stacked results', async () => {
  await expectSame(
    (x) =>
      lax.scan(
        (carry: NDArray, row: NDArray) => {
          const turned = lax.cond(
            row.sum().gt(3),
            (c: NDArray) =>
              lax.whileLoop(
                (v: NDArray) => v.sum().lt(40),
                (v: NDArray) => v.mul(2).add(1),
                c,
              ),
            (c: NDArray) => c.sub(1),
            carry,
          )
          return [turned.mul(0.25).add(row), turned.sum()]
        },
        np.zeros([3]),
        x,
      )[1],
    range([12, 3]),
  )
})
test('a switch runs the branch of its number, clamped', async () => {
  const f = jit((i: NDArray, x: NDArray) =>
    lax.switch(i, [(v: NDArray) => v.add(1), (v: NDArray) => v.mul(10), (v: NDArray) => v.neg()], x),
  )
  const results: number[][] = []
  for (const i of [-3, 0, 1, 2, 9]) results.push(await reading(f(np.array(i, { dtype: 'int32' }), np.array([2]))))
  expect(results).toEqual([[3], [3], [20], [-2], [-2]])
})
test('loops of more turns than one submission holds, and of while, which reads its flag now and then', async () => {
  const [total] = jit((x: NDArray) => lax.scan((c: NDArray) => [c.add(1), null], x, null, { length: 5000 }))(
    np.zeros([2]),
  )
  expect(await reading(total)).toEqual([5000, 5000])
  const counted = jit((x: NDArray) =>
    lax.whileLoop(
      (v: NDArray) => v.lt(777),
      (v: NDArray) => v.add(1),
      x,
    ),
  )
  expect(await reading(counted(np.array(0)))).toEqual([777])
  expect(await reading(counted(np.array(1000)))).toEqual([1000])
})
test('callbacks come in order, with arrays that are read at once, and only where the program gets to', async () => {
  const seen: number[] = []
  const f = jit((x: NDArray) => {
    const [last] = lax.scan(
      (c: NDArray, i: NDArray) => {
        debug.callback((v: NDArray) => seen.push(v.item()), c)
        const doubled = ioCallback((v: NDArray) => v.mul(2), { shape: [], dtype: 'float32' }, c)
        const next = lax.cond(
          i.eq(1),
          (v: NDArray) => pureCallback((w: NDArray) => w.item() + 100, { shape: [], dtype: 'float32' }, v),
          (v: NDArray) => v,
          doubled,
        )
        return [next, null]
      },
      x,
      np.arange(3),
    )
    return last
  })
  expect(await reading(f(np.array(1)))).toEqual([208])
  expect(seen).toEqual([1, 2, 104])
})
test('results of callbacks are written wherever they belong, also between words', async () => {
  const flags = jit(
    (x: NDArray) =>
      lax.scan(
        (c: null, row: NDArray) => [c, pureCallback((v: NDArray) => v.gt(2), { shape: [3], dtype: 'bool' }, row)],
        null,
        x,
      )[1],
  )
  const expected = Array.from({ length: 15 }, (_, i) => Number(i > 2))
  expect(await reading(flags(np.arange(15).reshape([5, 3])))).toEqual(expected)
})
test('an error in a callback is that of whoever reads the results', async () => {
  const fails = jit((x: NDArray) => {
    debug.callback(() => {
      throw new Error('no more')
    }, x)
    return x.add(1)
  })
  await expect(fails(np.array(1)).data()).rejects.toThrow('no more')
  const later = jit((x: NDArray) =>
    pureCallback(
      () => {
        throw new Error('nothing')
      },
      { shape: [], dtype: 'float32' },
      x,
    ),
  )(np.array(1).add(1))
  await expect(later.mul(2).data()).rejects.toThrow('nothing')
})
test('calls queue up in order however far the device is behind', async () => {
  let x = np.zeros([3])
  const f = jit((v: NDArray) => v.add(1))
  for (let i = 0; i < 6000; i++) x = f(x)
  expect(await reading(x)).toEqual([6000, 6000, 6000])
})
test('kernels with more arrays than a device binds', async () => {
  const arrays = Array.from({ length: 40 }, (_, i) => range([5 + (i % 3)]))
  await expectSame((...xs) => xs.reduce((sum, x, i) => sum.add(x.sum().mul(i)), np.zeros([])), ...arrays)
  await expectSame((...xs) => np.concatenate(xs), ...arrays)
})
test('arrays without elements take part like any others', async () => {
  await expectSame(
    (x) => {
      const none = x.get('3:3')
      const [last] = lax.scan(
        (c: NDArray, i: NDArray) => [c.add(np.sum(none.add(i)).add(np.concatenate([none, c]))), null],
        x,
        np.arange(3),
      )
      return np.concatenate([none, last, none.mul(2)])
    },
    range([5]),
  )
})
test('long sums of few points, and products with many inner turns, are computed in parts', async () => {
  await expectSame((x) => x.sum({ axis: 1 }), range([3, 20_011]))
  await expectSame((x) => x.max(), range([50_000]))
  await expectSame((x, y) => x.matmul(y).div(1000), range([4, 5000]), range([5000, 3]))
  await expectSame((x, y) => x.matmul(y).div(1000), range([1, 5000]), range([5000, 3]))
})

test('float64 is refused, and arrays that are too large are', () => {
  expect(() => np.array([1, 2], { dtype: 'float64' }).add(1)).toThrow('float64')
  expect(() => jit(() => np.zeros([2 ** 31]))()).toThrow('buffers of this GPU have')
})
test('a kernel that does not compile is shown with the line', async () => {
  const { ready } = on.pipelines.get(
    'wrong',
    'fn f() -> i32 {\n  return 1.5;\n}\n@compute @workgroup_size(1) fn main() {}',
    [],
  )
  await expect(ready).rejects.toThrow(/the kernel 'wrong' does not compile: .*\n\s+2: return 1\.5;/)
})
test('what fails on the device unasked is told to the next caller, once', async () => {
  on.device.gpu.createBuffer({ size: 4, usage: 0xffff, label: 'odd one' })
  await on.device.gpu.queue.onSubmittedWorkDone()
  expect(() => np.array([1]).add(1)).toThrow(/webgpu: .*odd one/s)
  expect(await reading(np.array([1]).add(1))).toEqual([2])
})
test('when memory runs out those who read the result hear of it, and what comes later has memory again', async () => {
  const { gpu, description, traits } = await testDevice()
  const much = 2 ** 20
  /** A device that has no memory for large buffers: it gives what it gives then, an error and a buffer that is none. */
  class GPUOutOfMemoryError {
    readonly message = 'no room for a buffer'
  }
  let isFull = true
  let failed = false
  const overrides: Partial<GPUDevice> = {
    createBuffer(descriptor) {
      if (descriptor.label !== 'array' || descriptor.size < much || !isFull) return gpu.createBuffer(descriptor)
      failed = true
      gpu.pushErrorScope('validation')
      const invalid = gpu.createBuffer({ ...descriptor, usage: 0xffff })
      gpu.popErrorScope().catch(() => {})
      return invalid
    },
    popErrorScope() {
      const scope = gpu.popErrorScope()
      if (!failed) return scope
      failed = false
      return scope.then(() => new GPUOutOfMemoryError())
    },
  }
  const full = new Proxy(gpu, {
    get(target, key) {
      const override: unknown = Reflect.get(overrides, key)
      if (override !== undefined) return override
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  setBackend(createWebGpu(new Device(full, description, traits)))
  try {
    const large = jit(() => np.ones([much]))()
    await expect(large.data()).rejects.toThrow(
      /webgpu: an array of 4194304 bytes: the GPU is out of memory: no room for a buffer\nhint: free arrays with dispose/,
    )
    expect(await reading(np.arange(3).add(1))).toEqual([1, 2, 3])
    isFull = false
    expect((await jit(() => np.ones([much]))().data())[much - 1]).toBe(1)
  } finally {
    setBackend(on)
  }
})
test('a lost device is reported by all that is pending on it, and there can be another', async () => {
  const own = createWebGpu(await requestDevice())
  setBackend(own)
  try {
    const x = np.arange(1000).mul(2)
    const pending = x.data()
    own.device.gpu.destroy()
    await expect(pending).rejects.toThrow('the device is lost: it was destroyed')
    await expect(pending).rejects.toThrow(DeviceError)
    expect(() => x.add(1)).toThrow("hint: await setDevice('webgpu') opens a new one")
    setBackend(createWebGpu(await requestDevice()))
    expect(await reading(np.arange(3).add(1))).toEqual([1, 2, 3])
  } finally {
    setBackend(on)
  }
})
test('arrays from another back end are brought here', async () => {
  setBackend(before)
  const x = np.arange(5)
  setBackend(on)
  expect(await reading(x.add(1))).toEqual([1, 2, 3, 4, 5])
  expect((x as ConcreteArray).buffer.backend).toBe(on)
})
