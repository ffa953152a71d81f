/** Diagonals: of arrays, and arrays that have one. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { type DType, checkDtype } from '../../dtype.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { eq } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { normalAxis, range } from '../../shape.ts'
import { fromHost, scalar } from '../../trace.ts'
import { checkShape } from '../create.ts'
import { at } from '../indexing/at.ts'
import { get } from '../indexing/get.ts'
import { asArray } from '../promote.ts'
import { sum } from '../reductions.ts'
import { choose } from '../select.ts'
import { add } from '../ufuncs/arithmetic.ts'
import { moveaxis } from './axes.ts'
import { ravel } from './shapes.ts'
import { take } from '../indexing/take.ts'

export interface DiagonalOptions {
  /** Which diagonal: 0 is the main one, positive ones lie above it. */
  offset?: number
  /** The axes of the rows and of the columns; the first two by default. */
  axis1?: number
  axis2?: number
}
function checkOffset(where: string, offset: number | undefined): number {
  if (offset === undefined) return 0
  if (!Number.isInteger(offset)) throw new OptionError(misuse(where, 'a diagonal that is an integer', String(offset)))
  return offset
}

/** The array with the axes of rows and columns last. */
function matrices(where: string, x: ArrayLike, { axis1 = 0, axis2 = 1 }: DiagonalOptions): NDArray {
  const a = asArray(where, x)
  if (a.ndim < 2) throw new ShapeError(misuse(where, 'an array of rank 2 or more', showAval(a.aval)))
  const [rows, columns] = [normalAxis(where, axis1, a.ndim), normalAxis(where, axis2, a.ndim)]
  if (rows === columns) throw new ShapeError(misuse(where, 'two different axes', `${axis1} and ${axis2}`))
  return moveaxis(a, [rows, columns], [-2, -1])
}

/**
 * A diagonal of matrices, as the last axis.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.diagonal(np.array([[1, 2], [3, 4]])) // => [1, 4]
 * np.diagonal(np.array([[1, 2], [3, 4]]), { offset: 1 }) // => [2]
 * ```
 */
export function diagonal(x: ArrayLike, options: DiagonalOptions = {}): NDArray {
  checkOptions('diagonal', options, ['offset', 'axis1', 'axis2'])
  return diagonalOf(matrices('diagonal', x, options), checkOffset('diagonal', options.offset))
}
function diagonalOf(x: NDArray, offset: number): NDArray {
  const [rows, columns] = x.shape.slice(-2) as [number, number]
  const size = Math.max(0, Math.min(rows + Math.min(offset, 0), columns - Math.max(offset, 0)))
  const along = lax.iota('int32', [size], 0)
  const shifted = add(along, Math.abs(offset))
  return offset >= 0 ? get(x, '...', along, shifted) : get(x, '...', shifted, along)
}

/**
 * The sum of a diagonal of matrices.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.trace(np.array([[1, 2], [3, 4]])).item() // => 5
 * ```
 */
export function trace(x: ArrayLike, options: DiagonalOptions & { dtype?: DType } = {}): NDArray {
  checkOptions('trace', options, ['offset', 'axis1', 'axis2', 'dtype'])
  const a = matrices('trace', x, options)
  const place = (axis: number): NDArray => lax.iota('int32', a.shape, a.ndim + axis)
  const on = eq(add(place(-2), checkOffset('trace', options.offset)), place(-1))
  const dtype = options.dtype === undefined ? {} : { dtype: checkDtype('trace', options.dtype) }
  return sum(choose(on, a, lax.full(a.shape, 0, a.dtype, a.weakType)), { axis: [-2, -1], ...dtype })
}

/**
 * A diagonal of a matrix, or a matrix with a vector as its diagonal.
 *
 * @param options `k`: which diagonal; 0 is the main one, positive ones lie above it
 *
 * @throws ShapeError for other ranks than 1 and 2
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.diag(np.array([1, 2])) // => [[1, 0], [0, 2]]
 * np.diag(np.array([[1, 2], [3, 4]])) // => [1, 4]
 * ```
 */
export function diag(x: ArrayLike, options: { k?: number } = {}): NDArray {
  checkOptions('diag', options, ['k'])
  const a = asArray('diag', x)
  const k = checkOffset('diag', options.k)
  if (a.ndim === 1) return withDiagonal(a, k)
  if (a.ndim === 2) return diagonalOf(a, k)
  throw new ShapeError(misuse('diag', 'an array of rank 1 or 2', showAval(a.aval)))
}
/** Zeros around a diagonal: the vector repeated along the rows, in the columns of the diagonal, and kept on it. */
function withDiagonal(v: NDArray, k: number): NDArray {
  const n = v.size + Math.abs(k)
  const columns = lax.pad(v, scalar(0, v.dtype, v.weakType), [[Math.max(k, 0), Math.max(-k, 0), 0]])
  const on = eq(add(lax.iota('int32', [n, n], 0), k), lax.iota('int32', [n, n], 1))
  return choose(on, lax.broadcastInDim(columns, [n, n], [1]), lax.full([n, n], 0, v.dtype, v.weakType))
}

/**
 * A matrix with the flattened array as its diagonal.
 *
 * @param options `k`: which diagonal; 0 is the main one, positive ones lie above it
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.diagflat(np.array([[1, 2]]), { k: 1 }) // => [[0, 1, 0], [0, 0, 2], [0, 0, 0]]
 * ```
 */
export function diagflat(x: ArrayLike, options: { k?: number } = {}): NDArray {
  checkOptions('diagflat', options, ['k'])
  return withDiagonal(ravel(asArray('diagflat', x)), checkOffset('diagflat', options.k))
}

/**
 * A copy with other values on the main diagonal: one, or as many as there are places, over again if there are fewer.
 *
 * @throws ShapeError for fewer than two axes, and for more than two of different sizes
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.fillDiagonal(np.zeros([2, 2]), 7) // => [[7, 0], [0, 7]]
 * ```
 */
export function fillDiagonal(x: ArrayLike, value: ArrayLike): NDArray {
  const a = asArray('fillDiagonal', x)
  if (a.ndim < 2 || (a.ndim > 2 && a.shape.some((size) => size !== a.shape[0]))) {
    throw new ShapeError(
      misuse('fillDiagonal', 'a matrix, or an array of higher rank with equal sizes', showAval(a.aval)),
    )
  }
  const size = Math.min(...a.shape)
  const places = lax.iota('int32', [size], 0)
  const values =
    typeof value === 'number' || typeof value === 'boolean' || value.ndim === 0
      ? value
      : take(value, places, { mode: 'wrap' })
  return at(a, ...a.shape.map(() => places)).set(values)
}

const positions = (list: readonly number[]): NDArray =>
  fromHost({ shape: [list.length], dtype: 'int32', data: Int32Array.from(list) })

export interface TriangleOptions {
  /** The diagonal that bounds the triangle: 0 is the main one, positive ones lie above it. */
  k?: number
  /** The number of columns; that of the rows by default. */
  columns?: number
}
/** Rows and columns of the places of a matrix for which something holds, in row-major order. */
function placesWhere(
  where: string,
  rows: number,
  options: TriangleOptions,
  holds: (row: number, column: number) => boolean,
): [rows: NDArray, columns: NDArray] {
  checkOptions(where, options, ['k', 'columns'])
  const [m, n] = checkShape(where, [rows, options.columns ?? rows]) as [number, number]
  const places = range(m).flatMap((row) =>
    range(n).flatMap((column) => (holds(row, column) ? [[row, column] as const] : [])),
  )
  return [positions(places.map(([row]) => row)), positions(places.map(([, column]) => column))]
}

/**
 * The places of the lower triangle of a matrix: rows and columns, i32[n] each.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [rows, columns] = np.trilIndices(2)
 * rows // => [0, 1, 1]
 * columns // => [0, 0, 1]
 * ```
 */
export function trilIndices(rows: number, options: TriangleOptions = {}): [rows: NDArray, columns: NDArray] {
  const k = checkOffset('trilIndices', options.k)
  return placesWhere('trilIndices', rows, options, (row, column) => column - row <= k)
}

/**
 * The places of the upper triangle of a matrix: rows and columns, i32[n] each.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [rows, columns] = np.triuIndices(2)
 * rows // => [0, 0, 1]
 * columns // => [0, 1, 1]
 * ```
 */
export function triuIndices(rows: number, options: TriangleOptions = {}): [rows: NDArray, columns: NDArray] {
  const k = checkOffset('triuIndices', options.k)
  return placesWhere('triuIndices', rows, options, (row, column) => column - row >= k)
}

/**
 * The places of the lower triangle of a given matrix: rows and columns, i32[n] each.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.trilIndicesFrom(np.eye(2))[0] // => [0, 1, 1]
 * ```
 */
export const trilIndicesFrom = (x: ArrayLike, options: { k?: number } = {}): [rows: NDArray, columns: NDArray] =>
  trilIndices(...from('trilIndicesFrom', x, options))

/**
 * The places of the upper triangle of a given matrix: rows and columns, i32[n] each.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.triuIndicesFrom(np.eye(2))[1] // => [0, 1, 1]
 * ```
 */
export const triuIndicesFrom = (x: ArrayLike, options: { k?: number } = {}): [rows: NDArray, columns: NDArray] =>
  triuIndices(...from('triuIndicesFrom', x, options))

function from(where: string, x: ArrayLike, options: { k?: number }): [rows: number, options: TriangleOptions] {
  checkOptions(where, options, ['k'])
  const a = asArray(where, x)
  if (a.ndim !== 2) throw new ShapeError(misuse(where, 'a matrix', showAval(a.aval)))
  return [a.shape[0], { ...options, columns: a.shape[1] }]
}

/**
 * The places of the main diagonal of an array with equal sizes: for each axis i32[n].
 *
 * @param options `rank`: the number of axes, 2 by default
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.diagIndices(2).length // => 2
 * np.diagIndices(2)[1] // => [0, 1]
 * ```
 */
export function diagIndices(n: number, options: { rank?: number } = {}): NDArray[] {
  checkOptions('diagIndices', options, ['rank'])
  const [size, rank] = checkShape('diagIndices', [n, options.rank ?? 2]) as [number, number]
  return range(rank).map(() => lax.iota('int32', [size], 0))
}
