/** Gather against a naive loop, scatter as its adjoint, dynamic slices at the edges, messages. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../array.ts'
import { DtypeError, MissingRuleError, OptionError, ShapeError } from '../errors.ts'
import { type Shape, range, sizeOf, stridesOf, without } from '../shape.ts'
import { scalar } from '../trace.ts'
import { Linear, Zero } from './define.ts'
import { array, callOf, dot, f32, hostOf, i32, useHostBackend } from './hostBackend.testing.ts'
import {
  type GatherOptions,
  dynamicSlice,
  dynamicUpdateSlice,
  gather,
  scatter,
  scatterAdd,
  scatterMul,
} from './indexing.ts'
import { instantiate } from './zeros.ts'

useHostBackend()

const counted = (shape: Shape): NDArray =>
  f32(
    shape,
    range(sizeOf(shape)).map((i) => i + 1),
  )
const positionsOf = (shape: Shape): number[][] =>
  shape.reduce<number[][]>((all, dim) => all.flatMap((position) => range(dim).map((i) => [...position, i])), [[]])
const offset = (position: readonly number[], shape: Shape): number =>
  stridesOf(shape).reduce((sum, stride, i) => sum + stride * position[i]!, 0)

// An axis of the operand is read whole or in part (offset), taken at one place (collapsed), or goes in step with an axis of the indices.
const axisOfGather = fc.record({
  role: fc.constantFrom('offset', 'collapsed', 'batching'),
  dim: fc.integer({ min: 1, max: 4 }),
  part: fc.integer({ min: 0, max: 4 }),
  indexed: fc.boolean(),
})
const gathers = fc.record({
  axes: fc.array(axisOfGather, { minLength: 1, maxLength: 4 }),
  more: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
  mode: fc.constantFrom('clip' as const, 'fill' as const),
  seed: fc.array(fc.integer({ min: -2, max: 6 }), { minLength: 1, maxLength: 12 }),
  order: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 }),
})
type Drawn = typeof gathers extends fc.Arbitrary<infer T> ? T : never
/** `list` in an order that the drawn numbers give. */
const shuffled = <T>(list: readonly T[], order: readonly number[]): T[] =>
  list
    .map((value, i) => [value, order[i]!] as const)
    .sort(([, a], [, b]) => a - b)
    .map(([value]) => value)

function build({ axes, more, mode, seed, order }: Drawn): { x: NDArray; indices: NDArray; options: GatherOptions } {
  const of = (role: string): number[] => range(axes.length).filter((axis) => axes[axis]!.role === role)
  const [offsetAxes, collapsed, operandBatching] = [of('offset'), of('collapsed'), of('batching')]
  const startIndexMap = shuffled(
    range(axes.length).filter((axis) => axes[axis]!.role !== 'batching' && axes[axis]!.indexed),
    order,
  )
  const batchAxes = shuffled(
    [...operandBatching.map((axis) => ({ axis })), ...more.map((dim) => ({ dim }))],
    order.slice(4),
  )
  const batchShape = batchAxes.map((one) => ('axis' in one ? axes[one.axis]!.dim : one.dim))
  const rank = offsetAxes.length + batchShape.length
  const indexShape = [...batchShape, startIndexMap.length]
  return {
    x: counted(axes.map(({ dim }) => dim)),
    indices: i32(
      indexShape,
      range(sizeOf(indexShape)).map((i) => seed[i % seed.length]!),
    ),
    options: {
      dimensionNumbers: {
        offsetDims: shuffled(range(rank), order.slice(8))
          .slice(0, offsetAxes.length)
          .sort((a, b) => a - b),
        collapsedSliceDims: collapsed,
        startIndexMap,
        operandBatchingDims: operandBatching,
        startIndicesBatchingDims: operandBatching.map((axis) =>
          batchAxes.findIndex((one) => 'axis' in one && one.axis === axis),
        ),
      },
      sliceSizes: axes.map(({ role, dim, part }) => (role === 'offset' ? Math.min(part, dim) : 1)),
      mode,
    },
  }
}

/** Element by element, as the definition has it. */
function naiveGather(
  x: NDArray,
  indices: NDArray,
  { dimensionNumbers, sliceSizes, mode }: GatherOptions,
  out: Shape,
): number[] {
  const {
    offsetDims,
    startIndexMap,
    collapsedSliceDims,
    operandBatchingDims = [],
    startIndicesBatchingDims = [],
  } = dimensionNumbers
  const windowAxes = without(range(x.ndim), [...collapsedSliceDims, ...operandBatchingDims])
  return positionsOf(out).map((position) => {
    const batch = without(range(out.length), offsetDims).map((axis) => position[axis]!)
    const at = new Array<number>(x.ndim).fill(0)
    let outside = false
    startIndexMap.forEach((axis, k) => {
      const start = hostOf(indices).data[offset([...batch, k], indices.shape)]!
      const last = x.shape[axis]! - sliceSizes[axis]!
      outside ||= start < 0 || start > last
      at[axis] = Math.max(0, Math.min(start, last))
    })
    operandBatchingDims.forEach((axis, i) => (at[axis] = batch[startIndicesBatchingDims[i]!]!))
    windowAxes.forEach((axis, i) => (at[axis]! += position[offsetDims[i]!]!))
    return outside && mode === 'fill' ? NaN : hostOf(x).data[offset(at, x.shape)]!
  })
}

test('gather reads what a loop over all elements reads, whatever the dimension numbers', () => {
  fc.assert(
    fc.property(gathers, (drawn) => {
      const { x, indices, options } = build(drawn)
      const out = gather(x, indices, options)
      expect([...hostOf(out).data]).toEqual(naiveGather(x, indices, options, out.shape))
    }),
    { numRuns: 300 },
  )
})

test('scatterAdd is the adjoint of gather', () => {
  fc.assert(
    fc.property(gathers, (drawn) => {
      const { x, indices, options } = build(drawn)
      const read = { ...options, fillValue: 0 }
      const out = gather(x, indices, read)
      const ct = f32(
        out.shape,
        range(out.size).map((i) => (i * 7) % 5),
      )
      const { primitive, params } = callOf(() => gather(x, indices, read))
      const [back] = primitive.transpose!([ct], [new Linear(x.aval), indices], params)
      expect(dot(x, instantiate(back!))).toBe(dot(out, ct))
    }),
    { numRuns: 150 },
  )
})

const rows = { dimensionNumbers: { updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0] } }

test('a dynamic update puts where a dynamic slice takes, moved inside by the same amount', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -5, max: 8 }),
      fc.integer({ min: -5, max: 8 }),
      fc.constantFrom('int32' as const, 'int8' as const),
      (row, column, dtype) => {
        const starts = [scalar(row, dtype), scalar(column, dtype)]
        const update = f32([2, 2], [-1, -2, -3, -4])
        const changed = dynamicUpdateSlice(counted([4, 3]), update, starts)
        expect(hostOf(dynamicSlice(changed, starts, [2, 2])).data).toEqual(hostOf(update).data)
        expect(hostOf(changed).data.filter((value) => value < 0).length).toBe(4)
      },
    ),
  )
})

test('updates of 16-bit floats add up before they are rounded', () => {
  const x = array({ shape: [1, 1], dtype: 'float16', data: Float32Array.of(2048) })
  const updates = array({ shape: [4, 1], dtype: 'float16', data: new Float32Array(4).fill(1) })
  const out = scatterAdd(x, i32([4, 1], [0, 0, 0, 0]), updates, rows)
  expect(hostOf(out).data[0]).toBe(2052)
})

test('of a scatter with repeated indices value and tangent are those of one update', () => {
  const [x, updates] = [counted([2, 1]), f32([3, 1], [10, 20, 30])]
  const indices = i32([3, 1], [1, 1, 1])
  const { primitive, params } = callOf(() => scatter(x, indices, updates, rows))
  const [[out], [t]] = primitive.jvp!(
    [x, indices, updates],
    [new Zero(x.aval), new Zero(indices.aval), f32([3, 1], [1, 2, 3])],
    params,
  )
  expect([...hostOf(out!).data]).toEqual([1, 30])
  expect([...hostOf(instantiate(t!)).data]).toEqual([0, 3])
})

const one = { dimensionNumbers: { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] }, sliceSizes: [1, 3] }
test.each([
  [
    () => gather(counted([2, 3]), f32([1, 1], [0]), one),
    DtypeError,
    'gather: expected indices of an integer dtype, got f32[1,1]',
  ],
  [
    () => gather(counted([2, 3]), i32([1, 1], [0]), { ...one, sliceSizes: [1, 4] }),
    ShapeError,
    'slice sizes from 0 to those of f32[2,3], got [1,4]',
  ],
  [
    () => gather(counted([2, 3]), i32([1, 2], [0, 0]), one),
    ShapeError,
    'an axis for each entry of the index vectors of i32[1,2], got startIndexMap [0]',
  ],
  [
    () => gather(counted([2, 3]), i32([1, 1], [0]), { ...one, mode: 'wrap' as 'clip' }),
    OptionError,
    "gather: expected a mode of clip, fill, drop, promiseInBounds, got 'wrap'",
  ],
  [
    () => scatterAdd(counted([2, 3]), i32([1, 1], [0]), counted([1, 4]), rows),
    ShapeError,
    'scatterAdd: expected slice sizes from 0 to those of f32[2,3], got [1,4]',
  ],
  [
    () => scatterAdd(counted([2, 3]), i32([2, 1], [0, 1]), counted([1, 3]), rows),
    ShapeError,
    'updates of shape [2,3] for f32[2,3] and indices i32[2,1], got f32[1,3]',
  ],
  [
    () => scatterAdd(counted([2, 3]), i32([1, 1], [0]), i32([1, 3], [1, 2, 3]), rows),
    DtypeError,
    'scatterAdd: expected updates of dtype float32, got i32[1,3]',
  ],
  [
    () => dynamicSlice(counted([2, 3]), [scalar(0, 'int32')], [1, 1]),
    ShapeError,
    'a start and a size for each axis of f32[2,3], got 1 starts and sizes [1,1]',
  ],
  [
    () => dynamicSlice(counted([2]), [scalar(0, 'float32')], [1]),
    DtypeError,
    'start indices that are scalars of integers, got f32[]',
  ],
  [() => dynamicSlice(counted([2]), [scalar(0, 'int32')], [3]), ShapeError, 'sizes from 0 to those of f32[2], got [3]'],
  [
    () => dynamicUpdateSlice(counted([2]), i32([1], [0]), [scalar(0, 'int32')]),
    DtypeError,
    'an update of dtype float32, got i32[1]',
  ],
])('%s is refused with words that say why', (f, type, message) => {
  expect(f).toThrow(type)
  expect(f).toThrow(message)
})

test('the updates of scatterMul can be differentiated only if they are unique', () => {
  const args = [counted([2, 3]), i32([1, 1], [0]), counted([1, 3])] as const
  const { primitive, params } = callOf(() => scatterMul(...args, rows))
  const differentiate = (): unknown =>
    primitive.jvp!(args, [new Zero(args[0].aval), new Zero(args[1].aval), args[2]], params)
  expect(differentiate).toThrow(MissingRuleError)
  expect(differentiate).toThrow('hint: pass uniqueIndices: true')
})

test('parameters print as those of JAX', () => {
  const { primitive, params } = callOf(() => gather(counted([2, 3]), i32([1, 1], [0]), { ...one, mode: 'fill' }))
  expect(primitive.show!(params, [])).toMatchObject({
    dimensionNumbers:
      'GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,), operand_batching_dims=(), start_indices_batching_dims=())',
    mode: 'GatherScatterMode.FILL_OR_DROP',
    fillValue: NaN,
  })
})
