/** Keeps values of random programs small, and makes values of one type from values of another. */
import { type DType, type NDArray, isFloat, np } from '@fluxion/core'

/** What a value is, known without its elements. */
export interface Type {
  readonly shape: readonly number[]
  readonly dtype: DType
}
export const typeOf = ({ shape, dtype }: NDArray): Type => ({ shape: [...shape], dtype })
export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis])
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** The nearest multiple of 1/8 below, between −4 and 4: every float dtype can hold it, and sums of thousands are exact in float32. */
const eighths = (x: NDArray): NDArray => np.clip(np.floor(x.mul(8)).div(8), -4, 4)
/** A float result made one of those that programs compute with: in exact programs multiples of 1/8, else numbers between −1 and 1. */
export const kept = (x: NDArray, exact: boolean): NDArray => (isFloat(x.dtype) ? (exact ? eighths(x) : np.tanh(x)) : x)

/** Whether a value may be made one of the dtype: not by rounding what is known approximately. */
export const convertible = (from: DType, to: DType, exact: boolean): boolean => from === to || exact || !isFloat(from)
/** The same values, as far as the dtype goes, in another dtype. */
export function as(x: NDArray, dtype: DType, exact: boolean): NDArray {
  if (x.dtype === dtype) return x
  const converted = x.astype(dtype)
  return isFloat(dtype) && !isFloat(x.dtype) ? kept(exact ? converted.div(8) : converted.div(64), exact) : converted
}
/** Two values of one type made one. */
export function joined(x: NDArray, y: NDArray, exact: boolean): NDArray {
  if (x.dtype === 'bool') return np.logicalXor(x, y)
  if (!isFloat(x.dtype)) return x.add(y)
  return exact ? kept(x.add(y), exact) : x.add(y).mul(0.5)
}
/** A number that depends on all elements. */
export function summary(x: NDArray, exact: boolean): NDArray {
  if (x.dtype === 'bool') return np.any(x)
  const sum = x.sum()
  if (!isFloat(x.dtype)) return sum.astype(x.dtype)
  return exact ? kept(sum, exact) : sum.div(Math.max(1, x.size))
}
