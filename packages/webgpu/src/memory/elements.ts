/** Host arrays as the bytes of GPU buffers, and back: halves take two bytes there, and all lengths are whole words. */
import { type DType, type TypedArray, allocate, bytesOf, roundBfloat, roundHalf } from '@fluxion/core'
import { bitsOf } from '../print/bits.ts'

/** Bytes of a buffer, up to the next whole word. */
export const bytesFor = (dtype: DType, length: number): number => Math.ceil((bytesOf(dtype) * length) / 4) * 4

/** The bits of a number that a float16 can hold. */
function halfBits(x: number): number {
  const value = roundHalf(x)
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (size === Infinity) return sign | 0x7c00
  if (size < 2 ** -14) return sign | (size * 2 ** 24)
  return sign | ((bitsOf(size) - 0x38000000) >>> 13)
}
function halfValue(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1
  const [exponent, fraction] = [(bits >>> 10) & 31, bits & 0x3ff]
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}
/** Values of all 65,536 halves, made when first asked for. */
let halves: Float32Array | undefined
const halfTable = (): Float32Array => (halves ??= Float32Array.from({ length: 65536 }, (_, bits) => halfValue(bits)))

/** The bytes of elements, in memory of their own if they are not whole words as they are. */
export function encode(dtype: DType, data: TypedArray): Uint8Array<ArrayBuffer> {
  const size = bytesFor(dtype, data.length)
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const words = new Uint16Array(size / 2)
    if (dtype === 'float16') for (let i = 0; i < data.length; i++) words[i] = halfBits(data[i]!)
    else for (let i = 0; i < data.length; i++) words[i] = bitsOf(roundBfloat(data[i]!)) >>> 16
    return new Uint8Array(words.buffer)
  }
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  if (bytes.length === size) return bytes
  const padded = new Uint8Array(size)
  padded.set(bytes)
  return padded
}
/** Elements from bytes, which are copied. */
export function decode(dtype: DType, bytes: ArrayBuffer, length: number): TypedArray {
  const out = allocate(dtype, length)
  if (dtype === 'float16') {
    const [table, words] = [halfTable(), new Uint16Array(bytes)]
    for (let i = 0; i < length; i++) out[i] = table[words[i]!]!
  } else if (dtype === 'bfloat16') {
    const [words, target] = [new Uint16Array(bytes), new Uint32Array(out.buffer)]
    for (let i = 0; i < length; i++) target[i] = words[i]! << 16
  } else new Uint8Array(out.buffer).set(new Uint8Array(bytes, 0, out.byteLength))
  return out
}
