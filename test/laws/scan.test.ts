// Laws of scan: it is the unrolled loop, in values and derivatives, and keeps no more for the backward pass than it must.
import fc from 'fast-check'
import {
  type ClosedJaxpr,
  type Equation,
  type NDArray,
  checkpoint,
  grad,
  jit,
  jvp,
  lax,
  makeJaxpr,
  np,
  tree,
  vmap,
} from 'fluxion'
import { arrays, checkGrads, expectClose } from '@fluxion/testing'
import { expect, test } from 'vitest'

type Step = (w: NDArray, c: { h: NDArray; n: NDArray }, x: NDArray) => [{ h: NDArray; n: NDArray }, { y: NDArray }]
/** A constant, a carry of a float and an integer, scanned inputs and stacked results. */
const step: Step = (w, { h, n }, x) => {
  const next = np.tanh(w.matmul(h).add(x))
  return [{ h: next, n: n.add(1) }, { y: next.mul(n).add(w.get(0)) }]
}
const zero = np.array(0, { dtype: 'int32' })
const scanned = (w: NDArray, h: NDArray, xs: NDArray, options: lax.ScanOptions = {}) =>
  lax.scan((c: { h: NDArray; n: NDArray }, x: NDArray) => step(w, c, x), { h, n: zero }, xs, options)
function unrolled(w: NDArray, h: NDArray, xs: NDArray, reverse = false) {
  const length = xs.shape[0]
  let carry = { h, n: zero }
  const ys: NDArray[] = []
  for (let i = 0; i < length; i++) {
    const at = reverse ? length - 1 - i : i
    const [next, { y }] = step(w, carry, xs.get(at))
    carry = next
    ys[at] = y
  }
  return [carry, { y: ys.length === 0 ? np.zeros([0, 2], { dtype: 'float64' }) : np.stack(ys) }] as const
}
type Loop = typeof unrolled
const lossOf =
  (loop: (w: NDArray, h: NDArray, xs: NDArray) => ReturnType<Loop>) =>
  (w: NDArray, h: NDArray, xs: NDArray): NDArray => {
    const [carry, { y }] = loop(w, h, xs)
    return np.sin(carry.h).sum().add(y.mul(y).sum())
  }
const matrix = arrays({ shape: [2, 2], dtype: 'float64', min: -1, max: 1 })
const vector = arrays({ shape: [2], dtype: 'float64', min: -1, max: 1 })
const sequence = fc
  .integer({ min: 0, max: 5 })
  .chain((length) => arrays({ shape: [length, 2], dtype: 'float64', min: -1, max: 1 }))
const options = fc.record({ reverse: fc.boolean(), unroll: fc.constantFrom(1, 2, 3, 7, true) })
const argnums = [0, 1, 2] as const

test('a scan is the unrolled loop, in values and in gradients, whatever its direction and its unrolling', () => {
  fc.assert(
    fc.property(matrix, vector, sequence, options, (w, h, xs, how) => {
      const loop = (...args: [NDArray, NDArray, NDArray]) => scanned(...args, how)
      const plain = (...args: [NDArray, NDArray, NDArray]) => unrolled(...args, how.reverse)
      expectClose(loop(w, h, xs), plain(w, h, xs))
      expectClose(grad(lossOf(loop), { argnums })(w, h, xs), grad(lossOf(plain), { argnums })(w, h, xs))
      expectClose(jit(grad(lossOf(loop), { argnums }))(w, h, xs), grad(lossOf(plain), { argnums })(w, h, xs))
    }),
    { numRuns: 40 },
  )
})
test('forward mode through a scan is that of the unrolled loop', () => {
  fc.assert(
    fc.property(matrix, vector, sequence, options, (w, h, xs, how) => {
      const tangents = [np.cos(w), np.sin(h), np.cos(xs)] as const
      const along = (loop: (...args: [NDArray, NDArray, NDArray]) => NDArray) =>
        jvp(loop as (...args: NDArray[]) => NDArray, [w, h, xs], [...tangents])[1]
      const loop = lossOf((...args) => scanned(...args, how))
      const plain = lossOf((...args) => unrolled(...args, how.reverse))
      expectClose(along(loop), along(plain))
      // forward over reverse
      const row = (f: typeof loop) => jvp(grad(f) as (...args: NDArray[]) => NDArray, [w, h, xs], [...tangents])[1]
      expectClose(row(loop), row(plain), { rtol: 1e-9, atol: 1e-10 })
    }),
    { numRuns: 20 },
  )
})
test('vmap of a scan is a loop of scans, over any of its operands', () => {
  const places: [number | null, number | null, number | null][] = [
    [0, null, null],
    [null, 0, null],
    [null, null, 0],
    [0, 0, 0],
    [null, 0, 1],
  ]
  fc.assert(
    fc.property(matrix, vector, sequence, fc.constantFrom(...places), (w, h, xs, inAxes) => {
      const loss = lossOf((...args) => scanned(...args))
      const both = [w, h, xs].map((x) => [x, np.cos(x)] as const)
      const args = both.map((pair, i) => (inAxes[i] === null ? pair[0] : np.stack([...pair], { axis: inAxes[i]! })))
      const loop = <T>(f: (...args: [NDArray, NDArray, NDArray]) => T): T[] =>
        [0, 1].map((n) =>
          f(...(both.map((pair, i) => pair[inAxes[i] === null ? 0 : n]) as [NDArray, NDArray, NDArray])),
        )
      expectClose(vmap(loss as (...args: NDArray[]) => NDArray, { inAxes })(...args), np.stack(loop(loss)))
      const gradients = vmap(grad(loss, { argnums }) as unknown as (...args: NDArray[]) => NDArray[], { inAxes })(
        ...args,
      )
      const expected = loop((...each) => grad(loss, { argnums })(...each))
      gradients.forEach((gradient, i) => expectClose(gradient, np.stack(expected.map((of) => of[i]!))))
    }),
    { numRuns: 30 },
  )
})
test('scans inside scans under jit have the gradient of the unrolled loops', () => {
  const nested = (w: NDArray, x: NDArray): NDArray => {
    const [outer, ys] = lax.scan(
      (c: NDArray, row: NDArray) => {
        const [inner, zs] = lax.scan(
          (d: NDArray, e: NDArray) => [np.tanh(d.mul(w).add(e)), d.mul(e)] as [NDArray, NDArray],
          c,
          row,
        )
        return [inner, zs.sum().add(inner)] as [NDArray, NDArray]
      },
      w,
      x,
    )
    return outer.add(ys.sum())
  }
  const loops = (w: NDArray, x: NDArray): NDArray => {
    let [c, total] = [w, np.zeros([], { dtype: 'float64' })]
    for (let i = 0; i < 3; i++) {
      let d = c
      for (let j = 0; j < 2; j++) {
        total = total.add(d.mul(x.get(i, j)))
        d = np.tanh(d.mul(w).add(x.get(i, j)))
      }
      c = d
      total = total.add(c)
    }
    return c.add(total)
  }
  const [w, x] = [
    np.array(0.7, { dtype: 'float64' }),
    np.array(
      [
        [0.5, -1],
        [0.25, 2],
        [1, 0.125],
      ],
      { dtype: 'float64' },
    ),
  ]
  expectClose(jit(nested)(w, x), loops(w, x))
  expectClose(jit(grad(nested, { argnums: [0, 1] }))(w, x), grad(loops, { argnums: [0, 1] })(w, x))
  expectClose(grad(jit(nested), { argnums: [0, 1] })(w, x), grad(loops, { argnums: [0, 1] })(w, x))
  checkGrads(nested, [w, x])
})
test('length alone, xs of null, no results, and zero length work', () => {
  const [last, ys] = lax.scan((c: NDArray) => [c.mul(2), null] as [NDArray, null], 1, null, { length: 5 })
  expect([last.item(), ys]).toEqual([32, null])
  const [none, empty] = lax.scan(
    (c: NDArray, x: NDArray) => [c.add(x), { a: c, b: [x] }] as [NDArray, { a: NDArray; b: [NDArray] }],
    np.array(1),
    np.zeros([0]),
  )
  expect([none.item(), empty.a.shape, empty.b[0].shape]).toEqual([1, [0], [0]])
  expectClose(
    grad((c: NDArray) => lax.scan((h: NDArray) => [h.mul(2), null] as [NDArray, null], c, null, { length: 0 })[0])(3),
    1,
  )
})
test('a weak number as initial carry takes the type that the body gives it', () => {
  const [sum] = lax.scan((c: NDArray, x: NDArray) => [c.add(x), null] as [NDArray, null], 0, np.array([1.5, 2]))
  expect([sum.dtype, sum.item()]).toEqual(['float32', 3.5])
  const [count] = lax.scan((c: NDArray) => [c.add(1), null] as [NDArray, null], 0, null, { length: 3 })
  expect([count.dtype, count.item()]).toEqual(['int32', 3])
})
test('map is a scan without a carry', () => {
  expectClose(
    lax.map(({ a, b }: { a: NDArray; b: NDArray }) => a.mul(b), { a: np.array([1, 2]), b: np.array([3, 4]) }),
    [3, 8],
  )
  expectClose(grad((x: NDArray) => lax.map((v: NDArray) => v.mul(v), x).sum())(np.array([1, 2])), [2, 4])
})

// ---- what is kept for the backward pass

/** All equations of a program, those of programs inside it too. */
function* equationsOf({ jaxpr }: ClosedJaxpr): Generator<Equation> {
  for (const equation of jaxpr.equations) {
    yield equation
    for (const value of Object.values(equation.params)) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (typeof item === 'object' && item !== null && 'jaxpr' in item && 'consts' in item)
          yield* equationsOf(item as ClosedJaxpr)
      }
    }
  }
}
const scansOf = (program: ClosedJaxpr): Equation[] =>
  [...equationsOf(program)].filter(({ primitive }) => primitive.name === 'scan')
const bytesOf = (shape: readonly number[]): number => 4 * shape.reduce((a, b) => a * b, 1)
/** The bytes that the forward loop stacks, and the types of the stacked arrays. */
function stacked(
  f: (...args: NDArray[]) => NDArray,
  ...args: NDArray[]
): { bytes: number; shapes: (readonly number[])[] } {
  const [forward] = scansOf(makeJaxpr(grad(f))(...args))
  const { numCarry } = forward!.params as { numCarry: number }
  const shapes = forward!.outputs.slice(numCarry).flatMap((v) => (v === null ? [] : [v.aval.shape]))
  return { bytes: shapes.reduce((sum, shape) => sum + bytesOf(shape), 0), shapes }
}
const recurrence = (w: NDArray, h: NDArray, xs: NDArray): NDArray =>
  lax.scan((c: NDArray, x: NDArray) => [np.tanh(w.matmul(c).add(x)), null] as [NDArray, null], h, xs)[0].sum()
const sizes = (length: number): [NDArray, NDArray, NDArray] => [np.ones([8, 8]), np.ones([8]), np.ones([length, 8])]

test('a scan stacks one array a step for each residual, and neither constants nor what depends on them alone', () => {
  // the carry that enters, y = tanh(…), and 1 − y, as in JAX: no w[8,8] a step
  expect(stacked(recurrence as (...args: NDArray[]) => NDArray, ...sizes(16)).shapes).toEqual([
    [16, 8],
    [16, 8],
    [16, 8],
  ])
  const invariant = (w: NDArray, h: NDArray, xs: NDArray): NDArray =>
    lax.scan((c: NDArray, x: NDArray) => [np.sin(np.exp(w).matmul(c)).mul(x), null] as [NDArray, null], h, xs)[0].sum()
  expect(
    stacked(invariant as (...args: NDArray[]) => NDArray, ...sizes(16)).shapes.every((shape) => shape.length === 2),
  ).toBe(true)
  checkGrads(invariant, [
    np.full([2, 2], 0.3),
    np.array([1, 2]),
    np.array([
      [1, 2],
      [0.5, 1],
      [2, 1],
    ]),
  ])
})
test('what the loop stacks anyway, or scans over, is not stacked again', () => {
  const withResult = (h: NDArray, xs: NDArray): NDArray => {
    const [, ys] = lax.scan(
      (c: NDArray, x: NDArray) => {
        const y = np.exp(c.mul(x))
        return [y, y] as [NDArray, NDArray]
      },
      h,
      xs,
    )
    return ys.sum()
  }
  const { shapes } = stacked(withResult as (...args: NDArray[]) => NDArray, np.ones([8]), np.ones([16, 8]))
  // the results alone: the derivative of exp(…) is the result itself, and x is there
  expect(shapes).toEqual([[16, 8]])
})
test('the bytes kept for the backward pass are linear in the length', () => {
  const bytes = [16, 32, 64].map(
    (length) => stacked(recurrence as (...args: NDArray[]) => NDArray, ...sizes(length)).bytes,
  )
  expect(bytes).toEqual([16, 32, 64].map((length) => 3 * length * 8 * 4))
  // nothing in the whole program of the gradient is larger than that, weights and inputs aside
  const largest = Math.max(
    ...[...equationsOf(makeJaxpr(grad(recurrence))(...sizes(64)))].flatMap(({ outputs }) =>
      outputs.map((v) => (v === null ? 0 : bytesOf(v.aval.shape))),
    ),
  )
  expect(largest).toBe(64 * 8 * 4)
})
test('a checkpointed body keeps its carry alone', () => {
  const kept = (w: NDArray, h: NDArray, xs: NDArray): NDArray => {
    const body = checkpoint((v: NDArray, c: NDArray, x: NDArray) =>
      np.tanh(np.sin(v.matmul(c)).mul(np.cos(x)).add(np.exp(c))),
    )
    return lax.scan((c: NDArray, x: NDArray) => [body(w, c, x), null] as [NDArray, null], h, xs)[0].sum()
  }
  expect(stacked(kept as (...args: NDArray[]) => NDArray, ...sizes(16)).shapes).toEqual([[16, 8]])
  checkGrads(kept, [
    np.full([2, 2], 0.3),
    np.array([1, 2]),
    np.array([
      [1, 2],
      [0.5, 1],
      [2, 1],
    ]),
  ])
})
test('cotangents of a constant are accumulated, not stacked', () => {
  const [, backward] = scansOf(makeJaxpr(grad(recurrence))(...sizes(16)))
  const { numCarry } = backward!.params as { numCarry: number }
  expect(backward!.outputs.slice(0, numCarry).map((v) => v?.aval.shape)).toContainEqual([8, 8])
  expect(backward!.outputs.slice(numCarry).map((v) => v?.aval.shape)).not.toContainEqual([16, 8, 8])
})
test('a tree in the carry of a scan keeps its leaves apart', () => {
  const [carry] = lax.scan(
    (c: { a: NDArray; b: [NDArray] }) => [{ a: c.b[0], b: [c.a] }, null] as [{ a: NDArray; b: [NDArray] }, null],
    { a: np.array(1), b: [np.array(2)] as [NDArray] },
    null,
    { length: 3 },
  )
  expect(tree.leaves(carry).map((leaf) => leaf.item())).toEqual([2, 1])
})
