/** Window reductions: sums, extremes and the choice of an element, their transposes and batches. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { range } from '../shape.ts'
import { f32, useHostBackend } from './hostBackend.testing.ts'
import { elementsOf, expectAdjoint, expectLikeLoop, run, wholeNumbers } from './rules.testing.ts'
import { type WindowParams, reduceWindowMax, reduceWindowSum, selectAndScatterAdd } from './window.ts'

useHostBackend()

const pair = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<[T, T]> => fc.tuple(arbitrary, arbitrary)
const small = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const shapes = pair(small(1, 5))
const windows: fc.Arbitrary<WindowParams> = fc.record({
  windowDimensions: pair(small(1, 3)),
  windowStrides: pair(small(1, 3)),
  padding: pair(pair(small(0, 2))),
  baseDilation: pair(small(1, 2)),
  windowDilation: pair(small(1, 2)),
})
const call = fc
  .tuple(shapes, windows)
  .chain(([shape, params]) => fc.record({ x: wholeNumbers(shape), params: fc.constant(params) }))

test('a sum over a window is the sum of its elements', () => {
  fc.assert(
    fc.property(call, ({ x, params }) => {
      const out = reduceWindowSum(x, params)
      const [data, [rows, columns]] = [elementsOf(x), x.shape]
      const expected: number[] = []
      for (const i of range(out.shape[0])) {
        for (const j of range(out.shape[1])) {
          let sum = 0
          for (const k of range(params.windowDimensions[0]!)) {
            for (const l of range(params.windowDimensions[1]!)) {
              const [r, c] = [
                (i * params.windowStrides[0]! + k * params.windowDilation[0]! - params.padding[0]![0]) /
                  params.baseDilation[0]!,
                (j * params.windowStrides[1]! + l * params.windowDilation[1]! - params.padding[1]![0]) /
                  params.baseDilation[1]!,
              ]
              if (Number.isInteger(r) && Number.isInteger(c) && r >= 0 && c >= 0 && r < rows && c < columns)
                sum += data[r * columns + c]!
            }
          }
          expected.push(sum)
        }
      }
      expect(elementsOf(out)).toEqual(expected)
    }),
  )
})

test('the transposes of a window sum and of both choices are adjoints', () => {
  const withCotangent = call.chain(({ x, params }) =>
    fc.record({
      x: fc.constant(x),
      params: fc.constant(params),
      t: wholeNumbers(x.shape),
      ct: wholeNumbers(reduceWindowSum(x, params).shape),
    }),
  )
  fc.assert(
    fc.property(withCotangent, fc.constantFrom('ge', 'le'), ({ x, params, t, ct }, selectPrim) => {
      expectAdjoint('reduce_window_sum', [x], params, 0, ct)
      const undilated = { ...params, windowDilation: [1, 1], selectPrim }
      const counts = reduceWindowSum(x, undilated).shape
      const fits = f32(counts, range(counts[0] * counts[1]))
      expectAdjoint('select_and_gather_add', [t, x], undilated, 0, fits)
      const plain = { ...undilated, baseDilation: [1, 1] }
      const scattered = f32(reduceWindowSum(x, plain).shape, range(reduceWindowSum(x, plain).size))
      expectAdjoint('select_and_scatter_add', [scattered, x], plain, 0, t)
    }),
  )
})

test('batches are a loop', () => {
  fc.assert(
    fc.property(shapes, windows, small(0, 2), fc.infiniteStream(small(-4, 4)), (shape, params, dim, stream) => {
      const size = 2
      const filled = (dims: readonly number[]) =>
        f32(
          dims,
          range(dims.reduce((a, b) => a * b, 1)).map(() => stream.next().value),
        )
      const x = filled(shape.toSpliced(dim, 0, size))
      for (const name of ['reduce_window_sum', 'reduce_window_max', 'reduce_window_min'])
        expectLikeLoop(name, [x], [dim], params, size)
      const choice = { ...params, selectPrim: 'ge' }
      expectLikeLoop('select_and_gather_add', [filled(shape), x], [null, dim], choice, size)
      const plain = { ...choice, baseDilation: [1, 1] }
      const source = filled(reduceWindowSum(filled(shape), plain).shape)
      expectLikeLoop('select_and_scatter_add', [source, x], [null, dim], plain, size)
    }),
  )
})

const rowOf2: WindowParams = {
  windowDimensions: [2],
  windowStrides: [1],
  padding: [[0, 0]],
  baseDilation: [1],
  windowDilation: [1],
}
test('of equal elements in a window the first is chosen', () => {
  expect(
    elementsOf(selectAndScatterAdd(f32([2], [10, 1]), f32([3], [5, 5, 5]), { ...rowOf2, selectPrim: 'ge' })),
  ).toEqual([10, 1, 0])
})

test('a maximum over padding alone is −∞, and its tangent zero', () => {
  const params = { ...rowOf2, padding: [[3, 0]] as const }
  expect(elementsOf(reduceWindowMax(f32([1], [7]), params))).toEqual([-Infinity, -Infinity, 7])
  expect(
    elementsOf(run('select_and_gather_add', [f32([1], [3]), f32([1], [7])], { ...params, selectPrim: 'ge' })[0]!),
  ).toEqual([0, 0, 3])
})

test('misuse is told with the types', () => {
  expect(() => reduceWindowSum(f32([1, 1], [0]), rowOf2)).toThrow(
    'reduceWindowSum: expected 2 entries of windowDimensions for f32[1,1], got 1',
  )
})
