/** Positions along an axis as arrays of integers: what lists and arrays in an index become. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { dtypes, isInteger, isSigned } from '../../dtype.ts'
import { DtypeError, IndexError, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { add, convert, lt, select } from '../../primitive/elementwise.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { fromHost, scalar } from '../../trace.ts'
import { asArray } from '../promote.ts'

/** What may be promised of positions, so that gathers and scatters can be faster. */
export interface Promises {
  /** No position occurs twice. */
  uniqueIndices?: boolean
  /** Positions never fall. */
  indicesAreSorted?: boolean
}
/** Positions as callers give them. */
export type Positions = ArrayLike | readonly number[]

const refused = (where: string, got: string, hint: string): IndexError =>
  new IndexError(misuse(where, 'indices that are integers or booleans', got, hint))

/** A list of integers as an array. */
export function listOfPositions(where: string, list: readonly number[]): NDArray {
  const odd = list.find((index) => !Number.isInteger(index))
  if (odd !== undefined)
    throw refused(where, `[${list.join(', ')}]`, 'np.round, np.floor or Math.floor make integers of floats')
  return fromHost({ shape: [list.length], dtype: 'int32', data: Int32Array.from(list) })
}

/** Positions as an array of integers; floats are refused, since `np.array([0, 2])` makes some. */
export function asPositions(where: string, x: Positions): NDArray {
  if (typeof x === 'number') {
    if (!Number.isInteger(x)) throw refused(where, String(x), 'Math.floor makes an integer of it')
    return scalar(x, 'int32')
  }
  if (Array.isArray(x)) return listOfPositions(where, x as readonly number[])
  return checkPositions(where, asArray(where, x as ArrayLike))
}
/** Refuse arrays that are not of integers. */
export function checkPositions(where: string, x: NDArray): NDArray {
  if (isInteger(x.dtype)) return x
  const hint = "numbers make float32: np.array([0, 2], { dtype: 'int32' }), or x.astype('int32')"
  if (x.dtype === 'bool')
    throw new DtypeError(
      misuse(where, 'indices that are integers', showAval(x.aval), 'np.flatnonzero(mask) lists positions'),
    )
  throw refused(where, showAval(x.aval), hint)
}

/** Positions with those that count from the end brought to the front, once. */
export function fromFront(x: NDArray, size: number): NDArray {
  if (!isSigned(x.dtype)) return x
  const wide = size > dtypes[x.dtype].max ? convert(x, 'int32') : x
  return select(lt(wide, scalarLike(wide, 0)), add(wide, scalarLike(wide, size)), wide)
}
