/** Arrays made from their own indices: identities, triangles, grids. */
import type { ArrayLike, NDArray } from '../array.ts'
import { checkDtype } from '../dtype.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { add, convert, eq, ge } from '../primitive/elementwise.ts'
import { broadcastInDim, concatenate, expandDims, full, iota, reshape } from '../primitive/movement.ts'
import { type Shape, range } from '../shape.ts'
import { vmap } from '../transform/vectorize.ts'
import { scalar } from '../trace.ts'
import { checkShape } from './create.ts'
import { asArray, broadcastTo } from './promote.ts'
import { arange } from './ranges.ts'
import { choose } from './select.ts'
import type { DtypeOption } from './types.ts'
import { subtract } from './ufuncs/arithmetic.ts'
import { power } from './ufuncs/exponential.ts'

export interface EyeOptions extends DtypeOption {
  /** The number of columns; that of the rows by default. */
  columns?: number
  /** The diagonal: 0 is the main one, positive ones lie above it. */
  k?: number
}

/** For each place of a matrix whether a relation of row + k and column holds. */
function relation(
  where: string,
  rows: number,
  options: EyeOptions,
  holds: (row: NDArray, column: NDArray) => NDArray,
): NDArray {
  const { columns = rows, k = 0 } = options
  if (!Number.isInteger(k)) throw new OptionError(misuse(where, 'a diagonal that is an integer', String(k)))
  const shape = checkShape(where, [rows, columns])
  const [row, column] = [iota('int32', shape, 0), iota('int32', shape, 1)]
  return holds(add(row, scalar(Math.max(-(2 ** 30), Math.min(2 ** 30, k)), 'int32')), column)
}

/**
 * A matrix with ones on a diagonal and zeros elsewhere.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.eye(2) // => [[1, 0], [0, 1]]
 * np.eye(2, { columns: 3, k: 1 }) // => [[0, 1, 0], [0, 0, 1]]
 * ```
 */
export function eye(rows: number, options: EyeOptions = {}): NDArray {
  checkOptions('eye', options, ['columns', 'k', 'dtype'])
  return convert(relation('eye', rows, options, eq), checkDtype('eye', options.dtype ?? 'float32'))
}

/**
 * The identity matrix of n rows.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.identity(2) // => [[1, 0], [0, 1]]
 * ```
 */
export function identity(n: number, options: DtypeOption = {}): NDArray {
  checkOptions('identity', options, ['dtype'])
  return eye(n, options)
}

/**
 * A matrix with ones on a diagonal and below it.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.tri(2) // => [[1, 0], [1, 1]]
 * ```
 */
export function tri(rows: number, options: EyeOptions = {}): NDArray {
  checkOptions('tri', options, ['columns', 'k', 'dtype'])
  return convert(relation('tri', rows, options, ge), checkDtype('tri', options.dtype ?? 'float32'))
}

/** The places on a diagonal and below it, for the two last axes of an array. */
function lower(where: string, x: NDArray, k: number): NDArray {
  if (x.ndim < 2) throw new ShapeError(misuse(where, 'an array of rank 2 or more', showAval(x.aval)))
  return broadcastTo(relation(where, x.shape.at(-2)!, { columns: x.shape.at(-1)!, k }, ge), x.shape)
}

/**
 * The lower triangle of matrices: zeros above a diagonal.
 *
 * @param options `k`: the diagonal, 0 by default; positive ones lie above the main one
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.tril(np.array([[1, 2], [3, 4]])) // => [[1, 0], [3, 4]]
 * ```
 */
export function tril(x: ArrayLike, options: { k?: number } = {}): NDArray {
  checkOptions('tril', options, ['k'])
  const a = asArray('tril', x)
  return choose(lower('tril', a, options.k ?? 0), a, full(a.shape, 0, a.dtype, a.weakType))
}

/**
 * The upper triangle of matrices: zeros below a diagonal.
 *
 * @param options `k`: the diagonal, 0 by default; positive ones lie above the main one
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.triu(np.array([[1, 2], [3, 4]])) // => [[1, 2], [0, 4]]
 * ```
 */
export function triu(x: ArrayLike, options: { k?: number } = {}): NDArray {
  checkOptions('triu', options, ['k'])
  const a = asArray('triu', x)
  return choose(lower('triu', a, (options.k ?? 0) - 1), full(a.shape, 0, a.dtype, a.weakType), a)
}

export interface MeshgridOptions {
  /** `'xy'`, the default, exchanges the first two axes, as for pictures; `'ij'` keeps the order of the arrays. */
  indexing?: 'xy' | 'ij'
  /** Arrays that broadcast to the grid, instead of the grid. */
  sparse?: boolean
}

/**
 * Coordinates of a grid: for each list of coordinates an array with one axis for each list.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [x, y] = np.meshgrid([np.arange(3), np.arange(2)])
 * x // => [[0, 1, 2], [0, 1, 2]]
 * y // => [[0, 0, 0], [1, 1, 1]]
 * ```
 */
export function meshgrid<const A extends readonly NDArray[]>(
  arrays: A,
  options: MeshgridOptions = {},
): { -readonly [K in keyof A]: NDArray } {
  checkOptions('meshgrid', options, ['indexing', 'sparse'])
  const { indexing = 'xy', sparse = false } = options
  if (indexing !== 'xy' && indexing !== 'ij')
    throw new OptionError(misuse('meshgrid', "indexing 'xy' or 'ij'", String(indexing)))
  const lists = arrays.map((x) => asArray('meshgrid', x))
  const odd = lists.find((x) => x.ndim !== 1)
  if (odd !== undefined) throw new ShapeError(misuse('meshgrid', 'arrays of rank 1', showAval(odd.aval)))
  // the axis along which each list runs
  const axes = range(lists.length)
  if (indexing === 'xy' && lists.length > 1) [axes[0], axes[1]] = [1, 0]
  const sizes = axes.map((_, at) => lists[axes.indexOf(at)]!.size)
  const shapeOf = (at: number) => sizes.map((size, i) => (sparse && i !== at ? 1 : size))
  return lists.map((x, i) => broadcastInDim(x, shapeOf(axes[i]!), [axes[i]!])) as { -readonly [K in keyof A]: NDArray }
}

/**
 * The indices of all places of a shape: `i32[rank, ...shape]`, for each axis the index along it.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.indices([2, 2]) // => [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
 * ```
 */
export function indices(shape: Shape, options: DtypeOption = {}): NDArray {
  checkOptions('indices', options, ['dtype'])
  const sizes = checkShape('indices', shape)
  const dtype = checkDtype('indices', options.dtype ?? 'int32')
  if (sizes.length === 0) return full([0], 0, dtype)
  return concatenate(
    sizes.map((_, axis) => expandDims(iota(dtype, sizes, axis), [0])),
    0,
  )
}

/**
 * An array by a function of its indices, which are scalars, float32 unless a dtype is named; the function is traced once.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.fromfunction((i, j) => i.mul(10).add(j), [2, 3]) // => [[0, 1, 2], [10, 11, 12]]
 * ```
 */
export function fromfunction(f: (...indices: NDArray[]) => NDArray, shape: Shape, options: DtypeOption = {}): NDArray {
  checkOptions('fromfunction', options, ['dtype'])
  const sizes = checkShape('fromfunction', shape)
  const dtype = checkDtype('fromfunction', options.dtype ?? 'float32')
  // one map for each axis, the last one innermost
  const mapped = sizes.reduceRight<(...indices: NDArray[]) => NDArray>(
    (inner, _, axis) => vmap(inner, { inAxes: sizes.map((__, i) => (i === axis ? 0 : null)) }),
    f,
  )
  return mapped(...sizes.map((size) => arange(size, { dtype })))
}

/**
 * A matrix of powers of the elements of a vector, falling from left to right: x³, x², x, 1.
 *
 * @param options `columns`: as many as elements by default; `increasing`: powers rise instead
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.vander(np.array([1, 2, 3])) // => [[1, 1, 1], [4, 2, 1], [9, 3, 1]]
 * ```
 */
export function vander(x: ArrayLike, options: { columns?: number; increasing?: boolean } = {}): NDArray {
  checkOptions('vander', options, ['columns', 'increasing'])
  const a = asArray('vander', x)
  if (a.ndim !== 1) throw new ShapeError(misuse('vander', 'an array of rank 1', showAval(a.aval)))
  const [columns] = checkShape('vander', [options.columns ?? a.size]) as [number]
  const rising = iota('int32', [columns], 0)
  const exponents = options.increasing === true ? rising : subtract(columns - 1, rising)
  return power(reshape(a, [a.size, 1]), reshape(exponents, [1, columns]))
}
