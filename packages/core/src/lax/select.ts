/** Choices between operands, changes of dtype, and the end of differentiation. */
import { type ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype } from '../dtype.ts'
import { DtypeError, OptionError, ShapeError, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import * as raw from '../primitive/elementwise.ts'
import { operand, operands, positions, ternary } from './operands.ts'
import type { Ternary } from '../types.ts'

/**
 * `x` kept between `lo` and `hi`, which may be scalars; `hi` where they cross.
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.clamp(0, np.array([-1, 0.5, 2]), 1) // => [0, 0.5, 1]
 * ```
 */
export const clamp: Ternary = ternary('clamp', raw.clamp)

/**
 * Elements of `onTrue` where `pred` holds and of `onFalse` elsewhere; all of one shape, or scalars.
 *
 * @param pred bool[...]
 * @throws DtypeError if `pred` is not boolean or the cases differ in dtype
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * const x = np.array([-2, 3])
 * lax.select(lax.lt(x, 0), lax.neg(x), x) // => [2, 3]
 * ```
 */
export function select(pred: ArrayLike, onTrue: ArrayLike, onFalse: ArrayLike): NDArray {
  const condition = operand('select', pred)
  if (condition.dtype !== 'bool')
    throw new DtypeError(misuse('select', 'a boolean condition', showAval(condition.aval), 'compare: lax.ne(x, 0)'))
  const [a, b] = operands('select', [onTrue, onFalse])
  return raw.select(condition, a!, b!)
}

/**
 * Elements of the case whose number `which` is: a boolean for two cases, else an integer that is clamped to the cases there are.
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.selectN(np.array([0, 2], { dtype: 'int32' }), np.array([1, 2]), np.array([3, 4]), np.array([5, 6])) // => [1, 6]
 * ```
 */
export function selectN(which: ArrayLike, ...cases: readonly ArrayLike[]): NDArray {
  if (cases.length === 0) throw new ShapeError(misuse('selectN', 'at least one case', 'none'))
  const chosen =
    which instanceof NDArray || typeof which === 'boolean'
      ? operand('selectN', which)
      : positions('selectN', [which])[0]!
  return raw.selectN(chosen, ...operands('selectN', cases))
}

/**
 * Elements in another dtype. Floats become integers by dropping the fraction, kept within the range; NaN becomes 0.
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.convertElementType(np.array([1.7, -1.7, 300]), 'int8') // => [1, -1, 127]
 * ```
 */
export const convertElementType = (x: ArrayLike, newDtype: DType): NDArray =>
  raw.convert(operand('convertElementType', x), checkDtype('convertElementType', newDtype))

/**
 * The bits of `x` read as another dtype. A narrower one adds a last axis, a wider one takes the last axis away.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.bitcastConvertType(1, 'uint32').item() // => 0x3f800000
 * ```
 */
export const bitcastConvertType = (x: ArrayLike, newDtype: DType): NDArray =>
  raw.bitcast(operand('bitcastConvertType', x), checkDtype('bitcastConvertType', newDtype))

/** `x` rounded to a float format of fewer bits, in the dtype that it has. */
export function reducePrecision(x: ArrayLike, exponentBits: number, mantissaBits: number): NDArray {
  if (!Number.isInteger(exponentBits) || !Number.isInteger(mantissaBits)) {
    throw new OptionError(misuse('reducePrecision', 'whole numbers of bits', `${exponentBits} and ${mantissaBits}`))
  }
  return raw.reducePrecision(operand('reducePrecision', x), exponentBits, mantissaBits)
}
