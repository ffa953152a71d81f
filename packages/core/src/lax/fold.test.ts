/** Reductions with operations of the caller's. */
import { expect, test } from 'vitest'
import '../setup.ts'
import type { NDArray } from '../array.ts'
import { DtypeError, ShapeError, TreeError } from '../errors.ts'
import * as np from '../numpy/index.ts'
import { grad } from '../transform/autodiff.ts'
import { makeJaxpr } from '../transform/inspect.ts'
import { vmap } from '../transform/vectorize.ts'
import * as lax from './index.ts'

const x = np.array([
  [1, 2, 3],
  [4, -5, 6],
])
const addSquares = (a: NDArray, b: NDArray): NDArray => lax.add(a, lax.mul(b, b))

test('a sum becomes the primitive sum, whatever it starts from', () => {
  expect(lax.reduce(x, 0.5, lax.add, [0]).toArray()).toEqual([5.5, -2.5, 9.5])
  expect(String(makeJaxpr((a) => lax.reduce(a, 0, (p, q) => lax.add(q, p), [0]))(x))).toContain('reduce_sum')
})

test('any other operation folds the axes in order', () => {
  expect(lax.reduce(x, 0, addSquares, [1]).toArray()).toEqual([14, 77])
  expect(lax.reduce(x, 0, addSquares, [0, 1]).item()).toBe(91)
  expect(lax.reduce(np.zeros([2, 0]), 7, addSquares, [1]).toArray()).toEqual([7, 7])
})

test('it reduces trees: the largest element and its position', () => {
  const positions = lax.broadcastedIota('int32', [2, 3], 1)
  const larger = ([a, i]: [NDArray, NDArray], [b, j]: [NDArray, NDArray]): [NDArray, NDArray] => {
    const first = lax.ge(a, b)
    return [lax.select(first, a, b), lax.select(first, i, j)]
  }
  const [values, at] = lax.reduce<[NDArray, NDArray]>(
    [x, positions],
    [-Infinity, np.array(0, { dtype: 'int32' })],
    larger,
    [1],
  )
  expect(values.toArray()).toEqual([3, 6])
  expect(at.toArray()).toEqual([2, 2])
})

test('it is differentiable and batchable', () => {
  const f = (a: NDArray): NDArray => lax.reduce(a, 0, addSquares, [0])
  expect(grad(f)(np.array([1, 2, 3])).toArray()).toEqual([2, 4, 6])
  expect(vmap(f)(x).toArray()).toEqual([14, 77])
  expect(vmap(grad(f))(x).toArray()).toEqual([
    [2, 4, 6],
    [8, -10, 12],
  ])
})

test('windows become primitives where the fold starts from the identity', () => {
  const pooled = makeJaxpr((a) => lax.reduceWindow(a, -Infinity, lax.max, [1, 2]))(x)
  expect(String(pooled)).toContain('reduce_window_max')
  expect(String(makeJaxpr((a) => lax.reduceWindow(a, 0, lax.max, [1, 2]))(x))).not.toContain('reduce_window_max')
})

test('windows fold any operation, without what pads them', () => {
  const row = np.array([1, 2, 3, 4])
  expect(lax.reduceWindow(row, 0.5, addSquares, [2], { padding: [[1, 0]], windowStrides: [2] }).toArray()).toEqual([
    1.5, 13.5,
  ])
  const f = (a: NDArray): NDArray => lax.reduceSum(lax.reduceWindow(a, 0, addSquares, [2]), [0])
  expect(grad(f)(row).toArray()).toEqual([2, 8, 12, 8])
})

test('what does not fit is refused', () => {
  expect(() => lax.reduce(x, np.zeros([2]), lax.add, [0])).toThrow(ShapeError)
  expect(() => lax.reduce([x], 0, lax.add as never, [0])).toThrow(TreeError)
  expect(() => lax.reduce(x, 0, ((a: NDArray) => lax.gt(a, 0)) as never, [0])).toThrow(DtypeError)
  expect(() => lax.reduceWindow(x, 0, lax.add, [2])).toThrow(
    'reduceWindow: expected 2 positive whole numbers of windowDimensions, got [2]',
  )
})
