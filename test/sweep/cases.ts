// What the sweep runs a primitive on: operands by shape and range, parameters, and what is to hold of them.
import { type DType, type NDArray, currentTrace, isFloat, np, primitives } from 'fluxion'
import type { GradMode } from '@fluxion/testing'

export interface Operand {
  readonly shape: readonly number[]
  /** Elements are spread evenly between the two, in random order and never equal. */
  readonly range?: readonly [low: number, high: number]
  /** The dtype, where it is not that of the case. */
  readonly dtype?: DType
  /** The elements themselves, where they cannot be random. */
  readonly values?: readonly number[]
  /** Make a random matrix one that the operation takes: symmetric, positive definite, triangular. */
  readonly adapt?: (x: NDArray) => NDArray
}
export type Run = (...args: NDArray[]) => NDArray | readonly NDArray[]
export interface Case {
  readonly operands: readonly Operand[]
  /** The parameters of the row that is run; or, for operations that hold programs, how to call one. */
  readonly params?: object
  readonly run?: Run
  /** What operands without a dtype of their own have, in turn. */
  readonly dtypes?: readonly DType[]
  /** Operands to differentiate by: all floats if not said otherwise. */
  readonly by?: readonly number[]
  /** The order of derivatives to check: 2 if not said otherwise. */
  readonly order?: 0 | 1 | 2
  /** Groups of operands that the operation is linear in together. */
  readonly linear?: readonly (readonly number[])[]
  /** Operands that may have a batch axis: all if not said otherwise. */
  readonly batch?: readonly number[]
  /** The modes that differentiation has: both if not said otherwise. */
  readonly modes?: readonly GradMode[]
  /** The derivative is zero, whatever central differences show. */
  readonly flat?: true
}
/** All cases of a primitive; `unused` lists rules that nothing calls, or axis rules by which nothing is cut, with the reason; `missing` calls that lead to a rule that is not there. */
export interface Entry {
  readonly cases: readonly Case[]
  readonly unused?: Readonly<Record<string, string>>
  readonly missing?: Readonly<Record<string, () => unknown>>
}
export type Table = Readonly<Record<string, Entry>>

export const floats: readonly DType[] = ['float32', 'float64', 'float16', 'bfloat16']
export const integers: readonly DType[] = ['int32', 'uint8', 'int8', 'uint32', 'int16', 'uint16']
export const numbers: readonly DType[] = [...floats, ...integers]
export const logical: readonly DType[] = ['bool', ...integers]
export const everything: readonly DType[] = [...floats, ...logical]

/** Cases of one parameter set for operands of several shapes. */
export const over = (
  shapes: readonly (readonly (readonly number[])[])[],
  ranges: readonly (readonly [number, number])[],
  rest: Omit<Case, 'operands'> = { params: {} },
): Case[] =>
  shapes.map((list) => ({ ...rest, operands: list.map((shape, i) => ({ shape, range: ranges[i % ranges.length]! })) }))

/** Run a primitive by name. */
export const call = (name: string, args: readonly NDArray[], params: object): readonly NDArray[] =>
  currentTrace().process(primitives.get(name)!, args, params)

const mixed = (seed: number): number => {
  let t = (seed + 0x6d2b79f5) >>> 0
  t = Math.imul(t ^ (t >>> 15), t | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

/** The array that an operand stands for, with more axes in front if it is to be batched. */
export function makeOperand(operand: Operand, dtype: DType, seed: number, leading: readonly number[] = []): NDArray {
  const own = operand.dtype ?? dtype
  const shape = [...leading, ...operand.shape]
  const size = shape.reduce((a, b) => a * b, 1)
  const [low, high] = operand.range ?? [-2, 2]
  const order = Array.from({ length: size }, (_, i) => i).sort((a, b) => mixed(seed + 31 * a) - mixed(seed + 31 * b))
  const values = order.map((place, i) => {
    if (operand.values !== undefined) return operand.values[i % operand.values.length]!
    const share = (place + 0.25 + 0.5 * mixed(seed + 7 * i)) / size
    if (own === 'bool') return share < 0.5 ? 0 : 1
    if (!isFloat(own)) {
      const bottom = own.startsWith('u') ? Math.max(0, Math.ceil(low)) : Math.ceil(low)
      return bottom + Math.floor(mixed(seed + 13 * i) * (Math.floor(high) - bottom + 1))
    }
    return low + (high - low) * share
  })
  const x = np.array(Float64Array.from(values), { dtype: own }).reshape(shape)
  return operand.adapt === undefined ? x : operand.adapt(x).astype(own)
}
