/** Products of vectors and matrices. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { ShapeError, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { dotGeneral } from '../../primitive/dot.ts'
import { convert } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { broadcastShapes, normalAxis, range } from '../../shape.ts'
import { moveaxis } from '../manipulation/axes.ts'
import { ravel } from '../manipulation/shapes.ts'
import { asArrays, promoteDtypes } from '../promote.ts'
import { multiply } from '../ufuncs/arithmetic.ts'
import { type ProductOptions, checkProduct, contract, productType } from './contract.ts'

/** Operands of one dtype, with the type of their product. */
function operands(where: string, x: ArrayLike, y: ArrayLike, options: ProductOptions) {
  const given = asArrays(where, x, y) as [NDArray, NDArray]
  const [a, b] = promoteDtypes(where, ...given) as [NDArray, NDArray]
  return { a, b, type: productType(a, b, options) }
}
const mismatch = (where: string, expected: string, a: NDArray, b: NDArray): ShapeError =>
  new ShapeError(misuse(where, expected, `${showAval(a.aval)} and ${showAval(b.aval)}`))

/**
 * The matrix product, over leading axes that broadcast. A vector stands for a row on the left and for a column on the right, and
 * its axis is missing in the result.
 *
 * @throws ShapeError for scalars, and if the inner sizes differ
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.matmul(np.array([[1, 2], [3, 4]]), np.array([1, 1])) // => [3, 7]
 * np.matmul(np.ones([5, 1, 2, 3]), np.ones([4, 3, 2])).shape // => [5, 4, 2, 2]
 * ```
 */
export function matmul(x: ArrayLike, y: ArrayLike, options: ProductOptions = {}): NDArray {
  checkProduct('matmul', options)
  const { a, b, type } = operands('matmul', x, y, options)
  if (a.ndim === 0 || b.ndim === 0) throw mismatch('matmul', 'arrays of rank 1 or more', a, b)
  const [rows, columns] = [a.ndim > 1 ? ['row'] : [], b.ndim > 1 ? ['column'] : []]
  if (a.shape.at(-1) !== b.shape.at(b.ndim > 1 ? -2 : -1)) {
    throw mismatch('matmul', 'as many columns on the left as rows on the right', a, b)
  }
  const leading = [a, b].map((m) => m.shape.slice(0, -2)) as [number[], number[]]
  const batch = broadcastShapes('matmul', ...leading)
  // an axis of size 1 that the other operand has too is dropped, so that nothing is ever repeated
  const squeezed = leading.map((sizes, i) => {
    const other = leading[1 - i]!
    return range(sizes.length).filter((axis) => sizes[axis] === 1 && other.length - sizes.length + axis >= 0)
  })
  const labels = leading.map((sizes, i) =>
    range(sizes.length).flatMap((axis) =>
      squeezed[i]!.includes(axis) ? [] : [`${batch.length - sizes.length + axis}`],
    ),
  )
  const left = [...labels[0]!, ...rows, 'inner']
  const right = [...labels[1]!, 'inner', ...columns]
  const present = range(batch.length).filter((axis) => labels.some((list) => list.includes(`${axis}`)))
  const out = [...present.map(String), ...rows, ...columns]
  const product = contract([lax.squeeze(a, squeezed[0]!), left], [lax.squeeze(b, squeezed[1]!), right], out, type)
  const missing = range(batch.length).filter((axis) => !present.includes(axis))
  return missing.length === 0 ? product : lax.expandDims(product, missing)
}

/**
 * The product of vectors (a number), matrices, and arrays in general: a sum over the last axis of `x` and the last but one of `y`,
 * or its only one. Scalars multiply.
 *
 * @throws ShapeError if the sizes of those axes differ
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.dot(np.array([1, 2]), np.array([3, 4])).item() // => 11
 * np.dot(np.eye(2), np.array([[1, 2], [3, 4]])) // => [[1, 2], [3, 4]]
 * ```
 */
export function dot(x: ArrayLike, y: ArrayLike, options: ProductOptions = {}): NDArray {
  checkProduct('dot', options)
  return dotOf('dot', x, y, options)
}

function dotOf(where: string, x: ArrayLike, y: ArrayLike, options: ProductOptions): NDArray {
  const { a, b, type } = operands(where, x, y, options)
  const scalars = a.ndim === 0 || b.ndim === 0
  const [left, right] = scalars ? [[], []] : [[a.ndim - 1], [Math.max(0, b.ndim - 2)]]
  if (a.shape[left[0]!] !== b.shape[right[0]!]) {
    throw mismatch(where, `equal sizes of axis ${left[0]} on the left and axis ${right[0]} on the right`, a, b)
  }
  const dimensions = [
    [left, right],
    [[], []],
  ] as const
  return convert(dotGeneral(a, b, dimensions, type.dtype), type.dtype, type.weakType)
}

/**
 * The product of two vectors, or of two arrays flattened: a number.
 *
 * @throws ShapeError if they differ in size
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.vdot(np.array([1, 2]), np.array([3, 4])).item() // => 11
 * ```
 */
export function vdot(x: ArrayLike, y: ArrayLike, options: ProductOptions = {}): NDArray {
  checkProduct('vdot', options)
  const [a, b] = asArrays('vdot', x, y) as [NDArray, NDArray]
  return dotOf('vdot', ravel(a), ravel(b), options)
}

/**
 * The products of the vectors along the last axes of two arrays, each of `x` with each of `y`. Scalars multiply.
 *
 * @throws ShapeError if the last axes differ in size
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.inner(np.array([[1, 2], [3, 4]]), np.array([1, 1])) // => [3, 7]
 * ```
 */
export function inner(x: ArrayLike, y: ArrayLike, options: ProductOptions = {}): NDArray {
  checkProduct('inner', options)
  const [a, b] = asArrays('inner', x, y) as [NDArray, NDArray]
  if (a.ndim > 0 && b.ndim > 0) return tensordotOf('inner', a, b, [[a.ndim - 1], [b.ndim - 1]], options)
  const { type } = operands('inner', a, b, options)
  return multiply(convert(a, type.dtype, type.weakType), convert(b, type.dtype, type.weakType))
}

/**
 * All products of an element of `x` and one of `y`, both flattened: `[x.size, y.size]`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.outer(np.array([1, 2]), np.array([3, 4])) // => [[3, 4], [6, 8]]
 * ```
 */
export function outer(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = promoteDtypes('outer', x, y) as [NDArray, NDArray]
  return multiply(lax.reshape(a, [a.size, 1]), lax.reshape(b, [1, b.size]))
}

/** How many axes to sum over, the last of `x` and the first of `y`, or which: a pair of axes, or of lists of them. */
export type TensordotAxes = number | readonly [number | readonly number[], number | readonly number[]]

/**
 * Multiply and sum over axes; the result has the other axes of `x`, then those of `y`.
 *
 * @throws ShapeError if the axes differ in number or size
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.tensordot(np.ones([2, 3]), np.ones([3, 4]), { axes: 1 }).shape // => [2, 4]
 * np.tensordot(np.ones([2, 3]), np.ones([4, 2]), { axes: [0, 1] }).shape // => [3, 4]
 * ```
 */
export function tensordot(
  x: ArrayLike,
  y: ArrayLike,
  options: ProductOptions & { axes?: TensordotAxes } = {},
): NDArray {
  checkProduct('tensordot', options, ['axes'])
  const { axes = 2 } = options
  const [a, b] = asArrays('tensordot', x, y) as [NDArray, NDArray]
  if (typeof axes === 'number') {
    if (!(Number.isInteger(axes) && axes >= 0 && axes <= Math.min(a.ndim, b.ndim))) {
      throw mismatch('tensordot', `arrays with ${axes} axes to sum over`, a, b)
    }
    return tensordotOf('tensordot', a, b, [range(axes, a.ndim - axes), range(axes)], options)
  }
  const [left, right] = axes.map((list) => (typeof list === 'number' ? [list] : list)) as [number[], number[]]
  const normal = (list: readonly number[], of: NDArray) => list.map((axis) => normalAxis('tensordot', axis, of.ndim))
  return tensordotOf('tensordot', a, b, [normal(left, a), normal(right, b)], options)
}

type AxisLists = readonly [readonly number[], readonly number[]]
function tensordotOf(
  where: string,
  x: NDArray,
  y: NDArray,
  [left, right]: AxisLists,
  options: ProductOptions,
): NDArray {
  const { a, b, type } = operands(where, x, y, options)
  const fits = left.length === right.length && left.every((axis, i) => a.shape[axis] === b.shape[right[i]!])
  if (!fits) throw mismatch(where, `equal sizes along axes [${left.join(',')}] and [${right.join(',')}]`, a, b)
  const dimensions = [
    [left, right],
    [[], []],
  ] as const
  return convert(dotGeneral(a, b, dimensions, type.dtype), type.dtype, type.weakType)
}

/**
 * The products of the vectors along an axis of two arrays, whose other axes broadcast.
 *
 * @throws ShapeError if the axes differ in size
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.vecdot(np.array([[1, 2], [3, 4]]), np.array([1, 1])) // => [3, 7]
 * ```
 */
export function vecdot(x: ArrayLike, y: ArrayLike, options: ProductOptions & { axis?: number } = {}): NDArray {
  checkProduct('vecdot', options, ['axis'])
  const { axis = -1, ...rest } = options
  const [a, b] = asArrays('vecdot', x, y) as [NDArray, NDArray]
  const [row, column] = [moveaxis(a, axis, -1), moveaxis(b, axis, -1)]
  const product = matmul(lax.expandDims(row, [row.ndim - 1]), lax.expandDims(column, [column.ndim]), rest)
  return lax.squeeze(product, [product.ndim - 2, product.ndim - 1])
}

/**
 * The product of matrices and vectors, over leading axes that broadcast: `[..., m, n]` and `[..., n]` give `[..., m]`.
 *
 * @throws ShapeError if the inner sizes differ
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.matvec(np.array([[1, 2], [3, 4]]), np.array([1, 1])) // => [3, 7]
 * ```
 */
export function matvec(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = asArrays('matvec', x, y) as [NDArray, NDArray]
  if (a.ndim < 2 || b.ndim < 1) throw mismatch('matvec', 'matrices and vectors', a, b)
  return lax.squeeze(matmul(a, lax.expandDims(b, [b.ndim])), [-1])
}

/**
 * The product of vectors and matrices, over leading axes that broadcast: `[..., n]` and `[..., n, m]` give `[..., m]`.
 *
 * @throws ShapeError if the inner sizes differ
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.vecmat(np.array([1, 1]), np.array([[1, 2], [3, 4]])) // => [4, 6]
 * ```
 */
export function vecmat(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = asArrays('vecmat', x, y) as [NDArray, NDArray]
  if (a.ndim < 1 || b.ndim < 2) throw mismatch('vecmat', 'vectors and matrices', a, b)
  return lax.squeeze(matmul(lax.expandDims(a, [a.ndim - 1]), b), [-2])
}
