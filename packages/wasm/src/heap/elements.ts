/** Elements of host arrays as bytes of the heap and back: as they are, but for half floats, which take two bytes there. */
import { bytesOf, type DType, type TypedArray } from '@fluxion/core'

const views: Readonly<Record<DType, new (memory: ArrayBufferLike, address: number, length: number) => TypedArray>> = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
}

/** How many bytes elements take in the heap. */
export const bytesFor = (dtype: DType, length: number): number => length * bytesOf(dtype)

/** Write elements to an address; they are values that the dtype can hold. */
export function writeElements(memory: ArrayBufferLike, address: number, dtype: DType, data: TypedArray): void {
  const target = new views[dtype](memory, address, data.length)
  if (dtype === 'float16') toHalves(data as Float32Array, target as Uint16Array)
  else if (dtype === 'bfloat16') toBfloats(data as Float32Array, target as Uint16Array)
  else target.set(data)
}
/** Elements from an address on, as a typed array with memory of its own. */
export function readElements(memory: ArrayBufferLike, address: number, dtype: DType, length: number): TypedArray {
  const source = new views[dtype](memory, address, length)
  if (dtype === 'float16') return fromHalves(source as Uint16Array)
  if (dtype === 'bfloat16') return fromBfloats(source as Uint16Array)
  return source.slice()
}

const up = 2 ** 112
const chunk = new Float32Array(4096)
const chunkBits = new Uint32Array(chunk.buffer)

/** Times 2⁻¹¹² the exponent of a float32 is that of the float16, subnormals included: what is left is to drop 13 zeros of the fraction. */
function toHalves(data: Float32Array, target: Uint16Array): void {
  for (let from = 0; from < data.length; from += chunk.length) {
    const count = Math.min(chunk.length, data.length - from)
    for (let i = 0; i < count; i++) chunk[i] = data[from + i]! / up
    for (let i = 0; i < count; i++) {
      const bits = chunkBits[i]!
      const magnitude = bits & 0x7fffffff
      const half = magnitude < 0x7f800000 ? magnitude >>> 13 : magnitude > 0x7f800000 ? 0x7e00 : 0x7c00
      target[from + i] = ((bits >>> 16) & 0x8000) | half
    }
  }
}
function fromHalves(source: Uint16Array): Float32Array {
  const result = new Float32Array(source.length)
  const bits = new Uint32Array(result.buffer)
  for (let i = 0; i < source.length; i++) {
    const half = source[i]!
    bits[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13)
  }
  for (let i = 0; i < source.length; i++) {
    const half = source[i]! & 0x7fff
    result[i] = half < 0x7c00 ? result[i]! * up : half > 0x7c00 ? NaN : result[i]! < 0 ? -Infinity : Infinity
  }
  return result
}
/** A bfloat16 is the upper half of a float32. */
function toBfloats(data: Float32Array, target: Uint16Array): void {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length)
  for (let i = 0; i < data.length; i++) {
    const word = bits[i]!
    // A NaN whose payload lies in the lower half must not become an infinity.
    target[i] = (word & 0x7fffffff) > 0x7f800000 ? (word >>> 16) | 0x40 : word >>> 16
  }
}
function fromBfloats(source: Uint16Array): Float32Array {
  const result = new Float32Array(source.length)
  const bits = new Uint32Array(result.buffer)
  for (let i = 0; i < source.length; i++) bits[i] = source[i]! << 16
  return result
}
