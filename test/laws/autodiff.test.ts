// Laws of differentiation: linearity, the chain rule, adjointness, perturbations that must not be confused, Jacobians and Hessians.
import fc from 'fast-check'
import {
  type NDArray,
  grad,
  hessian,
  hvp,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  linearTranspose,
  linearize,
  np,
  stopGradient,
  valueAndGrad,
  vjp,
  vmap,
} from 'fluxion'
import { arrays, checkGrads, expectClose, programs } from '@fluxion/testing'
import { expect, test } from 'vitest'

const vector = arrays({ shape: [3], dtype: 'float64', min: -2, max: 2 })
const numRuns = 30
const f = (x: NDArray): NDArray => np.tanh(x.mul(x.sum())).add(np.sin(x))
const g = (x: NDArray): NDArray => np.exp(x.mul(0.3)).mul(np.flip(x))
const dot = (x: NDArray, y: NDArray): NDArray => x.mul(y).sum()
const x64 = (...values: number[]): NDArray => np.array(values, { dtype: 'float64' })

test('jvp is linear in its tangents', () => {
  fc.assert(
    fc.property(vector, vector, vector, fc.integer({ min: -3, max: 3 }), (x, s, t, c) => {
      const along = (v: NDArray): NDArray => jvp(f, [x], [v])[1]
      expectClose(along(s.mul(c).add(t)), along(s).mul(c).add(along(t)), { rtol: 1e-10, atol: 1e-10 })
    }),
    { numRuns },
  )
})
test('vjp is linear in its cotangents', () => {
  fc.assert(
    fc.property(vector, vector, vector, fc.integer({ min: -3, max: 3 }), (x, s, t, c) => {
      const [, pullback] = vjp(f, x)
      const pull = (v: NDArray): NDArray => pullback(v)[0]
      expectClose(pull(s.mul(c).add(t)), pull(s).mul(c).add(pull(t)), { rtol: 1e-10, atol: 1e-10 })
    }),
    { numRuns },
  )
})
test('the chain rule holds forwards and backwards', () => {
  fc.assert(
    fc.property(vector, vector, (x, t) => {
      const [y, dy] = jvp(f, [x], [t])
      expectClose(jvp((v: NDArray) => g(f(v)), [x], [t])[1], jvp(g, [y], [dy])[1])
      const [, whole] = vjp((v: NDArray) => g(f(v)), x)
      expectClose(whole(t)[0], vjp(f, x)[1](vjp(g, y)[1](t)[0])[0])
    }),
    { numRuns },
  )
})
test('vjp is the adjoint of jvp', () => {
  fc.assert(
    fc.property(programs({ dtype: 'float64', depth: 1 }), ({ f: program, args: [x, y] }) => {
      const of = (a: NDArray): NDArray => program(a, y)
      const [c, t] = [np.cos(y), np.sin(x).add(1)]
      expectClose(dot(c, jvp(of, [x], [t])[1]), dot(vjp(of, x)[1](c)[0], t), { rtol: 1e-9, atol: 1e-9 })
    }),
    { numRuns },
  )
})
test('linearize gives the jvp again and again, and its transpose the vjp', () => {
  fc.assert(
    fc.property(vector, vector, (x, t) => {
      const [y, linear] = linearize(f, x)
      expectClose(y, f(x))
      for (const v of [t, t.mul(2), x]) expectClose(linear(v), jvp(f, [x], [v])[1])
      expectClose(linearTranspose(linear as (v: NDArray) => NDArray, x)(t)[0], vjp(f, x)[1](t)[0])
    }),
    { numRuns },
  )
})
test('the transpose of a transpose is the function', () => {
  fc.assert(
    fc.property(vector, (x) => {
      const a = (v: NDArray): NDArray => np.cumsum(v).mul(2).add(np.flip(v))
      const at = (v: NDArray): NDArray => linearTranspose(a, x)(v)[0]
      expectClose(linearTranspose(at, x)(x)[0], a(x))
      expectClose(dot(a(x), np.cos(x)), dot(x, at(np.cos(x))))
    }),
    { numRuns },
  )
})
test('what is not linear cannot be transposed', () => {
  expect(() => linearTranspose((x: NDArray) => np.sin(x), 1)(1)).toThrow(
    'sin: there is no transpose rule for this primitive',
  )
})

test('perturbations are not confused', () => {
  expect(grad((x: NDArray) => x.mul(grad((y: NDArray) => x.add(y))(1)))(1).item()).toBe(1)
  expect(grad((x: NDArray) => x.mul(grad((y: NDArray) => x.mul(y))(2)))(5).item()).toBe(10)
  const forward = (h: (x: NDArray) => NDArray, at: NDArray | number): NDArray =>
    jvp(h, [at as NDArray], [np.ones([])])[1]
  expect(forward((x) => x.mul(forward((y) => x.add(y), 1)), 1).item()).toBe(1)
  expect(forward((x) => x.mul(forward((y) => x.mul(y), 2)), 5).item()).toBe(10)
  expect(forward((x) => grad((y: NDArray) => x.mul(y).mul(y))(3), 5).item()).toBe(6)
  expect(grad((x: NDArray) => forward((y) => x.mul(y).mul(y), 3))(5).item()).toBe(6)
  // the same function, nested in itself, also through jit and vmap
  const cube = (x: NDArray): NDArray => x.mul(x).mul(x)
  expect(grad(grad(grad(cube)))(7).item()).toBe(6)
  expect(grad(jit(grad(jit(grad(cube)))))(7).item()).toBe(6)
  expect(
    grad((x: NDArray) => vmap((y: NDArray) => grad((z: NDArray) => z.mul(x).mul(y))(x))(np.array([1, 2])).sum())(
      5,
    ).item(),
  ).toBe(3)
})

test('jacfwd and jacrev agree, and consist of gradients', () => {
  fc.assert(
    fc.property(vector, (x) => {
      const [columns, rows] = [jacfwd(f)(x), jacrev(f)(x)]
      expectClose(columns, rows)
      expectClose(rows.get(1), grad((v: NDArray) => f(v).get(1))(x))
    }),
    { numRuns },
  )
})
test('Jacobians of trees are trees of trees', () => {
  const h = (p: { a: NDArray; b: NDArray }): { sum: NDArray; outer: NDArray } => ({
    sum: p.a.sum().add(p.b),
    outer: np.outer(p.a, p.a),
  })
  const p = { a: x64(1, 2), b: x64(3).sum() }
  const forward = jacfwd(h)(p)
  expectClose(forward, jacrev(h)(p))
  expect(forward.outer.a.shape).toEqual([2, 2, 2])
  expectClose(forward.sum, { a: x64(1, 1), b: x64(1).sum() })
})
test('Jacobians hand through what comes beside the value, and lift numbers that are not differentiated', () => {
  const pair = (x: NDArray, k: NDArray): [NDArray, { n: NDArray; sum: NDArray }] => [
    k.mul(x).mul(x),
    { n: np.array(7, { dtype: 'int32' }), sum: x.sum() },
  ]
  const x = x64(1, 2)
  for (const transform of [jacfwd, jacrev] as unknown as (typeof jacrev)[]) {
    const [jacobian, { n, sum }] = jit(transform(pair, { hasAux: true }))(x, 3)
    expectClose(jacobian, np.diag(x.mul(6)))
    expect([n.item(), sum.item()]).toEqual([7, 3])
  }
  const [curvature, x0] = hessian((y: NDArray) => [y.pow(3).sum(), y.get(0)], { hasAux: true })(x)
  expectClose(curvature, np.diag(x.mul(6)))
  expect(x0.item()).toBe(1)
  expect(() => jacrev((y: NDArray) => y.astype('int32'))(x)).toThrow('jacrev: expected a function that returns floats')
})
test('a Hessian is symmetric, and hvp multiplies by it', () => {
  fc.assert(
    fc.property(vector, vector, (x, v) => {
      const loss = (y: NDArray): NDArray => np.sin(f(y)).sum()
      const h = hessian(loss)(x)
      expectClose(h, h.T, { rtol: 1e-9, atol: 1e-9 })
      expectClose(hvp(loss, [x], [v]), h.matmul(v), { rtol: 1e-9, atol: 1e-9 })
      expectClose(jacfwd(jacfwd(loss))(x), h, { rtol: 1e-9, atol: 1e-9 })
      expectClose(jacrev(jacrev(loss))(x), h, { rtol: 1e-9, atol: 1e-9 })
    }),
    { numRuns },
  )
})
test('valueAndGrad gives both, with auxiliary results handed through', () => {
  const loss = (w: NDArray, x: NDArray): [NDArray, { out: NDArray }] => [dot(w, x), { out: w.mul(x) }]
  const [[value, aux], gradient] = valueAndGrad(loss, { hasAux: true })(np.array([1, 2]), np.array([3, 4]))
  expectClose([value, aux.out, gradient], [np.array(11), np.array([3, 8]), np.array([3, 4])])
  const both = grad((w: NDArray, x: NDArray) => dot(w, x), { argnums: [1, 0] })(np.array([1, 2]), np.array([3, 4]))
  expectClose(both, [np.array([1, 2]), np.array([3, 4])])
  expectClose(grad((w: NDArray, x: NDArray) => dot(w, x), { argnums: -1 })(np.array([1, 2]), np.array([3, 4])), [1, 2])
})
test('stopGradient holds a value constant, at every order and in both modes', () => {
  const h = (x: NDArray): NDArray => stopGradient(x).mul(x).mul(x)
  expect(grad(h)(3).item()).toBe(18)
  expect(grad(grad(h))(3).item()).toBe(6)
  expect(jvp(h, [3], [1])[1].item()).toBe(18)
  expect(jit(grad(h))(3).item()).toBe(18)
  expect(grad((x: NDArray) => stopGradient({ a: x, b: x.mul(2) }).b.mul(x))(3).item()).toBe(6)
})
test('integers have no tangents, and floats computed from them none either', () => {
  const n = np.array([1, 2], { dtype: 'int32' })
  const [out, tangent] = jvp(
    (x: NDArray, k: NDArray) => ({ y: x.mul(k), k: k.add(1) }),
    [np.array([3, 4]), n],
    [np.ones([2]), np.array([true, true])],
  )
  expect([out.k.dtype, tangent.k.dtype]).toEqual(['int32', 'bool'])
  expectClose(tangent.y, [1, 2])
  const [, pullback] = vjp((x: NDArray, k: NDArray) => x.mul(k), np.array([3, 4]), n)
  expect(pullback(np.ones([2])).map((ct) => ct.dtype)).toEqual(['float32', 'bool'])
  expectClose(grad((x: NDArray) => x.astype('int32').astype('float32').mul(3))(2), 0)
})
test('gradients at edges are finite or infinite where JAX has them so', () => {
  const at = (h: (x: NDArray) => NDArray, x: number): number => grad(h)(x).item()
  expect(at((x) => np.sqrt(x), 0)).toBe(Infinity)
  expect(at((x) => np.abs(x), 0)).toBe(1)
  expectClose(grad((x: NDArray) => np.max(x))(np.array([1, 2, 2])), [0, 0.5, 0.5])
  // the double where: the inner one keeps the division from being differentiated at zero
  const safe = (x: NDArray): NDArray => np.where(x.ne(0), np.where(x.ne(0), x, 1).pow(-1), 0)
  expect(at(safe, 0)).toBe(0)
  expect(at((x) => lax.logistic(x), 800)).toBe(0)
})
test('a function that does not depend on its argument has a gradient of zeros', () => {
  expectClose(grad((x: NDArray) => np.zeros(x.shape).sum())(np.array([1, 2])), [0, 0])
  expectClose(grad((x: NDArray) => stopGradient(np.sin(x)).sum())(np.array([1, 2])), [0, 0])
})
test('checkGrads passes on a function of several trees', () => {
  checkGrads(
    (p: { w: NDArray }, [x]: [NDArray]) => f(p.w.matmul(x)),
    [
      {
        w: np.array([
          [1, -0.5],
          [0.25, 2],
        ]),
      },
      [np.array([0.5, -1])],
    ],
  )
})
