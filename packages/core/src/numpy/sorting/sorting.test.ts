/** Laws of sorting, searching, counting and sets, against those of lists. */
import '../../setup.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../../array.ts'
import { jit } from '../../control/jitted.ts'
import { grad } from '../../transform/autodiff.ts'
import * as np from '../index.ts'

const elements = (x: NDArray): number[] => [...x.dataSync()]
const ints = (values: readonly number[]): NDArray => np.array(values, { dtype: 'int32' })
const lists = fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: 8 })
const some = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 8 })
const rising = (a: number, b: number): number => a - b
const distinct = (list: readonly number[]): number[] => [...new Set(list)].sort(rising)

test('sorting sorts, and argsort gives the order, equal elements kept in theirs', () => {
  fc.assert(
    fc.property(some, fc.boolean(), (list, descending) => {
      const sign = descending ? -1 : 1
      const order = list.map((_, i) => i).sort((i, j) => sign * (list[i]! - list[j]!) || i - j)
      expect(elements(np.sort(ints(list), { descending }))).toEqual(order.map((i) => list[i]))
      expect(elements(np.argsort(ints(list), { descending }))).toEqual(order)
    }),
  )
})

test('the gradient of a sort goes back to where elements came from', () => {
  const g = grad((x: NDArray) => np.vdot(np.sort(x), np.array([1, 10, 100])))(np.array([3, 1, 2]))
  expect(elements(g)).toEqual([100, 1, 10])
})

test('several keys sort by the last, then by those before', () => {
  fc.assert(
    fc.property(some, some, (a, b) => {
      const n = Math.min(a.length, b.length)
      const expected = Array.from({ length: n }, (_, i) => i).sort((i, j) => b[i]! - b[j]! || a[i]! - a[j]! || i - j)
      expect(elements(np.lexsort([ints(a.slice(0, n)), ints(b.slice(0, n))]))).toEqual(expected)
    }),
  )
})

test('a partition has its element where sorting puts it, between lesser and greater ones', () => {
  fc.assert(
    fc.property(some, fc.nat(), (list, k) => {
      const place = k % list.length
      const sorted = list.toSorted(rising)
      const parts = elements(np.partition(ints(list), place))
      expect(parts[place]).toBe(sorted[place])
      expect(parts.slice(0, place).sort(rising)).toEqual(sorted.slice(0, place))
      const order = elements(np.argpartition(ints(list), place))
      expect(list[order[place]!]).toBe(sorted[place])
      expect(order.toSorted(rising)).toEqual(list.map((_, i) => i))
    }),
  )
})

test('searching counts the elements before a value', () => {
  fc.assert(
    fc.property(lists, some, (list, values) => {
      const sorted = list.toSorted(rising)
      const count = (holds: (one: number, value: number) => boolean) =>
        values.map((value) => sorted.filter((one) => holds(one, value)).length)
      expect(elements(np.searchsorted(ints(sorted), ints(values)))).toEqual(count((one, value) => one < value))
      expect(elements(np.searchsorted(ints(sorted), ints(values), { side: 'right' }))).toEqual(
        count((one, value) => one <= value),
      )
    }),
  )
})

test('the positions of what is not zero are those of a loop, and with a size also when traced', () => {
  fc.assert(
    fc.property(some, fc.integer({ min: 0, max: 9 }), (list, size) => {
      const expected = list.flatMap((value, i) => (value === 0 ? [] : [i]))
      expect(elements(np.flatnonzero(ints(list)))).toEqual(expected)
      const filled = Array.from({ length: size }, (_, i) => expected[i] ?? -1)
      expect(elements(jit((x: NDArray) => np.flatnonzero(x, { size, fillValue: -1 }))(ints(list)))).toEqual(filled)
    }),
    { numRuns: 40 },
  )
})

test('distinct elements are those of a set, and counts and numbers rebuild the list', () => {
  fc.assert(
    fc.property(lists, (list) => {
      const { values, indices, inverseIndices, counts } = np.uniqueAll(ints(list))
      const expected = distinct(list)
      expect(elements(values)).toEqual(expected)
      expect(elements(indices)).toEqual(expected.map((value) => list.indexOf(value)))
      expect(elements(counts)).toEqual(expected.map((value) => list.filter((one) => one === value).length))
      expect(elements(inverseIndices).map((i) => expected[i])).toEqual(list)
    }),
  )
})

test('set functions are those of sets, and with a size also when traced', () => {
  fc.assert(
    fc.property(some, some, fc.integer({ min: 1, max: 12 }), (a, b, size) => {
      const [p, q] = [distinct(a), distinct(b)]
      const only = (x: number[], y: number[]): number[] => x.filter((one) => !y.includes(one))
      const rows: readonly (readonly [typeof np.union1d, number[]])[] = [
        [np.intersect1d, p.filter((one) => q.includes(one))],
        [np.setdiff1d, only(p, q)],
        [np.setxor1d, [...only(p, q), ...only(q, p)].sort(rising)],
        [np.union1d, distinct([...a, ...b])],
      ]
      for (const [f, expected] of rows) {
        expect(elements(f(ints(a), ints(b)))).toEqual(expected)
        const filled = Array.from({ length: size }, (_, i) => expected[i] ?? 99)
        expect(elements(jit((x: NDArray, y: NDArray) => f(x, y, { size, fillValue: 99 }))(ints(a), ints(b)))).toEqual(
          filled,
        )
      }
      expect(elements(np.isin(ints(a), ints(b)))).toEqual(a.map((one) => Number(b.includes(one))))
    }),
    { numRuns: 25 },
  )
})

test('counting is counting', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 9 }), (list) => {
      const expected = Array.from({ length: Math.max(...list) + 1 }, (_, i) => list.filter((one) => one === i).length)
      expect(elements(np.bincount(ints(list)))).toEqual(expected)
      const [counts] = np.histogram(ints(list), { bins: [0, 1, 2, 3, 4, 5] })
      const bins = [0, 1, 2, 3, 4].map((i) => list.filter((one) => one === i || (i === 4 && one === 5)).length)
      expect(elements(counts)).toEqual(bins)
    }),
  )
})
