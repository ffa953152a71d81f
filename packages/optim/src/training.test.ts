// Whole training loops: optimisers inside of jit and scan, as programs use them, with the types that they infer.
import { type Jitted, type NDArray, grad, jit, lax, np, random, tree, valueAndGrad } from '@fluxion/core'
import { expect, expectTypeOf, test } from 'vitest'
import * as optim from './index.ts'

interface Net {
  readonly hidden: { w: NDArray; b: NDArray }
  readonly out: { w: NDArray }
}
const makeNet = (seed: number): Net => {
  const keys = random.split(random.key(seed))
  return {
    hidden: { w: random.normal(keys.get(0), [2, 8]), b: np.zeros([8]) },
    out: { w: random.normal(keys.get(1), [8, 2]).mul(0.5) },
  }
}
const inputs = np.array([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
])
const labels = np.array([0, 1, 1, 0], { dtype: 'int32' })
const loss = (p: Net, x: NDArray, y: NDArray): NDArray => {
  const hidden = np.tanh(np.matmul(x, p.hidden.w).add(p.hidden.b))
  return np.mean(optim.softmaxCrossEntropyWithIntegerLabels(np.matmul(hidden, p.out.w), y))
}

test('two hundred steps of the tutorial optimiser in one compiled scan learn exclusive or', () => {
  const optimiser = optim.chain(optim.centralize(), optim.lion(optim.linearSchedule(1e-3, 2e-2, 50)))
  type State = [Net, optim.State<typeof optimiser>]
  const step = jit(([p, s]: State, x: NDArray) => {
    const [l, g] = valueAndGrad(loss)(p, x, labels)
    const [updates, s2] = optimiser.update(g, s, p)
    return [[optim.applyUpdates(p, updates), s2], l]
  })
  const net = makeNet(0)
  const init: State = [net, optimiser.init(net)]
  const [[trained, state], losses] = jit(() => lax.scan(step, init, np.broadcastTo(inputs, [200, 4, 2])))()
  expectTypeOf(trained).toEqualTypeOf<Net>()
  expectTypeOf(state).toEqualTypeOf<[null, optim.LionState]>()
  expect(state[1].count.item()).toBe(200)
  expect(losses.get(0).item()).toBeGreaterThan(0.5)
  expect(loss(trained, inputs, labels).item()).toBeLessThan(0.05)
})

test('a trainer that is generic in parameters and state types, compiles once and trains', () => {
  const trainer = <P, S>(
    of: (p: P, x: NDArray, y: NDArray) => NDArray,
    optimiser: optim.Transformation<S>,
  ): Jitted<[p: P, s: S, x: NDArray, y: NDArray], [P, S, NDArray]> =>
    jit((p: P, s: S, x: NDArray, y: NDArray): [P, S, NDArray] => {
      const [l, g] = valueAndGrad(of)(p, x, y)
      const [u, s2] = optimiser.update(g, s, p)
      return [optim.applyUpdates(p, u), s2, l]
    })
  const optimiser = optim.adamw(0.05)
  const step = trainer(loss, optimiser)
  let [p, s] = [makeNet(1), optimiser.init(makeNet(1))]
  for (let i = 0; i < 100; i++) [p, s] = step(p, s, inputs, labels)
  expect(step.traces).toBe(1)
  expect(loss(p, inputs, labels).item()).toBeLessThan(0.05)
})

test('float16 parameters train with float16 moments', () => {
  const half = tree.map((x) => x.astype('float16'), makeNet(2))
  const optimiser = optim.chain(optim.centralize(), optim.lion(0.01))
  const step = jit((p: Net, s: optim.State<typeof optimiser>): [Net, optim.State<typeof optimiser>] => {
    const [u, s2] = optimiser.update(grad(loss)(p, inputs.astype('float16'), labels), s, p)
    return [optim.applyUpdates(p, u), s2]
  })
  let [p, s] = [half, optimiser.init(half)]
  for (let i = 0; i < 100; i++) [p, s] = step(p, s)
  expect(step.traces).toBe(1)
  expect(tree.leaves([p, s[1].mu]).map((x) => x.dtype)).toEqual(Array(6).fill('float16'))
  expect(loss(p, inputs, labels).item()).toBeLessThan(0.2)
})

test('derivatives go through the steps of an optimiser: of the loss after three, by the learning rate', () => {
  const after = (rate: NDArray): NDArray => {
    const optimiser = optim.adam(rate, { epsRoot: 1e-8 })
    let [p, s] = [np.array([1, -2]), optimiser.init(np.zeros([2]))]
    for (let i = 0; i < 3; i++) {
      const [u, s2] = optimiser.update(p.mul(2), s, p)
      ;[p, s] = [optim.applyUpdates(p, u), s2]
    }
    return np.sum(np.square(p))
  }
  const [h, at] = [1e-2, 0.1]
  const numeric = (after(np.array(at + h)).item() - after(np.array(at - h)).item()) / (2 * h)
  expect(Math.abs(grad(after)(at).item() - numeric)).toBeLessThan(1e-2 * Math.abs(numeric))
})
