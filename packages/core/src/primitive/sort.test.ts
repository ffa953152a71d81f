/** Laws of sorting. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ShapeError } from '../errors.ts'
import { range } from '../shape.ts'
import { f32, hostOf, i32, useHostBackend } from './hostBackend.testing.ts'
import { iota } from './movement.ts'
import { sort, topK } from './sort.ts'

useHostBackend()

const floats = fc.array(fc.oneof(fc.float(), fc.constantFrom(0, -0, NaN, 1, -1)), { minLength: 1, maxLength: 20 })
const one = { dimension: 0, isStable: true, numKeys: 1 }

test('one operand sorts as the first of several does', () => {
  fc.assert(
    fc.property(floats, (values) => {
      const x = f32([values.length], values)
      const [alone] = sort([x], one)
      const [first] = sort([x, iota('int32', x.shape, 0)], one)
      expect(hostOf(alone!).data).toEqual(hostOf(first!).data)
    }),
  )
})

test('the order that comes with a sort is a stable permutation that takes the operand to the sorted one', () => {
  fc.assert(
    fc.property(floats, (values) => {
      const [sorted, order] = sort([f32([values.length], values), iota('int32', [values.length], 0)], one)
      const at = [...hostOf(order!).data]
      expect([...at].sort((a, b) => a - b)).toEqual(range(values.length))
      expect([...hostOf(sorted!).data]).toEqual(at.map((i) => Math.fround(values[i]!)))
      const numbers = hostOf(sorted!).data
      for (let i = 1; i < at.length; i++) {
        const [a, b] = [numbers[i - 1]!, numbers[i]!]
        expect(a < b || Number.isNaN(b) || a === b).toBe(true)
        if (a === b || (Number.isNaN(a) && Number.isNaN(b))) expect(at[i - 1]).toBeLessThan(at[i]!)
      }
    }),
  )
})

test('lines along an inner axis are sorted each for itself', () => {
  const [sorted] = sort([i32([2, 2, 2], [5, 1, 2, 8, 3, 3, 9, 0])], { ...one, dimension: 1 })
  expect([...hostOf(sorted!).data]).toEqual([2, 1, 5, 8, 3, 0, 9, 3])
})

test('the k largest are the end of the sorted line, backwards', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 12 }),
      fc.nat(12),
      (values, k) => {
        const count = Math.min(k, values.length)
        const [top, at] = topK(i32([values.length], values), count)
        expect([...hostOf(top).data]).toEqual([...values].sort((a, b) => b - a).slice(0, count))
        expect([...hostOf(at).data].map((i) => values[i]!)).toEqual([...hostOf(top).data])
      },
    ),
  )
})

test.each([
  [() => sort([f32([2], [1, 2]), f32([1], [1])], one), 'sort: expected operands of one shape, got f32[2] and f32[1]'],
  [() => sort([f32([2], [1, 2])], { ...one, numKeys: 2 }), 'numKeys from 1 to the number of operands, 1, got 2'],
  [() => sort([f32([2], [1, 2])], { ...one, dimension: 1 }), 'sort: expected an axis of f32[2], got 1'],
  [() => topK(f32([2], [1, 2]), 3), 'topK: expected k at most the size of axis 0 of f32[2], got 3'],
])('%s is refused with words that say why', (f, message) => {
  expect(f).toThrow(ShapeError)
  expect(f).toThrow(message)
})
