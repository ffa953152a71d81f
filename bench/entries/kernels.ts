/** Operations by themselves: products, elementwise chains, reductions, convolution, random numbers, sorting. */
import { type NDArray, grad, jit, lax, np, random } from 'fluxion'
import { type Entry, prepared } from './entry.ts'

const normal = (seed: number, ...shape: number[]): NDArray => random.normal(random.key(seed), shape)
const sizes: readonly (readonly [name: string, size: number])[] = [
  ['1k', 2 ** 10],
  ['1m', 2 ** 20],
  ['16m', 2 ** 24],
]

const products: readonly Entry[] = [
  ...[256, 512, 1024, 2048].map((n) => ({
    name: `matmul-${n}`,
    about: `float32 product of two ${n} × ${n} matrices`,
    task: { kind: 'matmul', n, batch: 1 },
    flops: 2 * n ** 3,
    prepare: () =>
      prepared(
        jit((x: NDArray, y: NDArray) => np.matmul(x, y)),
        normal(0, n, n),
        normal(1, n, n),
      ),
  })),
  {
    name: 'matmul-batched',
    about: '64 products of 128 × 128 matrices',
    task: { kind: 'matmul', n: 128, batch: 64 },
    flops: 2 * 64 * 128 ** 3,
    prepare: () =>
      prepared(
        jit((x: NDArray, y: NDArray) => np.matmul(x, y)),
        normal(0, 64, 128, 128),
        normal(1, 64, 128, 128),
      ),
  },
]
const streams: readonly Entry[] = sizes.flatMap(([name, n]) => [
  {
    name: `chain-${name}`,
    about: `x · 2 + 1 over ${n} float32`,
    task: { kind: 'chain', n },
    bytes: 8 * n,
    prepare: () =>
      prepared(
        jit((x: NDArray) => x.mul(2).add(1)),
        normal(0, n),
      ),
  },
  {
    name: `sum-${name}`,
    about: `sum of ${n} float32`,
    task: { kind: 'sum', n },
    bytes: 4 * n,
    prepare: () =>
      prepared(
        jit((x: NDArray) => np.sum(x)),
        normal(0, n),
      ),
  },
  {
    name: `tanh-sum-${name}`,
    about: `sum of the tanh of ${n} float32`,
    task: { kind: 'tanh-sum', n },
    bytes: 4 * n,
    prepare: () =>
      prepared(
        jit((x: NDArray) => np.sum(np.tanh(x))),
        normal(0, n),
      ),
  },
])

const crossEntropy = (logits: NDArray, labels: NDArray): NDArray => {
  const shifted = logits.sub(np.max(logits, { axis: -1, keepdims: true }))
  const logSums = np.log(np.sum(np.exp(shifted), { axis: -1 }))
  const chosen = np.takeAlongAxis(shifted, np.expandDims(labels, -1), { axis: -1 }).ravel()
  return np.mean(logSums.sub(chosen))
}
const layers = (x: NDArray, [first, second]: readonly NDArray[]): NDArray => {
  const options = { dimensionNumbers: ['NHWC', 'HWIO', 'NHWC'] as const }
  const conv = (y: NDArray, w: NDArray): NDArray => np.maximum(lax.convGeneralDilated(y, w, [2, 2], 'SAME', options), 0)
  return conv(conv(x, first!), second!)
}
const kernels = (): NDArray[] => [normal(1, 5, 5, 1, 32), normal(2, 5, 5, 32, 64)]

export const operations: readonly Entry[] = [
  ...products,
  ...streams,
  {
    name: 'softmax-xent',
    about: 'gradient of softmax cross-entropy, 256 × 1000',
    task: { kind: 'softmax-xent' },
    prepare: () =>
      prepared(jit(grad(crossEntropy)), normal(0, 256, 1000), random.randint(random.key(1), [256], 0, 1000)),
  },
  {
    name: 'conv',
    about: 'two convolutions, 64 × 28 × 28 × 1 to 32 to 64 channels, 5 × 5, stride 2',
    task: { kind: 'conv' },
    prepare: () => prepared(jit(layers), normal(0, 64, 28, 28, 1), kernels()),
  },
  {
    name: 'conv-grad',
    about: 'the gradient of the same for the kernels',
    task: { kind: 'conv-grad' },
    prepare: () =>
      prepared(
        jit((x: NDArray, ws: NDArray[]) => grad((w: NDArray[]) => np.sum(layers(x, w)))(ws)),
        normal(0, 64, 28, 28, 1),
        kernels(),
      ),
  },
  {
    name: 'lstm-grad',
    about: 'gradient of an LSTM over 100 steps, batch 32, 128 units',
    task: { kind: 'lstm-grad' },
    prepare: lstm,
  },
  {
    name: 'normal-1m',
    about: 'a million normal numbers from threefry bits',
    task: { kind: 'normal', n: 10 ** 6 },
    prepare: () =>
      prepared(
        jit((key: NDArray) => random.normal(key, [10 ** 6])),
        random.key(0),
      ),
  },
  {
    name: 'sort-1m',
    about: 'a million float32 sorted',
    task: { kind: 'sort', n: 10 ** 6 },
    prepare: () =>
      prepared(
        jit((x: NDArray) => np.sort(x)),
        normal(0, 10 ** 6),
      ),
  },
  {
    name: 'dispatch',
    about: 'a call of a cached program with 10 leaves',
    task: { kind: 'dispatch' },
    calls: 1000,
    prepare: () => {
      const leaves = Array.from({ length: 10 }, (_, i) => normal(i, 4))
      const step = jit((xs: NDArray[]) => xs.map((x) => x.add(1)))
      return { ...prepared(step, leaves), run: () => repeat(1000, () => step(leaves)) }
    },
  },
  {
    name: 'eager',
    about: 'x + 1 of four numbers, operation by operation',
    task: { kind: 'eager' },
    calls: 1000,
    prepare: () => {
      const x = normal(0, 4)
      return { run: () => repeat(1000, () => x.add(1)) }
    },
  },
]

function repeat<T>(count: number, f: () => T): T {
  for (let i = 1; i < count; i++) f()
  return f()
}

function lstm() {
  const [steps, batch, units] = [100, 32, 128]
  const loss = ([w, u, b]: NDArray[], xs: NDArray): NDArray => {
    const step = ([h, c]: NDArray[], x: NDArray): [NDArray[], NDArray] => {
      const gates = np.matmul(x, w!).add(np.matmul(h!, u!)).add(b!)
      const [i, g, f, o] = np.split(gates, 4, { axis: -1 }) as [NDArray, NDArray, NDArray, NDArray]
      const logistic = (z: NDArray): NDArray => lax.logistic(z)
      const next = logistic(f)
        .mul(c!)
        .add(logistic(i).mul(np.tanh(g)))
      const out = logistic(o).mul(np.tanh(next))
      return [[out, next], out]
    }
    const zeros = np.zeros([batch, units])
    const [, hs] = lax.scan(step, [zeros, zeros], xs)
    return np.sum(hs)
  }
  const params = [normal(0, units, 4 * units).mul(0.1), normal(1, units, 4 * units).mul(0.1), np.zeros([4 * units])]
  return prepared(jit(grad(loss)), params, normal(2, steps, batch, units))
}
