// With `jit` switched off, everything runs operation by operation, with the same results.
import { expect, test } from 'vitest'
import { disableJit, grad, jit, lax, type NDArray, np, vmap } from '../index.ts'

const programs: Record<string, () => NDArray> = {
  'a jitted function': () => jit((x: NDArray) => np.sin(x).mul(2))(np.array([1, 2])),
  'a scan': () => lax.scan((c, x) => [c.add(x), c.mul(x)], 0.5, np.array([1, 2, 3]), { reverse: true })[1],
  'a while loop': () =>
    lax.whileLoop(
      (c) => c.lt(20),
      (c) => c.mul(3),
      np.array(1),
    ),
  'a while loop under vmap': () =>
    vmap((x: NDArray) =>
      lax.whileLoop(
        (c) => c.lt(20),
        (c) => c.mul(3),
        x,
      ),
    )(np.array([1, 30])),
  'a condition': () =>
    lax.cond(
      np.array(2).gt(1),
      (x) => x.add(1),
      (x) => x.neg(),
      np.array(5),
    ),
  'a condition under vmap': () =>
    vmap((x: NDArray) =>
      lax.cond(
        x.gt(1),
        (y) => y.add(1),
        (y) => y.neg(),
        x,
      ),
    )(np.array([0, 5])),
  'a gradient through a loop': () => grad((x: NDArray) => lax.foriLoop(0, 3, (_, c) => c.mul(x), np.array(1)))(2),
}
for (const [name, run] of Object.entries(programs)) {
  test(`${name} gives the same without jit`, () => {
    expect(disableJit(run).toArray()).toEqual(run().toArray())
  })
}

test('values can be looked at', () => {
  const seen: number[] = []
  const peek = jit((x: NDArray) => {
    seen.push(x.item())
    return x
  })
  disableJit(() => peek(3))
  expect(seen).toEqual([3])
})
