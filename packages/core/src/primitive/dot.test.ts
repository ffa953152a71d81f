/** The general product against sums written out, over random dimension numbers. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allocate } from '../backend/reference/host.ts'
import { multiplyFloats, offsetsOf } from '../backend/reference/matmul.ts'
import type { DType } from '../dtype.ts'
import { range } from '../shape.ts'
import { type DotDimensionNumbers, dotGeneral } from './dot.ts'
import { array, f32, useHostBackend } from './hostBackend.testing.ts'
import { elementsOf, expectAdjoint, expectLikeLoop, wholeNumbers } from './rules.testing.ts'

useHostBackend()

const permutationOf = (n: number): fc.Arbitrary<number[]> =>
  fc.shuffledSubarray(range(n), { minLength: n, maxLength: n })
const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 2 })

/** Random operands: batch, own and contracted axes in any order; `batched` axes may be added by the caller. */
const product = fc
  .record({ shared: sizes, left: sizes, right: sizes, contracted: sizes })
  .chain(({ shared, left, right, contracted }) => {
    const side = (own: number[]) =>
      permutationOf(shared.length + own.length + contracted.length).map((place) => {
        const all = [...shared, ...own, ...contracted]
        const shape: number[] = []
        place.forEach((axis, i) => (shape[axis] = all[i]!))
        return { shape, batch: place.slice(0, shared.length), contracted: place.slice(shared.length + own.length) }
      })
    return fc.tuple(side(left), side(right))
  })
  .chain(([x, y]) => {
    const numbers: DotDimensionNumbers = [
      [x.contracted, y.contracted],
      [x.batch, y.batch],
    ]
    return fc.record({ x: wholeNumbers(x.shape), y: wholeNumbers(y.shape), numbers: fc.constant(numbers) })
  })

/** All indices into a shape, in order. */
function* indicesOf(shape: readonly number[]): Generator<number[]> {
  if (shape.length === 0) yield []
  else for (let i = 0; i < shape[0]!; i++) for (const rest of indicesOf(shape.slice(1))) yield [i, ...rest]
}

test('every element is the sum over the contracted axes', () => {
  fc.assert(
    fc.property(product, ({ x, y, numbers }) => {
      const [[lc, rc], [lb, rb]] = numbers
      const free = (rank: number, used: readonly number[]) => range(rank).filter((axis) => !used.includes(axis))
      const [lk, rk] = [free(x.ndim, [...lc, ...lb]), free(y.ndim, [...rc, ...rb])]
      const [a, b] = [elementsOf(x), elementsOf(y)]
      const at = (shape: readonly number[], axes: readonly number[], index: readonly number[]) =>
        shape.reduce((offset, dim, axis) => offset * dim + index[axes.indexOf(axis)]!, 0)
      const out = dotGeneral(x, y, numbers)
      const expected: number[] = []
      for (const index of indicesOf(out.shape)) {
        const [batch, left] = [index.slice(0, lb.length), index.slice(lb.length, lb.length + lk.length)]
        const right = index.slice(lb.length + lk.length)
        let sum = 0
        for (const inner of indicesOf(lc.map((axis) => x.shape[axis]!))) {
          sum +=
            a[at(x.shape, [...lb, ...lk, ...lc], [...batch, ...left, ...inner])]! *
            b[at(y.shape, [...rb, ...rk, ...rc], [...batch, ...right, ...inner])]!
        }
        expected.push(sum)
      }
      expect(elementsOf(out)).toEqual(expected.map((value) => value + 0))
    }),
  )
})

test('its transposes are its adjoints', () => {
  const withCotangent = product.chain(({ x, y, numbers }) =>
    wholeNumbers(dotGeneral(x, y, numbers).shape).map((ct) => ({
      x,
      y,
      ct,
      params: { dimensionNumbers: numbers, preferredElementType: undefined },
    })),
  )
  fc.assert(
    fc.property(withCotangent, fc.constantFrom(0, 1), ({ x, y, ct, params }, operand) => {
      expectAdjoint('dot_general', [x, y], params, operand, ct)
    }),
  )
})

test('batches of either operand are a loop', () => {
  // operands without the batch axis: [2,3] and [2,3,2], contracted over 3, shared 2
  const params = {
    dimensionNumbers: [
      [[1], [1]],
      [[0], [0]],
    ],
    preferredElementType: undefined,
  }
  const batched = fc.record({
    xDim: fc.option(fc.integer({ min: 0, max: 2 })),
    yDim: fc.option(fc.integer({ min: 0, max: 3 })),
  })
  const at = (shape: number[], dim: number | null) => (dim === null ? shape : shape.toSpliced(dim, 0, 4))
  fc.assert(
    fc.property(
      batched
        .filter(({ xDim, yDim }) => xDim !== null || yDim !== null)
        .chain(({ xDim, yDim }) =>
          fc.tuple(fc.constant([xDim, yDim]), wholeNumbers(at([2, 3], xDim)), wholeNumbers(at([2, 3, 2], yDim))),
        ),
      ([dims, x, y]) => expectLikeLoop('dot_general', [x, y], dims, params, 4),
    ),
  )
})

test('blocks, rows and sparse rows of the matrix product agree, at every edge', () => {
  const size = fc.integer({ min: 1, max: 9 })
  fc.assert(
    fc.property(
      size,
      size,
      size,
      fc.boolean(),
      fc.boolean(),
      fc.infiniteStream(fc.integer({ min: -3, max: 3 })),
      (m, depth, n, sparseLeft, sparseRight, stream) => {
        const some = (length: number, sparse: boolean) =>
          Float32Array.from({ length }, (_, i) => (sparse && i % 5 !== 0 ? 0 : (stream.next().value as number)))
        const [a, b] = [some(m * depth, sparseLeft), some(depth * n, sparseRight)]
        const out = new Float32Array(m * n)
        const whole = (data: Float32Array, rows: number, columns: number) => ({
          data,
          base: 0,
          rows: offsetsOf([rows], [columns]),
          columns: offsetsOf([columns], [1]),
        })
        multiplyFloats(whole(a, m, depth), whole(b, depth, n), out, 0)
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) {
            let sum = 0
            for (let k = 0; k < depth; k++) sum += a[i * depth + k]! * b[k * n + j]!
            expect(out[i * n + j]).toBe(sum + 0)
          }
        }
      },
    ),
  )
})

test('zeros do not hide infinities and NaN', () => {
  const numbers: DotDimensionNumbers = [
    [[1], [0]],
    [[], []],
  ]
  const zeros = f32([5, 2], new Array<number>(10).fill(0))
  expect(elementsOf(dotGeneral(zeros, f32([2, 4], [1, Infinity, NaN, 2, 3, 4, 5, 6]), numbers)).slice(0, 4)).toEqual([
    0,
    NaN,
    NaN,
    0,
  ])
  expect(
    elementsOf(dotGeneral(f32([5, 1], [Infinity, 1, NaN, 2, 3]), f32([1, 4], [0, 0, 0, 0]), numbers)).filter(
      Number.isNaN,
    ).length,
  ).toBe(8)
})

test('integers wrap in the dtype of the result', () => {
  const of = (dtype: DType, data: number[]) => {
    const store = allocate(dtype, data.length)
    store.set(data)
    return array({ shape: [data.length], dtype, data: store })
  }
  const numbers: DotDimensionNumbers = [
    [[0], [0]],
    [[], []],
  ]
  const square = (dtype: DType, data: number[], preferred?: DType) =>
    elementsOf(dotGeneral(of(dtype, data), of(dtype, data), numbers, preferred))
  expect(square('int8', [100, 100])).toEqual([20000 - 78 * 256])
  expect(square('int8', [100, 100], 'int32')).toEqual([20000])
  expect(square('int32', [65537, 0])).toEqual([131073])
  expect(square('uint32', [4294967295, 0])).toEqual([1])
  expect(square('bool', [0, 1])).toEqual([1])
})

test('float16 products are summed exactly and rounded once', () => {
  const x = array({ shape: [4096], dtype: 'float16', data: new Float32Array(4096).fill(1) })
  const numbers: DotDimensionNumbers = [
    [[0], [0]],
    [[], []],
  ]
  // adding ones in float16 would stay at 2048
  expect(elementsOf(dotGeneral(x, x, numbers))).toEqual([4096])
})

test('misuse is told with the types', () => {
  const numbers: DotDimensionNumbers = [
    [[1], [0]],
    [[], []],
  ]
  expect(() =>
    dotGeneral(f32([2, 3], new Array<number>(6).fill(1)), f32([2, 3], new Array<number>(6).fill(1)), numbers),
  ).toThrow('dotGeneral: expected contracted axes of equal sizes, got axes [1] of f32[2,3] and [0] of f32[2,3]')
})
