/** From what callers pass to arrays of one dtype and of shapes that fit: JAX's promotion, for numbers and booleans as well. */
import { type ArrayLike, NDArray } from '../array.ts'
import { type DType, type Typed, dtypes, inexact, isFloat, isInteger, promote } from '../dtype.ts'
import { DtypeError, TreeError, misuse } from '../errors.ts'
import { convert } from '../primitive/elementwise.ts'
import { broadcastInDim } from '../primitive/movement.ts'
import { type Shape, broadcastShapes, range, sameShape } from '../shape.ts'
import { scalar } from '../trace.ts'

/** What a value that is no array is called in messages. */
function describe(x: unknown): string {
  if (x === null || x === undefined) return String(x)
  if (Array.isArray(x)) return 'a list'
  if (ArrayBuffer.isView(x)) return `a ${x.constructor.name}`
  if (x instanceof Promise) return 'a promise'
  return typeof x === 'object' ? 'an object' : `a ${typeof x}`
}
const remedy = (x: unknown): string | undefined => {
  if (Array.isArray(x) || ArrayBuffer.isView(x)) return 'np.array(values) makes an array of it'
  if (x instanceof Promise) return 'await it first'
  return typeof x === 'object' && x !== null ? 'tree.map applies a function to the arrays of a tree' : undefined
}

/** Check that an argument is an array, a number or a boolean. */
export function checkArrayLike(where: string, x: unknown, position = 0): ArrayLike {
  if (x instanceof NDArray || typeof x === 'number' || typeof x === 'boolean') return x
  throw new TreeError(misuse(where, `an array or a number as argument ${position}`, describe(x), remedy(x)))
}

/** The type of a number that stands beside arrays of the given types: a weak integer only if it is integral and no array is of floats. */
function typeOfNumber(value: number, beside: readonly Typed[]): Typed {
  const integral = Number.isInteger(value) && beside.length > 0 && beside.every((type) => !isFloat(type.dtype))
  return { dtype: integral ? 'int32' : 'float32', weakType: true }
}

/** The types of operands, numbers and booleans among them. */
export function typesOf(args: readonly ArrayLike[]): Typed[] {
  const known = args.flatMap((arg) => (typeof arg === 'number' ? [] : [typeOf(arg)]))
  return args.map((arg) => (typeof arg === 'number' ? typeOfNumber(arg, known) : typeOf(arg)))
}
const typeOf = (x: NDArray | boolean): Typed => (typeof x === 'boolean' ? { dtype: 'bool', weakType: false } : x)

/** An array of the given type; integers that neither int32 nor the dtype holds are an error, smaller dtypes wrap as in JAX. */
function arrayOf(where: string, x: ArrayLike, { dtype, weakType }: Typed): NDArray {
  if (x instanceof NDArray) return convert(x, dtype, weakType)
  const value = Number(x)
  if (isInteger(dtype) && (value < -(2 ** 31) || value > Math.max(2 ** 31 - 1, dtypes[dtype].max))) {
    throw new DtypeError(
      misuse(where, `a number that ${dtype} holds`, String(value), 'convert the array to float32 first'),
    )
  }
  return scalar(dtype === 'bool' ? Number(value !== 0) : value, dtype, weakType)
}

/** An argument as an array; a number by itself is weak float32. */
export function asArray(where: string, x: ArrayLike, position = 0): NDArray {
  const checked = checkArrayLike(where, x, position)
  return checked instanceof NDArray ? checked : arrayOf(where, checked, typesOf([checked])[0]!)
}
/** Arguments as arrays, numbers typed by the arrays beside them, and nothing converted. */
export function asArrays(where: string, ...args: readonly ArrayLike[]): NDArray[] {
  const checked = args.map((arg, i) => checkArrayLike(where, arg, i))
  const types = typesOf(checked)
  return checked.map((arg, i) => arrayOf(where, arg, types[i]!))
}

/** The dtype that operands have in common, as `np.add` would give it: `resultType(int32Array, 1.5)` is weak float32. */
export const commonTypeOf = (where: string, args: readonly ArrayLike[]): Typed =>
  promote(typesOf(args.map((arg, i) => checkArrayLike(where, arg, i))))

/** Operands converted to the dtype that they have in common. */
export function promoteDtypes(where: string, ...args: readonly ArrayLike[]): NDArray[] {
  const to = commonTypeOf(where, args)
  return args.map((arg) => arrayOf(where, arg, to))
}
/** The same, and integers and booleans converted to float32. */
export function promoteDtypesInexact(where: string, ...args: readonly ArrayLike[]): NDArray[] {
  const to = inexact(commonTypeOf(where, args))
  return args.map((arg) => arrayOf(where, arg, to))
}

/** Repeat elements along new leading axes and along axes of size 1. */
export function broadcastTo(x: NDArray, shape: Shape): NDArray {
  if (sameShape(x.shape, shape)) return x
  return broadcastInDim(x, shape, range(x.ndim, shape.length - x.ndim))
}
/** Operands broadcast to one shape, apart from scalars, which every elementwise operation broadcasts itself. */
export function promoteShapes(where: string, ...args: readonly NDArray[]): NDArray[] {
  const shaped = args.filter((arg) => arg.ndim > 0)
  if (shaped.every((arg) => sameShape(arg.shape, shaped[0]!.shape))) return [...args]
  const shape = broadcastShapes(where, ...args.map((arg) => arg.shape))
  return args.map((arg) => (arg.ndim === 0 ? arg : broadcastTo(arg, shape)))
}
/** Operands all of one shape, scalars included. */
export function broadcastAll(where: string, ...args: readonly NDArray[]): NDArray[] {
  const shape = broadcastShapes(where, ...args.map((arg) => arg.shape))
  return args.map((arg) => broadcastTo(arg, shape))
}

/** Operands of an elementwise operation: of one dtype, and of one shape or scalars. */
export const promoteArgs = (where: string, ...args: readonly ArrayLike[]): NDArray[] =>
  promoteShapes(where, ...promoteDtypes(where, ...args))
/** The same for operations on integers and floats: booleans become int32. */
export function promoteNumeric(where: string, ...args: readonly ArrayLike[]): NDArray[] {
  const to = commonTypeOf(where, args)
  const numeric: Typed = to.dtype === 'bool' ? { dtype: 'int32', weakType: false } : to
  return promoteShapes(where, ...args.map((arg) => arrayOf(where, arg, numeric)))
}
/** The same for operations on floats: integers and booleans become float32. */
export const promoteInexact = (where: string, ...args: readonly ArrayLike[]): NDArray[] =>
  promoteShapes(where, ...promoteDtypesInexact(where, ...args))

/** The dtype in which 16-bit floats are accumulated. */
export const wide = (dtype: DType): DType => (dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype)
