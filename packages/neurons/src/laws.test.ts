/** What holds for every neuron: rest, delay, batching, decays, states, gradients, names of parameters, errors. */
import { type NDArray, OptionError, type Shape, ShapeError, grad, jit, np, random, tree, vmap } from '@fluxion/core'
import * as hk from '@fluxion/modules'
import { arctan } from '@fluxion/surrogates'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type NeuronOptions, alif, cuBaLIF, integrateAndFire, li, lif, rCuBaLIF, rif, rlif } from './index.ts'

type Make = (shape: Shape, options?: NeuronOptions) => hk.Core<NDArray>
interface Row {
  readonly name: string
  readonly make: Make
  /** Parameters in the order in which they are made. */
  readonly params: readonly string[]
  readonly variables: number
  /** Whether neurons know of one another, so that their shape has one axis. */
  readonly dense?: true
  readonly moduleName: string
}
const rows: readonly Row[] = [
  {
    name: 'integrateAndFire',
    make: integrateAndFire,
    params: [],
    variables: 1,
    moduleName: 'IF',
  },
  { name: 'lif', make: lif, params: ['beta'], variables: 1, moduleName: 'LIF' },
  {
    name: 'rif',
    make: rif,
    params: ['w'],
    variables: 1,
    dense: true,
    moduleName: 'RIF',
  },
  { name: 'rlif', make: rlif, params: ['w', 'beta'], variables: 1, moduleName: 'RLIF' },
  {
    name: 'dense rlif',
    make: (shape, options) => rlif(shape, { ...options, recurrence: 'dense' }),
    params: ['w', 'beta'],
    variables: 1,
    dense: true,
    moduleName: 'RLIF',
  },
  { name: 'alif', make: alif, params: ['gamma', 'beta'], variables: 2, moduleName: 'ALIF' },
  { name: 'cuBaLIF', make: cuBaLIF, params: ['alpha', 'beta'], variables: 2, moduleName: 'CuBaLIF' },
  {
    name: 'rCuBaLIF',
    make: rCuBaLIF,
    params: ['w', 'alpha', 'beta'],
    variables: 2,
    dense: true,
    moduleName: 'RCuBaLIF',
  },
  {
    name: 'elementwise rCuBaLIF',
    make: (shape, options) => rCuBaLIF(shape, { ...options, recurrence: 'elementwise' }),
    params: ['w', 'alpha', 'beta'],
    variables: 2,
    moduleName: 'RCuBaLIF',
  },
]

/** A layer run over time: spikes and last state of inputs f[time, batch, ...shape]. */
const layer = (make: Make, shape: Shape, options: NeuronOptions = {}) =>
  hk.withoutApplyRng(
    hk.transform((x: NDArray) => {
      const core = make(shape, { activation: arctan(), ...options })
      const batched = x.ndim === shape.length + 2
      return hk.dynamicUnroll(core, x, core.initialState(batched ? x.shape[1] : null))
    }),
  )
const key = random.key(3)
/** Multiples of 1/8, whose sums are exact in any order. */
const inputs = (shape: Shape, seed = 0): NDArray =>
  random.randint(random.key(seed), shape, -8, 25).astype('float32').div(8)

describe.each(rows)('$name', ({ name, make, params: names, variables, dense, moduleName }) => {
  const net = layer(make, [3])
  const x = inputs([6, 4, 3])
  const params = net.init(key, x)

  test('has its parameters under its name, in order', () => {
    expect(Object.keys(params)).toEqual(names.length === 0 ? [] : [moduleName])
    expect(Object.keys(params[moduleName] ?? {})).toEqual(names)
  })
  test('rests at zero: its first output has no spikes, whatever comes in', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 3, maxLength: 3 }), (xs) => {
        const [spikes] = net.apply(params, np.array([xs]))
        expect(spikes.toArray()).toEqual([[0, 0, 0]])
      }),
      { numRuns: 20 },
    )
  })
  test('spikes zeros and ones, of which there are some', () => {
    const [spikes] = net.apply(params, x)
    expect(new Set(spikes.dataSync())).toEqual(new Set([0, 1]))
  })
  test('measures membranes by their threshold: with it, all that enters them may be scaled', () => {
    // T of ALIF is no membrane: it is a part of the threshold that spikes alone drive
    if (moduleName === 'ALIF') return
    const scaled = layer(make, [3], { threshold: 2 })
    const weights = params[moduleName] ?? {}
    const twice = names.includes('w') ? { [moduleName]: { ...weights, w: weights['w']!.mul(2) } } : params
    const [spikes, state] = net.apply(params, x)
    const [same, double] = scaled.apply(twice, x.mul(2))
    expect(same.toArray()).toEqual(spikes.toArray())
    expect(double.toArray()).toEqual(state.mul(2).toArray())
  })
  test('treats a batch as a loop over its samples', () => {
    const [spikes, state] = net.apply(params, x)
    for (let i = 0; i < 4; i++) {
      const [one, own] = net.apply(params, x.get(':', i))
      expect(one.toArray()).toEqual(spikes.get(':', i).toArray())
      expect(np.allclose(own, state.get(i), { atol: 1e-6 }).item()).toBe(1)
    }
    const mapped = vmap((each: NDArray) => net.apply(params, each), { inAxes: 1, outAxes: [1, 0] })(x)
    expect(mapped[0].toArray()).toEqual(spikes.toArray())
  })
  test('has a state of the shape that fits, with several variables along the last axis only', () => {
    const shapes = dense === true ? [[3]] : [[3], [2, 3], [2, 1, 3]]
    for (const shape of shapes) {
      const own = [...shape.slice(0, -1), variables * 3]
      const wide = layer(make, shape)
      const batched = inputs([5, 2, ...shape])
      const [spikes, state] = wide.apply(wide.init(key, batched), batched)
      expect([spikes.shape, state.shape]).toEqual([
        [5, 2, ...shape],
        [2, ...own],
      ])
      const single = inputs([5, ...shape])
      expect(wide.apply(wide.init(key, single), single)[1].shape).toEqual(own)
    }
  })
  test('treats a shape of several axes as that many neurons in a row', () => {
    if (dense === true) return
    const square = layer(make, [2, 3])
    const xs = inputs([6, 4, 2, 3])
    const p = square.init(key, xs)
    const flat = tree.map((leaf: NDArray) => leaf.reshape([6]), p)
    const [expected] = layer(make, [6]).apply(flat, xs.reshape([6, 4, 6]))
    expect(square.apply(p, xs)[0].reshape([6, 4, 6]).toArray()).toEqual(expected.toArray())
  })
  test.each(['hardSigmoid', 'clip'] as const)(
    'has finite gradients for inputs and parameters, with %s decays',
    (decay) => {
      const options: NeuronOptions = names.some((param) => param !== 'w') ? { decay } : {}
      const learnt = layer(make, [3], options)
      const p = learnt.init(key, x)
      const loss = (q: hk.Params, y: NDArray) => np.sum(np.square(learnt.apply(q, y)[0].mean({ axis: 0 }).sub(0.3)))
      const both = grad(loss, { argnums: [0, 1] })(p, x)
      const jitted = jit(grad(loss, { argnums: [0, 1] }))(p, x)
      expect(tree.leaves(both).every((leaf) => np.isfinite(leaf).all().item() === 1)).toBe(true)
      expect(np.any(np.notEqual(both[1], 0)).item()).toBe(1)
      const same = tree.map((a: NDArray, b: NDArray) => np.allclose(a, b, { rtol: 1e-4, atol: 1e-6 }), both, jitted)
      expect(tree.leaves(same).every((leaf) => leaf.item() === 1)).toBe(true)
    },
  )
  test('says which shape it wants of an input and of a state', () => {
    expect(() => net.apply(params, inputs([2, 4, 5]))).toThrow(ShapeError)
    expect(() => net.apply(params, inputs([2, 4, 5]))).toThrow('expected an input of shape […,3], got f32[4,5]')
    const wrong = hk.transform((y: NDArray) => make([3])(y, np.zeros([4, 5]))[0])
    expect(() => wrong.init(key, inputs([4, 3]))).toThrow(
      `expected a state of shape […,${3 * variables}], got f32[4,5]`,
    )
  })
  test('says that it wants a state', () => {
    const none = hk.transform((y: NDArray) => make([3])(y, undefined as never)[0])
    expect(() => none.init(key, inputs([4, 3]))).toThrow('expected a state that is an array, got undefined')
  })
  test('refuses options that it does not have', () => {
    const bad =
      (options: object, shape: unknown = [3]) =>
      () =>
        hk.transform((y: NDArray) => make(shape as Shape, options as NeuronOptions)(y, y)[0]).init(key, np.ones([3]))
    expect(bad({ tau: 2 })).toThrow(OptionError)
    expect(bad({ threshold: NaN })).toThrow('expected a finite threshold, got NaN')
    expect(bad({ activation: 'arctan' })).toThrow('expected a function as activation')
    expect(bad({}, 3.5)).toThrow(OptionError)
    expect(bad({}, [-3])).toThrow('expected the shape of one sample, such as [128], got [-3]')
    if (names.includes('beta')) {
      expect(bad({ decay: 'exp' })).toThrow("expected decay 'hardSigmoid' or 'clip', got 'exp'")
      expect(bad({ beta: NaN })).toThrow('expected a finite number as beta')
    }
    if (names.includes('w') && !name.includes(' '))
      expect(bad({ recurrence: 'full' })).toThrow("expected recurrence 'elementwise' or 'dense'")
    if (variables === 2) expect(bad({}, [])).toThrow('expected a shape of one axis at least')
    if (dense === true) expect(bad({}, [2, 3])).toThrow('expected a shape of one axis for dense recurrence, got [2,3]')
  })
})

test('resets by subtraction: the membrane keeps what is beyond the threshold', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 }), (eighths) => {
      const net = layer(integrateAndFire, [1])
      const x = np.array(eighths.map((n) => [n / 8]))
      const [spikes, v] = net.apply({}, x)
      // nothing is lost: what came in is spikes times the threshold and what is left
      expect(spikes.sum().item() + v.item()).toBe(eighths.reduce((sum, n) => sum + n, 0) / 8)
    }),
  )
})
test('a learnt decay is a factor from 0 to 1, whatever its parameter', () => {
  fc.assert(
    fc.property(
      fc.float({ min: -1e4, max: 1e4, noNaN: true }),
      fc.constantFrom('hardSigmoid', 'clip'),
      (raw, decay) => {
        const net = hk.withoutApplyRng(
          hk.transform((v: NDArray) => lif([1], { threshold: 1e9, decay: decay as 'clip' })(np.zeros([1]), v)[1]),
        )
        const factor = net.apply({ LIF: { beta: np.array([raw]) } }, np.array([1])).item()
        const expected = decay === 'clip' ? Math.min(Math.max(raw, 0), 1) : Math.min(Math.max(raw + 3, 0), 6) / 6
        expect(factor).toBeCloseTo(expected, 6)
      },
    ),
  )
})
test('a given decay is a constant with hardSigmoid, and a scalar parameter that starts there with clip', () => {
  const init = (options: NeuronOptions & { beta: number; alpha: number }) =>
    layer((shape, rest) => cuBaLIF(shape, { ...rest, ...options }), [3]).init(key, inputs([2, 4, 3]))
  expect(init({ beta: 0, alpha: 0.5 })).toEqual({})
  const clipped = init({ beta: 0, alpha: 0.5, decay: 'clip' })['CuBaLIF']!
  expect([clipped['alpha']!.shape, clipped['alpha']!.item(), clipped['beta']!.item()]).toEqual([[], 0.5, 0])
})
test('li integrates without spikes, and learns its decay only with clip', () => {
  const net = (options: object) =>
    hk.withoutApplyRng(hk.transform((x: NDArray) => hk.dynamicUnroll(li([2], options), x, np.zeros([2]))))
  const x = np.array([
    [1, 2],
    [0, 0],
  ])
  expect(net({}).init(key, x)).toEqual({})
  expect(
    np
      .allclose(
        net({}).apply({}, x)[0],
        np.array([
          [1, 2],
          [0.8, 1.6],
        ]),
      )
      .item(),
  ).toBe(1)
  const learnt = net({ decay: 'clip' }).init(key, x)
  expect(learnt['LI']!['beta']!.toArray()).toEqual(np.full([2], 0.8).toArray())
  expect(net({ decay: 'clip', beta: 0.5 }).init(key, x)['LI']!['beta']!.shape).toEqual([])
})
test('cuBaLIF subtracts its reset once, before the leak', () => {
  const net = hk.withoutApplyRng(
    hk.transform((x: NDArray, s: NDArray) => cuBaLIF([1], { alpha: 0.9, beta: 0.8 })(x, s)),
  )
  const [spikes, state] = net.apply({}, np.array([0.3]), np.array([2, 0.5]))
  expect(spikes.item()).toBe(1)
  expect(np.allclose(state, np.array([1.55, 0.75]), { atol: 1e-6 }).item()).toBe(1)
})
test('alif raises its threshold with its spikes, and lets it fall', () => {
  const net = hk.withoutApplyRng(
    hk.transform((x: NDArray, s: NDArray) => alif([1], { beta: 0.5, gamma: 0.75, threshold: 0.75 })(x, s)),
  )
  const [spikes, state] = net.apply({}, np.array([1]), np.array([2, 0.5]))
  // V ← 0.5 · 2 + 1 − 1.25; T ← 0.75 · 0.5 + 0.25
  expect([spikes.item(), state.toArray()]).toEqual([1, [0.75, 0.625]])
  const [silent, after] = net.apply({}, np.array([0]), np.array([1.25, 0.5]))
  expect([silent.item(), after.toArray()]).toEqual([0, [0.625, 0.375]])
})
