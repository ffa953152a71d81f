// What a figure accepts as numbers, and its conversion to one flat vector with a shape. Arrays of Fluxion are accepted
// by their structure (`shape`, `toArray`), so that this package also draws plain arrays without loading the core.
import { PlotError } from './errors.ts'

/** A typed array of numbers. */
export type NumericTypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array

/** Numbers or booleans in nested lists; the innermost lists may be typed arrays. */
export type NestedData = readonly (number | boolean | NumericTypedArray | NestedData)[]

/** Anything with the shape and the contents of an array, such as an `NDArray`. */
export interface ArrayData {
  readonly shape: readonly number[]
  readonly toArray: () => unknown
}

/** Numbers to draw: a typed array, nested lists of numbers or booleans, or an `NDArray` that the host can read. */
export type Data = NumericTypedArray | NestedData | ArrayData

/** Numbers in row-major order with their shape. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

const isArrayData = (data: object): data is ArrayData => 'toArray' in data && 'shape' in data
const isTyped = (data: unknown): data is NumericTypedArray => ArrayBuffer.isView(data) && !(data instanceof DataView)

/** Whether a value is data rather than an options object. */
export const isData = (value: unknown): value is Data =>
  Array.isArray(value) || isTyped(value) || (typeof value === 'object' && value !== null && isArrayData(value))

const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value)

/** Convert data of any rank from 1 to a tensor; ragged lists and anything but numbers and booleans are refused. */
export const toTensor = (where: string, data: Data): Tensor => {
  if (!isData(data)) {
    throw new PlotError(where, 'an array of numbers', kindOf(data), 'pass a list, a typed array or an NDArray')
  }
  const nested: unknown = isArrayData(data) ? data.toArray() : data
  const shape: number[] = []
  const values: number[] = []
  const visit = (node: unknown, depth: number): void => {
    if (Array.isArray(node) || isTyped(node)) {
      if (depth === shape.length && values.length === 0) shape.push(node.length)
      if (shape[depth] !== node.length) {
        throw new PlotError(where, `rows of equal length ${shape[depth] ?? 0}`, `a row of length ${node.length}`)
      }
      for (const item of node) visit(item, depth + 1)
      return
    }
    if ((typeof node !== 'number' && typeof node !== 'boolean') || depth !== shape.length) {
      throw new PlotError(where, 'numbers or booleans, nested evenly', kindOf(node))
    }
    values.push(Number(node))
  }
  visit(nested, 0)
  return { shape, values }
}

const describe = ({ shape }: Tensor): string => `shape [${shape.join(', ')}]`

const expectRank = (where: string, rank: number, what: string, data: Data): Tensor => {
  const tensor = toTensor(where, data)
  if (tensor.shape.length !== rank)
    throw new PlotError(where, what, describe(tensor), 'reshape, ravel or index it first')
  if (tensor.values.length === 0) throw new PlotError(where, `${what} with at least one value`, describe(tensor))
  return tensor
}

/** Read a non-empty vector. */
export const toVector = (where: string, data: Data): readonly number[] =>
  expectRank(where, 1, 'a vector of shape [n]', data).values

/** Read a non-empty matrix. */
export const toMatrix = (where: string, data: Data): Tensor =>
  expectRank(where, 2, 'a matrix of shape [rows, columns]', data)

/** Refuse infinities, and NaN too unless it stands for a gap. */
export const checkFinite = (where: string, values: readonly number[], nan: 'gap' | 'error'): void => {
  const index = values.findIndex((value) => !Number.isFinite(value) && !(nan === 'gap' && Number.isNaN(value)))
  if (index >= 0) {
    const hint = nan === 'gap' ? 'replace the value by NaN to leave a gap' : 'remove values that are not finite'
    throw new PlotError(where, 'finite numbers', `${values[index]} at index ${index}`, hint)
  }
}

/** Refuse vectors that ought to have one length and do not. */
export const checkEqualLength = (where: string, names: string, a: readonly unknown[], b: readonly unknown[]): void => {
  if (a.length !== b.length) throw new PlotError(where, `${names} of equal length`, `${a.length} and ${b.length}`)
}

/** The whole numbers from 0 below n. */
export const steps = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)

/** Least and greatest of the values that are not NaN; `[Infinity, -Infinity]` if there are none. */
export const extent = (values: readonly number[]): readonly [number, number] => {
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}
