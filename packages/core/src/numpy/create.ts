/** Arrays from values of JavaScript, and arrays of one value. */
import { type ArrayLike, type ConcreteArray, NDArray, type Nested } from '../array.ts'
import type { TypedArray } from '../backend/interface.ts'
import { allocate, roundTo } from '../backend/reference/host.ts'
import { type DType, type Typed, checkDtype, dtypes, isFloat, isInteger } from '../dtype.ts'
import { DtypeError, ShapeError, TreeError, checkOptions, misuse } from '../errors.ts'
import { convert } from '../primitive/elementwise.ts'
import { broadcastInDim, concatenate, expandDims, full as fullOf } from '../primitive/movement.ts'
import { type Shape, sameShape, sizeOf } from '../shape.ts'
import { fromHost, scalar } from '../trace.ts'
import { asArray, broadcastTo, commonTypeOf } from './promote.ts'
import type { DtypeOption } from './types.ts'

/** Whether a value is a typed array that `np.array` takes. */
const isTyped = (x: unknown): x is TypedArray => ArrayBuffer.isView(x) && !(x instanceof DataView)
const natural = new Map<string, DType>([
  ['Float32Array', 'float32'],
  ['Float64Array', 'float64'],
  ['Float16Array', 'float16'],
  ['Int32Array', 'int32'],
  ['Uint32Array', 'uint32'],
  ['Int16Array', 'int16'],
  ['Uint16Array', 'uint16'],
  ['Int8Array', 'int8'],
  ['Uint8Array', 'uint8'],
  ['Uint8ClampedArray', 'uint8'],
])
function naturalDtype(where: string, values: TypedArray): DType {
  // subclasses, such as the Buffer of Node, count as what they extend
  for (
    let type = Object.getPrototypeOf(values) as object;
    type !== null;
    type = Object.getPrototypeOf(type) as object
  ) {
    const dtype = natural.get(type.constructor.name)
    if (dtype !== undefined) return dtype
  }
  throw new DtypeError(misuse(where, 'a typed array of at most 32 bits, or of floats', `a ${values.constructor.name}`))
}

/** Put a number into host storage as its dtype holds it: integers drop the fraction, and must be in range. */
function store(where: string, data: TypedArray, dtype: DType, at: number, value: number): void {
  const { min, max, kind } = dtypes[dtype]
  if (kind === 'bool') data[at] = Number(value !== 0)
  else if (kind === 'float') data[at] = value
  else {
    const whole = Math.trunc(value)
    if (!(whole >= min && whole <= max)) {
      throw new DtypeError(misuse(where, `numbers that ${dtype} holds, ${min} to ${max}`, String(value)))
    }
    data[at] = whole
  }
}

/** What was found on walking nested lists: the shape, and the leaves in order. */
interface Walked {
  readonly shape: Shape
  readonly leaves: readonly (ArrayLike | TypedArray)[]
}
function walk(where: string, values: Nested, path: string): Walked {
  if (values instanceof NDArray || isTyped(values) || typeof values === 'number' || typeof values === 'boolean') {
    return {
      shape: values instanceof NDArray ? values.shape : isTyped(values) ? [values.length] : [],
      leaves: [values],
    }
  }
  if (!Array.isArray(values)) {
    const got = values === null || typeof values !== 'object' ? String(values) : 'an object'
    throw new TreeError(misuse(where, `numbers, booleans, arrays or lists of them${path && ` at ${path}`}`, got), path)
  }
  const parts = (values as readonly Nested[]).map((value, i) => walk(where, value, `${path}[${i}]`))
  const inner = parts[0]?.shape ?? []
  const odd = parts.findIndex((part) => !sameShape(part.shape, inner))
  if (odd >= 0) {
    const got = `[${parts[odd]!.shape.join(',')}] at ${path}[${odd}]`
    throw new ShapeError(misuse(where, `elements of the shape of the first, [${inner.join(',')}]`, got))
  }
  return { shape: [parts.length, ...inner], leaves: parts.flatMap((part) => part.leaves) }
}

/** The dtype of nested lists: that of the arrays among the leaves; else float32 for numbers and bool for booleans. */
function dtypeOf(where: string, leaves: Walked['leaves']): DType {
  const typed = leaves.filter((leaf) => typeof leaf !== 'number' && typeof leaf !== 'boolean')
  if (leaves.length > 0 && leaves.every((leaf) => typeof leaf === 'boolean')) return 'bool'
  if (typed.length === 0) return 'float32'
  // one of each kind is enough: large lists are mostly numbers
  const types = new Map<string, Typed | number | boolean>()
  for (const leaf of leaves) {
    if (isTyped(leaf)) types.set(leaf.constructor.name, { dtype: naturalDtype(where, leaf), weakType: false })
    else if (leaf instanceof NDArray) types.set(`${leaf.dtype}${leaf.weakType}`, leaf)
    else types.set(`${typeof leaf}${Number.isInteger(leaf)}`, leaf)
  }
  const samples = [...types.values()].map((type) =>
    typeof type === 'object' && !(type instanceof NDArray) ? scalar(0, type.dtype, type.weakType) : (type as ArrayLike),
  )
  return commonTypeOf(where, samples).dtype
}

/** Nested lists of numbers as one constant. */
function constant(where: string, { shape, leaves }: Walked, dtype: DType): ConcreteArray {
  const data = allocate(dtype, sizeOf(shape))
  let at = 0
  for (const leaf of leaves) {
    if (isTyped(leaf)) for (const value of leaf) store(where, data, dtype, at++, value)
    else store(where, data, dtype, at++, Number(leaf))
  }
  return fromHost({ shape, dtype, data: roundTo(dtype, data) })
}

/** Nested lists with arrays in them, stacked: numbers beside them are constants. */
function stacked(where: string, values: Nested, dtype: DType): NDArray {
  if (values instanceof NDArray) return convert(values, dtype)
  if (!Array.isArray(values)) return constant(where, walk(where, values, ''), dtype)
  return concatenate(
    (values as readonly Nested[]).map((value) => expandDims(stacked(where, value, dtype), [0])),
    0,
  )
}

/**
 * Make an array of numbers, booleans, nested lists of them, or typed arrays, which keep their own dtype. Numbers give float32,
 * booleans bool; lists whose elements are arrays, also traced ones, are stacked.
 *
 * @throws ShapeError for ragged lists
 * @throws DtypeError for numbers that an integer dtype does not hold
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.array([[1, 2], [3, 4]]).shape // => [2, 2]
 * np.array([1.5, 2], { dtype: 'int32' }) // => [1, 2]
 * np.array([np.sum(np.ones([3])), 1]) // => [3, 1]
 * ```
 */
export function array(values: Nested, options: DtypeOption = {}): NDArray {
  checkOptions('array', options, ['dtype'])
  return arrayOf('array', values, options.dtype)
}

/**
 * Make an array; one that is given is returned as it is. See `array`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.asarray([1, 2]).dtype // => 'float32'
 * ```
 */
export function asarray(values: Nested, options: DtypeOption = {}): NDArray {
  checkOptions('asarray', options, ['dtype'])
  return arrayOf('asarray', values, options.dtype)
}

function arrayOf(where: string, values: Nested, asked: DType | undefined): NDArray {
  const dtype = asked === undefined ? undefined : checkDtype(where, asked)
  if (values instanceof NDArray) return dtype === undefined ? values : convert(values, dtype)
  // a bare number is weak, unless its dtype is named
  if (dtype === undefined && typeof values === 'number') return asArray(where, values)
  const walked = walk(where, values, '')
  const type = dtype ?? dtypeOf(where, walked.leaves)
  return walked.leaves.some((leaf) => leaf instanceof NDArray)
    ? stacked(where, values, type)
    : constant(where, walked, type)
}

/** Check a shape given by a caller; a number stands for a shape of one axis. */
export function checkShape(where: string, shape: Shape | number): Shape {
  const list = typeof shape === 'number' ? [shape] : shape
  if (Array.isArray(list) && list.every((dim) => Number.isInteger(dim) && dim >= 0)) return list as Shape
  throw new ShapeError(
    misuse(where, 'a shape of integers that are not negative', JSON.stringify(shape) ?? String(shape)),
  )
}

/** One value everywhere; a number by itself makes weak float32, as it does in JAX. */
function filled(where: string, shape: Shape | number, value: ArrayLike, asked: Typed | undefined): NDArray {
  const checked = checkShape(where, shape)
  if (typeof value === 'number' && asked !== undefined && (isFloat(asked.dtype) || Number.isFinite(value))) {
    return fullOf(checked, isInteger(asked.dtype) ? Math.trunc(value) : value, asked.dtype, asked.weakType)
  }
  const x = asArray(where, value)
  const typed = asked === undefined ? x : convert(x, asked.dtype, asked.weakType)
  return typed.ndim === 0 ? broadcastInDim(typed, checked, []) : broadcastTo(typed, checked)
}
const typeOfOptions = (where: string, { dtype }: DtypeOption): Typed => ({
  dtype: dtype === undefined ? 'float32' : checkDtype(where, dtype),
  weakType: false,
})

/**
 * An array of zeros, float32 unless a dtype is named.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.zeros([2, 2]) // => [[0, 0], [0, 0]]
 * ```
 */
export function zeros(shape: Shape | number, options: DtypeOption = {}): NDArray {
  checkOptions('zeros', options, ['dtype'])
  return filled('zeros', shape, 0, typeOfOptions('zeros', options))
}

/**
 * An array of ones, float32 unless a dtype is named.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.ones([3]) // => [1, 1, 1]
 * ```
 */
export function ones(shape: Shape | number, options: DtypeOption = {}): NDArray {
  checkOptions('ones', options, ['dtype'])
  return filled('ones', shape, 1, typeOfOptions('ones', options))
}

/**
 * An array whose elements are yet to be set: zeros, since arrays cannot be written to.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.empty([2]) // => [0, 0]
 * ```
 */
export function empty(shape: Shape | number, options: DtypeOption = {}): NDArray {
  checkOptions('empty', options, ['dtype'])
  return filled('empty', shape, 0, typeOfOptions('empty', options))
}

/**
 * An array with one value everywhere, or with values that broadcast to the shape. Its dtype is that of the value, unless named.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.full([2, 2], 7) // => [[7, 7], [7, 7]]
 * np.full([2, 2], np.array([1, 2])) // => [[1, 2], [1, 2]]
 * ```
 */
export function full(shape: Shape | number, value: ArrayLike, options: DtypeOption = {}): NDArray {
  checkOptions('full', options, ['dtype'])
  return filled('full', shape, value, options.dtype === undefined ? undefined : typeOfOptions('full', options))
}

export interface LikeOptions extends DtypeOption {
  /** Another shape than that of the array. */
  shape?: Shape
}
function filledLike(where: string, x: ArrayLike, value: ArrayLike, options: LikeOptions): NDArray {
  checkOptions(where, options, ['dtype', 'shape'])
  const like = asArray(where, x)
  // weak stays weak, unless a dtype is named
  const type = options.dtype === undefined ? like : typeOfOptions(where, options)
  return filled(where, options.shape ?? like.shape, value, type)
}

/**
 * Zeros of the shape and dtype of an array.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.zerosLike(np.array([1, 2])) // => [0, 0]
 * ```
 */
export const zerosLike = (x: ArrayLike, options: LikeOptions = {}): NDArray => filledLike('zerosLike', x, 0, options)

/**
 * Ones of the shape and dtype of an array.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.onesLike(np.array([1, 2])) // => [1, 1]
 * ```
 */
export const onesLike = (x: ArrayLike, options: LikeOptions = {}): NDArray => filledLike('onesLike', x, 1, options)

/**
 * An array of the shape and dtype of another, whose elements are yet to be set: zeros.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.emptyLike(np.array([1, 2])) // => [0, 0]
 * ```
 */
export const emptyLike = (x: ArrayLike, options: LikeOptions = {}): NDArray => filledLike('emptyLike', x, 0, options)

/**
 * One value everywhere, with the shape and dtype of an array.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.fullLike(np.array([1, 2]), 7) // => [7, 7]
 * ```
 */
export const fullLike = (x: ArrayLike, value: ArrayLike, options: LikeOptions = {}): NDArray =>
  filledLike('fullLike', x, value, options)
