/** Windows of arrays: with fixed bounds, and with starts that may be traced. */
import { type ArrayLike, NDArray } from '../array.ts'
import { isSigned } from '../dtype.ts'
import { ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { add, lt, select } from '../primitive/elementwise.ts'
import * as indexing from '../primitive/indexing.ts'
import * as raw from '../primitive/movement.ts'
import { scalarLike } from '../primitive/rules.ts'
import { type Shape, normalAxis, range } from '../shape.ts'
import { scalar } from '../trace.ts'
import { operand, operands, positions } from './operands.ts'

/**
 * The elements from `startIndices` up to, not including, `limitIndices`.
 *
 * @param options `strides`: the step along each axis
 * @throws ShapeError if a bound lies outside: unlike NumPy's, these are not clamped
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.slice(np.array([0, 1, 2, 3, 4]), [0], [5], { strides: [2] }) // => [0, 2, 4]
 * ```
 */
export function slice(
  x: ArrayLike,
  startIndices: readonly number[],
  limitIndices: readonly number[],
  options: { strides?: readonly number[] } = {},
): NDArray {
  checkOptions('slice', options, ['strides'])
  return raw.slice(operand('slice', x), startIndices, limitIndices, options.strides)
}

/**
 * A slice along one axis. Bounds may be negative, and are clamped.
 *
 * @param start `null` for the beginning
 * @param limit `null` for the end
 * @param options `stride`: 1 by default; `axis`: 0 by default
 */
export function sliceInDim(
  x: NDArray,
  start: number | null,
  limit: number | null,
  options: { stride?: number; axis?: number } = {},
): NDArray {
  checkOptions('sliceInDim', options, ['stride', 'axis'])
  const axis = normalAxis('sliceInDim', options.axis ?? 0, x.ndim)
  const dim = x.shape[axis]!
  const clamped = (at: number): number => Math.min(Math.max(at < 0 ? at + dim : at, 0), dim)
  const from = start === null ? 0 : clamped(start)
  const along = (there: number, elsewhere: (i: number) => number): number[] =>
    x.shape.map((_, i) => (i === axis ? there : elsewhere(i)))
  const to = Math.max(from, limit === null ? dim : clamped(limit))
  return raw.slice(
    x,
    along(from, () => 0),
    along(to, (i) => x.shape[i]!),
    along(options.stride ?? 1, () => 1),
  )
}

/**
 * One element along an axis, by an index that may be negative.
 *
 * @param options `axis`: 0 by default; `keepdims`: keep the axis with size 1, true by default
 * @throws ShapeError if the index is out of range
 */
export function indexInDim(x: NDArray, index: number, options: { axis?: number; keepdims?: boolean } = {}): NDArray {
  checkOptions('indexInDim', options, ['axis', 'keepdims'])
  const axis = normalAxis('indexInDim', options.axis ?? 0, x.ndim)
  const at = index < 0 ? index + x.shape[axis]! : index
  if (!Number.isInteger(index) || at < 0 || at >= x.shape[axis]!) {
    throw new ShapeError(misuse('indexInDim', `an index into axis ${axis} of ${showAval(x.aval)}`, String(index)))
  }
  const picked = sliceInDim(x, at, at + 1, { axis })
  return options.keepdims === false ? raw.squeeze(picked, [axis]) : picked
}

/** Starts as integer scalars of which the negative ones count from the end, once. */
function startsOf(where: string, x: NDArray, startIndices: NDArray | readonly ArrayLike[]): NDArray[] {
  const list = startIndices instanceof NDArray ? scalarsOf(where, startIndices) : positions(where, startIndices)
  if (list.length !== x.ndim)
    throw new ShapeError(misuse(where, `${x.ndim} starts for ${showAval(x.aval)}`, String(list.length)))
  return list.map((start, i) =>
    wrapped(start, x.shape[i]!, startIndices instanceof NDArray ? undefined : startIndices[i]),
  )
}
function scalarsOf(where: string, vector: NDArray): NDArray[] {
  if (vector.ndim !== 1) throw new ShapeError(misuse(where, 'a vector of starts', showAval(vector.aval)))
  return range(vector.shape[0]).map((i) => raw.squeeze(raw.slice(vector, [i], [i + 1]), [0]))
}
function wrapped(start: NDArray, dim: number, given: ArrayLike | undefined): NDArray {
  if (typeof given === 'number') return given < 0 ? scalar(given + dim, 'int32') : scalar(given, 'int32')
  if (!isSigned(start.dtype)) return start
  return select(lt(start, scalarLike(start, 0)), add(start, scalarLike(start, dim)), start)
}
/** Starts of which all are 0 but one. */
const startAlong = (x: NDArray, axis: number, start: ArrayLike): ArrayLike[] =>
  x.shape.map((_, i) => (i === axis ? start : 0))

/**
 * A window of fixed size whose starts may be traced. A negative start counts from the end, and starts are clamped so that the window
 * lies inside.
 *
 * @param startIndices integer scalars, or a vector of them
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.dynamicSlice(np.array([0, 1, 2, 3, 4]), [4], [2]) // => [3, 4]
 * ```
 */
export function dynamicSlice(x: ArrayLike, startIndices: NDArray | readonly ArrayLike[], sliceSizes: Shape): NDArray {
  const array = operand('dynamicSlice', x)
  return indexing.dynamicSlice(array, startsOf('dynamicSlice', array, startIndices), sliceSizes)
}
/**
 * A window along one axis, whole along the others; see `dynamicSlice`.
 *
 * @param options `axis`: 0 by default
 */
export function dynamicSliceInDim(
  x: NDArray,
  startIndex: ArrayLike,
  sliceSize: number,
  options: { axis?: number } = {},
): NDArray {
  checkOptions('dynamicSliceInDim', options, ['axis'])
  const axis = normalAxis('dynamicSliceInDim', options.axis ?? 0, x.ndim)
  return dynamicSlice(
    x,
    startAlong(x, axis, startIndex),
    x.shape.map((dim, i) => (i === axis ? sliceSize : dim)),
  )
}
/**
 * One element along an axis, by an index that may be traced; see `dynamicSlice`.
 *
 * @param options `axis`: 0 by default; `keepdims`: keep the axis with size 1, true by default
 */
export function dynamicIndexInDim(
  x: NDArray,
  index: ArrayLike,
  options: { axis?: number; keepdims?: boolean } = {},
): NDArray {
  checkOptions('dynamicIndexInDim', options, ['axis', 'keepdims'])
  const axis = normalAxis('dynamicIndexInDim', options.axis ?? 0, x.ndim)
  const picked = dynamicSliceInDim(x, index, 1, { axis })
  return options.keepdims === false ? raw.squeeze(picked, [axis]) : picked
}

/**
 * `x` with a window replaced. A negative start counts from the end, and starts are clamped so that the window lies inside.
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.dynamicUpdateSlice(np.array([0, 1, 2, 3]), np.array([8, 9]), [1]) // => [0, 8, 9, 3]
 * ```
 */
export function dynamicUpdateSlice(
  x: ArrayLike,
  update: ArrayLike,
  startIndices: NDArray | readonly ArrayLike[],
): NDArray {
  const [array, value] = operands('dynamicUpdateSlice', [x, update])
  return indexing.dynamicUpdateSlice(array!, value!, startsOf('dynamicUpdateSlice', array!, startIndices))
}
/** `x` with a window along one axis replaced, whole along the others; see `dynamicUpdateSlice`. */
export function dynamicUpdateSliceInDim(x: NDArray, update: ArrayLike, startIndex: ArrayLike, axis: number): NDArray {
  const at = normalAxis('dynamicUpdateSliceInDim', axis, x.ndim)
  return dynamicUpdateSlice(x, update, startAlong(x, at, startIndex))
}
/** `x` with one element along an axis replaced by `update`, which may lack the axis; see `dynamicUpdateSlice`. */
export function dynamicUpdateIndexInDim(x: NDArray, update: ArrayLike, index: ArrayLike, axis: number): NDArray {
  const at = normalAxis('dynamicUpdateIndexInDim', axis, x.ndim)
  const [, value] = operands('dynamicUpdateIndexInDim', [x, update])
  const whole = value!.ndim === x.ndim ? value! : raw.expandDims(value!, [at])
  return dynamicUpdateSliceInDim(x, whole, index, at)
}
