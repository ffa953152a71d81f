// Laws of vmap and of the collectives over its named axes: a loop, and explicit sums.
import fc from 'fast-check'
import { type NDArray, grad, jacrev, jit, jvp, lax, linearize, np, random, vjp, vmap } from 'fluxion'
import { arrays, expectClose, programs } from '@fluxion/testing'
import { expect, test } from 'vitest'

const rows = arrays({ shape: [3, 2], dtype: 'float64', min: -1, max: 1 })
const rowsOf = (x: NDArray): NDArray[] => Array.from({ length: x.shape[0] }, (_, i) => x.get(i))
const f = (x: NDArray, w: NDArray): NDArray =>
  np
    .tanh(x.mul(w.sum()))
    .sum()
    .add(x.get(0).mul(w.get(1)))

test('vmap of a gradient is a loop of gradients, and the gradient of a vmap their sum', () => {
  fc.assert(
    fc.property(rows, arrays({ shape: [2], dtype: 'float64', min: -1, max: 1 }), (xs, w) => {
      const loop = rowsOf(xs).map((x) => grad(f, { argnums: [0, 1] })(x, w))
      const [dx, dw] = vmap(grad(f, { argnums: [0, 1] }) as unknown as (x: NDArray, w: NDArray) => [NDArray, NDArray], {
        inAxes: [0, null],
      })(xs, w)
      expectClose([dx, dw], [np.stack(loop.map(([x]) => x)), np.stack(loop.map(([, v]) => v))])
      const summed = grad((v: NDArray) => vmap(f, { inAxes: [0, null] })(xs, v).sum())(w)
      expectClose(summed, dw.sum({ axis: 0 }))
    }),
    { numRuns: 30 },
  )
})
test('vmaps commute, up to the order of their axes', () => {
  fc.assert(
    fc.property(programs({ exact: true, depth: 1 }), ({ f: program, args: [x, y] }) => {
      const [xs, ys] = [np.stack([x, y, x.neg()]), np.stack([y, x])]
      const outer = vmap((a: NDArray) => vmap((b: NDArray) => program(a, b))(ys))(xs)
      const inner = vmap((b: NDArray) => vmap((a: NDArray) => program(a, b))(xs))(ys)
      expect(outer.dataSync()).toEqual(inner.swapaxes(0, 1).dataSync())
    }),
    { numRuns: 30 },
  )
})
test('inAxes and outAxes say where the axis stands, as prefixes of trees', () => {
  const x = np.arange(6).reshape([2, 3]).astype('float32')
  const p = { a: x, b: [x.T, np.array(10)] as [NDArray, NDArray] }
  const g = (q: typeof p): { sum: NDArray; same: NDArray; row: NDArray } => ({
    sum: q.a.add(q.b[0]).sum().add(q.b[1]),
    same: q.b[1].mul(2),
    row: q.a,
  })
  const out = vmap(g, { inAxes: [{ a: 0, b: [-1, null] }], outAxes: { sum: 0, same: null, row: 1 } })(p)
  expectClose(out, { sum: np.array([16, 34]), same: np.array(20), row: x.T })
  expectClose(vmap(g, { inAxes: [{ a: 0, b: [1, null] }], outAxes: -1 })(p), {
    sum: np.array([16, 34]),
    same: np.array([20, 20]),
    row: x.T,
  })
  expectClose(vmap((v: NDArray) => np.ones([v.ndim]).get(0), { axisSize: 4, inAxes: null })(x), [1, 1, 1, 1])
})
test('what does not depend on the batch is broadcast', () => {
  expectClose(
    vmap((x: NDArray, y: NDArray) => [x, y.mul(2)] as [NDArray, NDArray], { inAxes: [0, null] })(
      np.array([1, 2]),
      np.array(3),
    ),
    [np.array([1, 2]), np.array([6, 6])],
  )
})
test('random numbers of a batch of keys are those of each key', () => {
  const keys = random.split(random.key(3), 4)
  const draw = (key: NDArray): NDArray => random.normal(random.foldIn(key, 7), [3])
  expect(vmap(draw)(keys).dataSync()).toEqual(np.stack(rowsOf(keys).map(draw)).dataSync())
})

// ---- collectives

const named = <R extends NDArray>(g: (x: NDArray) => R) => vmap(g, { axisName: 'i' })
test('psum, pmean, pmax, pmin are the sum, the mean and the extremes over the axis', () => {
  fc.assert(
    fc.property(rows, (xs) => {
      const spread = (x: NDArray): NDArray => np.broadcastTo(x, [3, 2])
      expectClose(named((x) => lax.psum(x, 'i'))(xs), spread(xs.sum({ axis: 0 })))
      expectClose(named((x) => lax.pmean(x, 'i'))(xs), spread(xs.mean({ axis: 0 })))
      expectClose(named((x) => lax.pmax(x, 'i'))(xs), spread(xs.max({ axis: 0 })))
      expectClose(named((x) => lax.pmin(x, 'i'))(xs), spread(xs.min({ axis: 0 })))
      expectClose(named((x) => lax.psum({ a: x, b: [x.mul(2)] }, 'i').b[0]!)(xs), spread(xs.mul(2).sum({ axis: 0 })))
    }),
    { numRuns: 20 },
  )
})
test('axisIndex and axisSize say where an element stands', () => {
  const place = named((x) => x.mul(0).add(lax.axisIndex('i')).div(lax.axisSize('i')))
  expectClose(place(np.zeros([4])), [0, 0.25, 0.5, 0.75])
  expectClose(jit(place)(np.zeros([2])), [0, 0.5])
})
test('allGather gives every element all of them', () => {
  const xs = np.arange(6).reshape([3, 2]).astype('float32')
  const gather = (options: { axis?: number; tiled?: boolean }) => named((x) => lax.allGather(x, 'i', options))(xs)
  expectClose(gather({}), np.stack([xs, xs, xs]))
  expectClose(gather({ axis: 1 }), np.stack([xs.T, xs.T, xs.T]))
  expectClose(gather({ tiled: true }), np.stack([xs, xs, xs]).reshape([3, 6]))
})
test('ppermute sends values on, and zeros where nobody sends', () => {
  const xs = np.array([
    [1, 2],
    [3, 4],
    [5, 6],
  ])
  expectClose(
    named((x) =>
      lax.ppermute(x, 'i', [
        [0, 1],
        [1, 2],
        [2, 0],
      ]),
    )(xs),
    np.roll(xs, 1, { axis: 0 }),
  )
  expectClose(named((x) => lax.ppermute(x, 'i', [[0, 2]]))(xs), [
    [0, 0],
    [0, 0],
    [1, 2],
  ])
})
test('derivatives of collectives are those of the explicit sums, inside and outside of the vmap', () => {
  fc.assert(
    fc.property(rows, (xs) => {
      const softmax = named((x) => np.exp(x).div(lax.psum(np.exp(x), 'i')))
      const explicit = (x: NDArray): NDArray => np.exp(x).div(np.exp(x).sum({ axis: 0, keepdims: true }))
      const weights = np.cos(xs)
      expectClose(softmax(xs), explicit(xs))
      expectClose(vjp(softmax, xs)[1](weights)[0], vjp(explicit, xs)[1](weights)[0])
      expectClose(jvp(softmax, [xs], [weights])[1], jvp(explicit, [xs], [weights])[1])
      expectClose(linearize(jit(softmax), xs)[1](weights), jvp(explicit, [xs], [weights])[1])
      const centred = named((x) => x.sub(lax.pmean(x, 'i')).mul(x))
      expectClose(
        grad((x: NDArray) => centred(x).sum())(xs),
        grad((x: NDArray) =>
          x
            .sub(x.mean({ axis: 0 }))
            .mul(x)
            .sum(),
        )(xs),
      )
      const gathered = named((x) => np.sin(lax.allGather(x, 'i')).matmul(x).sum())
      expectClose(grad((x: NDArray) => gathered(x).sum())(xs), grad((x: NDArray) => np.sin(x).matmul(x.T).sum())(xs))
      const rolled = named((x) =>
        lax
          .ppermute(x, 'i', [
            [0, 1],
            [1, 2],
            [2, 0],
          ])
          .mul(x),
      )
      expectClose(
        grad((x: NDArray) => rolled(x).sum())(xs),
        grad((x: NDArray) => np.roll(x, 1, { axis: 0 }).mul(x).sum())(xs),
      )
      const largest = named((x) => lax.pmax(x, 'i').mul(x))
      expectClose(grad((x: NDArray) => largest(x).sum())(xs), grad((x: NDArray) => x.max({ axis: 0 }).mul(x).sum())(xs))
      // inside, each element differentiates what it adds to all of them: psum is its own transpose
      const inside = named((x) => grad((y: NDArray) => np.sin(lax.psum(y, 'i')).sum())(x))
      expectClose(inside(xs), np.broadcastTo(np.cos(xs.sum({ axis: 0 })).mul(3), [3, 2]))
    }),
    { numRuns: 15 },
  )
})
test('named axes nest, and reach through jit, scans and conditions', () => {
  const xs = np.arange(6).reshape([2, 3]).astype('float32')
  const nested = vmap(
    (row: NDArray) =>
      vmap((x: NDArray) => [lax.psum(x, 'rows'), lax.psum(x, 'columns')] as [NDArray, NDArray], {
        axisName: 'columns',
      })(row),
    { axisName: 'rows' },
  )(xs)
  expectClose(nested, [
    np.broadcastTo(xs.sum({ axis: 0 }), [2, 3]),
    np.broadcastTo(xs.sum({ axis: 1, keepdims: true }), [2, 3]),
  ])
  const sum = xs.sum({ axis: 0 })
  const spread = np.broadcastTo(sum, [2, 3])
  expectClose(named((x) => jit((y: NDArray) => lax.psum(y, 'i'))(x))(xs), spread)
  expectClose(
    named((x) => lax.scan((c: NDArray) => [lax.psum(c, 'i'), null] as [NDArray, null], x, null, { length: 2 })[0])(xs),
    spread.mul(2),
  )
  expectClose(
    named((x) =>
      lax.cond(
        true,
        (y: NDArray) => lax.psum(y, 'i'),
        (y: NDArray) => y,
        x,
      ),
    )(xs),
    spread,
  )
  expectClose(named((x) => lax.foriLoop(0, 2, (_, c: NDArray) => lax.pmean(c, 'i'), x))(xs), spread.div(2))
  expectClose(named((x) => jacrev((y: NDArray) => lax.psum(y, 'i'))(x).sum({ axis: 0 }))(xs), np.full([2, 3], 2))
})
test('a collective without its axis is an error that says so', () => {
  expect(() => lax.psum(np.zeros([2]), 'i')).toThrow("psum: no enclosing vmap names an axis 'i'")
  expect(() => vmap((x: NDArray) => lax.pmean(x, 'j'), { axisName: 'i' })(np.zeros([2]))).toThrow(
    "no enclosing vmap names an axis 'j'\nhint: vmap(f, { axisName: 'j' })",
  )
})
test('collectives reduce over several axes, numbers among them; means of integers are floats, sums of booleans counts', () => {
  const x = np.arange(6).reshape([2, 3])
  const over = (f: (x: NDArray) => NDArray): NDArray => vmap(vmap(f, { axisName: 'j' }), { axisName: 'i' })(x)
  const full = (value: number): NDArray => np.full([2, 3], value)
  expectClose(over((v) => lax.psum(v, ['i', 'j'])).astype('float32'), full(15))
  expectClose(
    over((v) => lax.pmean(v, ['j', 'i'])),
    full(2.5),
  )
  expectClose(over((v) => lax.pmax(v, ['i', 'j']).sub(lax.pmin(v, ['i', 'j']))).astype('float32'), full(5))
  const counts = over((v) => lax.psum(v.gt(2), 'j'))
  expect([counts.dtype, counts.toArray()]).toEqual([
    'int32',
    [
      [0, 0, 0],
      [3, 3, 3],
    ],
  ])
  expect(over((v) => v.mul(lax.psum(1 as never, 'j'))).dtype).toBe('int32')
  expect(() => over((v) => lax.psum(v, ['i', 'k']))).toThrow("no enclosing vmap names an axis 'k'")
})
