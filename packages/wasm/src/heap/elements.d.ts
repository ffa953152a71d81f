/** Elements of host arrays as bytes of the heap and back: as they are, but for half floats, which take two bytes there. */
import { type DType, type TypedArray } from '@fluxion/core'
/** How many bytes elements take in the heap. */
export declare const bytesFor: (dtype: DType, length: number) => number
/** Write elements to an address; they are values that the dtype can hold. */
export declare function writeElements(memory: ArrayBuffer, address: number, dtype: DType, data: TypedArray): void
/** Elements from an address on, as a typed array with memory of its own. */
export declare function readElements(memory: ArrayBuffer, address: number, dtype: DType, length: number): TypedArray
