/** Factorisations: their factors multiply to the matrix, have the structure they promise, and batch. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../array.ts'
import { range } from '../shape.ts'
import { array, f32, useHostBackend } from './hostBackend.testing.ts'
import { cholesky, eigh, lu, qr, svd, triangularSolve } from './linalg.ts'
import {
  asRows,
  block,
  identity,
  lowerTriangle,
  matmul,
  permutationMatrix,
  product,
  transposed,
  upperTriangle,
} from './matrix.ts'
import { add, mul } from './elementwise.ts'
import { elementsOf, expectAdjoint, expectLikeLoop } from './rules.testing.ts'

useHostBackend()

const size = fc.integer({ min: 1, max: 5 })
const doubles = (shape: readonly number[]): fc.Arbitrary<NDArray> => {
  const length = shape.reduce((a, b) => a * b, 1)
  return fc
    .array(fc.integer({ min: -40, max: 40 }), { minLength: length, maxLength: length })
    .map((data) => array({ shape, dtype: 'float64', data: Float64Array.from(data, (x) => x / 8) }))
}
const matrices = fc.tuple(size, size).chain(([m, n]) => doubles([m, n]))
const square = size.chain((n) => doubles([n, n]))

function expectClose(a: NDArray, b: NDArray): void {
  expect(a.shape).toEqual(b.shape)
  const [x, y] = [elementsOf(a), elementsOf(b)]
  x.forEach((value, i) => expect(value).toBeCloseTo(y[i]!, 9))
}
const expectOrthonormal = (q: NDArray): void => {
  const gram = matmul(transposed(q), q)
  expectClose(gram, identity('float64', gram.shape))
}

test('Cholesky: L Lᵀ is the matrix', () => {
  fc.assert(
    fc.property(square, (a) => {
      const positive = add(matmul(a, transposed(a)), identity('float64', a.shape))
      const l = cholesky(positive)
      expectClose(matmul(l, transposed(l)), positive)
      expect(elementsOf(l)).toEqual(elementsOf(lowerTriangle(l)))
    }),
  )
  expect(elementsOf(cholesky(f32([2, 2], [1, 2, 2, 1])))).toEqual([NaN, NaN, NaN, NaN])
})

test('LU: L U is the matrix with its rows in order', () => {
  fc.assert(
    fc.property(matrices, (a) => {
      const [m, n] = a.shape
      const k = Math.min(m, n)
      const [factors, , order] = lu(a)
      const l = add(lowerTriangle(block(factors, [0, m], [0, k]), -1), identity('float64', [m, k]))
      const u = upperTriangle(block(factors, [0, k], [0, n]))
      expectClose(matmul(l, u), matmul(permutationMatrix(order, 'float64'), a))
      expect(Math.max(...elementsOf(l).map(Math.abs))).toBe(1)
    }),
  )
})

test('QR: Q R is the matrix, with orthonormal columns and a triangle', () => {
  fc.assert(
    fc.property(matrices, fc.boolean(), (a, full) => {
      const [q, r] = qr(a, full)
      expectClose(matmul(q, r), a)
      expectOrthonormal(q)
      expect(elementsOf(r)).toEqual(elementsOf(upperTriangle(r)))
    }),
  )
})

test('eigenvectors diagonalise, values ascend', () => {
  fc.assert(
    fc.property(square, fc.boolean(), (a, lower) => {
      const symmetric = add(a, transposed(a))
      const [v, w] = eigh(lower ? lowerTriangle(symmetric) : upperTriangle(symmetric), lower)
      expectOrthonormal(v)
      expectClose(matmul(symmetric, v), mul(v, asRows(w, v.shape[0])))
      expect(elementsOf(w)).toEqual(elementsOf(w).toSorted((x, y) => x - y))
    }),
  )
})

test('singular vectors diagonalise, values descend, also of matrices without full rank', () => {
  fc.assert(
    fc.property(matrices, fc.boolean(), fc.boolean(), (a, full, deficient) => {
      const x = deficient ? matmul(block(a, [0, a.shape[0]], [0, 1]), block(a, [0, 1], [0, a.shape[1]])) : a
      const [s, u, vt] = svd(x, full) as [NDArray, NDArray, NDArray]
      const k = s.shape[0]
      const [m, n] = x.shape
      expectOrthonormal(u)
      expectOrthonormal(transposed(vt))
      expectClose(product(mul(block(u, [0, m], [0, k]), asRows(s, m)), block(vt, [0, k], [0, n])), x)
      expect(elementsOf(s)).toEqual(elementsOf(s).toSorted((p, q) => q - p))
      expect(svd(x, full, false).length).toBe(1)
    }),
  )
})

const options = fc.record({
  leftSide: fc.boolean(),
  lower: fc.boolean(),
  transposeA: fc.boolean(),
  unitDiagonal: fc.boolean(),
})
test('a triangular solution solves, and its transpose is the adjoint', () => {
  // powers of two on the diagonal and whole numbers elsewhere make all results exact
  const a = array({ shape: [3, 3], dtype: 'float64', data: Float64Array.of(2, 1, -3, 4, 1, 5, -2, 3, 4) })
  fc.assert(
    fc.property(options, doubles([3, 3]), doubles([3, 3]), (params, b, ct) => {
      const x = triangularSolve(a, b, params)
      const triangle = params.lower
        ? lowerTriangle(a, params.unitDiagonal ? -1 : 0)
        : upperTriangle(a, params.unitDiagonal ? 1 : 0)
      const used = params.unitDiagonal ? add(triangle, identity('float64', [3, 3])) : triangle
      const op = params.transposeA ? transposed(used) : used
      expect(elementsOf(params.leftSide ? matmul(op, x) : matmul(x, op))).toEqual(
        elementsOf(b).map((value) => value + 0),
      )
      expectAdjoint('triangular_solve', [a, b], params, 1, ct)
    }),
  )
})

test('batches are a loop', () => {
  const stack = (m: number, n: number) =>
    array({
      shape: [m, 2, n],
      dtype: 'float64',
      data: Float64Array.from(range(2 * m * n), (i) => Math.sin(i * i + 1) + (i % 4)),
    })
  expectLikeLoop('lu', [stack(3, 4)], [1], {}, 2)
  expectLikeLoop('qr', [stack(4, 3)], [1], { fullMatrices: true }, 2)
  expectLikeLoop('svd', [stack(3, 4)], [1], { fullMatrices: true, computeUv: true }, 2)
  expectLikeLoop('eigh', [stack(3, 3)], [1], { lower: true }, 2)
  expectLikeLoop('cholesky', [stack(1, 1)], [1], {}, 2)
  const params = { leftSide: true, lower: true, transposeA: false, unitDiagonal: false }
  expectLikeLoop('triangular_solve', [stack(3, 3), stack(3, 2)], [1, 1], params, 2)
})

test('what is no matrix is refused', () => {
  expect(() => cholesky(f32([2, 3], range(6)))).toThrow(
    'cholesky: expected square matrices in the last two axes, got f32[2,3]',
  )
  expect(() => lu(array({ shape: [1, 1], dtype: 'int32', data: Int32Array.of(1) }))).toThrow(
    'lu: expected floats, got i32[1,1]',
  )
})
