/** What a back end is to the core: buffers, single operations, and compiled programs. It knows programs, not transformations. */
import type { DType } from '../dtype.ts'
import type { Aval } from '../ir/aval.ts'
import type { ClosedJaxpr } from '../ir/jaxpr.ts'
import type { AnyPrimitive } from '../primitive/define.ts'
import type { Shape } from '../shape.ts'

/** Elements on the host: bool as 0 and 1 in a Uint8Array; float16 and bfloat16 as Float32Array of values that the dtype can hold. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array

/** A dense row-major array in host memory. Nobody writes to `data` once it is made. */
export interface HostArray {
  readonly shape: Shape
  readonly dtype: DType
  readonly data: TypedArray
}

/** Elements wherever a back end keeps them. */
export interface Buffer {
  readonly backend: Backend
  /** Read at once; a back end that cannot throws a `DeviceError` that says so. */
  read(): TypedArray
  readAsync(): Promise<TypedArray>
  /** Give the memory back; the buffer is never used again. */
  dispose(): void
}

/** A compiled program: from input buffers to output buffers. */
export type Executable = (inputs: readonly Buffer[]) => Buffer[]

export interface Backend {
  readonly name: 'reference' | 'wasm' | 'webgpu'
  put(array: HostArray): Buffer
  /** Run one primitive by itself, as eager operations do. */
  apply(
    primitive: AnyPrimitive,
    inputs: readonly Buffer[],
    inAvals: readonly Aval[],
    outAvals: readonly Aval[],
    params: object,
  ): Buffer[]
  /**
   * Compile a program; `name` is what the log and the names of its kernels show. The inputs whose numbers are in `donated` are never used after
   * a call, so that results may take their memory.
   */
  compile(program: ClosedJaxpr, name?: string, donated?: readonly number[]): Executable
  /** A stage of the compilation as text, for those that the back end has. */
  show?(program: ClosedJaxpr, stage: Stage): string | undefined
}

/**
 * What a program is on its way to a device: as traced; after optimisation; as steps and loops; where in memory its values are; what it costs;
 * and as the code of a back end.
 */
export type Stage = 'jaxpr' | 'optimised' | 'loops' | 'plan' | 'cost' | 'wat' | 'wgsl'
