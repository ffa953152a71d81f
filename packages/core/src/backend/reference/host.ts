/** Host storage: which typed array holds a dtype, and how a number becomes one that the dtype can hold. */
import type { DType } from '../../dtype.ts'
import type { Aval } from '../../ir/aval.ts'
import { sizeOf } from '../../shape.ts'
import type { HostArray, TypedArray } from '../interface.ts'

const stores = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const

/** A zeroed typed array for `length` elements of `dtype`. */
export const allocate = (dtype: DType, length: number): TypedArray => new stores[dtype](length)
/** A zeroed host array of the given type. */
export const hostZeros = ({ shape, dtype }: Pick<Aval, 'shape' | 'dtype'>): HostArray => ({
  shape,
  dtype,
  data: allocate(dtype, sizeOf(shape)),
})

const half = 2 ** 13 + 1

/**
 * The float16 nearest to a number, ties to even; from 65520 on infinity. Multiplying by 2^13 + 1 and subtracting leaves the eleven
 * leading bits of a float32, rounded (Veltkamp's splitting); below 2^-14 adding 0.75, whose float32 neighbours are 2^-24 apart, rounds
 * to multiples of that.
 */
export function roundHalf(x: number): number {
  const single = Math.fround(x)
  const magnitude = Math.abs(single)
  if (magnitude < 2 ** -14) {
    const rounded = Math.fround(Math.fround(magnitude + 0.75) - 0.75)
    return single < 0 || Object.is(single, -0) ? -rounded : rounded
  }
  if (magnitude >= 65520) return single < 0 ? -Infinity : Infinity
  const c = Math.fround(half * single)
  return Math.fround(c - Math.fround(c - single))
}

/** The bfloat16 nearest to a number, ties to even: the upper half of a float32. */
export function roundBfloat(x: number): number {
  float[0] = x
  const bits = word[0]!
  if ((bits & 0x7fffffff) > 0x7f800000) return NaN
  word[0] = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000
  return float[0]!
}
const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

/** Round every element in place to what the dtype can hold, where the typed array does not do that by itself. */
export function roundTo(dtype: DType, data: TypedArray): TypedArray {
  if (dtype === 'float16') roundHalves(data)
  else if (dtype === 'bfloat16') for (let i = 0; i < data.length; i++) data[i] = roundBfloat(data[i]!)
  return data
}
/**
 * `roundHalf` of every element, with its two usual paths written out: training in half precision spends much of its time here, and its
 * gradients are often subnormal.
 */
function roundHalves(data: TypedArray): void {
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!
    const magnitude = Math.abs(x)
    if (magnitude >= 2 ** -14 && magnitude < 65520) {
      const c = Math.fround(half * x)
      data[i] = Math.fround(c - Math.fround(c - x))
    } else if (magnitude < 2 ** -14) {
      const rounded = Math.fround(Math.fround(magnitude + 0.75) - 0.75)
      if (magnitude !== 0) data[i] = x < 0 ? -rounded : rounded
    } else {
      data[i] = roundHalf(x)
    }
  }
}
