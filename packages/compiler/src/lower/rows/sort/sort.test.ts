// Sorted arrays against the reference, by lines and element by element: stable, NaN last.
import { type DType, type HostArray, type Shape, sizeOf } from '@fluxion/core'
import * as fc from 'fast-check'
import { test } from 'vitest'
import type { Target } from '../../lowering.ts'
import { expectReference, wasm, webgpu } from '../harness.testing.ts'
import { everything, generator, hostArray, sample } from '../samples.testing.ts'
import { sortRows } from './sort.ts'

const targetsOf = (...args: readonly HostArray[]): Target[] =>
  args.some(({ dtype }) => dtype === 'float64') ? [wasm] : [wasm, webgpu]
const cases: readonly (readonly [Shape, number])[] = [
  [[1], 0],
  [[2], 0],
  [[37], 0],
  [[3, 5], 1],
  [[5, 3], 0],
  [[2, 9, 3], 1],
  [[8, 1], 0],
  [[2, 0], 1],
  [[0, 2], 1],
  [[300], 0],
]
/** Numbers of which many are equal. */
const repetitive = (dtype: DType, shape: Shape, random: () => number): HostArray =>
  hostArray(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, () => Math.floor(random() * (dtype === 'bool' ? 2 : 3))),
  )

test.each(everything)(
  'arrays of dtype %s are sorted as the reference sorts them: NaN last, zeros as they came',
  (dtype) => {
    const random = generator(1)
    for (const [shape, dimension] of cases) {
      const x = sample(dtype, shape, random)
      for (const target of targetsOf(x))
        expectReference(sortRows, 'sort', [x], { dimension, isStable: true, numKeys: 1 }, { target })
    }
  },
)
test('several arrays are sorted by the first of them, stably', () => {
  const random = generator(2)
  for (const [shape, dimension] of cases) {
    for (const [first, second, third] of [
      ['float32', 'int32', 'bool'],
      ['bool', 'uint8', 'float16'],
      ['int8', 'float64', 'uint32'],
    ] as const) {
      for (const numKeys of [1, 2, 3]) {
        const args = [repetitive(first, shape, random), repetitive(second, shape, random), sample(third, shape, random)]
        for (const target of targetsOf(...args))
          expectReference(sortRows, 'sort', args, { dimension, isStable: true, numKeys }, { target })
      }
    }
  }
})
test.each([
  [[4100], 0],
  [[4133], 0],
  [[2, 4097], 1],
  [[4111, 2], 0],
] as const)('long lines, sorted in parts that are merged, keep the order of equal elements: %o', (shape, dimension) => {
  const random = generator(3)
  const numbers = hostArray(
    'int32',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => i),
  )
  const args = [repetitive('float32', shape, random), numbers]
  expectReference(sortRows, 'sort', args, { dimension, isStable: true, numKeys: 1 }, { target: wasm })
  const distinct = [sample('float32', shape, random), numbers]
  expectReference(sortRows, 'sort', distinct, { dimension, isStable: true, numKeys: 1 }, { target: wasm })
})
test('keys of floats with NaN and zeros of both signs keep the order of their values', () => {
  const value = fc.constantFrom(NaN, 0, -0, 1, -1, Infinity, -Infinity)
  const property = fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 40 }), (pairs) => {
    const args = [
      hostArray(
        'float32',
        [pairs.length],
        pairs.map(([a]) => a),
      ),
      hostArray(
        'float32',
        [pairs.length],
        pairs.map(([, b]) => b),
      ),
      hostArray(
        'int32',
        [pairs.length],
        pairs.map((_, i) => i),
      ),
    ]
    for (const numKeys of [1, 2]) {
      for (const target of [wasm, webgpu])
        expectReference(sortRows, 'sort', args, { dimension: 0, isStable: true, numKeys }, { target })
    }
  })
  fc.assert(property, { numRuns: 60 })
})
test('long lines are sorted in runs, whatever is left over at the end', () => {
  const random = generator(3)
  for (const length of [256, 257, 700]) {
    const args = [repetitive('float32', [2, length], random), sample('int32', [2, length], random)]
    for (const target of [wasm, webgpu])
      expectReference(sortRows, 'sort', args, { dimension: 1, isStable: true, numKeys: 1 }, { target })
    const columns = args.map(({ dtype, data }) => ({ dtype, shape: [length, 2], data }))
    expectReference(sortRows, 'sort', columns, { dimension: 0, isStable: true, numKeys: 2 }, { target: webgpu })
  }
})
test.each(everything)('the largest of dtype %s come first, of equal ones the first, and 0 before −0', (dtype) => {
  const random = generator(4)
  for (const [shape, axis] of cases.slice(0, -1)) {
    for (const x of [sample(dtype, shape, random), repetitive(dtype, shape, random)]) {
      const length = shape[axis]!
      for (const k of new Set([0, Math.min(1, length), Math.floor(length / 2), length])) {
        for (const target of targetsOf(x)) expectReference(sortRows, 'top_k', [x], { axis, k }, { target })
      }
    }
  }
})
test('of long lines only the largest are kept', () => {
  const random = generator(5)
  const x = repetitive('float32', [2, 270], random)
  for (const target of [wasm, webgpu]) expectReference(sortRows, 'top_k', [x], { axis: 1, k: 100 }, { target })
})
