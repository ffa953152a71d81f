/** Constants, and what is known of dtypes and arrays without computing. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype, dtypes, isFloat, isInteger, promote } from '../dtype.ts'
import { DtypeError, misuse } from '../errors.ts'
import { convert } from '../primitive/elementwise.ts'
import type { Shape } from '../shape.ts'
import { asArray, commonTypeOf } from './promote.ts'

/** π. */
export const pi: number = Math.PI
/** Euler's number, the base of natural logarithms. */
export const e: number = Math.E
/** Euler's constant γ. */
export const eulerGamma = 0.5772156649015329
/** Infinity. */
export const inf: number = Infinity
/** Not a number. */
export const nan: number = NaN

/** The limits of a floating dtype. */
export interface FloatInfo {
  readonly dtype: DType
  readonly bits: number
  /** The distance from 1 to the next larger number. */
  readonly eps: number
  readonly min: number
  readonly max: number
  /** The smallest positive number that is not subnormal. */
  readonly tiny: number
  readonly smallestSubnormal: number
}

/**
 * The limits of a floating dtype.
 *
 * @throws DtypeError for other dtypes
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.finfo('float16').max // => 65504
 * ```
 */
export function finfo(dtype: DType): FloatInfo {
  if (!isFloat(checkDtype('finfo', dtype)))
    throw new DtypeError(misuse('finfo', 'a floating dtype', dtype, 'np.iinfo is for integers'))
  const { bits, eps, min, max, tiny } = dtypes[dtype]
  return { dtype, bits, eps, min, max, tiny, smallestSubnormal: tiny * eps }
}

/**
 * The limits of an integer dtype.
 *
 * @throws DtypeError for other dtypes
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.iinfo('uint8').max // => 255
 * ```
 */
export function iinfo(dtype: DType): {
  readonly dtype: DType
  readonly bits: number
  readonly min: number
  readonly max: number
} {
  if (!isInteger(checkDtype('iinfo', dtype)))
    throw new DtypeError(misuse('iinfo', 'an integer dtype', dtype, 'np.finfo is for floats'))
  const { bits, min, max } = dtypes[dtype]
  return { dtype, bits, min, max }
}

/**
 * The dtype that operations on these arrays and numbers give.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.resultType(np.arange(3), 1.5) // => 'float32'
 * ```
 */
export const resultType = (...args: readonly ArrayLike[]): DType => commonTypeOf('resultType', args).dtype

/**
 * The least dtype that two dtypes promote to.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.promoteTypes('uint8', 'int8') // => 'int16'
 * ```
 */
export const promoteTypes = (a: DType, b: DType): DType =>
  promote([a, b].map((dtype) => ({ dtype: checkDtype('promoteTypes', dtype), weakType: false }))).dtype

/**
 * Convert elements to a dtype. Floats lose their fraction on becoming integers, and those out of range become the nearest bound.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.astype(np.array([-1.5, 2.7]), 'int32') // => [-1, 2]
 * ```
 */
export const astype = (x: ArrayLike, dtype: DType): NDArray =>
  convert(asArray('astype', x), checkDtype('astype', dtype))

/**
 * The number of axes.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.ndim(np.zeros([2, 3])) // => 2
 * ```
 */
export const ndim = (x: ArrayLike): number => asArray('ndim', x).ndim

/**
 * The sizes of all axes.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.shape(np.zeros([2, 3])) // => [2, 3]
 * ```
 */
export const shape = (x: ArrayLike): Shape => asArray('shape', x).shape

/**
 * The number of elements.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.size(np.zeros([2, 3])) // => 6
 * ```
 */
export const size = (x: ArrayLike): number => asArray('size', x).size
