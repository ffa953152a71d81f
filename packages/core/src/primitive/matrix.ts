/** What the derivatives of matrix factorisations are written with: products, transposes, triangles, of the last two axes of arrays. */
import type { NDArray } from '../array.ts'
import type { DType } from '../dtype.ts'
import { range } from '../shape.ts'
import { dotGeneral } from './dot.ts'
import { add, convert, eq, ge, mul, select } from './elementwise.ts'
import { broadcastInDim, iota, slice, transpose } from './movement.ts'
import { reduceSum } from './reduce.ts'
import { scalarLike } from './rules.ts'
import { scalar } from '../trace.ts'

/** The matrix product, over equal leading axes. */
export function matmul(a: NDArray, b: NDArray): NDArray {
  const leading = range(a.ndim - 2)
  return dotGeneral(a, b, [
    [[a.ndim - 1], [b.ndim - 2]],
    [leading, leading],
  ])
}
/** The product of several matrices, from the left. */
export const product = (...matrices: NDArray[]): NDArray => matrices.reduce(matmul)

export const transposed = (a: NDArray): NDArray => transpose(a, [...range(a.ndim - 2), a.ndim - 1, a.ndim - 2])

const indices = (shape: readonly number[], fromEnd: number): NDArray => iota('int32', shape, shape.length - fromEnd)
/** Elements on or below the `k`-th diagonal, and zero elsewhere. */
export const lowerTriangle = (a: NDArray, k = 0): NDArray =>
  select(ge(add(indices(a.shape, 2), scalar(k, 'int32')), indices(a.shape, 1)), a, scalarLike(a, 0))
/** Elements on or above the `k`-th diagonal, and zero elsewhere. */
export const upperTriangle = (a: NDArray, k = 0): NDArray =>
  select(ge(indices(a.shape, 1), add(indices(a.shape, 2), scalar(k, 'int32'))), a, scalarLike(a, 0))
/** The identity, of a shape whose last two axes may differ. */
export const identity = (dtype: DType, shape: readonly number[]): NDArray =>
  convert(eq(indices(shape, 2), indices(shape, 1)), dtype)

/** f[..., n] as rows, f[..., k, n] of equal rows. */
export const asRows = (v: NDArray, k: number): NDArray =>
  broadcastInDim(v, [...v.shape.slice(0, -1), k, v.shape.at(-1)!], [...range(v.ndim - 1), v.ndim])
/** f[..., n] as columns, f[..., n, k] of equal columns. */
export const asColumns = (v: NDArray, k: number): NDArray => broadcastInDim(v, [...v.shape, k], range(v.ndim))
export const diagonalOf = (a: NDArray): NDArray => reduceSum(mul(a, identity(a.dtype, a.shape)), [a.ndim - 1])

/** Rows and columns from `start` to `limit` of a matrix. */
export function block(
  a: NDArray,
  [row0, row1]: readonly [number, number],
  [column0, column1]: readonly [number, number],
): NDArray {
  const leading = a.shape.slice(0, -2)
  return slice(a, [...leading.map(() => 0), row0, column0], [...leading, row1, column1])
}

/** The matrix that brings row `order[i]` to place i, for i32[..., n]. */
export function permutationMatrix(order: NDArray, dtype: DType): NDArray {
  const n = order.shape.at(-1)!
  return convert(eq(asColumns(order, n), indices([...order.shape, n], 1)), dtype)
}
