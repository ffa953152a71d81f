/** The same elements under other shapes: reshaping, inserting and dropping axes, broadcasting. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import * as lax from '../../primitive/movement.ts'
import { type Axis, type Shape, broadcastShapes, normalAxes, sizeOf } from '../../shape.ts'
import { checkShape } from '../create.ts'
import { asArray, asArrays, broadcastTo as broadcast } from '../promote.ts'
import type { Unary } from '../../types.ts'

/**
 * The same elements, in row-major order, under another shape. One size may be −1: it is what the others leave.
 *
 * @throws ShapeError if the shape has another number of elements
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.reshape(np.arange(6), [2, 3]) // => [[0, 1, 2], [3, 4, 5]]
 * np.reshape(np.arange(6), [3, -1]).shape // => [3, 2]
 * ```
 */
export function reshape(x: ArrayLike, shape: Shape | number): NDArray {
  const a = asArray('reshape', x)
  return lax.reshape(a, inferred(a, typeof shape === 'number' ? [shape] : shape))
}

/** The shape with the one size that is −1 worked out. */
function inferred(x: NDArray, shape: Shape): Shape {
  const unknown = shape.filter((size) => size === -1).length
  if (unknown === 0) return checkShape('reshape', shape)
  if (unknown > 1) throw new ShapeError(misuse('reshape', 'at most one size of -1', `[${shape.join(',')}]`))
  const known = sizeOf(
    checkShape(
      'reshape',
      shape.filter((size) => size !== -1),
    ),
  )
  const size = x.size / known
  if (!Number.isInteger(size)) {
    throw new ShapeError(
      misuse('reshape', `a shape for the ${x.size} elements of ${showAval(x.aval)}`, `[${shape.join(',')}]`),
    )
  }
  return shape.map((given) => (given === -1 ? size : given))
}

/**
 * All elements, in row-major order, along one axis.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.ravel(np.array([[1, 2], [3, 4]])) // => [1, 2, 3, 4]
 * ```
 */
export const ravel: Unary = (x: ArrayLike): NDArray => reshape(asArray('ravel', x), [-1])

/**
 * Insert axes of size 1, at these positions of the result.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.expandDims(np.arange(3), 0).shape // => [1, 3]
 * np.expandDims(np.arange(3), [0, -1]).shape // => [1, 3, 1]
 * ```
 */
export function expandDims(x: ArrayLike, axis: number | readonly number[]): NDArray {
  const a = asArray('expandDims', x)
  return lax.expandDims(a, typeof axis === 'number' ? [axis] : axis)
}

/**
 * Drop axes of size 1: those that are named, or all.
 *
 * @throws ShapeError if an axis that is named has another size
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.squeeze(np.zeros([1, 3, 1])).shape // => [3]
 * np.squeeze(np.zeros([1, 3, 1]), { axis: 0 }).shape // => [3, 1]
 * ```
 */
export function squeeze(x: ArrayLike, options: { axis?: Axis } = {}): NDArray {
  checkOptions('squeeze', options, ['axis'])
  const a = asArray('squeeze', x)
  const axes = normalAxes('squeeze', options.axis, a.ndim)
  const chosen = options.axis === undefined || options.axis === null ? axes.filter((axis) => a.shape[axis] === 1) : axes
  return lax.squeeze(a, chosen)
}

/**
 * Repeat along new leading axes and along axes of size 1, so that the array has a shape.
 *
 * @throws ShapeError if an axis has another size than 1 and that of the shape
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.broadcastTo(np.arange(2), [3, 2]) // => [[0, 1], [0, 1], [0, 1]]
 * ```
 */
export function broadcastTo(x: ArrayLike, shape: Shape | number): NDArray {
  const a = asArray('broadcastTo', x)
  const to = checkShape('broadcastTo', shape)
  const offset = to.length - a.ndim
  if (offset < 0 || a.shape.some((size, i) => size !== 1 && size !== to[offset + i])) {
    throw new ShapeError(
      misuse('broadcastTo', `an array that broadcasts to the shape [${to.join(',')}]`, showAval(a.aval)),
    )
  }
  return broadcast(a, to)
}

/**
 * Several arrays broadcast to one shape.
 *
 * @throws ShapeError if the shapes do not broadcast together
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [x, y] = np.broadcastArrays(np.arange(2), np.zeros([3, 1]))
 * x.shape // => [3, 2]
 * y.shape // => [3, 2]
 * ```
 */
export function broadcastArrays<A extends readonly ArrayLike[]>(...arrays: A): { -readonly [K in keyof A]: NDArray } {
  const list = asArrays('broadcastArrays', ...arrays)
  const shape = broadcastShapes('broadcastArrays', ...list.map((x) => x.shape))
  return list.map((x) => broadcast(x, shape)) as { -readonly [K in keyof A]: NDArray }
}

/**
 * An array with one axis at least: a scalar becomes an array of one element.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.atleast1d(3).shape // => [1]
 * ```
 */
export const atleast1d: Unary = (x: ArrayLike): NDArray => {
  const a = asArray('atleast1d', x)
  return a.ndim > 0 ? a : lax.reshape(a, [1])
}

/**
 * An array with two axes at least: a vector becomes a row.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.atleast2d(np.arange(3)).shape // => [1, 3]
 * ```
 */
export const atleast2d: Unary = (x: ArrayLike): NDArray => {
  const a = atleast1d(asArray('atleast2d', x))
  return a.ndim > 1 ? a : lax.expandDims(a, [0])
}

/**
 * An array with three axes at least: a vector becomes `[1, n, 1]`, a matrix `[m, n, 1]`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.atleast3d(np.arange(3)).shape // => [1, 3, 1]
 * ```
 */
export const atleast3d: Unary = (x: ArrayLike): NDArray => {
  const a = atleast2d(asArray('atleast3d', x))
  return a.ndim > 2 ? a : lax.expandDims(a, [2])
}
