/** Functions with parameters, keys and state as pairs of pure functions, and what is said when they are misused. */
import { type NDArray, ShapeError, TreeError, grad, jit, lax, np, random, tree, vmap } from '@fluxion/core'
import { expect, test } from 'vitest'
import * as hk from './index.ts'

const key = random.key(0)
const { ones, zeros, randomNormal } = hk.initializers
const x = np.ones([2, 3])

test('what needs a transformed function says so outside of one', () => {
  const outside: readonly (() => unknown)[] = [
    () => hk.getParameter('w', [1], { init: ones }),
    () => hk.getState('w', [1], { init: ones }),
    () => hk.setState('w', 1),
    () => hk.linear(3),
    () => hk.nextRngKey(),
    () => hk.nextRngKeys(2),
    () => hk.maybeNextRngKey(),
    () => hk.reserveRngKeys(1),
    () => hk.withRng(key, () => 0),
    () => hk.runningInit(),
    () => hk.nameScope('a', () => 0),
    () => hk.scan((c) => [c, c], 0, x),
  ]
  for (const f of outside) {
    expect(f).toThrow(hk.ModuleError)
    expect(f).toThrow(
      'must be called inside of a function that is being transformed\nhint: wrap the function in hk.transform',
    )
  }
})
test('a function that throws leaves no trace of itself', () => {
  const net = hk.transform((y: NDArray) => {
    hk.linear(2)(y)
    throw new Error('mine')
  })
  expect(() => net.init(key, x)).toThrow('mine')
  expect(() => hk.linear(3)).toThrow(hk.ModuleError)
  expect(Object.keys(hk.transform((y: NDArray) => hk.linear(2)(y)).init(key, x))).toEqual(['linear'])
})

test('apply runs with the parameters that it is given, and says which one is missing', () => {
  const net = hk.withoutApplyRng(hk.transform((y: NDArray) => hk.linear(2, { wInit: ones })(y)))
  const params = net.init(key, x)
  expect(net.apply(params, x).toArray()).toEqual([
    [3, 3],
    [3, 3],
  ])
  expect(() => net.apply({ linear: { w: params['linear']!['w']! } }, x)).toThrow(hk.ModuleError)
  expect(() => net.apply({ linear: { w: params['linear']!['w']! } }, x)).toThrow(
    "there is no 'linear/b' in the given params, which have linear/w",
  )
  expect(() => net.apply({}, x)).toThrow("there is no 'linear/w' in the given params, which have none")
  // parameters of other functions are no harm
  expect(net.apply({ ...params, other: { w: np.ones([1]) } }, x).shape).toEqual([2, 2])
})
test('parameters of another shape are an error that names both', () => {
  const net = hk.withoutApplyRng(hk.transform((y: NDArray) => hk.linear(2)(y)))
  const params = net.init(key, x)
  expect(() => net.apply(params, np.ones([2, 4]))).toThrow(ShapeError)
  expect(() => net.apply(params, np.ones([2, 4]))).toThrow("expected 'linear/w' of shape (4,2), got (3,2)")
  const twice = hk.transform(() =>
    hk.getParameter('w', [1], { init: zeros }).add(hk.getParameter('w', [2], { init: zeros })),
  )
  expect(() => twice.init(key)).toThrow("expected '~/w' of shape (2), got (1)")
})
test('a parameter is made once, and needs an initialiser that gives its shape', () => {
  let made = 0
  const counted: hk.Initializer = (shape, dtype) => {
    made++
    return zeros(shape, dtype)
  }
  const net = hk.transform(() =>
    hk.getParameter('w', [2], { init: counted }).add(hk.getParameter('w', [2], { init: counted })),
  )
  const params = net.init(key)
  net.apply(params, null)
  expect(made).toBe(1)
  expect(() => hk.transform(() => hk.getParameter('w', [2])).init(key)).toThrow(
    "'~/w' is made here and needs an initialiser",
  )
  expect(() => hk.transform(() => hk.getParameter('w', [2], { init: () => zeros([3], 'float32') })).init(key)).toThrow(
    "expected '~/w' of shape (2), got (3)",
  )
  expect(() => hk.transform(() => hk.getParameter('w', [2], { init: (() => 0) as never })).init(key)).toThrow(
    'gave no array',
  )
  expect(() => hk.transform(() => hk.getParameter('w', [2], { initialiser: zeros } as never)).init(key)).toThrow(
    "expected known options, got 'initialiser'",
  )
})

test('a result depends on the arguments only, however often and in whatever order it is asked for', () => {
  const net = hk.transform((y: NDArray) =>
    hk
      .linear(2)(hk.linear(3)(y))
      .add(random.normal(hk.nextRngKey(), [2, 2])),
  )
  const params = net.init(key, x)
  const first = net.apply(params, random.key(1), x).toArray()
  net.apply(params, random.key(2), x)
  const jitted = jit(net.apply)
  expect(np.allclose(jitted(params, random.key(1), x), np.array(first), { atol: 1e-6 }).item()).toBe(1)
  expect(net.apply(params, random.key(1), x).toArray()).toEqual(first)
  expect(tree.map((leaf) => leaf.toArray(), net.init(key, x))).toEqual(tree.map((leaf) => leaf.toArray(), params))
})
test('init and apply are functions for every transformation', () => {
  const net = hk.withoutApplyRng(hk.transform((y: NDArray) => hk.linear(1)(y).sum()))
  const params = jit(net.init)(key, x)
  expect(params['linear']!['w']!.toArray()).toEqual(net.init(key, x)['linear']!['w']!.toArray())
  expect(grad(net.apply)(params, x)['linear']!['w']!.toArray()).toEqual([[2], [2], [2]])
  const ensemble = vmap(net.init, { inAxes: [0, null] })(random.split(key, 4), x)
  expect(ensemble['linear']!['w']!.shape).toEqual([4, 3, 1])
  expect(vmap(net.apply, { inAxes: [0, null] })(ensemble, x).shape).toEqual([4])
})
test('transformed functions may be used inside of one another', () => {
  const inner = hk.withoutApplyRng(hk.transform((y: NDArray) => hk.linear(2)(y)))
  const own = inner.init(key, x)
  const outer = hk.withoutApplyRng(hk.transform((y: NDArray) => hk.linear(2)(inner.apply(own, y))))
  const params = outer.init(key, x)
  expect(params['linear']!['w']!.shape).toEqual([2, 2])
  expect(outer.apply(params, x).shape).toEqual([2, 2])
})

test('a key is a key or null', () => {
  const net = hk.transform((y: NDArray) => hk.linear(2)(y))
  expect(() => net.init(0 as never, x)).toThrow(
    'init: expected a key u32[2] or null, got number\nhint: random.key(seed)',
  )
  expect(() => net.init(x, x)).toThrow('init: expected a key u32[2] or null, got f32[2,3]')
  const params = net.init(key, x)
  expect(() => net.apply(params, x, x)).toThrow(ShapeError)
  expect(() => net.apply(key as never, null, x)).toThrow(TreeError)
  expect(() => net.apply(key as never, null, x)).toThrow(
    'expected parameters, a record of modules, got u32[2]\nhint: parameters come first: apply(params, …)',
  )
  const random2 = hk.transform(() => hk.nextRngKey())
  expect(() => random2.apply({}, null)).toThrow('nextRngKey: expected a random key, got null')
  expect(() => net.init(null, x)).toThrow('nextRngKey: expected a random key')
  expect(
    hk.transform(() => [hk.maybeNextRngKey(), hk.runningInit() ? np.ones([]) : np.zeros([])]).apply({}, null)[0],
  ).toBe(null)
})
test('withoutApplyRng leaves out the key of both kinds of functions', () => {
  const plain = hk.withoutApplyRng(hk.transform((y: NDArray, z: NDArray) => y.add(z)))
  expect(plain.apply({}, np.array(1), np.array(2)).item()).toBe(3)
  const kept = hk.withoutApplyRng(hk.transformWithState((y: NDArray) => y.add(hk.getState('s', [], { init: ones }))))
  const [params, state] = kept.init(null, np.array(1))
  expect(kept.apply(params, state, np.array(1))[0].item()).toBe(2)
})

test('state goes in and comes out: init gives what it starts from, apply what it became', () => {
  const net = hk.transformWithState((y: NDArray) => {
    const count = hk.getState('count', [], { dtype: 'int32', init: zeros })
    hk.setState('count', count.add(1))
    return y.mul(hk.getState('count'))
  })
  const [params, state] = net.init(null, np.array(1))
  expect(state['~']!['count']!.item()).toBe(0)
  const [once, after] = net.apply(params, state, null, np.array(5))
  const [twice, last] = net.apply(params, after, null, np.array(5))
  expect([once.item(), twice.item(), last['~']!['count']!.item(), state['~']!['count']!.item()]).toEqual([5, 10, 2, 0])
  expect(() => net.apply(params, {}, null, np.array(1))).not.toThrow()
  const reads = hk.transformWithState(() => hk.getState('count'))
  expect(() => reads.apply({}, {}, null)).toThrow("there is no '~/count' in the given state, which have none")
})
test('state under transform is an error that names the remedy', () => {
  const net = hk.transform((y: NDArray) => y.add(hk.getState('s', [], { init: zeros })))
  expect(() => net.init(key, x)).toThrow('transform: the function keeps state (~)\nhint: use hk.transformWithState')
  expect(() => net.apply({}, key, x)).toThrow(hk.ModuleError)
  const stateless = hk.withoutState(hk.transformWithState((y: NDArray) => hk.linear(2)(y)))
  expect(Object.keys(stateless.init(key, x))).toEqual(['linear'])
  expect(stateless.apply(stateless.init(key, x), null, x).shape).toEqual([2, 2])
})

test('a parameter that would leak from a loop is an error that names the remedy', () => {
  const net = hk.transform(
    (y: NDArray) => lax.scan((c: NDArray, row: NDArray) => [c, hk.linear(2)(row)], np.zeros([]), y)[1],
  )
  expect(() => net.init(key, x)).toThrow(hk.ModuleError)
  expect(() => net.init(key, x)).toThrow("'linear/w' is made inside of a function that")
  expect(() => net.init(key, x)).toThrow('hint: use hk.scan')
  // where parameters are given, an ordinary loop will do
  const params = hk.transform((y: NDArray) => hk.linear(2)(y)).init(key, x)
  expect(net.apply(params, null, x).shape).toEqual([2, 2])
})

test('randomNormal, uniform and truncated initialisers want floats, and say where integers come from', () => {
  for (const init of [
    randomNormal(),
    hk.initializers.randomUniform(),
    hk.initializers.truncatedNormal(),
    hk.initializers.orthogonal(),
  ]) {
    const net = hk.transform(() => hk.getParameter('w', [3, 2], { dtype: 'uint8', init }))
    expect(() => net.init(key)).toThrow('expected a floating dtype for a parameter of shape (3,2), got uint8')
    expect(() => net.init(key)).toThrow(
      "hint: parameters take the dtype of their input: convert it (x.astype('float32')), or set a policy",
    )
  }
})
test('uniform scaling keeps to its bound, and fans are of the axes that are named', () => {
  const make = (shape: readonly number[], init: hk.Initializer): NDArray =>
    hk.transform(() => hk.getParameter('w', shape, { init })).init(key)['~']!['w']!
  const w = make([4, 3, 50], hk.initializers.uniformScaling(2))
  expect(w.abs().max().item()).toBeLessThanOrEqual(1)
  expect(w.abs().max().item()).toBeGreaterThan(0.9)
  const fan = (fanInAxes: number[]) =>
    make([2, 3, 200], hk.initializers.varianceScaling({ fanInAxes, distribution: 'uniform' }))
      .abs()
      .max()
      .item()
  expect(fan([0])).toBeCloseTo(Math.sqrt(3 / 2), 1)
  expect(fan([0, 1])).toBeCloseTo(Math.sqrt(3 / 6), 1)
  expect(() => make([3], hk.initializers.identity())).toThrow(ShapeError)
  expect(() => make([3], hk.initializers.orthogonal())).toThrow('expected a shape of two axes at least')
  expect(make([2, 2, 3], hk.initializers.identity()).get(1).toArray()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
  ])
})
