/** Elementwise functions: arguments they refuse, laws they obey, gradients at edges. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../../array.ts'
import { DtypeError, ShapeError, TreeError } from '../../errors.ts'
import '../../setup.ts'
import { grad } from '../../transform/autodiff.ts'
import { vmap } from '../../transform/vectorize.ts'
import * as np from '../index.ts'

test('arguments that are no arrays are refused with a remedy', () => {
  expect(() => np.add([1, 2] as never, 1)).toThrow(TreeError)
  expect(() => np.add(np.ones([2]), [1, 2] as never)).toThrow(
    'add: expected an array or a number as argument 1, got a list',
  )
  expect(() => np.sin(undefined as never)).toThrow('got undefined')
  expect(() => np.sin(Promise.resolve(1) as never)).toThrow('await it first')
  expect(() => np.sin(new Float32Array(2) as never)).toThrow('np.array(values) makes an array of it')
})

test('shapes that do not broadcast are refused', () => {
  expect(() => np.add(np.ones([2]), np.ones([3]))).toThrow(ShapeError)
})

test('shapes broadcast as in NumPy', () => {
  const dims = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 })
  fc.assert(
    fc.property(dims, fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), fc.nat(3), (shape, ones, drop) => {
      const other = shape.map((dim, i) => (ones[i] ? 1 : dim)).slice(Math.min(drop, shape.length))
      const sum = np.add(np.ones(shape), np.full(other, 2))
      expect(sum.shape).toEqual(shape)
      expect(sum.dataSync().every((value) => value === 3)).toBe(true)
    }),
  )
})

test('integers beyond those of 32 bits are refused beside integer arrays', () => {
  expect(() => np.arange(2).add(3e9)).toThrow(DtypeError)
  expect(np.array([1], { dtype: 'uint32' }).add(3e9).toArray()).toEqual([3000000001])
})

test('a product of quotient and divisor and the remainder is the dividend', () => {
  const whole = fc.integer({ min: -1000, max: 1000 })
  fc.assert(
    fc.property(
      whole,
      whole.filter((y) => y !== 0),
      (x, y) => {
        const [q, r] = np.divmod(np.array([x], { dtype: 'int32' }), np.array([y], { dtype: 'int32' }))
        expect(q.mul(y).add(r).toArray()).toEqual([x])
        expect(r.item() === 0 || Math.sign(r.item()) === Math.sign(y)).toBe(true)
        expect(q.item()).toBe(Math.floor(x / y))
      },
    ),
  )
})

test('ldexp undoes frexp', () => {
  fc.assert(
    fc.property(
      fc.float({ noNaN: true, noDefaultInfinity: true }).filter((x) => x === 0 || Math.abs(x) > 1e-37),
      (x) => {
        const [mantissa, exponent] = np.frexp(x)
        expect(np.ldexp(mantissa, exponent).item()).toBe(x)
        expect(x === 0 || (Math.abs(mantissa.item()) >= 0.5 && Math.abs(mantissa.item()) < 1)).toBe(true)
      },
    ),
  )
})

test('gcd divides both numbers and is divided by every common divisor', () => {
  const natural = fc.integer({ min: 0, max: 500 })
  fc.assert(
    fc.property(natural, natural, natural, (a, b, c) => {
      const [x, y] = [a * c, b * c].map((n) => np.array([n], { dtype: 'int32' })) as [NDArray, NDArray]
      const divisor = np.gcd(x, y).item()
      if (divisor === 0) {
        expect([a * c, b * c]).toEqual([0, 0])
      } else {
        expect([(a * c) % divisor, (b * c) % divisor, divisor % c]).toEqual([0, 0, 0])
      }
    }),
    { numRuns: 30 },
  )
  expect(() => np.gcd(1.5, 2)).toThrow(DtypeError)
})

test('integer powers of integers stay integers, negative ones are refused', () => {
  expect(np.power(np.arange(4), 3).toArray()).toEqual([0, 1, 8, 27])
  expect(np.power(np.arange(4), 3).dtype).toBe('int32')
  expect(() => np.power(np.arange(4), -1)).toThrow(DtypeError)
})

test('gradients are finite at edges', () => {
  expect(grad((x) => np.sinc(x))(0).item()).toBe(0)
  expect(grad(grad((x) => np.sinc(x)))(0).item()).toBeCloseTo(-(Math.PI ** 2) / 3, 5)
  expect(grad((x) => np.logaddexp(x, 0))(-Infinity).item()).toBe(0)
  expect(grad((x) => np.logaddexp(x, x))(Infinity).item()).toBe(2)
  expect(grad((x) => np.where(x.gt(0), np.log(np.where(x.gt(0), x, 1)), 0))(0).item()).toBe(0)
  expect(grad((x) => np.hypot(x, 0))(0).item()).toBe(0.5)
  expect(grad((x) => np.abs(x))(0).item()).toBe(1)
  expect(grad((x) => np.maximum(x, 0))(0).item()).toBe(0.5)
})

test('mapped functions equal those of whole arrays', () => {
  const x = np.linspace(-2, 2, 7)
  for (const f of [
    np.sinc,
    np.i0,
    np.floor,
    np.signbit,
    (y: NDArray) => np.frexp(y)[0],
    (y: NDArray) => np.clip(y, -1, 1),
  ]) {
    expect(vmap(f)(x).toArray()).toEqual(f(x).toArray())
  }
  const [a, b] = [np.arange(12, 15), np.arange(3, 6)]
  expect(vmap((y: NDArray, z: NDArray) => np.gcd(y, z))(a, b).toArray()).toEqual(np.gcd(a, b).toArray())
})
