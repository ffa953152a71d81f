/** How elementwise functions are made from operations: what is promoted to what before the operation runs. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { convert, ne } from '../../primitive/elementwise.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { asArray, promoteArgs, promoteDtypesInexact, promoteInexact, promoteNumeric } from '../promote.ts'
import type { Binary, Unary } from '../../types.ts'

type Promote = (where: string, ...args: readonly ArrayLike[]) => NDArray[]
const unaryOf =
  (promote: Promote) =>
  (where: string, f: (x: NDArray) => NDArray): Unary =>
  (x: ArrayLike) =>
    f(promote(where, x)[0]!)
const binaryOf =
  (promote: Promote) =>
  (where: string, f: (x: NDArray, y: NDArray) => NDArray): Binary =>
  (x: ArrayLike, y: ArrayLike) => {
    const [a, b] = promote(where, x, y)
    return f(a!, b!)
  }

/** A function of arrays of any dtype. */
export const unary: (where: string, f: (x: NDArray) => NDArray) => Unary = unaryOf((where, x) => [asArray(where, x!)])
/** A function of floats: integers and booleans become float32. */
export const unaryInexact: (where: string, f: (x: NDArray) => NDArray) => Unary = unaryOf(promoteDtypesInexact)
/** A function of numbers: booleans become int32. */
export const unaryNumeric: (where: string, f: (x: NDArray) => NDArray) => Unary = unaryOf(promoteNumeric)
/** A function of two arrays, promoted to one dtype. */
export const binary: (where: string, f: (x: NDArray, y: NDArray) => NDArray) => Binary = binaryOf(promoteArgs)
/** The same for floats: integers and booleans become float32. */
export const binaryInexact: (where: string, f: (x: NDArray, y: NDArray) => NDArray) => Binary = binaryOf(promoteInexact)
/** The same for numbers: booleans become int32. */
export const binaryNumeric: (where: string, f: (x: NDArray, y: NDArray) => NDArray) => Binary = binaryOf(promoteNumeric)

/** Whether elements are other than zero. */
export const toBool = (x: NDArray): NDArray => (x.dtype === 'bool' ? x : ne(x, scalarLike(x, 0)))
/** Elements as floats of the given array's type. */
export const convertLike = (x: NDArray, like: NDArray): NDArray => convert(x, like.dtype, like.weakType)
