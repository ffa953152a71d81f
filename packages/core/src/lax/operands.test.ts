/** How `lax` takes numbers, windows and layouts. */
import { expect, test } from 'vitest'
import '../setup.ts'
import { DtypeError, IndexError, OptionError, ShapeError, TreeError } from '../errors.ts'
import * as np from '../numpy/index.ts'
import { jit } from '../control/jitted.ts'
import { grad } from '../transform/autodiff.ts'
import * as lax from './index.ts'

const type = (x: { dtype: string; weakType: boolean }): string => x.dtype + (x.weakType ? '*' : '')
const i32 = np.array([1, 2], { dtype: 'int32' })

test('a number takes the dtype of the array beside it, and does not weaken it', () => {
  expect(type(lax.add(i32, 1))).toBe('int32')
  expect(type(lax.mul(2, np.zeros([2], { dtype: 'float16' })))).toBe('float16')
  expect(type(lax.add(1, 2.5))).toBe('float32*')
  expect(lax.clamp(0, i32, 1).toArray()).toEqual([1, 1])
})

test('nothing is promoted', () => {
  expect(() => lax.add(i32, 0.5)).toThrow(DtypeError)
  expect(() => lax.add(i32, np.zeros([2]))).toThrow('add: expected equal dtypes')
  expect(() => lax.add(np.zeros([2]), np.zeros([1, 2]))).toThrow(ShapeError)
  expect(() => lax.sin(i32)).toThrow(DtypeError)
  expect(() => lax.add([1] as never, 2)).toThrow(TreeError)
  expect(() => lax.select(1, 2, 3)).toThrow('select: expected a boolean condition')
})

test('dynamic windows count negative starts from the end once, then clamp', () => {
  const x = np.array([0, 1, 2, 3, 4])
  const at = (start: number) => lax.dynamicSlice(x, [start], [2]).toArray()
  expect([-1, -2, -9, 0, 4].map(at)).toEqual([
    [3, 4],
    [3, 4],
    [0, 1],
    [0, 1],
    [3, 4],
  ])
  const traced = jit((start) => lax.dynamicSlice(x, [start], [2]))
  expect([-1, -2, -9, 0, 4].map((start) => traced(np.array(start, { dtype: 'int32' })).toArray())).toEqual(
    [-1, -2, -9, 0, 4].map(at),
  )
  expect(lax.dynamicSlice(x, np.array([1], { dtype: 'int32' }), [2]).toArray()).toEqual([1, 2])
  expect(lax.dynamicUpdateIndexInDim(x, 9, -1, 0).toArray()).toEqual([0, 1, 2, 3, 9])
  expect(() => lax.dynamicSlice(x, [0, 0], [2])).toThrow(ShapeError)
})

test('slices along an axis take negative and missing bounds', () => {
  const x = np.reshape(np.arange(6), [2, 3])
  expect(lax.sliceInDim(x, -2, null, { axis: 1 }).toArray()).toEqual([
    [1, 2],
    [4, 5],
  ])
  expect(lax.sliceInDim(x, null, 9, { axis: 1, stride: 2 }).toArray()).toEqual([
    [0, 2],
    [3, 5],
  ])
  expect(lax.indexInDim(x, -1, { keepdims: false }).toArray()).toEqual([3, 4, 5])
  expect(() => lax.indexInDim(x, 2)).toThrow(ShapeError)
  expect(lax.dynamicIndexInDim(x, 1, { axis: 1 }).toArray()).toEqual([[1], [4]])
})

test('gathers fill what lies outside, scatters drop it', () => {
  const dimensionNumbers = { offsetDims: [], collapsedSliceDims: [0], startIndexMap: [0] }
  const indices = np.array([[1], [5]], { dtype: 'int32' })
  expect(lax.gather(np.array([1, 2]), indices, dimensionNumbers, [1]).toArray()).toEqual([2, NaN])
  expect(lax.gather(np.array([1, 2]), indices, dimensionNumbers, [1], { mode: 'clip' }).toArray()).toEqual([2, 2])
  const where = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] }
  expect(lax.scatterSub(np.array([1, 2]), indices, np.array([5, 7]), where).toArray()).toEqual([1, -3])
  expect(() => lax.gather(np.array([1, 2]), np.array([[1]]), dimensionNumbers, [1])).toThrow(IndexError)
})

test('filled arrays take the dtype of the value, or the one asked for', () => {
  expect(type(lax.full([2], 1))).toBe('float32*')
  expect(type(lax.full([2], i32.get(0)))).toBe('int32')
  expect(type(lax.full([2], 1, { dtype: 'float16' }))).toBe('float16')
  expect(lax.fullLike(i32, 7).toArray()).toEqual([7, 7])
  expect(lax.fullLike(i32, 7, { shape: [1], dtype: 'float32' }).dtype).toBe('float32')
  expect(() => lax.full([-1], 0)).toThrow(OptionError)
})

test('layouts must name each axis once', () => {
  const shapes = [
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ] as const
  expect(lax.convDimensionNumbers(...shapes, ['NWHC', 'HWIO', 'NCHW'])).toEqual({
    lhsSpec: [0, 3, 2, 1],
    rhsSpec: [3, 2, 0, 1],
    outSpec: [0, 1, 2, 3],
  })
  expect(() => lax.convDimensionNumbers(...shapes, ['NHHC', 'HWIO', 'NHWC'])).toThrow(OptionError)
  expect(() => lax.convDimensionNumbers(...shapes, ['NHC', 'HWIO', 'NHWC'])).toThrow(OptionError)
})

test('factorisations share the derivative between both triangles', () => {
  const x = np.array([
    [4, 1],
    [1, 3],
  ])
  const slope = grad((a) => lax.reduceSum(lax.linalg.cholesky(a), [0, 1]))(x).toArray() as number[][]
  expect(slope[0]![1]).toBe(slope[1]![0])
  const [vectors, values] = lax.linalg.eigh(x)
  const back = lax.dot(lax.mul(vectors, lax.broadcastInDim(values, [2, 2], [1])), lax.transpose(vectors, [1, 0]))
  expect(np.allclose(back, x, { atol: 1e-5 }).item()).toBe(1)
})

test('unknown options are refused', () => {
  expect(() => lax.cumsum(i32, { dim: 0 } as never)).toThrow("cumsum: expected known options, got 'dim'")
  expect(() => lax.round(1.5, { roundingMethod: 'UP' as never })).toThrow(OptionError)
})

test('stacking undoes unstacking, along any axis', () => {
  const x = np.reshape(np.arange(24), [2, 3, 4])
  for (const axis of [0, 1, -1]) expect(lax.stack(lax.unstack(x, { axis }), { axis }).toArray()).toEqual(x.toArray())
  expect(() => lax.stack([np.zeros([2]), np.zeros([1])])).toThrow(ShapeError)
  expect(() => lax.tile(x, [2])).toThrow(ShapeError)
  expect(lax.empty([2], 'int8').dtype).toBe('int8')
})

test('the dimensions of reshape reorder axes first, and collapse merges them', () => {
  const x = np.reshape(np.arange(6), [2, 3])
  expect(lax.reshape(x, [6], { dimensions: [1, 0] }).toArray()).toEqual([0, 3, 1, 4, 2, 5])
  expect(lax.collapse(x, 0, { stopDimension: -1 }).shape).toEqual([2, 3])
  expect(lax.collapse(x, 0).shape).toEqual([6])
  expect(() => lax.collapse(x, 1, { stopDimension: 1 })).toThrow(ShapeError)
})

test('products of vectors and matrices', () => {
  const a = np.array([
    [1, 2],
    [3, 4],
  ])
  expect(lax.dot(a, a).toArray()).toEqual([
    [7, 10],
    [15, 22],
  ])
  expect(lax.dot(np.array([1, 2]), np.array([3, 4])).item()).toBe(11)
  expect(lax.batchMatmul(lax.stack([a, a]), lax.stack([a, lax.neg(a)])).toArray()).toEqual([
    [
      [7, 10],
      [15, 22],
    ],
    [
      [-7, -10],
      [-15, -22],
    ],
  ])
  expect(lax.dot(a, a, { preferredElementType: 'float64' }).dtype).toBe('float64')
  expect(() => lax.dot(np.zeros([2, 2, 2]), a)).toThrow('lax.dotGeneral takes any rank')
})

test('a convolution is a product of its kernel with patches', () => {
  const x = np.reshape(np.sin(np.arange(2 * 3 * 5 * 4)), [2, 5, 4, 3])
  const kernel = np.reshape(np.cos(np.arange(2 * 2 * 3 * 4)), [2, 2, 3, 4])
  const dimensionNumbers = ['NHWC', 'HWIO', 'NHWC'] as const
  const whole = lax.convGeneralDilated(x, kernel, [2, 1], 'SAME', { dimensionNumbers })
  const patches = lax.convGeneralDilatedPatches(x, [2, 2], [2, 1], 'SAME', { dimensionNumbers })
  const rows = lax.reshape(lax.transpose(kernel, [2, 0, 1, 3]), [12, 4])
  expect(
    np
      .allclose(
        lax.dotGeneral(patches, rows, [
          [[3], [0]],
          [[], []],
        ]),
        whole,
        { atol: 1e-5 },
      )
      .item(),
  ).toBe(1)
})
