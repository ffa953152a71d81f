/** Laws of softmax and its kin, with masks, batches and second derivatives. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import '../setup.ts'
import type { NDArray } from '../array.ts'
import { jit } from '../control/jitted.ts'
import { DtypeError } from '../errors.ts'
import * as lax from '../lax/index.ts'
import * as np from '../numpy/index.ts'
import { grad, jvp } from '../transform/autodiff.ts'
import { vmap } from '../transform/vectorize.ts'
import * as nn from './index.ts'

const close = (a: NDArray, b: NDArray): boolean => np.allclose(a, b, { rtol: 1e-5, atol: 1e-6 }).item() === 1
const vectors = fc
  .array(fc.integer({ min: -80, max: 80 }), { minLength: 1, maxLength: 8 })
  .map((values) => np.array(values.map((x) => x / 8)))

test('softmax is the exponential of logSoftmax, and sums to one', () => {
  fc.assert(
    fc.property(vectors, (x) => {
      expect(close(nn.softmax(x), np.exp(nn.logSoftmax(x)))).toBe(true)
      expect(np.sum(nn.softmax(x)).item()).toBeCloseTo(1, 5)
    }),
  )
})

test('adding a number changes logsumexp by that number, and softmax not at all', () => {
  fc.assert(
    fc.property(vectors, fc.integer({ min: -1000, max: 1000 }), (x, shift) => {
      expect(close(nn.logsumexp(np.add(x, shift)), np.add(nn.logsumexp(x), shift))).toBe(true)
      expect(close(nn.softmax(np.add(x, shift)), nn.softmax(x))).toBe(true)
    }),
  )
})

test('the gradient of logsumexp is softmax', () => {
  fc.assert(
    fc.property(vectors, (x) => {
      expect(close(grad((v) => nn.logsumexp(v))(x), nn.softmax(x))).toBe(true)
    }),
  )
})

test('a mask is the same as leaving elements out, for values and gradients', () => {
  const x = np.array([1, 50, 2, 3])
  const where = np.array([true, false, true, true])
  const weights = np.array([1, 7, -2, 3])
  const f = (v: NDArray) => np.sum(np.multiply(nn.softmax(v, { where }), weights))
  const few = (v: NDArray) => np.sum(np.multiply(nn.softmax(v), np.array([1, -2, 3])))
  expect(close(f(x), few(np.array([1, 2, 3])))).toBe(true)
  const [a, b, c] = grad(few)(np.array([1, 2, 3])).toArray() as number[]
  expect(close(grad(f)(x), np.array([a!, 0, b!, c!]))).toBe(true)
})

test('minus infinity as a mask gives finite gradients', () => {
  const x = np.array([1, -Infinity, 2])
  for (const f of [nn.softmax, (v: NDArray) => np.exp(nn.logSoftmax(v)), nn.logsumexp]) {
    const slope = grad((v: NDArray) => np.sum(lax.square(f(v))))(x)
    expect(np.all(np.isfinite(slope)).item()).toBe(1)
  }
})

test('second derivatives, forward mode, batches and staging agree', () => {
  const f = (v: NDArray) => lax.reduceSum(lax.square(nn.softmax(v)), [0])
  const x = np.array([0.5, -1, 2])
  const t = np.array([1, 2, -1])
  const slope = grad(f)(x)
  const [, tangent] = jvp(f, [x], [t])
  expect(close(tangent, np.sum(np.multiply(slope, t)))).toBe(true)
  // the Hessian is symmetric
  const product = (v: NDArray) => jvp(grad(f), [x], [v])[1]
  expect(close(np.sum(np.multiply(product(t), x)), np.sum(np.multiply(product(x), t)))).toBe(true)
  expect(close(jit(grad(f))(x), slope)).toBe(true)
  const xs = np.array([
    [0.5, -1, 2],
    [1, 1, 0],
  ])
  const where = np.array([
    [true, true, false],
    [false, true, true],
  ])
  const batched = vmap((v: NDArray, mask: NDArray) => nn.softmax(v, { where: mask }))(xs, where)
  expect(close(batched, nn.softmax(xs, { where }))).toBe(true)
})

test('a mask must be boolean', () => {
  expect(() => nn.softmax(np.ones([2]), { where: np.ones([2]) })).toThrow(DtypeError)
})

test('one-hot vectors may be spread over a named axis', () => {
  const index = np.array([2, 0], { dtype: 'int32' })
  const spread = vmap(() => nn.oneHot(index, 3, { axis: 'classes' }), {
    axisName: 'classes',
    axisSize: 3,
    outAxes: 1,
  })()
  expect(spread.toArray()).toEqual(nn.oneHot(index, 3).toArray())
  expect(nn.oneHot(1, 3).toArray()).toEqual([0, 1, 0])
  expect(nn.oneHot(index, 3, { dtype: 'bool' }).dtype).toBe('bool')
  expect(() => nn.oneHot(np.array([true]), 2)).toThrow(DtypeError)
})
