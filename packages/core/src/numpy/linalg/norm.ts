/** Lengths of vectors and matrices, and the condition of matrices. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert } from '../../primitive/elementwise.ts'
import { expandDims } from '../../primitive/movement.ts'
import { type Axis, normalAxis, range } from '../../shape.ts'
import { get } from '../indexing/get.ts'
import { moveaxis } from '../manipulation/axes.ts'
import { promoteDtypesInexact } from '../promote.ts'
import { any, max, min, sum } from '../reductions.ts'
import { absolute, divide, multiply, square } from '../ufuncs/arithmetic.ts'
import { logicalAnd, logicalNot, notEqual } from '../ufuncs/comparison.ts'
import { power, sqrt } from '../ufuncs/exponential.ts'
import { isnan } from '../ufuncs/floats.ts'
import { where } from '../ufuncs/selection.ts'
import { matricesOf, squareOf } from './checks.ts'
import { svdvals } from './factor.ts'
import { inv } from './solve.ts'

/** Which norm: of vectors any number (0 counts, ±Infinity is the extreme); of matrices `fro`, `nuc`, ±1, ±2 and ±Infinity. */
export type NormOrder = number | 'fro' | 'nuc'
export interface NormOptions {
  ord?: NormOrder | null
  /** One axis for vectors, two for matrices; without it all axes. */
  axis?: Axis
  keepdims?: boolean
}
const names = ['ord', 'axis', 'keepdims']

interface Reduced {
  readonly axis: Axis
  readonly keepdims: boolean
}
const euclidean = (x: NDArray, over: Reduced): NDArray => sqrt(sum(square(x), over))

function vectorNormOf(where_: string, x: NDArray, ord: NormOrder, over: Reduced): NDArray {
  if (typeof ord !== 'number') {
    throw new OptionError(
      misuse(where_, 'a number as the order of a vector norm', `'${ord}'`, 'Infinity gives the largest magnitude'),
    )
  }
  if (ord === 2) return euclidean(x, over)
  if (ord === 0) return sum(notEqual(x, 0), { ...over, dtype: x.dtype })
  const size = absolute(x)
  if (ord === Infinity) return max(size, { ...over, initial: 0 })
  if (ord === -Infinity) return min(size, over)
  if (ord === 1) return sum(size, over)
  return power(sum(power(size, ord), over), 1 / ord)
}

// the norms of a matrix that are the extreme of sums along one axis: of rows by columns, or of columns by rows
type Extreme = readonly [along: 0 | 1, extreme: (x: NDArray, over: Reduced) => NDArray]
const sums: ReadonlyMap<NormOrder, Extreme> = new Map<NormOrder, Extreme>([
  [1, [0, (x, over) => max(x, { ...over, initial: 0 })]],
  [-1, [0, (x, over) => min(x, over)]],
  [Infinity, [1, (x, over) => max(x, { ...over, initial: 0 })]],
  [-Infinity, [1, (x, over) => min(x, over)]],
])
const spectral: ReadonlyMap<NormOrder, (s: NDArray) => NDArray> = new Map<NormOrder, (s: NDArray) => NDArray>([
  [2, (s) => max(s, { axis: -1, initial: 0 })],
  [-2, (s) => min(s, { axis: -1 })],
  ['nuc', (s) => sum(s, { axis: -1 })],
])

function matrixNormOf(
  where_: string,
  x: NDArray,
  ord: NormOrder,
  axes: readonly [number, number],
  keepdims: boolean,
): NDArray {
  if (ord === 'fro') return euclidean(x, { axis: axes, keepdims })
  const row = sums.get(ord)
  if (row !== undefined) {
    const [along, extreme] = row
    return extreme(sum(absolute(x), { axis: axes[along], keepdims: true }), { axis: axes, keepdims })
  }
  const of = spectral.get(ord)
  if (of === undefined) {
    const known = [...sums.keys(), ...spectral.keys()].map(String).join(', ')
    throw new OptionError(misuse(where_, `an order of matrix norms: fro, ${known}`, String(ord)))
  }
  const result = of(svdvals(moveaxis(x, axes, [-2, -1])))
  return keepdims ? expandDims(result, axes) : result
}

/**
 * The norm of a vector, a matrix or an array. Without an order it is the root of the sum of squares over all axes; with one axis that
 * of vectors, with two that of matrices.
 *
 * @throws OptionError for orders that do not exist
 * @throws ShapeError for an order with more than two axes
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.norm(np.array([3, 4])).item() // => 5
 * np.linalg.norm(np.array([[3, 4], [0, 1]]), { ord: 1, axis: 1 }) // => [7, 1]
 * ```
 */
export function norm(x: ArrayLike, options: NormOptions = {}): NDArray {
  checkOptions('linalg.norm', options, names)
  const { ord = null, axis = null, keepdims = false } = options
  const [a] = promoteDtypesInexact('linalg.norm', x) as [NDArray]
  if (axis === null && ord === null) return euclidean(a, { axis: null, keepdims })
  const axes =
    axis === null
      ? range(a.ndim)
      : (typeof axis === 'number' ? [axis] : axis).map((one) => normalAxis('linalg.norm', one, a.ndim))
  if (axes.length === 1) return vectorNormOf('linalg.norm', a, ord ?? 2, { axis: axes, keepdims })
  if (axes.length === 2) return matrixNormOf('linalg.norm', a, ord ?? 'fro', axes as [number, number], keepdims)
  throw new ShapeError(misuse('linalg.norm', 'one axis or two', `${axes.length} axes of ${showAval(a.aval)}`))
}

/**
 * The norm of vectors, over all axes or some: (Σ|x|ᵖ)^(1/p), with p = 2 by default.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.vectorNorm(np.array([[3, 4], [6, 8]]), { axis: 1 }) // => [5, 10]
 * ```
 */
export function vectorNorm(x: ArrayLike, options: NormOptions = {}): NDArray {
  checkOptions('linalg.vectorNorm', options, names)
  const [a] = promoteDtypesInexact('linalg.vectorNorm', x) as [NDArray]
  return vectorNormOf('linalg.vectorNorm', a, options.ord ?? 2, {
    axis: options.axis ?? null,
    keepdims: options.keepdims ?? false,
  })
}

/**
 * The norm of the matrices in the last two axes, by default the root of the sum of squares.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.matrixNorm(np.array([[3, 0], [4, 0]])).item() // => 5
 * ```
 */
export function matrixNorm(x: ArrayLike, options: Omit<NormOptions, 'axis'> = {}): NDArray {
  checkOptions('linalg.matrixNorm', options, ['ord', 'keepdims'])
  const a = matricesOf('linalg.matrixNorm', x)
  return matrixNormOf('linalg.matrixNorm', a, options.ord ?? 'fro', [a.ndim - 2, a.ndim - 1], options.keepdims ?? false)
}

/**
 * The condition of matrices: how many times larger the relative error of a solution can be than that of the right side.
 *
 * @param options `p`: by which norm; 2 by default, the ratio of the largest singular value to the smallest
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linalg.cond(np.array([[4, 0], [0, 2]])).item() // => 2
 * ```
 */
export function cond(x: ArrayLike, options: { p?: NormOrder | null } = {}): NDArray {
  checkOptions('linalg.cond', options, ['p'])
  const { p = null } = options
  const a = matricesOf('linalg.cond', x)
  if (a.shape.slice(-2).includes(0))
    throw new ShapeError(misuse('linalg.cond', 'matrices with elements', showAval(a.aval)))
  if (p === null || p === 2 || p === -2) {
    const s = svdvals(a)
    const [largest, smallest] = [get(s, '...', 0), get(s, '...', -1)]
    return p === -2 ? infinite(a, divide(smallest, largest)) : divide(largest, smallest)
  }
  const matrix = squareOf('linalg.cond', a)
  return infinite(a, multiply(matrixNorm(matrix, { ord: p }), matrixNorm(inv(matrix), { ord: p })))
}
/** What is not a number, though the matrix is made of numbers, is infinite. */
const infinite = (x: NDArray, ratio: NDArray): NDArray =>
  convert(where(logicalAnd(isnan(ratio), logicalNot(any(isnan(x), { axis: [-2, -1] }))), Infinity, ratio), x.dtype)
