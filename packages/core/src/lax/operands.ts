/** What callers pass to `lax`, as arrays: numbers take the dtype of the arrays beside them, and nothing is promoted. */
import { type ArrayLike, NDArray } from '../array.ts'
import { type DType, dtypes, isFloat } from '../dtype.ts'
import { DtypeError, TreeError, misuse } from '../errors.ts'
import { scalar } from '../trace.ts'
import type { Binary, Ternary, Unary } from '../types.ts'

function check(where: string, x: unknown, position: number): ArrayLike {
  if (x instanceof NDArray || typeof x === 'number' || typeof x === 'boolean') return x
  const got = x === null ? 'null' : Array.isArray(x) ? 'a list' : typeof x
  throw new TreeError(
    misuse(where, `an array or a number as argument ${position}`, got, 'np.array(values) makes an array of a list'),
  )
}

/** A number as a scalar of the given dtype; one that the dtype cannot hold is an error. */
export function numberAs(where: string, value: number | boolean, dtype: DType): NDArray {
  const { min, max } = dtypes[dtype]
  const held = isFloat(dtype) || (Number.isInteger(Number(value)) && Number(value) >= min && Number(value) <= max)
  if (!held)
    throw new DtypeError(
      misuse(
        where,
        `a number that ${dtype} holds`,
        String(value),
        'lax does not promote: np functions do, and lax.convertElementType converts',
      ),
    )
  return scalar(Number(value), dtype, typeof value === 'number' && dtype !== 'bool')
}

/** Operands that are to have one dtype. Numbers by themselves are weak float32. */
export function operands(where: string, args: readonly ArrayLike[]): NDArray[] {
  const checked = args.map((arg, i) => check(where, arg, i))
  const typed = checked.find((arg) => typeof arg !== 'number')
  const dtype: DType = typed === undefined ? 'float32' : typeof typed === 'boolean' ? 'bool' : typed.dtype
  return checked.map((arg) =>
    arg instanceof NDArray ? arg : numberAs(where, arg, typeof arg === 'boolean' ? 'bool' : dtype),
  )
}
/** A single operand. */
export const operand = (where: string, x: ArrayLike): NDArray => operands(where, [x])[0]!
/** Lists of which each element may be a number: positions, which are int32. */
export const positions = (where: string, list: readonly ArrayLike[]): NDArray[] =>
  list.map((x, i) => {
    const checked = check(where, x, i)
    return checked instanceof NDArray ? checked : numberAs(where, checked, 'int32')
  })

/** A function of one operand from an operation. */
export const unary =
  (where: string, f: (x: NDArray) => NDArray): Unary =>
  (x: ArrayLike) =>
    f(operand(where, x))
/** A function of two operands of one dtype. */
export const binary =
  (where: string, f: (x: NDArray, y: NDArray) => NDArray): Binary =>
  (x: ArrayLike, y: ArrayLike) => {
    const [a, b] = operands(where, [x, y])
    return f(a!, b!)
  }
/** A function of three operands of one dtype. */
export const ternary =
  (where: string, f: (x: NDArray, y: NDArray, z: NDArray) => NDArray): Ternary =>
  (x: ArrayLike, y: ArrayLike, z: ArrayLike) => {
    const [a, b, c] = operands(where, [x, y, z])
    return f(a!, b!, c!)
  }
