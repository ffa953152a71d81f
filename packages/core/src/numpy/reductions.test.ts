/** Reductions: what they refuse, and laws that hold for all of them. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../array.ts'
import { DtypeError, OptionError, ShapeError } from '../errors.ts'
import '../setup.ts'
import { vmap } from '../transform/vectorize.ts'
import * as np from './index.ts'

const matrix = np.array([
  [1, 5, 2],
  [4, 0, 3],
])

test('unknown options, axes and dtypes are refused', () => {
  expect(() => np.sum(matrix, { axes: 0 } as never)).toThrow(OptionError)
  expect(() => np.max(matrix, { dtype: 'int32' } as never)).toThrow(OptionError)
  expect(() => np.sum(matrix, { axis: 2 })).toThrow(ShapeError)
  expect(() => np.sum(matrix, { axis: [0, -2] })).toThrow(ShapeError)
  expect(() => np.sum(matrix, { where: matrix })).toThrow(DtypeError)
  expect(() => np.sum(matrix, { where: np.ones([2, 2, 3], { dtype: 'bool' }) })).toThrow(ShapeError)
  expect(() => np.std(matrix, { dtype: 'int32' })).toThrow(DtypeError)
  expect(() => np.var(matrix, { ddof: 1, correction: 1 })).toThrow(OptionError)
})

test('extremes of nothing are errors, unless there is a value to start from', () => {
  expect(() => np.max(np.zeros([0]))).toThrow(ShapeError)
  expect(() => np.argmax(np.zeros([0]))).toThrow(ShapeError)
  expect(() => np.max(matrix, { where: matrix.gt(2) })).toThrow(OptionError)
  expect(np.max(np.zeros([0]), { initial: 3 }).item()).toBe(3)
  expect(np.min(np.arange(3), { initial: 7, where: np.array(false) }).item()).toBe(7)
})

test('keepdims keeps axes of size 1', () => {
  expect(np.sum(matrix, { keepdims: true }).shape).toEqual([1, 1])
  expect(np.argmax(matrix, { axis: 1, keepdims: true }).shape).toEqual([2, 1])
  expect(np.quantile(matrix, np.array([0, 1]), { axis: 0, keepdims: true }).shape).toEqual([2, 1, 3])
})

test('float16 means do not overflow', () => {
  expect(np.mean(np.full([4], 60000, { dtype: 'float16' })).item()).toBe(60000)
})

const list = fc.array(fc.integer({ min: -64, max: 64 }), { minLength: 1, maxLength: 12 })

test('a sum over both axes is the sum of the sums over one', () => {
  fc.assert(
    fc.property(list, list, (a, b) => {
      const x = np.multiply(np.array(a).reshape([a.length, 1]), np.array(b))
      const once = np.sum(np.sum(x, { axis: 0 })).item()
      expect(np.sum(x).item()).toBe(once)
      expect(np.sum(x, { axis: [1, 0] }).item()).toBe(once)
    }),
  )
})

test('the last running sum is the sum, and differences undo running sums', () => {
  fc.assert(
    fc.property(list, (values) => {
      const x = np.array(values)
      const running = np.cumsum(x)
      expect(running.dataSync().at(-1)).toBe(np.sum(x).item())
      expect(np.diff(running, { prepend: 0 }).toArray()).toEqual(values)
    }),
  )
})

test('quantiles at 0, ½ and 1 are least, median and largest', () => {
  fc.assert(
    fc.property(list, (values) => {
      const x = np.array(values)
      const [least, middle, largest] = np.quantile(x, np.array([0, 0.5, 1])).dataSync()
      expect([least, middle, largest]).toEqual([np.min(x).item(), np.median(x).item(), np.max(x).item()])
    }),
  )
})

test('variance does not change with a shift', () => {
  fc.assert(
    fc.property(list, fc.integer({ min: -64, max: 64 }), (values, shift) => {
      const x = np.array(values)
      expect(np.var(x.add(shift)).item()).toBeCloseTo(np.var(x).item(), 2)
    }),
  )
})

test('reductions that skip NaN are those of the other elements', () => {
  fc.assert(
    fc.property(list, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (values, holes) => {
      const kept = values.filter((_, i) => holes[i] === false)
      if (kept.length === 0) return
      const [x, rest] = [np.array(values.map((value, i) => (holes[i] === false ? value : NaN))), np.array(kept)]
      for (const [skipping, plain] of [
        [np.nansum, np.sum],
        [np.nanmax, np.max],
        [np.nanmin, np.min],
        [np.nanmedian, np.median],
      ] as const) {
        expect(skipping(x).item()).toBe(plain(rest).item())
      }
      expect(np.nanmean(x).item()).toBeCloseTo(np.mean(rest).item(), 4)
    }),
  )
})

test('mapped reductions equal reductions along an axis', () => {
  const reductions: ((x: NDArray, axis: number | null) => NDArray)[] = [
    (x, axis) => np.sum(x, { axis }),
    (x, axis) => np.var(x, { axis }),
    (x, axis) => np.argmin(x, { axis }),
    (x, axis) => np.median(x, { axis }),
    (x, axis) => np.nanquantile(x, 0.3, { axis }),
  ]
  for (const reduce of reductions) {
    expect(vmap((row: NDArray) => reduce(row, null))(matrix).toArray()).toEqual(reduce(matrix, 1).toArray())
  }
})
