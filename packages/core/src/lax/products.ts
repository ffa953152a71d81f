/** Products of arrays. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype } from '../dtype.ts'
import { ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { mul } from '../primitive/elementwise.ts'
import * as raw from '../primitive/dot.ts'
import { range } from '../shape.ts'
import { operands } from './operands.ts'

export type { DotDimensionNumbers } from '../primitive/dot.ts'
export interface ProductOptions {
  /** The dtype in which products are summed and that the result has. */
  preferredElementType?: DType
}
function preferred(where: string, options: ProductOptions): DType | undefined {
  checkOptions(where, options, ['preferredElementType'])
  return options.preferredElementType === undefined ? undefined : checkDtype(where, options.preferredElementType)
}

/**
 * Multiply and sum along pairs of axes. Results have the batch axes first, then the axes of `x` alone, then those of `y`.
 *
 * @param dimensionNumbers `[[axes of x, axes of y to sum], [batch axes of x, batch axes of y]]`
 * @throws ShapeError if sizes of paired axes differ
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.dotGeneral(np.array([[1, 2], [3, 4]]), np.array([1, 10]), [[[1], [0]], [[], []]]) // => [21, 43]
 * ```
 */
export function dotGeneral(
  x: ArrayLike,
  y: ArrayLike,
  dimensionNumbers: raw.DotDimensionNumbers,
  options: ProductOptions = {},
): NDArray {
  const type = preferred('dotGeneral', options)
  const [a, b] = operands('dotGeneral', [x, y])
  return raw.dotGeneral(a!, b!, dimensionNumbers, type)
}

/**
 * The product of vectors and matrices: the last axis of `x` with the first of `y`.
 *
 * @param x f32[n] or f32[m, n]
 * @param y f32[n] or f32[n, k]
 * @param options `dimensionNumbers` makes it `dotGeneral`
 * @throws ShapeError for arrays of a higher rank, unless `dimensionNumbers` are given
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.dot(np.array([1, 2]), np.array([[1, 0], [1, 1]])) // => [3, 2]
 * ```
 */
export function dot(
  x: ArrayLike,
  y: ArrayLike,
  options: ProductOptions & { dimensionNumbers?: raw.DotDimensionNumbers } = {},
): NDArray {
  const { dimensionNumbers, ...rest } = options
  if (dimensionNumbers !== undefined) return dotGeneral(x, y, dimensionNumbers, rest)
  const type = preferred('dot', rest)
  const [a, b] = operands('dot', [x, y])
  if ((a!.ndim === 0 || b!.ndim === 0) && type === undefined) return mul(a!, b!)
  if (a!.ndim > 2 || b!.ndim > 2 || a!.ndim + b!.ndim < 2) {
    throw new ShapeError(
      misuse(
        'dot',
        'vectors or matrices',
        `${showAval(a!.aval)} and ${showAval(b!.aval)}`,
        'lax.dotGeneral takes any rank',
      ),
    )
  }
  return raw.dotGeneral(
    a!,
    b!,
    [
      [[a!.ndim - 1], [0]],
      [[], []],
    ],
    type,
  )
}

/**
 * The product of matrices in the last two axes, for every element of the equal leading axes.
 *
 * @param x f32[..., m, n]
 * @param y f32[..., n, k]
 * @returns f32[..., m, k]
 * @throws ShapeError if ranks differ or are below 2
 */
export function batchMatmul(x: NDArray, y: NDArray): NDArray {
  if (x.ndim < 2 || x.ndim !== y.ndim) {
    throw new ShapeError(
      misuse('batchMatmul', 'two arrays of one rank of at least 2', `${showAval(x.aval)} and ${showAval(y.aval)}`),
    )
  }
  const batch = range(x.ndim - 2)
  return raw.dotGeneral(x, y, [
    [[x.ndim - 1], [y.ndim - 2]],
    [batch, batch],
  ])
}
