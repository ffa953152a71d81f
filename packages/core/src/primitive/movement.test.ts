/** Laws of the operations that only move elements, their messages, and how they print. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DtypeError, ShapeError } from '../errors.ts'
import { inverse, range, sizeOf } from '../shape.ts'
import { scalar } from '../trace.ts'
import { Linear, Zero } from './define.ts'
import { callOf, dot, f32, hostOf, i32, useHostBackend } from './hostBackend.testing.ts'
import * as m from './movement.ts'
import { addTangents, instantiate, zerosLike } from './zeros.ts'

useHostBackend()

const counted = (shape: readonly number[]): ReturnType<typeof f32> => f32(shape, range(sizeOf(shape)))
const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
const permuted = shapes.chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    permutation: fc.shuffledSubarray(range(shape.length), { minLength: shape.length }),
  }),
)

test('transposing by a permutation and by its inverse gives the array back', () => {
  fc.assert(
    fc.property(permuted, ({ shape, permutation }) => {
      const x = counted(shape)
      const back = m.transpose(m.transpose(x, permutation), inverse(permutation))
      expect(hostOf(back)).toEqual(hostOf(x))
    }),
  )
})

test('reversing twice gives the array back, and once moves element i to n - 1 - i', () => {
  const x = counted([2, 3])
  expect([...hostOf(m.rev(x, [1])).data]).toEqual([2, 1, 0, 5, 4, 3])
  expect(hostOf(m.rev(m.rev(x, [0, 1]), [0, 1])).data).toEqual(hostOf(x).data)
})

test('concatenating the parts of a split gives the array back', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }), fc.constantFrom(0, 1, 2), (sizes, axis) => {
      const x = counted([2, 3, 2].map((dim, i) => (i === axis ? sizes.reduce((a, b) => a + b, 0) : dim)))
      expect(hostOf(m.concatenate(m.split(x, sizes, axis), axis))).toEqual(hostOf(x))
    }),
  )
})

const axisOfPad = fc.record({
  size: fc.integer({ min: 0, max: 4 }),
  low: fc.integer({ min: -2, max: 3 }),
  high: fc.integer({ min: -2, max: 3 }),
  interior: fc.integer({ min: 0, max: 2 }),
})

test('padding and its transpose are adjoint in the operand and in the padding value', () => {
  fc.assert(
    fc.property(fc.array(axisOfPad, { minLength: 1, maxLength: 3 }), (axes) => {
      const config = axes.map(({ low, high, interior }) => [low, high, interior] as const)
      fc.pre(axes.every(({ size, low, high, interior }) => low + high + size + Math.max(0, size - 1) * interior >= 0))
      const x = counted(axes.map(({ size }) => size))
      const value = scalar(3, 'float32')
      const { primitive, params } = callOf(() => m.pad(x, value, config))
      const out = m.pad(x, value, config)
      const ct = f32(
        out.shape,
        range(out.size).map((i) => (i * 7) % 5),
      )
      const [ctX, ctValue] = primitive.transpose!([ct], [new Linear(x.aval), new Linear(value.aval)], params)
      const back = dot(x, instantiate(ctX!)) + dot(value, instantiate(ctValue!))
      expect(back).toBe(dot(out, ct))
    }),
  )
})

test('slicing and its transpose are adjoint', () => {
  const axis = fc.record({
    start: fc.nat(2),
    length: fc.nat(4),
    rest: fc.nat(2),
    stride: fc.integer({ min: 1, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(axis, { minLength: 1, maxLength: 3 }), (axes) => {
      const x = counted(axes.map(({ start, length, rest }) => start + length + rest))
      const cut = (): ReturnType<typeof m.slice> =>
        m.slice(
          x,
          axes.map(({ start }) => start),
          axes.map(({ start, length }) => start + length),
          axes.map(({ stride }) => stride),
        )
      const { primitive, params } = callOf(cut)
      const out = cut()
      const ct = f32(
        out.shape,
        range(out.size).map((i) => (i * 7) % 5),
      )
      const [ctX] = primitive.transpose!([ct], [new Linear(x.aval)], params)
      expect(dot(x, instantiate(ctX!))).toBe(dot(out, ct))
    }),
  )
})

test('what changes nothing runs nothing', () => {
  const x = counted([2, 3])
  expect(m.reshape(x, [2, 3])).toBe(x)
  expect(m.transpose(x, [0, 1])).toBe(x)
  expect(m.squeeze(x, [])).toBe(x)
  expect(m.concatenate([x], 0)).toBe(x)
})

test('iota counts along its axis in every dtype, and full keeps dtype and weakness', () => {
  expect([...hostOf(m.iota('uint8', [2, 3], 1)).data]).toEqual([0, 1, 2, 0, 1, 2])
  expect([...hostOf(m.iota('float16', [3, 2], 0)).data]).toEqual([0, 0, 1, 1, 2, 2])
  expect(hostOf(m.iota('bfloat16', [259], 0)).data[257]).toBe(256)
  expect(m.full([2], 1, 'float16', true).aval).toEqual({ shape: [2], dtype: 'float16', weakType: true })
})

test('the dimensions of expandDims and squeeze may count from the end', () => {
  const x = counted([2, 3])
  expect(m.expandDims(x, [-1, 0]).shape).toEqual([1, 2, 3, 1])
  expect(m.squeeze(m.expandDims(x, [-1]), [-1]).shape).toEqual([2, 3])
})

test('symbolic zeros are added without computing and become arrays on demand', () => {
  const x = counted([2])
  const zero = new Zero(x.aval)
  expect(addTangents(zero, x)).toBe(x)
  expect(addTangents(x, zero)).toBe(x)
  expect([...hostOf(instantiate(zero)).data]).toEqual([0, 0])
  expect(instantiate(x)).toBe(x)
  expect(zerosLike({ shape: [1], dtype: 'bool', weakType: false }).dtype).toBe('bool')
})

test.each([
  [
    () => m.reshape(counted([2, 3]), [4]),
    ShapeError,
    'reshape: expected 4 elements for the shape [4], got f32[2,3] with 6',
  ],
  [
    () => m.transpose(counted([2, 3]), [0, 0]),
    ShapeError,
    'transpose: expected a permutation of the 2 axes of f32[2,3], got [0,0]',
  ],
  [
    () => m.broadcastInDim(counted([2]), [3, 3], [1]),
    ShapeError,
    'axes of size 1 or of the size in [3,3] that broadcastDimensions [1] lead to, got f32[2]',
  ],
  [() => m.broadcastInDim(counted([2, 3]), [3, 2], [1, 0]), ShapeError, 'in increasing order, got [1,0]'],
  [() => m.squeeze(counted([2, 1]), [0]), ShapeError, 'squeeze: expected axes [0] of size 1, got f32[2,1]'],
  [
    () => m.slice(counted([2]), [1], [3]),
    ShapeError,
    'on each axis of f32[2], got starts [1], limits [3], strides [1]',
  ],
  [
    () => m.pad(counted([2]), scalar(0, 'int32'), [[0, 0, 0]]),
    DtypeError,
    'pad: expected a padding value of dtype float32, got i32[]',
  ],
  [
    () => m.pad(counted([2]), scalar(0, 'float32'), [[-3, 0, 0]]),
    ShapeError,
    'no more cut away than there is of f32[2]',
  ],
  [
    () => m.concatenate([counted([2, 3]), counted([2, 2])], 0),
    ShapeError,
    'shapes that differ in axis 0 only, got f32[2,3] and f32[2,2]',
  ],
  [
    () => m.concatenate([counted([2]), i32([1], [0])], 0),
    DtypeError,
    'concatenate: expected equal dtypes, got f32[2] and i32[1]',
  ],
  [
    () => m.split(counted([4]), [1, 2], 0),
    ShapeError,
    'split: expected sizes that add up to axis 0 of f32[4], got [1,2]',
  ],
  [() => m.iota('bool', [2], 0), DtypeError, 'iota: expected a dtype of numbers, got bool'],
])('%s is refused with words that say why', (f, type, message) => {
  expect(f).toThrow(type)
  expect(f).toThrow(message)
})

test('parameters print as those of JAX', () => {
  const x = counted([2, 3])
  const shown = (f: () => unknown): object => {
    const { primitive, params } = callOf(f)
    return primitive.show?.(params, []) ?? params
  }
  expect(shown(() => m.broadcastInDim(scalar(1, 'float32'), [2], []))).toEqual({})
  expect(shown(() => m.expandDims(x, [1]))).toEqual({ broadcastDimensions: [0, 2] })
  expect(shown(() => m.reshape(x, [6]))).toEqual({ dimensions: null, newSizes: [6], sharding: null })
  expect(shown(() => m.iota('int32', [5], 0))).toEqual({ dimension: 0, dtype: 'int32', shape: [5], sharding: null })
  expect(shown(() => m.slice(x, [0, 0], [1, 1]))).toEqual({ startIndices: [0, 0], limitIndices: [1, 1], strides: null })
})
