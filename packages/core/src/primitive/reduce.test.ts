/** Reductions and running folds: values in every dtype, transposes, batches, second derivatives of ties. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allocate, roundHalf } from '../backend/reference/host.ts'
import type { DType } from '../dtype.ts'
import { range, without } from '../shape.ts'
import { cumlogsumexp, cumprod, cumsum } from './cumulative.ts'
import { array, f32, i32, useHostBackend } from './hostBackend.testing.ts'
import {
  argmax,
  argmin,
  reduceAnd,
  reduceMax,
  reduceMin,
  reduceOr,
  reduceProd,
  reduceSum,
  reduceXor,
} from './reduce.ts'
import { elementsOf, expectAdjoint, expectLikeLoop, wholeNumbers } from './rules.testing.ts'

useHostBackend()

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
const call = shapes.chain((shape) => fc.record({ x: wholeNumbers(shape), axes: fc.subarray(range(shape.length)) }))
const typed = (dtype: DType, data: number[]) => {
  const store = allocate(dtype, data.length)
  store.set(data)
  return array({ shape: [data.length], dtype, data: store })
}

test('a sum adds what lies on the axes, whatever their number and order', () => {
  fc.assert(
    fc.property(call, ({ x, axes }) => {
      const kept = without(range(x.ndim), axes)
      const out = reduceSum(x, axes)
      const expected = new Array<number>(out.size).fill(0)
      elementsOf(x).forEach((value, i) => {
        const index: number[] = []
        for (let axis = x.ndim - 1, rest = i; axis >= 0; axis--) {
          index[axis] = rest % x.shape[axis]!
          rest = Math.floor(rest / x.shape[axis]!)
        }
        expected[kept.reduce((at, axis) => at * x.shape[axis]! + index[axis]!, 0)]! += value
      })
      expect(elementsOf(out)).toEqual(expected)
    }),
  )
})

test('the transpose of a sum and of a running sum is the adjoint', () => {
  const withCotangent = call.chain(({ x, axes }) =>
    fc.record({
      x: fc.constant(x),
      axes: fc.constant(axes),
      ct: wholeNumbers(without(x.shape, axes)),
      t: wholeNumbers(x.shape),
      reverse: fc.boolean(),
    }),
  )
  fc.assert(
    fc.property(withCotangent, ({ x, axes, ct, t, reverse }) => {
      expectAdjoint('reduce_sum', [x], { axes }, 0, ct)
      if (axes.length > 0) expectAdjoint('cumsum', [x], { axis: axes[0]!, reverse }, 0, t)
    }),
  )
})

test('batches are a loop', () => {
  const batched = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }).chain((shape) =>
    fc.integer({ min: 0, max: shape.length }).chain((dim) =>
      fc.record({
        x: wholeNumbers(shape.toSpliced(dim, 0, 2)),
        dim: fc.constant(dim),
        axes: fc.subarray(range(shape.length), { minLength: 1 }),
      }),
    ),
  )
  fc.assert(
    fc.property(batched, ({ x, dim, axes }) => {
      for (const name of ['reduce_sum', 'reduce_prod', 'reduce_max', 'reduce_min'])
        expectLikeLoop(name, [x], [dim], { axes }, 2)
      for (const name of ['argmax', 'argmin'])
        expectLikeLoop(name, [x], [dim], { axes: [axes[0]!], indexDtype: 'int32' }, 2)
      for (const name of ['cumsum', 'cumprod', 'cummax', 'cummin', 'cumlogsumexp']) {
        expectLikeLoop(name, [x], [dim], { axis: axes[0]!, reverse: true }, 2)
      }
    }),
  )
})

test('reductions of nothing give the neutral element', () => {
  const nothing = f32([0], [])
  expect([reduceSum, reduceProd, reduceMax, reduceMin].map((reduce) => elementsOf(reduce(nothing, [0]))[0])).toEqual([
    0,
    1,
    -Infinity,
    Infinity,
  ])
  expect(elementsOf(reduceMax(i32([0], []), [0]))).toEqual([-2147483648])
  expect(() => argmax(nothing, 0)).toThrow('argmax: expected an axis that is not empty, got axis 0 of f32[0]')
})

test('integers wrap, bits combine', () => {
  expect(elementsOf(reduceSum(typed('int8', [127, 1]), [0]))).toEqual([-128])
  expect(elementsOf(reduceSum(typed('uint32', [4294967295, 2]), [0]))).toEqual([1])
  expect(elementsOf(reduceProd(i32([2], [65537, 65537]), [0]))).toEqual([131073])
  expect(elementsOf(cumprod(i32([3], [65537, 65537, 2]), 0))).toEqual([65537, 131073, 262146])
  expect(elementsOf(cumsum(typed('uint8', [200, 100, 1]), 0))).toEqual([200, 44, 45])
  expect(
    [reduceAnd, reduceOr, reduceXor].map((reduce) => elementsOf(reduce(typed('uint32', [4294967290, 12]), [0]))[0]),
  ).toEqual([8, 4294967294, 4294967286])
  expect([reduceAnd, reduceOr, reduceXor].map((reduce) => elementsOf(reduce(typed('bool', [1, 1]), [0]))[0])).toEqual([
    1, 1, 0,
  ])
  expect(() => reduceSum(typed('bool', [1]), [0])).toThrow('reduceSum: expected integers or floats, got bool[1]')
})

test('16-bit sums are rounded once', () => {
  const tenth = roundHalf(0.1)
  const x = array({ shape: [4096], dtype: 'float16', data: new Float32Array(4096).fill(tenth) })
  expect(elementsOf(reduceSum(x, [0]))).toEqual([roundHalf(4096 * tenth)])
})

test('NaN wins every extreme and its position, and the first of equals is found', () => {
  const x = f32([4], [1, NaN, 5, NaN])
  expect([reduceMax, reduceMin].map((reduce) => elementsOf(reduce(x, [0]))[0])).toEqual([NaN, NaN])
  expect([argmax, argmin].map((find) => elementsOf(find(x, 0))[0])).toEqual([1, 1])
  expect([argmax, argmin].map((find) => elementsOf(find(f32([4], [2, 7, 7, 2]), 0))[0])).toEqual([1, 0])
})

test('running log-sum-exps neither overflow nor lose infinities', () => {
  const x = f32([4], [1000, 1000, -Infinity, Infinity])
  expect(elementsOf(cumlogsumexp(x, 0))).toEqual([
    1000,
    Math.fround(1000 + Math.LN2),
    Math.fround(1000 + Math.LN2),
    Infinity,
  ])
})
