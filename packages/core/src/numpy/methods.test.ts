/** Methods of arrays, and how arrays show themselves. */
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { NDArray } from '../array.ts'
import '../setup.ts'
import { vmap } from '../transform/vectorize.ts'
import * as np from './index.ts'

const x = np.array([1, 2, 3, 4])

test('operators are methods', () => {
  expect(x.add(1).mul(2).sub(1).toArray()).toEqual([3, 5, 7, 9])
  expect(x.gt(2).and(x.lt(4)).toArray()).toEqual([0, 0, 1, 0])
  expect(np.arange(4).shl(1).or(1).toArray()).toEqual([1, 3, 5, 7])
  expect(x.mod(3).pow(2).neg().abs().toArray()).toEqual([1, 4, 0, 1])
  expect(x.floorDiv(2).toArray()).toEqual([0, 1, 1, 2])
})

test('reductions are methods', () => {
  expect([x.sum(), x.prod(), x.mean(), x.max(), x.min(), x.argmax()].map((y) => y.item())).toEqual([
    10, 24, 2.5, 4, 1, 3,
  ])
  expect(x.var({ ddof: 2 }).item()).toBe(2.5)
  expect(x.astype('uint8').dtype).toBe('uint8')
})

test('methods belong to tracers as well, and cannot be enumerated', () => {
  expect(vmap((row) => row.sum().add(1))(np.ones([2, 3])).toArray()).toEqual([4, 4])
  expect(Object.keys(NDArray.prototype)).toEqual([])
})

test('console.log shows values, of tracers the type', () => {
  expect(inspect(x)).toBe('Array([1., 2., 3., 4.], dtype=float32)')
  expect(inspect({ x: np.array(true) })).toBe('{ x: Array(True, dtype=bool) }')
  let shown = ''
  vmap((row) => {
    shown = inspect(row)
    return row
  })(np.ones([2, 3]))
  expect(shown).toBe('Traced<float32[3]>')
})

test('a disposed array can still be looked at', () => {
  const gone = np.array([1, 2])
  gone.dispose()
  expect(inspect(gone)).toBe('Array(shape=(2,), dtype=float32)')
})

test('toArray gives nested lists', () => {
  expect(np.eye(2).toArray()).toEqual([
    [1, 0],
    [0, 1],
  ])
})
