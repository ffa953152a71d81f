/** Laws of `np.linalg`: factors multiply to what was factored, solutions solve, derivatives follow from those laws. */
import '../../setup.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../../array.ts'
import { jit } from '../../control/jitted.ts'
import { DtypeError, OptionError, ShapeError } from '../../errors.ts'
import { grad } from '../../transform/autodiff.ts'
import { hessian } from '../../transform/jacobian.ts'
import { vmap } from '../../transform/vectorize.ts'
import * as np from '../index.ts'

const { linalg } = np
const close = (x: NDArray, y: NDArray, within = 1e-4): void => {
  expect([...x.shape]).toEqual([...y.shape])
  expect(np.max(np.abs(np.subtract(x, y)), { initial: 0 }).item()).toBeLessThan(within)
}
/** Small matrices with a diagonal that keeps them far from singular. */
const matrices = fc
  .integer({ min: 1, max: 5 })
  .chain((n) =>
    fc.array(fc.array(fc.integer({ min: -2, max: 2 }), { minLength: n, maxLength: n }), { minLength: n, maxLength: n }),
  )
  .map((rows) => np.array(rows.map((row, i) => row.map((value, j) => value + (i === j ? 12 : 0)))))

test('factors multiply to the matrix', () => {
  fc.assert(
    fc.property(matrices, (a) => {
      const [q, r] = linalg.qr(a)
      close(np.matmul(q, r), a)
      const [u, s, vt] = linalg.svd(a)
      close(np.matmul(np.multiply(u, s), vt), a)
      const symmetric = np.matmul(a, a.T)
      const lower = linalg.cholesky(symmetric)
      close(np.divide(np.matmul(lower, lower.T), 100), np.divide(symmetric, 100))
      const [values, vectors] = linalg.eigh(symmetric)
      close(np.divide(np.matmul(np.multiply(vectors, values), vectors.T), 100), np.divide(symmetric, 100))
    }),
    { numRuns: 20 },
  )
})

test('solutions solve, inverses invert, and pseudo-inverses of regular matrices are inverses', () => {
  fc.assert(
    fc.property(matrices, (a) => {
      const b = np.arange(a.shape[0], { dtype: 'float32' })
      close(np.matmul(a, linalg.solve(a, b)), b)
      close(np.matmul(a, linalg.inv(a)), np.eye(a.shape[0]))
      close(linalg.pinv(a), linalg.inv(a))
      close(linalg.lstsq(a, b)[0], linalg.solve(a, b))
    }),
    { numRuns: 20 },
  )
})

test('determinants multiply, and slogdet is their logarithm', () => {
  fc.assert(
    fc.property(matrices, (a) => {
      const d = linalg.det(a)
      close(np.divide(linalg.det(np.matmul(a, a.T)), np.square(d)), np.array(1), 1e-3)
      const [sign, logdet] = linalg.slogdet(a)
      close(np.divide(np.multiply(sign, np.exp(logdet)), d), np.array(1), 1e-3)
    }),
    { numRuns: 20 },
  )
})

test('the gradient of a determinant is the adjugate, of singular matrices too', () => {
  fc.assert(
    fc.property(matrices, (a) => {
      const adjugate = np.multiply(linalg.det(a), linalg.inv(a)).T
      const scale = np.max(np.abs(adjugate))
      close(np.divide(grad((x: NDArray) => linalg.det(x))(a), scale), np.divide(adjugate, scale), 1e-3)
    }),
    { numRuns: 20 },
  )
  const singular = np.diag(np.array([1, 1, 1, 1, 0]))
  close(grad((x: NDArray) => linalg.det(x))(singular), np.diag(np.array([0, 0, 0, 0, 1])))
  close(grad((x: NDArray) => linalg.det(x))(np.zeros([4, 4])), np.zeros([4, 4]))
})

test('derivatives of determinants can be differentiated', () => {
  // det(x + t y) of a diagonal matrix is a polynomial whose second derivative is known
  const along = (t: NDArray): NDArray =>
    linalg.det(np.diag(np.add(np.array([1, 2, 3, 4]), np.multiply(t, np.array([1, 1, 0, 0])))))
  close(hessian(along)(0) as NDArray, np.array(24))
})

test('maps and programs compute what single calls do', () => {
  const stack = np.stack([np.eye(4), np.diag(np.array([1, 2, 3, 4]))])
  close(jit((x: NDArray) => vmap((y: NDArray) => linalg.det(y))(x))(stack), np.array([1, 24]))
  close(vmap((x: NDArray) => linalg.inv(x))(stack), linalg.inv(stack))
  close(vmap((x: NDArray) => linalg.pinv(x))(stack), linalg.pinv(stack))
})

test('misuse is refused with what was expected', () => {
  const wide = np.ones([2, 3])
  const cases: readonly (readonly [() => unknown, new (message: string) => Error, string])[] = [
    [() => linalg.det(wide), ShapeError, 'square matrices in the last two axes, got f32[2,3]'],
    [() => linalg.inv(np.ones([3])), ShapeError, 'matrices in the last two axes'],
    [() => linalg.solve(np.eye(2), np.ones([3])), ShapeError, 'a right side with 2 rows'],
    [() => linalg.norm(wide, { ord: 5 }), OptionError, 'an order of matrix norms'],
    [() => linalg.norm(np.ones([2]), { ord: 'fro' }), OptionError, 'a number as the order'],
    [() => linalg.norm(np.ones([2, 2, 2]), { ord: 2 }), ShapeError, 'one axis or two'],
    [() => linalg.qr(wide, { mode: 'raw' as 'r' }), OptionError, "'complete'"],
    [() => linalg.eigh(np.eye(2), { uplo: 'X' as 'L' }), OptionError, "uplo 'L' or 'U'"],
    [() => linalg.matrixPower(np.eye(2), 0.5), OptionError, 'an exponent that is an integer'],
    [() => linalg.multiDot([wide]), ShapeError, 'two matrices or more'],
    [() => linalg.multiDot([wide, wide]), ShapeError, 'as many rows'],
    [() => np.cov(wide, { dtype: 'int32' }), DtypeError, 'a floating dtype'],
  ]
  for (const [run, kind, text] of cases) {
    expect(run).toThrow(kind)
    expect(run).toThrow(text)
  }
})
