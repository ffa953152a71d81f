/** Joining arrays: along an axis that they have, or along a new one. */
import { type ArrayLike, NDArray } from '../../array.ts'
import { type DType, checkDtype } from '../../dtype.ts'
import { ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { normalAxis, range, sameShape, without } from '../../shape.ts'
import { asArray, asArrays, promoteDtypes } from '../promote.ts'
import type { DtypeOption } from '../types.ts'
import { atleast1d, atleast2d, atleast3d, ravel } from './shapes.ts'

/** Arrays to join: a list of them, or one whose first axis lists them. */
export type Arrays = readonly ArrayLike[] | NDArray
export interface StackOptions extends DtypeOption {
  /** The axis, of the result, that the arrays stand along; 0 by default. */
  axis?: number
}
export interface ConcatenateOptions extends DtypeOption {
  /** The axis to join along, 0 by default; `null` joins the flattened arrays. */
  axis?: number | null
}

/** The arrays as a list, which must have some. */
export function listOf(where: string, arrays: Arrays): NDArray[] {
  const list = arrays instanceof NDArray ? rows(where, arrays) : asArrays(where, ...arrays)
  if (list.length === 0) throw new ShapeError(misuse(where, 'at least one array', 'none'))
  return list
}
function rows(where: string, x: NDArray): NDArray[] {
  if (x.ndim === 0) throw new ShapeError(misuse(where, 'a list of arrays', showAval(x.aval), `${where}([x, y])`))
  return lax
    .split(
      x,
      range(x.shape[0]).map(() => 1),
      0,
    )
    .map((row) => lax.squeeze(row, [0]))
}

const converted = (where: string, list: readonly NDArray[], dtype: DType | undefined): NDArray[] =>
  dtype === undefined ? promoteDtypes(where, ...list) : list.map((x) => convert(x, checkDtype(where, dtype)))

/** Join arrays that have been checked to be some. */
function joined(where: string, list: readonly NDArray[], axis: number, dtype: DType | undefined): NDArray {
  const first = list[0]!
  const at = normalAxis(where, axis, first.ndim)
  const odd = list.find((x) => x.ndim !== first.ndim || !sameShape(without(x.shape, [at]), without(first.shape, [at])))
  if (odd !== undefined) {
    const [have, other] = [showAval(first.aval), showAval(odd.aval)]
    throw new ShapeError(misuse(where, `arrays that differ in size along axis ${at} only`, `${have} and ${other}`))
  }
  return lax.concatenate(converted(where, list, dtype), at)
}

/**
 * Join arrays along an axis that they have. Dtypes are promoted, unless one is named.
 *
 * @throws ShapeError if the arrays differ in the size of another axis, or are scalars
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.concatenate([np.array([1, 2]), np.array([3])]) // => [1, 2, 3]
 * np.concatenate([np.zeros([2, 1]), np.ones([2, 2])], { axis: 1 }) // => [[0, 1, 1], [0, 1, 1]]
 * ```
 */
export function concatenate(arrays: Arrays, options: ConcatenateOptions = {}): NDArray {
  checkOptions('concatenate', options, ['axis', 'dtype'])
  return concatenated('concatenate', arrays, options)
}

/**
 * Join arrays along an axis that they have. The same as `concatenate`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.concat([np.array([1, 2]), np.array([3])]) // => [1, 2, 3]
 * ```
 */
export function concat(arrays: Arrays, options: ConcatenateOptions = {}): NDArray {
  checkOptions('concat', options, ['axis', 'dtype'])
  return concatenated('concat', arrays, options)
}

function concatenated(where: string, arrays: Arrays, { axis = 0, dtype }: ConcatenateOptions): NDArray {
  const list = listOf(where, arrays)
  if (axis === null)
    return joined(
      where,
      list.map((x) => ravel(x)),
      0,
      dtype,
    )
  const scalar = list.find((x) => x.ndim === 0)
  if (scalar !== undefined) {
    throw new ShapeError(
      misuse(where, 'arrays with an axis to join along', showAval(scalar.aval), 'np.stack joins along a new axis'),
    )
  }
  return joined(where, list, axis, dtype)
}

/**
 * Join arrays of one shape along a new axis.
 *
 * @throws ShapeError if the shapes differ
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.stack([np.array([1, 2]), np.array([3, 4])]) // => [[1, 2], [3, 4]]
 * np.stack([np.array([1, 2]), np.array([3, 4])], { axis: -1 }) // => [[1, 3], [2, 4]]
 * ```
 */
export function stack(arrays: Arrays, options: StackOptions = {}): NDArray {
  checkOptions('stack', options, ['axis', 'dtype'])
  const list = listOf('stack', arrays)
  const first = list[0]!
  const odd = list.find((x) => !sameShape(x.shape, first.shape))
  if (odd !== undefined) {
    throw new ShapeError(misuse('stack', 'arrays of one shape', `${showAval(first.aval)} and ${showAval(odd.aval)}`))
  }
  const axis = normalAxis('stack', options.axis ?? 0, first.ndim + 1)
  return joined(
    'stack',
    list.map((x) => lax.expandDims(x, [axis])),
    axis,
    options.dtype,
  )
}

/**
 * Split an array along an axis into the arrays that it lists.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [first, second] = np.unstack(np.array([[1, 2], [3, 4]]))
 * second // => [3, 4]
 * ```
 */
export function unstack(x: ArrayLike, options: { axis?: number } = {}): NDArray[] {
  checkOptions('unstack', options, ['axis'])
  const a = asArray('unstack', x)
  if (a.ndim === 0) throw new ShapeError(misuse('unstack', 'an array of rank 1 or more', showAval(a.aval)))
  return rows('unstack', lax.moveAxis(a, normalAxis('unstack', options.axis ?? 0, a.ndim), 0))
}

/** Join along an axis that `prepare` makes sure is there. */
const stacker =
  (where: string, axis: (x: NDArray) => number, prepare: (x: NDArray) => NDArray) =>
  (arrays: Arrays, options: DtypeOption = {}): NDArray => {
    checkOptions(where, options, ['dtype'])
    const list = listOf(where, arrays).map(prepare)
    return joined(where, list, axis(list[0]!), options.dtype)
  }
type Stacker = (arrays: Arrays, options?: DtypeOption) => NDArray

/**
 * Join rows on top of each other: along the first axis, vectors as rows.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.vstack([np.array([1, 2]), np.array([3, 4])]) // => [[1, 2], [3, 4]]
 * ```
 */
export const vstack: Stacker = stacker('vstack', () => 0, atleast2d)

/**
 * Join side by side: along the second axis, vectors along their only one.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.hstack([np.array([1, 2]), np.array([3])]) // => [1, 2, 3]
 * ```
 */
export const hstack: Stacker = stacker('hstack', (x) => (x.ndim === 1 ? 0 : 1), atleast1d)

/**
 * Join in depth: along the third axis.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.dstack([np.array([1, 2]), np.array([3, 4])]) // => [[[1, 3], [2, 4]]]
 * ```
 */
export const dstack: Stacker = stacker('dstack', () => 2, atleast3d)

/**
 * Join columns side by side: vectors as columns, matrices as they are.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.columnStack([np.array([1, 2]), np.array([3, 4])]) // => [[1, 3], [2, 4]]
 * ```
 */
export const columnStack: Stacker = stacker(
  'columnStack',
  () => 1,
  (x) => (x.ndim > 1 ? x : lax.reshape(x, [x.size, 1])),
)

/** Blocks of a matrix: arrays, and lists of them, the innermost lists along the last axis. */
export type Blocks = ArrayLike | readonly Blocks[]

/**
 * Put an array together from nested lists of blocks: those of the innermost lists stand side by side along the last axis, lists of
 * them along the axis before, and so on.
 *
 * @throws ShapeError for blocks that do not fit, and for lists of different depths
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.block([[np.eye(1), np.zeros([1, 1])], [np.ones([1, 2])]]) // => [[1, 0], [1, 1]]
 * ```
 */
export function block(blocks: Blocks): NDArray {
  const depth = depthOf(blocks)
  const build = (part: Blocks, level: number): NDArray => {
    if (!Array.isArray(part)) return asArray('block', part as ArrayLike)
    const parts = (part as readonly Blocks[]).map((inner) => build(inner, level - 1))
    const rank = Math.max(depth, ...parts.map((x) => x.ndim))
    return joined(
      'block',
      parts.map((x) => lax.reshape(x, [...range(rank - x.ndim).map(() => 1), ...x.shape])),
      -level,
      undefined,
    )
  }
  return build(blocks, depth)
}
function depthOf(blocks: Blocks): number {
  if (!Array.isArray(blocks)) return 0
  const depths = (blocks as readonly Blocks[]).map(depthOf)
  if (depths.length === 0) throw new ShapeError(misuse('block', 'lists with at least one block', '[]'))
  if (depths.some((depth) => depth !== depths[0])) {
    throw new ShapeError(misuse('block', 'lists of one depth', `depths ${depths.join(' and ')}`))
  }
  return depths[0]! + 1
}
