// Updates at places against their references, in their order where places repeat.
import { type DType, type HostArray, type Shape, sizeOf } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectReference, lowered, wasm, webgpu } from './harness.testing.ts'
import { everything, generator, hostArray, integers, moderate, sample } from './samples.testing.ts'
import { scatterRows } from './scatter.ts'

const targets = [wasm, webgpu]

interface Case {
  readonly shape: Shape
  readonly indices: Shape
  readonly updates: Shape
  /** updateWindowDims, insertedWindowDims, scatterDimsToOperandDims and the two lists of batching axes. */
  readonly numbers: readonly (readonly number[])[]
}
const cases: readonly Case[] = [
  { shape: [7], indices: [1], updates: [], numbers: [[], [0], [0], [], []] },
  { shape: [7], indices: [5, 1], updates: [5], numbers: [[], [0], [0], [], []] },
  { shape: [3], indices: [67, 1], updates: [67], numbers: [[], [0], [0], [], []] },
  { shape: [5, 3], indices: [4, 1], updates: [4, 3], numbers: [[1], [0], [0], [], []] },
  { shape: [5, 3], indices: [4, 1], updates: [4, 5], numbers: [[1], [1], [1], [], []] },
  { shape: [5, 3], indices: [2, 3, 2], updates: [2, 3], numbers: [[], [0, 1], [1, 0], [], []] },
  { shape: [5, 4], indices: [3, 2], updates: [2, 3, 3], numbers: [[0, 2], [], [0, 1], [], []] },
  { shape: [2, 5, 4], indices: [41, 1], updates: [41, 2, 3, 4], numbers: [[1, 2, 3], [], [1], [], []] },
  { shape: [2, 5, 4], indices: [2, 3, 1], updates: [2, 3, 4], numbers: [[2], [1], [1], [0], [0]] },
  { shape: [2, 5, 4], indices: [3, 2, 1], updates: [3, 2, 2], numbers: [[2], [1], [1], [0], [1]] },
  { shape: [2, 3], indices: [37, 2, 1], updates: [37, 2], numbers: [[], [1], [1], [0], [1]] },
  { shape: [3], indices: [0, 1], updates: [0], numbers: [[], [0], [0], [], []] },
  { shape: [0, 3], indices: [0, 1], updates: [0, 3], numbers: [[1], [0], [0], [], []] },
  { shape: [3, 0], indices: [2, 1], updates: [2, 0], numbers: [[1], [0], [0], [], []] },
  { shape: [3, 2], indices: [4, 0], updates: [4, 3, 2], numbers: [[1, 2], [], [], [], []] },
]
const numbersOf = ([
  updateWindowDims,
  insertedWindowDims,
  scatterDims,
  operandBatching,
  indicesBatching,
]: Case['numbers']) => ({
  updateWindowDims,
  insertedWindowDims,
  scatterDimsToOperandDims: scatterDims,
  operandBatchingDims: operandBatching,
  scatterIndicesBatchingDims: indicesBatching,
})
/** Places of which some do not exist. */
const indicesFor = (dtype: DType, shape: Shape, random: () => number): HostArray =>
  hostArray(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, () => Math.floor(random() * 7) - (dtype.startsWith('u') ? 0 : 1)),
  )

test.each(Object.keys(scatterRows))('%s gives what its reference does, bit by bit and in its order', (name) => {
  const random = generator(1)
  for (const dtype of everything) {
    if (dtype === 'bool' && (name === 'scatter-add' || name === 'scatter-mul')) continue
    for (const { shape, indices, updates, numbers } of cases) {
      for (const mode of ['clip', 'drop', 'promiseInBounds']) {
        const args = [
          (random() < 0.5 ? sample : moderate)(dtype, shape, random),
          indicesFor('int32', indices, random),
          (random() < 0.5 ? sample : moderate)(dtype, updates, random),
        ]
        const params = { dimensionNumbers: numbersOf(numbers), mode, uniqueIndices: false, indicesAreSorted: false }
        for (const target of targets) {
          if (target.host || dtype !== 'float64') expectReference(scatterRows, name, args, params, { target })
        }
      }
    }
  }
})
test.each(integers)('indices of dtype %s find their places', (dtype) => {
  const random = generator(2)
  for (const { shape, indices, updates, numbers } of cases) {
    for (const mode of ['clip', 'drop']) {
      const args = [
        moderate('float32', shape, random),
        indicesFor(dtype, indices, random),
        moderate('float32', updates, random),
      ]
      const params = { dimensionNumbers: numbersOf(numbers), mode, uniqueIndices: false, indicesAreSorted: false }
      for (const name of ['scatter', 'scatter-add']) expectReference(scatterRows, name, args, params)
    }
  }
})
test('indices that are unique are written all at once, with the same result', () => {
  const order = fc.shuffledSubarray(Array.from({ length: 40 }, (_, i) => i))
  const property = fc.property(order, fc.boolean(), (places, uniqueIndices) => {
    const args = [
      hostArray('int32', [40], new Array<number>(40).fill(-1)),
      hostArray('int32', [places.length, 1], places),
      hostArray('int32', [places.length], places),
    ]
    const params = { dimensionNumbers: numbersOf([[], [0], [0], [], []]), mode: 'drop', uniqueIndices }
    for (const target of targets) expectReference(scatterRows, 'scatter', args, params, { target })
  })
  fc.assert(property, { numRuns: 40 })
})
test('of overlapping windows the last one remains, element by element', () => {
  const starts = fc.array(fc.integer({ min: -1, max: 9 }), { minLength: 1, maxLength: 50 })
  const property = fc.property(starts, fc.constantFrom('clip', 'drop'), (places, mode) => {
    const updates = Array.from({ length: places.length * 3 }, (_, i) => i + 1)
    const args = [
      hostArray('int32', [9], new Array<number>(9).fill(-1)),
      hostArray('int32', [places.length, 1], places),
      hostArray('int32', [places.length, 3], updates),
    ]
    const params = { dimensionNumbers: numbersOf([[1], [], [0], [], []]), mode, uniqueIndices: false }
    for (const target of targets) expectReference(scatterRows, 'scatter', args, params, { target })
  })
  fc.assert(property, { numRuns: 60 })
})
test('a sum of many halves is rounded once', () => {
  const args = [
    hostArray('float16', [1], [2048]),
    hostArray('int32', [64, 1], new Array<number>(64).fill(0)),
    hostArray('float16', [64], new Array<number>(64).fill(0.25)),
  ]
  const params = { dimensionNumbers: numbersOf([[], [0], [0], [], []]), mode: 'drop', uniqueIndices: false }
  expect([...lowered(scatterRows['scatter-add']!, 'scatter-add', args, params)[0]!.data]).toEqual([2064])
})
