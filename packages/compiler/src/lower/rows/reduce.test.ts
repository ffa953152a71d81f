// Reductions and positions of extremes against their references, whole and in parts.
import type { DType, Shape } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectReference, lowered, parallelTarget } from './harness.testing.ts'
import { reduceRows } from './reduce.ts'
import { everything, floats, generator, hostArray, integers, moderate, sample } from './samples.testing.ts'

const cases: readonly (readonly [Shape, readonly number[]])[] = [
  [[37], [0]],
  [[3, 5, 7], [1]],
  [
    [3, 5, 7],
    [2, 0],
  ],
  [
    [3, 5, 7],
    [0, 1, 2],
  ],
  [[2, 3], []],
  [[], []],
  [[0, 3], [0]],
  [[3, 0], [0]],
  [[0], [0]],
]
const logical = [...integers, 'bool'] as const
const bitwise: Readonly<Record<string, readonly DType[]>> = {
  reduce_max: everything,
  reduce_min: everything,
  reduce_and: logical,
  reduce_or: logical,
  reduce_xor: logical,
  reduce_sum: integers,
  reduce_prod: integers,
}
test.each(Object.entries(bitwise))('%s gives what its reference does, bit by bit', (name, dtypes) => {
  const random = generator(1)
  for (const dtype of dtypes) {
    for (const [shape, axes] of cases) expectReference(reduceRows, name, [sample(dtype, shape, random)], { axes })
  }
})
test.each(['reduce_sum', 'reduce_prod'])('%s of floats is rounded once', (name) => {
  const random = generator(2)
  for (const dtype of floats) {
    for (const [shape, axes] of cases) {
      // of float64 the interpreter adds more exactly than the reference
      const tolerance = dtype === 'float64' ? { absolute: 1e-13, ulps: 8 } : dtype === 'float32' ? {} : { ulps: 1 }
      expectReference(reduceRows, name, [moderate(dtype, shape, random)], { axes }, tolerance)
    }
    expectReference(reduceRows, name, [sample(dtype, [9], random)], { axes: [0] }, { ulps: 8 })
  }
})

test.each(['argmax', 'argmin'])('%s gives the first position of the extreme, or of the first NaN', (name) => {
  const random = generator(3)
  for (const dtype of everything) {
    for (const [shape, axis] of [
      [[41], 0],
      [[5, 3], 0],
      [[5, 3], 1],
      [[3, 1, 2], 1],
      [[0, 3], 1],
      [[4, 600], 1],
    ] as [Shape, number][]) {
      for (const indexDtype of integers) {
        for (const x of [sample(dtype, shape, random), moderate(dtype, shape, random)]) {
          const params = { axes: [axis], indexDtype }
          expectReference(reduceRows, name, [x], params)
          expectReference(reduceRows, name, [x], params, { target: parallelTarget })
        }
      }
    }
  }
})
test.each(['argmax', 'argmin'])('%s in parts gives the same, wherever the extremes and NaNs lie', (name) => {
  const place = fc.nat(1030)
  const values = fc.array(fc.tuple(place, fc.constantFrom(NaN, Infinity, -Infinity, 2, -2, 0, -0)), { maxLength: 6 })
  const property = fc.property(fc.integer({ min: 513, max: 1030 }), values, (length, special) => {
    const data = new Float32Array(length)
    for (const [at, value] of special) if (at < length) data[at] = value
    const x = hostArray('float32', [length], data)
    expectReference(reduceRows, name, [x], { axes: [0], indexDtype: 'int32' }, { target: parallelTarget })
  })
  fc.assert(property, { numRuns: 50 })
})
test('the extremes of no elements are those of the dtype', () => {
  const none = (name: string, dtype: DType): number =>
    lowered(reduceRows[name]!, name, [hostArray(dtype, [0], [])], { axes: [0] })[0]!.data[0]!
  expect([none('reduce_max', 'int8'), none('reduce_min', 'int8')]).toEqual([-128, 127])
  expect([none('reduce_max', 'uint16'), none('reduce_min', 'uint16')]).toEqual([0, 65535])
  expect([none('reduce_max', 'bool'), none('reduce_min', 'bool')]).toEqual([0, 1])
  expect([none('reduce_max', 'bfloat16'), none('reduce_min', 'float64')]).toEqual([-Infinity, Infinity])
})
