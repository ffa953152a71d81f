/** The bits of numbers: exponents, neighbours, and the bytes in which dtypes are stored outside of this library. */
import type { HostArray, TypedArray } from '../../backend/interface.ts'
import { allocate } from '../../backend/reference/host.ts'
import { type DType, bytesOf, dtypes } from '../../dtype.ts'

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
const high = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0

/** The exponent e with 2^e ≤ |x| < 2^(e+1); -1023 for zero and the subnormal doubles, 1024 for what is not finite. */
export function exponentOf(x: number): number {
  double[0] = x
  return ((words[high]! >>> 20) & 0x7ff) - 1023
}

/** The number next to `x` in a floating dtype, in the direction of `y`. */
export function neighbour(x: number, y: number, dtype: DType): number {
  const { eps, tiny, max } = dtypes[dtype]
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN
  if (x === y) return y
  if (x === 0) return Math.sign(y) * tiny * eps
  if (!Number.isFinite(x)) return Math.sign(x) * max
  const power = Math.max(2 ** exponentOf(x), tiny)
  const outward = x > 0 === y > x
  // Below a power of two, numbers lie twice as close.
  const step = !outward && Math.abs(x) === power && power > tiny ? (power * eps) / 2 : power * eps
  return x < y ? x + step : x - step
}

/** The 16 bits of a float16 that is given as a number it can hold. */
export function encodeHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const magnitude = Math.abs(x)
  if (Number.isNaN(x)) return 0x7e00
  if (magnitude === Infinity) return sign | 0x7c00
  if (magnitude < 2 ** -14) return sign | (magnitude * 2 ** 24)
  const exponent = exponentOf(magnitude)
  return sign | ((exponent + 15) << 10) | ((magnitude / 2 ** exponent - 1) * 1024)
}
export function decodeHalf(bits: number): number {
  const exponent = (bits >>> 10) & 0x1f
  const fraction = bits & 0x3ff
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

/** The bytes of an array as its dtype has them, which for 16-bit floats is not how they are held. */
export function toBytes({ dtype, data }: HostArray): Uint8Array {
  const stored =
    dtype === 'float16'
      ? Uint16Array.from(data, encodeHalf)
      : dtype === 'bfloat16'
        ? Uint16Array.from(new Uint32Array(Float32Array.from(data).buffer), (word) => word >>> 16)
        : data
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)
}
/** The reverse of `toBytes`; the array has storage of its own. */
export function fromBytes(bytes: Uint8Array, dtype: DType): TypedArray {
  const length = bytes.length / bytesOf(dtype)
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const halves = new Uint16Array(bytes.slice().buffer)
    if (dtype === 'float16') return Float32Array.from(halves, decodeHalf)
    return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer)
  }
  const result = allocate(dtype, length)
  new Uint8Array(result.buffer).set(bytes)
  return result
}
