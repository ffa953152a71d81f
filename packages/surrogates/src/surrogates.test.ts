/** Spike functions: the step, the surrogates' formulas, and how they behave under transformations. */
import {
  type DType,
  type NDArray,
  OptionError,
  grad,
  jit,
  jvp,
  makeJaxpr,
  np,
  valueAndGrad,
  vjp,
  vmap,
} from '@fluxion/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Activation,
  arctan,
  boxcar,
  custom,
  heaviside,
  sigmoid,
  straightThrough,
  superspike,
  tanh,
  triangular,
} from './index.ts'

interface Row {
  readonly name: string
  readonly make: (options?: { k?: number }) => Activation
  /** The derivative, and its default steepness. */
  readonly g: (x: number, k: number) => number
  readonly k: number
  readonly peak: number
}
const logistic = (x: number): number => 1 / (1 + Math.exp(-x))
const rows: readonly Row[] = [
  { name: 'straightThrough', make: () => straightThrough(), g: () => 1, k: 1, peak: 1 },
  { name: 'superspike', make: superspike, g: (x, k) => 1 / (1 + k * Math.abs(x)) ** 2, k: 25, peak: 1 },
  { name: 'arctan', make: arctan, g: (x, k) => 1 / (Math.PI * (1 + (Math.PI * k * x) ** 2)), k: 2, peak: 1 / Math.PI },
  { name: 'tanh', make: tanh, g: (x, k) => Math.cosh(k * x) ** -2, k: 1, peak: 1 },
  { name: 'triangular', make: triangular, g: (x, k) => Math.max(0, 1 - Math.abs(k * x)), k: 0.5, peak: 1 },
  { name: 'sigmoid', make: sigmoid, g: (x, k) => logistic(k * x) * logistic(-k * x), k: 4, peak: 0.25 },
  { name: 'boxcar', make: () => boxcar(), g: (x) => (Math.abs(x) < 1 ? 0.5 : 0), k: 1, peak: 0.5 },
]
const steep = rows.filter(({ name }) => name !== 'straightThrough' && name !== 'boxcar')
const derivative = (spike: Activation, x: NDArray): NDArray => vjp(spike, x)[1](np.onesLike(x))[0]
const dyadic = fc.integer({ min: -64, max: 64 }).map((n) => n / 16)

test('a membrane exactly at the threshold does not spike', () => {
  expect(heaviside(np.array([-1, -0.01, 0, -0, 0.01, 1])).toArray()).toEqual([0, 0, 0, 0, 1, 1])
  expect(heaviside(np.array([NaN, Infinity, -Infinity])).toArray()).toEqual([0, 1, 0])
})

describe.each(rows)('$name', ({ make, g, k, peak }) => {
  test('is the step forwards, for every number', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 1 }), (xs) => {
        expect(make()(np.array(xs)).toArray()).toEqual(xs.map((x) => (x > 0 ? 1 : 0)))
      }),
    )
  })
  test('has its derivative by default, with its peak at 0', () => {
    expect(derivative(make(), np.array([0])).item()).toBeCloseTo(peak, 6)
    fc.assert(
      fc.property(dyadic, (x) => {
        const got = derivative(make(), np.array([x])).item()
        expect(Math.abs(got - g(x, k))).toBeLessThanOrEqual(1e-6 + 1e-5 * g(x, k))
      }),
    )
  })
  test('is finite however far from the threshold', () => {
    for (const x of [1e30, -1e30, 3e4, -3e4])
      expect(Number.isFinite(derivative(make(), np.array([x])).item())).toBe(true)
  })
  test.each<DType>(['float16', 'bfloat16', 'float32'])(
    'keeps %s in its result and in both modes of differentiation',
    (dtype) => {
      const x = np.array([-0.5, 0, 0.5], { dtype })
      const spike = make()
      const [out, tangent] = jvp(spike, [x], [np.onesLike(x)])
      expect([out.dtype, tangent.dtype, derivative(spike, x).dtype]).toEqual([dtype, dtype, dtype])
      expect(derivative(spike, x).toArray()).toEqual(tangent.toArray())
      expect(jit(spike)(x).dtype).toBe(dtype)
      // a threshold that is a bare number does not widen a half membrane
      expect(spike(x.sub(1)).dtype).toBe(dtype)
    },
  )
  test('agrees under jit, vmap and both orders of them', () => {
    const x = np.array([
      [-1, 0.25],
      [0.5, 0],
    ])
    const spike = make()
    const f = (v: NDArray) => grad((u: NDArray) => np.sum(spike(u).mul(3)))(v)
    const expected = f(x).toArray()
    for (const g of [jit(f), vmap(f), jit(vmap(f)), vmap(jit(f)), vmap(vmap(f))])
      expect(g(x).toArray()).toEqual(expected)
  })
  test('has the derivative of its surrogate as second derivative', () => {
    const spike = make()
    const second = grad(grad((x: NDArray) => spike(x)))
    for (const x of [-0.8, -0.3, 0.3, 0.8]) {
      const h = 1e-5
      const slope = (g(x + h, k) - g(x - h, k)) / (2 * h)
      expect(second(x).item()).toBeCloseTo(slope, 3)
      expect(jit(second)(x).item()).toBeCloseTo(slope, 3)
    }
  })
})

test.each(steep)('$name takes its steepness, and refuses one that is none', ({ make, g }) => {
  expect(derivative(make({ k: 3 }), np.array([0.2])).item()).toBeCloseTo(g(0.2, 3), 5)
  for (const k of [0, -1, NaN, Infinity]) expect(() => make({ k })).toThrow(OptionError)
  expect(() => make({ slope: 1 } as never)).toThrow("expected known options, got 'slope'")
})
test('boxcar is open at its edges, and takes its width and height', () => {
  expect(derivative(boxcar(), np.array([-1, 0, 1])).toArray()).toEqual([0, 0.5, 0])
  expect(derivative(boxcar({ width: 4, height: 0.25 }), np.array([-2, 1.5, 2])).toArray()).toEqual([0, 0.25, 0])
  expect(() => boxcar({ width: 0 })).toThrow('boxcar: expected a positive width, got 0')
})

test('a spike function of one`s own takes its derivative from bwd and its values from fwd', () => {
  const spike = custom({ fwd: (x) => np.greaterEqual(x, 0).astype(x.dtype), bwd: (x) => x.mul(2) })
  expect(spike(np.array([-1, 0])).toArray()).toEqual([0, 1])
  expect(valueAndGrad(spike)(1.5).map((x) => x.item())).toEqual([1, 3])
  expect(() => custom({ backward: () => np.array(1) } as never)).toThrow(OptionError)
})
test('a derivative that is wider than the membrane does not widen the gradient', () => {
  const spike = custom({ bwd: () => np.array(0.5) })
  const x = np.array([1, 2], { dtype: 'float16' })
  expect(derivative(spike, x).dtype).toBe('float16')
  expect(derivative(spike, x).toArray()).toEqual([0.5, 0.5])
})
test('the rule stays visible in a program, so that jit before grad uses it', () => {
  expect(String(makeJaxpr(straightThrough())(np.array([1])))).toContain('custom_jvp_call')
  expect(grad(jit(straightThrough()))(-1).item()).toBe(1)
})
