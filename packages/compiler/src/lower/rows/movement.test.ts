// Operations that move elements against their references, in every dtype.
import { type DType, type HostArray, type Shape, isFloat, sizeOf } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { variable } from '../../loops/build.ts'
import { LoopVar } from '../../loops/ir.ts'
import { bitsRows } from './unpackbits.ts'
import { gatherRows } from './gather.ts'
import { expectReference, lowered, referred } from './harness.testing.ts'
import { indexingRows } from './indexing.ts'
import { movementRows, reshapedIndex } from './movement.ts'
import { randomRows } from './random.ts'
import { everything, generator, hostArray, integers, sample } from './samples.testing.ts'
import { concatenateByParts, slicingRows } from './slicing.ts'

const rows = { ...movementRows, ...slicingRows, ...indexingRows, ...gatherRows, ...bitsRows, ...randomRows }
/** Different numbers, so that each shows where it came from. */
const counting = (shape: Shape, dtype: DType = 'int32', from = 1): HostArray =>
  hostArray(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => (dtype === 'bool' ? (i * 7) % 2 : i + from)),
  )
const dim = fc.constantFrom(0, 1, 1, 2, 3, 4, 5, 7)
const shapes = fc.array(dim, { maxLength: 4 })
const check = <T>(arbitrary: fc.Arbitrary<T>, f: (value: T) => void): void =>
  fc.assert(fc.property(arbitrary, f), { numRuns: 150 })

test('moving operations give what their references do, whatever the dtype', () => {
  const random = generator(1)
  for (const dtype of everything) {
    const x = sample(dtype, [2, 1, 5], random)
    expectReference(rows, 'broadcast_in_dim', [x], { shape: [3, 2, 4, 5], broadcastDimensions: [1, 2, 3] })
    expectReference(rows, 'reshape', [x], { newSizes: [5, 2] })
    expectReference(rows, 'transpose', [x], { permutation: [2, 0, 1] })
    expectReference(rows, 'squeeze', [x], { dimensions: [1] })
    expectReference(rows, 'rev', [x], { dimensions: [0, 2] })
    if (dtype !== 'bool') expectReference(rows, 'iota', [], { dtype, shape: [3, 300], dimension: 1 })
  }
})
test('any axes are broadcast, permuted, reversed and squeezed as in the references', () => {
  const picks = fc.array(fc.nat(1000), { minLength: 5, maxLength: 5 })
  check(fc.tuple(shapes, picks), ([shape, pick]) => {
    const x = counting(shape)
    const axes = shape.map((_, axis) => axis)
    const permutation = axes.toSorted((a, b) => pick[a]! - pick[b]! || a - b)
    expectReference(rows, 'transpose', [x], { permutation })
    expectReference(rows, 'rev', [x], { dimensions: permutation.filter((axis) => pick[axis]! % 2 === 0) })
    expectReference(rows, 'squeeze', [x], { dimensions: permutation.filter((axis) => shape[axis] === 1) })
    // a new axis before each whose number is even; those of size 1 are repeated
    const to: number[] = []
    const larger = shape.flatMap((size, axis) => {
      const repeated = size === 1 ? (pick[axis]! % 3) + 1 : size
      const before = pick[axis]! % 2 === 0 ? [pick[axis]! % 4] : []
      to.push((to.at(-1) ?? -1) + before.length + 1)
      return [...before, repeated]
    })
    expectReference(rows, 'broadcast_in_dim', [x], { shape: larger, broadcastDimensions: to })
  })
})
test('any shape is reshaped into any other of as many elements', () => {
  // the factors of one number, cut into axes in two ways, with ones anywhere
  const factors = fc.array(fc.constantFrom(2, 2, 3, 5), { maxLength: 5 })
  const cuts = fc.array(fc.nat(2), { minLength: 6, maxLength: 6 })
  const cut = (numbers: readonly number[], at: readonly number[]): number[] =>
    numbers.reduce<number[]>(
      (shape, factor, i) => {
        if (at[i] === 0 && shape.length > 0) return [...shape.slice(0, -1), shape.at(-1)! * factor]
        return at[i] === 1 ? [...shape, factor] : [...shape, 1, factor]
      },
      at[5] === 0 ? [1] : [],
    )
  check(fc.tuple(factors, cuts, cuts), ([numbers, a, b]) => {
    const from = cut(numbers, a)
    const to = [...cut(numbers.toReversed(), b), ...(a[5] === 1 ? [1] : [])]
    expectReference(rows, 'reshape', [counting(from)], { newSizes: to })
  })
  expectReference(rows, 'reshape', [counting([0, 3])], { newSizes: [2, 0, 1] })
})
test('reshaping leaves axes alone that it does not change', () => {
  const [b, i, j] = [new LoopVar('b', 7), new LoopVar('i', 4), new LoopVar('j', 5)].map(variable)
  const [first, flat] = reshapedIndex([b!, i!, j!], [7, 4, 5], [7, 20]) as [never, never]
  expect(first).toBe(b)
  expect(reshapedIndex([first, flat], [7, 20], [7, 4, 5])).toEqual([b, i, j])
})

test('slices, strided ones too, and splits are those of the references', () => {
  check(fc.tuple(shapes, fc.array(fc.nat(60), { minLength: 12, maxLength: 12 })), ([shape, pick]) => {
    const x = counting(shape)
    const startIndices = shape.map((size, i) => pick[i]! % (size + 1))
    const limitIndices = shape.map((size, i) => startIndices[i]! + (pick[i + 4]! % (size - startIndices[i]! + 1)))
    const strides = pick[11]! % 2 === 0 ? null : shape.map((_, i) => (pick[i + 7]! % 3) + 1)
    expectReference(rows, 'slice', [x], { startIndices, limitIndices, strides })
    if (shape.length === 0) return
    const axis = pick[9]! % shape.length
    const first = pick[10]! % (shape[axis]! + 1)
    expectReference(rows, 'split', [x], { sizes: [first, 0, shape[axis]! - first], axis })
  })
})
test('padding before, after and between, and cutting, is that of the reference', () => {
  const config = fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 }), fc.nat(2))
  const padded = fc.array(fc.tuple(dim, config), { maxLength: 3 })
  check(padded, (axes) => {
    const sizes = axes.map(([size, [low, high, interior]]) => low + high + size + interior * Math.max(0, size - 1))
    fc.pre(sizes.every((size) => size >= 0))
    const x = counting(axes.map(([size]) => size))
    expectReference(rows, 'pad', [x, counting([], 'int32', -9)], { paddingConfig: axes.map(([, c]) => c) })
  })
})
test('concatenation of any number of operands is that of the reference, as selects and by parts', () => {
  const sizes = fc.array(dim, { minLength: 1, maxLength: 5 })
  check(fc.tuple(sizes, dim, dim, fc.nat(2)), ([list, a, b, dimension]) => {
    const shapeOf = (size: number): number[] => ([a, b] as number[]).toSpliced(dimension, 0, size)
    const xs = list.map((size, i) => counting(shapeOf(size), 'float32', 1000 * i))
    expectReference(rows, 'concatenate', xs, { dimension })
    expectReference({ concatenate: concatenateByParts }, 'concatenate', xs, { dimension })
  })
})

const starts = fc.constantFrom(-(2 ** 31), -7, -1, 0, 1, 2, 3, 6, 100, 2 ** 31 - 1)
test('windows at dynamic starts are moved inside and read, and replaced', () => {
  const axes = fc.array(fc.tuple(dim, fc.nat(7), starts), { maxLength: 3 })
  check(fc.tuple(axes, fc.constantFrom<DType>(...integers)), ([list, dtype]) => {
    const shape = list.map(([size]) => size)
    const sliceSizes = list.map(([size, part]) => part % (size + 1))
    const at = list.map(([, , start]) => hostArray(dtype, [], [dtype === 'uint32' ? start >>> 0 : start]))
    expectReference(rows, 'dynamic_slice', [counting(shape), ...at], { sliceSizes })
    expectReference(rows, 'dynamic_update_slice', [counting(shape), counting(sliceSizes, 'int32', -500), ...at])
  })
})

const modes = ['clip', 'fill', 'drop', 'promiseInBounds'] as const
test('gathers of rows, of elements, of windows and in step give what the reference does, in every mode', () => {
  const random = generator(2)
  const gathers = [
    { shape: [5, 3], indices: [4, 1], offset: [1], collapsed: [0], map: [0], sizes: [1, 3] },
    { shape: [5, 3], indices: [2, 4, 2], offset: [], collapsed: [0, 1], map: [1, 0], sizes: [1, 1] },
    { shape: [5, 4, 3], indices: [3, 2], offset: [0, 2], collapsed: [1], map: [0, 1], sizes: [2, 1, 3] },
    { shape: [6], indices: [1], offset: [0], collapsed: [], map: [0], sizes: [2] },
    { shape: [4, 5, 3], indices: [2, 4, 1], offset: [0], collapsed: [1], map: [1], sizes: [1, 1, 3], both: [[0], [1]] },
    { shape: [0, 3], indices: [0, 1], offset: [1], collapsed: [0], map: [0], sizes: [1, 3] },
  ]
  for (const { shape, indices, offset, collapsed, map, sizes, both = [[], []] } of gathers) {
    for (const mode of modes) {
      for (const dtype of ['int32', 'float32', 'float16', 'bool', 'uint8', 'uint32'] as const) {
        for (const indexDtype of integers) {
          const places = Array.from({ length: sizeOf(indices) }, () => Math.floor(random() * 12) - 3)
          const vectors = hostArray(
            indexDtype,
            indices,
            places.map((place) => (indexDtype === 'uint32' ? place >>> 0 : place)),
          )
          const fills = mode === 'fill' || mode === 'drop'
          const fillValue = !fills
            ? null
            : isFloat(dtype)
              ? [NaN, 0, -1.5][Math.floor(random() * 3)]!
              : dtype === 'bool'
                ? 1
                : 200
          expectReference(rows, 'gather', [sample(dtype, shape, random), vectors], {
            dimensionNumbers: {
              offsetDims: offset,
              collapsedSliceDims: collapsed,
              startIndexMap: map,
              operandBatchingDims: both[0],
              startIndicesBatchingDims: both[1],
            },
            sliceSizes: sizes,
            mode,
            fillValue,
            uniqueIndices: false,
            indicesAreSorted: false,
          })
        }
      }
    }
  }
})

test('random bits, splits and folds are those of the reference, of one key and of several', () => {
  const random = generator(3)
  for (const keyShape of [[2], [3, 2], [2, 0, 2], [2, 3, 2]]) {
    const keys = sample('uint32', keyShape, random)
    for (const shape of [[], [1], [5], [2, 3], [0], [7, 11]]) {
      for (const bitWidth of [8, 16, 32, 64]) expectReference(rows, 'random_bits', [keys], { shape, bitWidth })
      expectReference(rows, 'random_split', [keys], { shape })
    }
    for (const dtype of integers) {
      expectReference(rows, 'random_fold_in', [keys, sample(dtype, keyShape.slice(0, -1), random)])
    }
  }
})
test('bits are unpacked along any axis in both orders', () => {
  const random = generator(4)
  for (const [shape, axis] of [
    [[13], 0],
    [[3, 5], 0],
    [[3, 5], 1],
    [[2, 3, 4], 1],
    [[0, 3], 0],
  ] as [Shape, number][]) {
    for (const bitorder of ['big', 'little']) {
      expectReference(rows, 'unpackbits', [sample('uint8', shape, random)], { axis, bitorder })
    }
  }
})
test('the comparison with the reference can fail', () => {
  const params = { dimensions: [0] }
  const got = lowered(movementRows['rev']!, 'rev', [counting([3])], params)[0]!.data
  expect([...got]).toEqual([3, 2, 1])
  expect([...referred('rev', [counting([3])], params)[0]!.data]).toEqual([3, 2, 1])
  expect(() =>
    expectReference({ rev: movementRows['squeeze']! }, 'rev', [counting([3])], { dimensions: [] }),
  ).not.toThrow()
  expect(() => expectReference({ copy: movementRows['rev']! }, 'copy', [counting([3])], params)).toThrow(
    /expected 1, got 3/,
  )
})
