// Laws of functions with derivatives of their own: the rule is what counts, under every composition of transformations.
import {
  type NDArray,
  checkpoint,
  customJvp,
  customVjp,
  grad,
  hessian,
  jacrev,
  jit,
  jvp,
  lax,
  linearize,
  makeJaxpr,
  np,
  vjp,
  vmap,
} from 'fluxion'
import { expectClose } from '@fluxion/testing'
import { expect, test } from 'vitest'

// A sine whose derivative, by its rule, is three times the cosine: so one sees whether the rule was used.
const forward = customJvp((x: NDArray) => np.sin(x))
forward.defjvp(([x], [t]) => [forward(x), np.cos(x).mul(3).mul(t)])
const backward = customVjp((x: NDArray) => np.sin(x))
backward.defvjp(
  (x) => [backward(x), { cosine: np.cos(x) }],
  ({ cosine }, ct) => [cosine.mul(3).mul(ct)],
)
const rules = { customJvp: forward, customVjp: backward }
const x64 = (...values: number[]): NDArray => np.array(values, { dtype: 'float64' })
const xs = x64(0.5, -1, 2)
const value = (x: NDArray): NDArray => np.sin(x)
const slope = (x: NDArray): NDArray => np.cos(x).mul(3)

test.each(Object.entries(rules))('%s under every composition', (_, f) => {
  const total = (x: NDArray): NDArray => f(x).sum()
  const first = xs.get(0)
  expectClose(f(xs), value(xs))
  expectClose(jit(f)(xs), value(xs))
  expectClose(vmap(f)(xs), value(xs))
  const gradients: Record<string, NDArray> = {
    grad: grad(total)(xs),
    'jit∘grad': jit(grad(total))(xs),
    'grad∘jit': grad(jit(total))(xs),
    'jit∘grad∘jit': jit(grad(jit(total)))(xs),
    'vmap∘grad': vmap(grad((x: NDArray) => f(x)))(xs),
    'grad∘vmap': grad((x: NDArray) => vmap(f)(x).sum())(xs),
    'vmap∘jit∘grad': vmap(jit(grad((x: NDArray) => f(x))))(xs),
    'jit∘vmap∘grad∘jit': jit(vmap(grad(jit((x: NDArray) => f(x)))))(xs),
    'grad∘jit∘vmap': grad((x: NDArray) => jit(vmap(f))(x).sum())(xs),
    'grad∘vmap∘jit': grad((x: NDArray) => vmap(jit(f))(x).sum())(xs),
    'grad∘vmap∘vmap': grad((x: NDArray) => vmap(vmap(f))(x.reshape([3, 1])).sum())(xs),
    checkpoint: grad((x: NDArray) => checkpoint(f)(x).sum())(xs),
    'checkpoint under jit': jit(grad((x: NDArray) => checkpoint(total)(x)))(xs),
    cond: grad((x: NDArray) => lax.cond(x.sum().gt(0), total, (y: NDArray) => y.sum(), x))(xs),
    'batched cond': vmap(
      grad((x: NDArray) =>
        lax.cond(
          x.lt(9),
          (y: NDArray) => f(y),
          (y: NDArray) => y,
          x,
        ),
      ),
    )(xs),
    map: grad((x: NDArray) => lax.map((e: NDArray) => f(e), x).sum())(xs),
    'map under vmap': vmap(grad((x: NDArray) => lax.map((e: NDArray) => f(e), x).sum()))(xs.reshape([1, 3])).get(0),
  }
  for (const [composition, gradient] of Object.entries(gradients))
    expect([composition, ...gradient.dataSync()]).toEqual([composition, ...slope(xs).dataSync()])
  // the rule's own code is differentiated for second derivatives
  const second = np.sin(first).mul(-3)
  expectClose(grad(grad((x: NDArray) => f(x)))(first), second)
  expectClose(jit(grad(jit(grad((x: NDArray) => f(x)))))(first), second)
  expectClose(vmap(grad(grad((x: NDArray) => f(x))))(xs).get(0), second)
  expectClose(jacrev(grad(total))(xs), np.diag(np.sin(xs).mul(-3)))
})
test.each(Object.entries(rules))('%s inside a scan', (_, f) => {
  const scanned = (x: NDArray): NDArray =>
    lax.scan((c: NDArray, e: NDArray) => [f(c.add(e)), null] as [NDArray, null], x.get(0), x)[0]
  const plain = (x: NDArray): NDArray => {
    let c = x.get(0)
    for (let i = 0; i < 3; i++) c = f(c.add(x.get(i)))
    return c
  }
  expectClose(scanned(xs), plain(xs))
  for (const gradient of [
    grad(scanned)(xs),
    jit(grad(scanned))(xs),
    vmap(grad(scanned))(xs.reshape([1, 3])).get(0),
    grad((x: NDArray) => vmap(scanned)(x.reshape([1, 3])).sum())(xs),
  ]) {
    expectClose(gradient, grad(plain)(xs))
  }
})
test('a customJvp serves forward mode, Hessians and linearize', () => {
  expectClose(jvp(forward, [xs], [x64(1, 2, 3)])[1], slope(xs).mul(x64(1, 2, 3)))
  expectClose(jit((x: NDArray, t: NDArray) => jvp(forward, [x], [t])[1])(xs, x64(1, 2, 3)), slope(xs).mul(x64(1, 2, 3)))
  expectClose(linearize(forward, xs)[1](x64(1, 1, 1)), slope(xs))
  expectClose(hessian((x: NDArray) => forward(x).sum())(xs), np.diag(np.sin(xs).mul(-3)))
})
test('a customVjp refuses forward mode and says what to use instead', () => {
  expect(() => jvp(backward, [xs], [xs])).toThrow(
    'forward-mode differentiation (jvp, jacfwd) does not work for a customVjp function\nhint: use customJvp',
  )
})
test('custom rules stay in a staged program', () => {
  expect(String(makeJaxpr((x: NDArray) => forward(x))(1))).toContain('custom_jvp_call')
  expect(String(makeJaxpr((x: NDArray) => backward(x))(1))).toContain('custom_vjp_call')
})
test('trees, several arguments, and operands without tangents', () => {
  const f = customVjp((p: { w: NDArray; k: NDArray }, x: NDArray) => ({ y: p.w.mul(x), n: p.k }))
  f.defvjp(
    (p, x) => [f(p, x), { w: p.w, x }],
    ({ w, x }, ct) => [{ w: ct.y.mul(x).mul(10), k: np.zeros([], { dtype: 'bool' }) }, ct.y.mul(w)],
  )
  const k = np.array(3, { dtype: 'int32' })
  const [out, pullback] = vjp(f, { w: np.array(2), k }, np.array(5))
  expect(out.n.item()).toBe(3)
  const [p, x] = pullback({ y: np.array(1), n: np.array(false) } as never)
  expectClose([p.w, x], [np.array(50), np.array(2)])
  const g = customJvp((x: NDArray, y: NDArray) => x.mul(y))
  g.defjvp(([a, b], [da, db]) => [g(a, b), da.mul(b).add(db.mul(a).mul(100))])
  // a tangent that is zero arrives as zeros
  expectClose(grad((a: NDArray) => g(a, np.array(4)))(3), 4)
  expectClose(grad((b: NDArray) => g(np.array(3), b))(4), 300)
})
test('arguments that are not differentiated come first in the rules, as they are', () => {
  const power = customJvp((n: number, x: NDArray) => x.pow(n), { nondiffArgnums: [0] })
  ;(power.defjvp as (rule: (...args: never[]) => unknown) => void)((n: number, [x]: [NDArray], [t]: [NDArray]) => [
    x.pow(n),
    t.mul(n * 100),
  ])
  expect(grad((x: NDArray) => power(3, x))(2).item()).toBe(300)
  expect(jit(grad((x: NDArray) => power(3, x)))(2).item()).toBe(300)
})
test('a null cotangent is zero', () => {
  const f = customVjp((x: NDArray, y: NDArray) => x.mul(y))
  f.defvjp(
    (x, y) => [f(x, y), y],
    (y, ct) => [ct.mul(y), null],
  )
  expectClose(grad((x: NDArray, y: NDArray) => f(x, y), { argnums: [0, 1] })(3, 4), [np.array(4), np.array(0)])
})
test('a batched operand that all elements share collects the cotangents of all', () => {
  const f = customVjp((w: NDArray, x: NDArray) => w.mul(x))
  f.defvjp(
    (w, x) => [f(w, x), { w, x }],
    ({ w, x }, ct) => [ct.mul(x), ct.mul(w)],
  )
  expectClose(grad((w: NDArray) => vmap(f, { inAxes: [null, 0] })(w, np.array([1, 2, 3])).sum())(5), 6)
  expectClose(jit(grad((w: NDArray) => vmap(f, { inAxes: [null, 0] })(w, np.array([1, 2, 3])).sum()))(5), 6)
})
test('constants of a staged function with a rule stay constants when it is batched and staged again', () => {
  const plain = (x: NDArray): NDArray => x.get(np.array([1, 0, 1], { dtype: 'int32' }))
  const withJvp = customJvp(plain)
  withJvp.defjvp((primals, tangents) => jvp(plain, primals, tangents))
  const withVjp = customVjp(plain)
  withVjp.defvjp(
    (x) => [plain(x), x],
    (x, ct) => [vjp(plain, x)[1](ct)[0]],
  )
  for (const f of [withJvp, withVjp]) {
    const loss = jit(vmap((x: NDArray) => jit(f)(x).sum()))
    expectClose(grad((x: NDArray) => loss(np.stack([x, x.mul(2)])).sum())(np.array([1, 2])), [3, 6])
  }
})
test('a backward rule may close over arrays, also inside a scan', () => {
  const f = customVjp((x: NDArray) => np.sin(x))
  f.defvjp(
    (x) => [f(x), x],
    (x, ct) => [
      np
        .cos(x)
        .mul(ct)
        .get(np.array([1, 0], { dtype: 'int32' }))
        .mul(np.array([2, 3])),
    ],
  )
  const looped = (x: NDArray): NDArray =>
    lax.scan((c: NDArray) => [f(c), null] as [NDArray, null], x, null, { length: 2 })[0].sum()
  const x = np.array([0.5, 1])
  const plain = grad((v: NDArray) => f(f(v)).sum())(x)
  expectClose(
    [grad(looped)(x), jit(grad(looped))(x), vmap(grad(looped))(x.reshape([1, 2])).get(0)],
    [plain, plain, plain],
  )
})
test('a rule may hold a condition, under vmap and in reverse', () => {
  const plain = (x: NDArray): NDArray =>
    lax.cond(
      x.gt(0),
      (v: NDArray) => np.sqrt(v),
      (v: NDArray) => v.mul(3),
      x,
    )
  const f = customJvp(plain)
  f.defjvp((primals, tangents) => jvp(plain, primals, tangents))
  const xs = np.array([4, -1, 0])
  // at 0 the other branch's square root has an infinite slope, which must not come through
  expectClose(
    [grad((x: NDArray) => vmap(f)(x).sum())(xs), vmap(grad((x: NDArray) => f(x)))(xs)],
    [np.array([0.25, 3, 3]), np.array([0.25, 3, 3])],
  )
})
test('a rule may push tangents through a function that has a backward rule, under vmap too', () => {
  const g = customVjp((x: NDArray, w: NDArray) => np.sin(x).mul(w))
  g.defvjp(
    (x, w) => [g(x, w), { x, w }],
    ({ x, w }, ct) => [np.cos(x).mul(w).mul(ct), np.sin(x).mul(ct)],
  )
  const f = customJvp((x: NDArray, w: NDArray) => g(x, w))
  f.defjvp((primals, tangents) => jvp(g, primals, tangents))
  const loss = (h: typeof g | typeof f) => (x: NDArray, w: NDArray) => vmap(h, { inAxes: [0, null] })(x, w).sum()
  const [x, w] = [np.array([0.5, 1, 2]), np.array(3)]
  const expected = grad(loss(g), { argnums: [0, 1] })(x, w)
  expectClose(expected, [np.cos(x).mul(3), np.sin(x).sum()])
  expectClose(grad(loss(f), { argnums: [0, 1] })(x, w), expected)
  expectClose(jit(grad(loss(f), { argnums: [0, 1] }))(x, w), expected)
})
test('null stands for zeros in any part of a cotangent', () => {
  const f = customVjp((p: { a: { b: NDArray; c: NDArray }; d: NDArray | null }, x: NDArray) =>
    p.a.b.mul(p.a.c).mul(x).sum(),
  )
  const ones = np.ones([2])
  type Parts = Parameters<typeof f.defvjp>[1]
  const gradients = (cotangents: ReturnType<Parts>): unknown => {
    f.defvjp(
      (p, x) => [f(p, x), null],
      () => cotangents,
    )
    return grad(f, { argnums: [0, 1] })({ a: { b: ones, c: ones }, d: null }, ones)
  }
  const zeros = np.zeros([2])
  expectClose(gradients([{ a: { b: ones, c: null }, d: null }, null]), [{ a: { b: ones, c: zeros }, d: null }, zeros])
  expectClose(gradients([{ a: null, d: null }, ones]), [{ a: { b: zeros, c: zeros }, d: null }, ones])
  expect(() => gradients([{ a: { b: null } as never, d: null }, ones])).toThrow('argument 0 and its cotangent')
  expect(() => gradients([{ a: ones as never, d: null }, ones])).toThrow('argument 0 and its cotangent')
})

test('a customVjp function of what does not depend on the arguments has the gradient zero', () => {
  // The rule gives a tangent that is zero, but is an array.
  const first = customJvp((x: NDArray, y: NDArray): NDArray => x.add(y.mul(0)))
  first.defjvp(([x], [tx]) => [x!, np.zerosLike(tx!)])
  const second = customVjp((x: NDArray): NDArray => x.mul(2))
  second.defvjp(
    (x) => [x.mul(2), null],
    (_, g) => [g.mul(5)],
  )
  const f = (x: NDArray, y: NDArray): NDArray => second(first(y, x)).sum()
  expect(grad(f)(np.array([1, 2]), np.array([3, 4])).toArray()).toEqual([0, 0])
  expect(jit(grad(f))(np.array([1, 2]), np.array([3, 4])).toArray()).toEqual([0, 0])
})
