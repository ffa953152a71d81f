// Laws of loops and conditions.
import fc from 'fast-check'
import { type NDArray, disableJit, grad, jit, jvp, lax, np, vmap } from 'fluxion'
import { arrays, checkGrads, expectClose } from '@fluxion/testing'
import { expect, test } from 'vitest'

const vector = arrays({ shape: [3], dtype: 'float64', min: -1, max: 1 })
const int = (value: number): NDArray => np.array(value, { dtype: 'int32' })

test('foriLoop with numbers as bounds is the loop, with gradients in both modes', () => {
  fc.assert(
    fc.property(vector, fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 5 }), (x, from, to) => {
      const body = (i: NDArray, c: NDArray): NDArray => np.sin(c.mul(i.add(3)))
      const looped = (v: NDArray): NDArray => lax.foriLoop(from, to, body, v)
      const plain = (v: NDArray): NDArray => {
        let c = v
        for (let i = from; i < to; i++) c = body(int(i), c)
        return c
      }
      expectClose(looped(x), plain(x))
      expectClose(grad((v: NDArray) => looped(v).sum())(x), grad((v: NDArray) => plain(v).sum())(x))
      expectClose(jvp(looped, [x], [np.cos(x)])[1], jvp(plain, [x], [np.cos(x)])[1])
    }),
    { numRuns: 30 },
  )
})
test('foriLoop with traced bounds is a while loop: forward mode alone', () => {
  const looped = (n: NDArray, x: NDArray): NDArray => lax.foriLoop(int(0), n, (_, c: NDArray) => c.mul(x), np.ones([]))
  expect(jit(looped)(int(3), np.array(2)).item()).toBe(8)
  expectClose(jvp((x: NDArray) => looped(int(3), x), [np.array(2)], [np.array(1)])[1], 12)
  expectClose(vmap(looped, { inAxes: [0, null] })(np.array([0, 1, 4], { dtype: 'int32' }), np.array(2)), [1, 2, 16])
  expect(grad((x: NDArray) => looped(int(3), x))(2).item()).toBe(12) // a bound with a value is as good as a number
  expect(() => grad(jit((x: NDArray, n: NDArray) => looped(n, x)))(2, int(3))).toThrow(
    'reverse-mode differentiation does not work for lax.whileLoop',
  )
})
test('the index of foriLoop does not change the type of a carry of small integers', () => {
  const body = (i: NDArray, c: NDArray): NDArray => c.add(i)
  for (const dtype of ['uint8', 'int8', 'uint32'] as const) {
    const zero = np.zeros([], { dtype })
    for (const sum of [lax.foriLoop(0, 4, body, zero), jit((n: NDArray) => lax.foriLoop(0, n, body, zero))(int(4))])
      expect([sum.dtype, sum.item()]).toEqual([dtype, 6])
  }
  expect(lax.foriLoop(0, 4, body, 0).weakType).toBe(true)
})
test('a while loop runs each element of a batch until it is done', () => {
  const collatz = (n: NDArray): NDArray =>
    lax.whileLoop(
      ([m]: [NDArray, NDArray]) => m.gt(1),
      ([m, steps]: [NDArray, NDArray]): [NDArray, NDArray] => [
        np.where(m.mod(2).eq(0), m.floorDiv(2), m.mul(3).add(1)),
        steps.add(1),
      ],
      [n, int(0)] as [NDArray, NDArray],
    )[1]
  const starts = Array.from({ length: 12 }, (_, i) => i + 1)
  expect([...vmap(collatz)(np.array(starts, { dtype: 'int32' })).dataSync()]).toEqual(
    starts.map((n) => collatz(int(n)).item()),
  )
})
test('a batched while loop over a batched constant, an unbatched carry, and a condition that is not batched', () => {
  const f = (limit: NDArray, x: NDArray): NDArray =>
    lax.whileLoop(
      (c: NDArray) => c.sum().lt(limit),
      (c: NDArray) => c.add(x),
      np.zeros([2]),
    )
  const [limits, x] = [np.array([1, 5, 0]), np.array([1, 0.5])]
  expectClose(vmap(f, { inAxes: [0, null] })(limits, x), np.stack([0, 1, 2].map((i) => f(limits.get(i), x))))
  const xs = np.stack([x, x.mul(2)])
  expectClose(vmap(f)(limits.get('0:2'), xs), np.stack([0, 1].map((i) => f(limits.get(i), xs.get(i)))))
  const counted = (v: NDArray): NDArray => lax.foriLoop(int(0), int(3), (_, c: NDArray) => c.mul(2), v)
  expectClose(vmap(counted, { inAxes: 1 })(np.array([[1, 2, 3]])), [[8], [16], [24]])
})

const branches = [(x: NDArray) => np.sin(x), (x: NDArray) => x.mul(x), (x: NDArray) => x.mul(3)] as const
test('cond and switch take one branch, with its derivatives', () => {
  fc.assert(
    fc.property(vector, fc.integer({ min: -1, max: 4 }), (x, i) => {
      const chosen = branches[Math.min(Math.max(i, 0), 2)]!
      const f = (v: NDArray): NDArray => lax.switch(int(i), [...branches], v)
      expectClose(f(x), chosen(x))
      expectClose(jit((k: NDArray, v: NDArray) => lax.switch(k, [...branches], v))(int(i), x), chosen(x))
      expectClose(grad((v: NDArray) => f(v).sum())(x), grad((v: NDArray) => chosen(v).sum())(x))
      checkGrads(f, [x])
      const truth = np.array(i > 1)
      const g = (v: NDArray): NDArray => lax.cond(truth, branches[0], branches[1], v)
      expectClose(g(x), branches[i > 1 ? 0 : 1](x))
      checkGrads(g, [x])
    }),
    { numRuns: 20 },
  )
})
test('a condition per element of a batch is a choice for each', () => {
  const f = (p: NDArray, x: NDArray, y: NDArray): NDArray =>
    lax.cond(
      p,
      (a: NDArray, b: NDArray) => np.sin(a).mul(b),
      (a: NDArray, b: NDArray) => a.add(b),
      x,
      y,
    )
  fc.assert(
    fc.property(arrays({ shape: [3], dtype: 'bool' }), vector, vector, (ps, xs, y) => {
      expectClose(
        vmap(f, { inAxes: [0, 0, null] })(ps, xs, y),
        np.stack([0, 1, 2].map((i) => f(ps.get(i), xs.get(i), y))),
      )
      const total = (h: NDArray): NDArray => vmap(f, { inAxes: [0, 0, null] })(ps, h, y).sum()
      const loop = (h: NDArray): NDArray => np.stack([0, 1, 2].map((i) => f(ps.get(i), h.get(i), y))).sum()
      expectClose(grad(total)(xs), grad(loop)(xs))
    }),
    { numRuns: 20 },
  )
})
test('no NaN leaks into the gradient of the branch that was not taken', () => {
  const safe = (x: NDArray): NDArray =>
    lax.cond(
      x.gt(0),
      (v: NDArray) => np.sqrt(v).add(np.log(v)),
      (v: NDArray) => v.mul(2),
      x,
    )
  const [at, expected] = [np.array([-1, 0, 4]), [2, 2, 0.5]]
  expectClose(vmap(grad(safe))(at), expected)
  expectClose(grad((x: NDArray) => vmap(safe)(x).sum())(at), expected)
  expectClose(jit(vmap(grad(safe)))(at), expected)
  expectClose(vmap((x: NDArray) => jvp(safe, [x], [np.ones([])])[1])(at), expected)
  expectClose(grad((x: NDArray) => jit(vmap(jit(safe)))(x).sum())(at), expected)
  const many = (i: NDArray, x: NDArray): NDArray =>
    lax.switch(i, [(v: NDArray) => np.log(v), (v: NDArray) => v.mul(3), (v: NDArray) => v.pow(-1)], x)
  expectClose(
    vmap(grad(many, { argnums: 1 }))(np.array([1, 1, 0], { dtype: 'int32' }), np.array([0, -1, 2])),
    [3, 3, 0.5],
  )
})
test('branches may differ in what they keep, and in what they use of their operands', () => {
  const f = (p: NDArray, x: NDArray, w: NDArray): { a: NDArray; b: NDArray } =>
    lax.cond(
      p,
      (v: NDArray, m: NDArray) => ({ a: np.tanh(m.matmul(np.sin(v))), b: m.sum() }),
      (v: NDArray) => ({ a: v, b: np.zeros([], { dtype: v.dtype }) }),
      x,
      w,
    )
  for (const p of [true, false])
    checkGrads(
      (x: NDArray, w: NDArray) => f(np.array(p), x, w),
      [
        np.array([1, 2]),
        np.array([
          [0.5, 1],
          [-1, 0.25],
        ]),
      ],
    )
})
test('jit off means the same, step by step', () => {
  const f = (x: NDArray): NDArray => {
    const [last, ys] = lax.scan((c: NDArray, e: NDArray) => [c.add(e), c.mul(e)] as [NDArray, NDArray], x.sum(), x, {
      reverse: true,
    })
    const looped = lax.whileLoop(
      (c: NDArray) => c.lt(50),
      (c: NDArray) => c.mul(2),
      last.add(60),
    )
    return lax.cond(
      looped.gt(0),
      (v: NDArray) => v.add(ys),
      (v: NDArray) => v.sub(ys),
      x,
    )
  }
  const x = np.array([1, 2, 3])
  expectClose(
    disableJit(() => jit(f)(x)),
    f(x),
  )
  expectClose(
    disableJit(() => grad((v: NDArray) => f(v).sum())(x)),
    grad((v: NDArray) => f(v).sum())(x),
  )
})
