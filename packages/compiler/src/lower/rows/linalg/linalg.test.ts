// Factorisations and triangular systems against their references, signs and order included.
import { type DType, type HostArray, type Shape, sizeOf } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectReference, lowered, referred, wasm, webgpu } from '../harness.testing.ts'
import { linalgRows } from './linalg.ts'
import { floats, generator, hostArray, moderate } from '../samples.testing.ts'

/** The product of matrices with the transposed ones, and a multiple of the identity: positive definite. */
function definite(dtype: DType, shape: Shape, random: () => number): HostArray {
  const n = shape.at(-1)!
  const { data } = moderate('float64', shape, random)
  const values = Array.from(data, (_, at) => {
    const [matrix, i, j] = [Math.floor(at / (n * n)) * n * n, Math.floor(at / n) % n, at % n]
    let sum = i === j ? 1 : 0
    for (let k = 0; k < n; k++) sum += data[matrix + i * n + k]! * data[matrix + j * n + k]!
    return sum
  })
  return hostArray(dtype, shape, values)
}
const squares: readonly Shape[] = [
  [0, 0],
  [1, 1],
  [2, 2],
  [5, 5],
  [7, 7],
  [3, 4, 4],
  [2, 0, 3, 3],
  [2, 2, 2, 2],
]
const rectangles: readonly Shape[] = [...squares, [3, 5], [5, 3], [1, 4], [4, 1], [2, 3, 2], [0, 3], [3, 0], [2, 3, 0]]

/** On the host the reference's own steps, one by one; in f32 with its errors, relative to matrices of size 1. */
function check(name: string, args: readonly HostArray[], params: object, single = 1e-4): void {
  const { dtype } = args[0]!
  const absolute = { float64: 1e-12, float32: 1e-6, float16: 2e-3, bfloat16: 2e-2 }[dtype as 'float32']
  const ulps = dtype === 'float64' ? 0 : 1
  expectReference(linalgRows, name, args, params, { target: wasm, absolute, ulps })
  if (dtype === 'float32')
    expectReference(linalgRows, name, args, params, { target: webgpu, absolute: single, ulps: 64 })
}

test('cholesky gives the lower triangle, and NaN where a matrix is not positive definite', () => {
  const random = generator(1)
  for (const dtype of floats) {
    for (const shape of squares) {
      check('cholesky', [definite(dtype, shape, random)], {})
      const indefinite = definite(dtype, shape, random)
      for (let i = 0; i < indefinite.data.length; i += 9) indefinite.data[i] = -1
      check('cholesky', [indefinite], {})
    }
  }
})
test('triangular systems are solved from either side, by columns beside each other', () => {
  const random = generator(2)
  for (const dtype of floats) {
    for (const [a, b, leftSide] of [
      [[3, 3], [3, 2], true],
      [[3, 3], [2, 3], false],
      [[1, 1], [1, 1], true],
      [[2, 4, 4], [2, 4, 5], true],
      [[2, 4, 4], [2, 1, 4], false],
      [[0, 0], [0, 2], true],
      [[3, 3], [3, 0], true],
    ] as [Shape, Shape, boolean][]) {
      for (const lower of [false, true]) {
        for (const transposeA of [false, true]) {
          for (const unitDiagonal of [false, true]) {
            const matrix = moderate(dtype, a, random)
            const n = a.at(-1)!
            for (let i = 0; i < matrix.data.length; i++)
              if (Math.floor(i / n) % n === i % n) matrix.data[i] = 2 + (i % 3)
            check(
              'triangular_solve',
              [matrix, moderate(dtype, b, random)],
              { leftSide, lower, transposeA, unitDiagonal },
              1e-3,
            )
          }
        }
      }
    }
  }
})
test('lu exchanges the rows that the reference does', () => {
  const random = generator(3)
  for (const dtype of floats) {
    for (const shape of rectangles) {
      check('lu', [moderate(dtype, shape, random)], {})
      const singular = moderate(dtype, shape, random)
      for (let i = 0; i < singular.data.length; i += shape.at(-1)!) singular.data[i] = 0
      check('lu', [singular], {})
    }
  }
})
test('qr has the signs of the reference, also of columns that are zero below the diagonal', () => {
  const random = generator(4)
  for (const dtype of floats) {
    for (const shape of rectangles) {
      for (const fullMatrices of [false, true]) {
        check('qr', [moderate(dtype, shape, random)], { fullMatrices })
        const n = shape.at(-1)!
        const upper = moderate(dtype, shape, random)
        for (let i = 0; i < upper.data.length; i++) if (Math.floor(i / n) % shape.at(-2)! > i % n) upper.data[i] = 0
        check('qr', [upper], { fullMatrices })
      }
    }
  }
})
test('columns of any size are reflected without overflow', () => {
  for (const size of [1e-30, 1e30]) {
    const x = hostArray(
      'float32',
      [3, 2],
      [3, 1, 4, 2, 0, 5].map((value) => value * size),
    )
    const [expected] = referred('qr', [x], { fullMatrices: false }) as [HostArray]
    const [got] = lowered(linalgRows['qr']!, 'qr', [x], { fullMatrices: false }, { target: webgpu }) as [HostArray]
    got.data.forEach((value, i) => expect(Math.abs(value - expected.data[i]!)).toBeLessThan(1e-6))
  }
})
test('eigh has ascending values and the vectors of the reference', () => {
  const random = generator(5)
  for (const dtype of floats) {
    for (const shape of squares) {
      for (const lower of [false, true]) check('eigh', [moderate(dtype, shape, random)], { lower }, 1e-3)
    }
  }
  for (const lower of [false, true]) {
    check('eigh', [hostArray('float32', [3, 3], [2, 0, 0, 0, 2, 0, 0, 0, 1])], { lower })
    check('eigh', [hostArray('float32', [2, 2], [1, NaN, 2, 1])], { lower })
    check('eigh', [hostArray('float32', [2, 2, 2], [1, 2, Infinity, 1, 1, 2, 2, 1])], { lower })
  }
})
test('svd has descending values and the vectors of the reference', () => {
  const random = generator(6)
  for (const dtype of floats) {
    for (const shape of rectangles) {
      for (const fullMatrices of [false, true]) {
        for (const computeUv of [false, true])
          check('svd', [moderate(dtype, shape, random)], { fullMatrices, computeUv }, 1e-3)
      }
    }
  }
})
test('svd of matrices without full rank completes the vectors as the reference does', () => {
  for (const [shape, values] of [
    [
      [2, 2],
      [0, 0, 0, 0],
    ],
    [
      [3, 2],
      [1, 0, 0, 0, 0, 0],
    ],
    [
      [2, 3],
      [0, 0, 0, 0, 2, 0],
    ],
    [
      [2, 2],
      [NaN, 0, 0, 1],
    ],
  ] as [Shape, number[]][]) {
    for (const fullMatrices of [false, true])
      check('svd', [hostArray('float32', shape, values)], { fullMatrices, computeUv: true })
  }
})

/** A · B of matrices whose elements functions give. */
const times = (a: HostArray, b: HostArray, m: number, k: number, n: number): number[] =>
  Array.from({ length: m * n }, (_, at) => {
    let sum = 0
    for (let i = 0; i < k; i++) sum += a.data[Math.floor(at / n) * k + i]! * b.data[i * n + (at % n)]!
    return sum
  })
const sizes = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
const matrices = sizes.chain(([m, n]) =>
  fc
    .array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: m * n, maxLength: m * n })
    .map((values) => hostArray('float32', [m, n], values)),
)
test('in f32 factors of any matrix multiply to it', () => {
  const property = fc.property(matrices, (x) => {
    const [m, n] = x.shape as [number, number]
    const k = Math.min(m, n)
    const [q, r] = lowered(linalgRows['qr']!, 'qr', [x], { fullMatrices: false }, { target: webgpu }) as [
      HostArray,
      HostArray,
    ]
    times(q, r, m, k, n).forEach((value, i) => expect(Math.abs(value - x.data[i]!)).toBeLessThan(2e-5))
    const params = { fullMatrices: false, computeUv: true }
    const [s, u, vt] = lowered(linalgRows['svd']!, 'svd', [x], params, { target: webgpu }) as [
      HostArray,
      HostArray,
      HostArray,
    ]
    const scaled = hostArray(
      'float64',
      u.shape,
      u.data.map((value, i) => value * s.data[i % k]!),
    )
    times(scaled, vt, m, k, n).forEach((value, i) => expect(Math.abs(value - x.data[i]!)).toBeLessThan(2e-5))
    expect([...s.data].every((value, i) => i === 0 || value <= s.data[i - 1]!)).toBe(true)
    const turned = hostArray(
      'float64',
      [k, m],
      Array.from({ length: sizeOf(u.shape) }, (_, i) => u.data[(i % m) * k + Math.floor(i / m)]!),
    )
    times(turned, u, k, m, k).forEach((value, i) =>
      expect(Math.abs(value - (i % (k + 1) === 0 ? 1 : 0))).toBeLessThan(2e-5),
    )
  })
  fc.assert(property, { numRuns: 60 })
})
