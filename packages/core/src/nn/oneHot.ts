/** One-hot vectors. */
import type { ArrayLike, NDArray } from '../array.ts'
import { axisIndex, axisSize } from '../control/collective.ts'
import { type DType, checkDtype, isInteger } from '../dtype.ts'
import { DtypeError, OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { asArray } from '../numpy/promote.ts'
import { equal } from '../numpy/ufuncs/comparison.ts'
import { convert } from '../primitive/elementwise.ts'
import { expandDims, iota } from '../primitive/movement.ts'
import { normalAxis, range } from '../shape.ts'

/**
 * For each index a vector that is 1 there and 0 elsewhere; zeros alone for an index out of range.
 *
 * @param x i32[...]
 * @param numClasses the length of the vectors
 * @param options `dtype`: float32 by default; `axis`: where the new axis stands, −1 by default, or the name of a batch axis of that size,
 * over which the vector is spread
 * @throws DtypeError if x is boolean
 * @example
 * ```ts
 * import { nn, np } from 'fluxion'
 * nn.oneHot(np.array([1, 0, 3], { dtype: 'int32' }), 3) // => [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
 * ```
 */
export function oneHot(
  x: ArrayLike,
  numClasses: number,
  options: { dtype?: DType; axis?: number | string } = {},
): NDArray {
  checkOptions('oneHot', options, ['dtype', 'axis'])
  if (!Number.isInteger(numClasses) || numClasses < 0)
    throw new OptionError(misuse('oneHot', 'a whole number of classes', String(numClasses)))
  const { axis = -1 } = options
  const dtype = checkDtype('oneHot', options.dtype ?? 'float32')
  const index = indexOf(x)
  if (typeof axis === 'string') {
    if (axisSize(axis) !== numClasses)
      throw new ShapeError(misuse('oneHot', `an axis '${axis}' of size ${numClasses}`, String(axisSize(axis))))
    return convert(equal(index, axisIndex(axis)), dtype)
  }
  const at = normalAxis('oneHot', axis, index.ndim + 1)
  const shape = range(index.ndim + 1).map((i) => (i === at ? numClasses : 1))
  return convert(equal(expandDims(index, [at]), iota(index.dtype, shape, at)), dtype)
}
function indexOf(x: ArrayLike): NDArray {
  const given = x
  const index = asArray('oneHot', given)
  if (index.dtype === 'bool')
    throw new DtypeError(misuse('oneHot', 'indices', showAval(index.aval), "x.astype('int32') converts"))
  return isInteger(index.dtype) || !Number.isInteger(given) ? index : convert(index, 'int32')
}
