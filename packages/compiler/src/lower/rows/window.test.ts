// Reductions over windows and their derivatives against their references.
import type { DType, HostArray, Shape } from '@fluxion/core'
import { expect, test } from 'vitest'
import type { Target } from '../lowering.ts'
import { expectReference, referred, wasm, webgpu } from './harness.testing.ts'
import { everything, floats, generator, integers, moderate, sample } from './samples.testing.ts'
import { windowRows } from './window.ts'

const targetsOf = (dtype: DType): Target[] => (dtype === 'float64' ? [wasm] : [wasm, webgpu])

interface Case {
  readonly shape: Shape
  readonly params: object
}
const windows = (
  shape: Shape,
  windowDimensions: readonly number[],
  windowStrides: readonly number[],
  padding: readonly (readonly [number, number])[],
  baseDilation: readonly number[] = shape.map(() => 1),
  windowDilation: readonly number[] = shape.map(() => 1),
): Case => ({ shape, params: { windowDimensions, windowStrides, padding, baseDilation, windowDilation } })
const cases: readonly Case[] = [
  windows([7], [3], [1], [[0, 0]]),
  windows([7], [3], [2], [[1, 1]]),
  windows([1], [1], [1], [[0, 0]]),
  windows(
    [2, 4, 6],
    [1, 2, 2],
    [1, 2, 2],
    [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  ),
  windows(
    [5, 4],
    [2, 3],
    [2, 1],
    [
      [1, 0],
      [2, 2],
    ],
  ),
  windows(
    [5, 4],
    [2, 3],
    [1, 2],
    [
      [0, 3],
      [1, 1],
    ],
    [2, 3],
    [1, 2],
  ),
  windows([6], [2], [1], [[4, 4]]),
  windows([6], [2], [2], [[-1, -2]]),
  windows([6], [3], [1], [[-1, 1]], [1], [2]),
  windows([2], [4], [1], [[0, 0]]),
  windows(
    [0, 3],
    [1, 2],
    [1, 1],
    [
      [1, 1],
      [0, 0],
    ],
  ),
  windows(
    [3, 0],
    [2, 1],
    [1, 1],
    [
      [0, 0],
      [0, 0],
    ],
  ),
  windows([], [], [], []),
]

test.each(['reduce_window_max', 'reduce_window_min'])('%s gives what its reference does, bit by bit', (name) => {
  const random = generator(1)
  for (const dtype of everything) {
    for (const { shape, params } of cases) {
      for (const target of targetsOf(dtype))
        expectReference(windowRows, name, [sample(dtype, shape, random)], params, { target })
    }
  }
})
test('sums over windows of integers wrap, of floats are rounded once', () => {
  const random = generator(2)
  for (const { shape, params } of cases) {
    for (const dtype of integers) {
      for (const target of targetsOf(dtype))
        expectReference(windowRows, 'reduce_window_sum', [sample(dtype, shape, random)], params, { target })
    }
    for (const dtype of floats) {
      // the interpreter adds float64 more exactly than the reference, and rounds to float32 on the way to 16 bits
      const tolerance = dtype === 'float64' ? { absolute: 1e-14 } : dtype === 'float32' ? {} : { ulps: 1 }
      for (const target of targetsOf(dtype))
        expectReference(windowRows, 'reduce_window_sum', [moderate(dtype, shape, random)], params, {
          target,
          ...tolerance,
        })
    }
  }
})

const both = (
  name: string,
  { shape, params }: Case,
  first: DType,
  second: DType,
  random: () => number,
): HostArray[] => {
  const operand = (random() < 0.5 ? sample : moderate)(second, shape, random)
  const sizes = referred('reduce_window_max', [operand], params)[0]!.shape
  return [moderate(first, name === 'select_and_gather_add' ? shape : sizes, random), operand]
}
const pairs: readonly (readonly [DType, DType])[] = [
  ['float32', 'float32'],
  ['float64', 'float64'],
  ['float16', 'float16'],
  ['bfloat16', 'float32'],
  ['float32', 'int8'],
  ['float32', 'bool'],
  ['int32', 'uint32'],
]
test.each(['select_and_gather_add', 'select_and_scatter_add'])('%s gives what its reference does', (name) => {
  const random = generator(3)
  for (const [first, second] of pairs) {
    for (const each of cases) {
      for (const selectPrim of ['ge', 'le']) {
        const args = both(name, each, first, second, random)
        const params = { ...each.params, selectPrim }
        for (const target of first === 'float64' ? [wasm] : [wasm, webgpu]) {
          // without float64 each addition is rounded
          const absolute = target.host || name === 'select_and_gather_add' ? 0 : 4e-6
          const ulps = absolute > 0 && first === 'bfloat16' ? 1 : 0
          expectReference(windowRows, name, args, params, { target, absolute, ulps })
        }
      }
    }
  }
})
test('the tests have windows over padding alone, and windows that overlap', () => {
  const ones = { shape: [6], dtype: 'float32' as const, data: new Float32Array(6).fill(1) }
  const counts = referred('reduce_window_sum', [ones], cases[6]!.params)[0]!.data
  expect([Math.min(...counts), Math.max(...counts)]).toEqual([0, 2])
})
