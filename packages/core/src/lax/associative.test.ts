/** Laws of the associative scan, and its use with trees, gradients and batches. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import '../setup.ts'
import type { NDArray } from '../array.ts'
import { ShapeError, TreeError } from '../errors.ts'
import * as np from '../numpy/index.ts'
import { grad } from '../transform/autodiff.ts'
import { vmap } from '../transform/vectorize.ts'
import * as lax from './index.ts'

const integers = fc.array(fc.integer({ min: -8, max: 8 }), { maxLength: 20 })
const i32 = (values: readonly number[]): NDArray => np.array(values, { dtype: 'int32' })

test('it folds every beginning, in order', () => {
  // x, y ↦ y is associative, but not commutative
  const affine = ([a, b]: [NDArray, NDArray], [c, d]: [NDArray, NDArray]): [NDArray, NDArray] => [
    lax.mul(a, c),
    lax.add(lax.mul(b, c), d),
  ]
  fc.assert(
    fc.property(integers, (values) => {
      const small = values.map((x) => x % 2)
      const [slopes, offsets] = lax.associativeScan(affine, [i32(small), i32(values)])
      let [slope, offset] = [1, 0]
      const expected = values.map((b, i) => {
        ;[slope, offset] = [slope * small[i]!, offset * small[i]! + b]
        return [slope, offset]
      })
      expect(
        values.map((_, i) => [slopes.toArray(), offsets.toArray()].map((list) => (list as number[])[i]! + 0)),
      ).toEqual(expected.map((pair) => pair.map((x) => x + 0)))
    }),
  )
})

test('in reverse it is the scan of the reversed array, reversed', () => {
  fc.assert(
    fc.property(integers, (values) => {
      const x = i32(values)
      const there = lax.associativeScan(lax.max, x, { reverse: true })
      expect(there.toArray()).toEqual(lax.rev(lax.associativeScan(lax.max, lax.rev(x, [0])), [0]).toArray())
    }),
  )
})

test('the sum of booleans by or is the running or', () => {
  const x = np.array([false, true, false, false, true])
  expect(lax.associativeScan(lax.bitwiseOr, x).toArray()).toEqual([0, 1, 1, 1, 1])
})

test('batched along another axis it is a loop, and so is its gradient', () => {
  const x = np.array([
    [1, 2, 3, 4, 5],
    [2, -1, 0.5, 3, 1],
  ])
  const last = (row: NDArray): NDArray => lax.reduceSum(lax.associativeScan(lax.mul, row), [0])
  const whole = (xs: NDArray): NDArray => lax.reduceSum(lax.associativeScan(lax.mul, xs, { axis: 1 }), [0, 1])
  expect(vmap(last)(x).toArray()).toEqual([153, -7])
  expect(vmap(grad(last))(x).toArray()).toEqual(grad(whole)(x).toArray())
  expect(grad(last)(np.array([1, 2, 3])).toArray()).toEqual([9, 4, 2])
})

test('sizes along the axis must agree, and the operation must keep the tree', () => {
  expect(() => lax.associativeScan((a) => a, [np.zeros([2]), np.zeros([3])])).toThrow(ShapeError)
  expect(() => lax.associativeScan(lax.add, np.zeros([]))).toThrow(ShapeError)
  expect(() => lax.associativeScan((a) => [a] as never, np.zeros([3]))).toThrow(TreeError)
})
