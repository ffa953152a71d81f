/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The one array type of users, for concrete arrays and for tracers. Its methods are installed by `numpy/methods.ts`, since they are
 * the functions of `np`, which stand above this file.
 */
import type { Buffer, HostArray, TypedArray } from './backend/interface.ts'
import type { DType } from './dtype.ts'
import { DeviceError, ShapeError, misuse } from './errors.ts'
import { type Aval, showAval } from './ir/aval.ts'
import type { ArrayMethods } from './numpy/methods.ts'
import { type Dims, type Shape, sizeOf } from './shape.ts'

/** What every function of `np`, `lax`, `nn` takes for an array. */
export type ArrayLike = NDArray | number | boolean
/** What `np.array` takes: nested lists whose leaves may be arrays and tracers. */
export type Nested = ArrayLike | TypedArray | readonly Nested[]
export type NestedNumbers = number | readonly NestedNumbers[]

export interface NDArray extends ArrayMethods {}
// Merged with the interface above: `implements` cannot be checked here, `methods.ts` checks that none is missing.
export abstract class NDArray {
  abstract readonly aval: Aval
  /** Whether the value can be asked for: true of concrete arrays, and of tracers outside of `jit` that stand for one. */
  abstract readonly hasValue: boolean
  /** Whether an operation took this, or the user read it: a comparison of which neither is true was probably meant as a condition. */
  used = false

  get shape(): Dims {
    return this.aval.shape as Dims
  }
  get dtype(): DType {
    return this.aval.dtype
  }
  get weakType(): boolean {
    return this.aval.weakType
  }
  get ndim(): number {
    return this.aval.shape.length
  }
  get size(): number {
    return sizeOf(this.aval.shape)
  }

  /** Elements as a typed array of their own, read at once; float16 and bfloat16 as Float32Array, bool as 0 and 1. */
  abstract dataSync(): TypedArray
  abstract data(): Promise<TypedArray>
  /** The value of an array of one element: a number for every dtype. */
  abstract item(): number
  /** Throws on a tracer and on more than one element: what `x + 1` would otherwise make of an array is never meant. */
  abstract valueOf(): number
  abstract [Symbol.toPrimitive](hint: string): number | string
  abstract toJSON(): NestedNumbers
  /** Give the memory back before the garbage collector would. */
  abstract dispose(): void
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** An array with a value. */
export class ConcreteArray extends NDArray {
  override readonly aval: Aval
  override readonly hasValue = true
  #buffer: Buffer | string
  /** The value of a scalar that was a number in the source: programs hold it as a literal. */
  readonly literal: number | undefined

  constructor(aval: Aval, buffer: Buffer, literal?: number) {
    super()
    this.aval = aval
    this.#buffer = buffer
    this.literal = literal
  }

  get buffer(): Buffer {
    this.used = true
    if (typeof this.#buffer === 'string') {
      throw new DeviceError(`this array ${showAval(this.aval)} ${this.#buffer}: it cannot be used again`)
    }
    return this.#buffer
  }
  /** Live on another back end from now on, where the same elements are. */
  move(to: Buffer): void {
    this.#buffer = to
  }
  /** Elements on the host, not to be written to. */
  get host(): HostArray {
    return { shape: this.aval.shape, dtype: this.aval.dtype, data: this.buffer.read() }
  }

  override dataSync(): TypedArray {
    return this.buffer.read().slice()
  }
  override async data(): Promise<TypedArray> {
    return (await this.buffer.readAsync()).slice()
  }
  override item(): number {
    if (this.size !== 1)
      throw new ShapeError(
        misuse('item', 'an array of one element', showAval(this.aval), 'toArray() and dataSync() read all elements'),
      )
    return this.buffer.read()[0]!
  }
  override valueOf(): number {
    return this.item()
  }
  override [Symbol.toPrimitive](hint: string): number | string {
    return hint === 'string' ? this.toString() : this.item()
  }
  override toJSON(): NestedNumbers {
    return nest(this.buffer.read(), this.aval.shape)
  }
  override dispose(): void {
    this.forget('was disposed of')
  }
  /** Drop the buffer, for a reason that later uses are told. */
  forget(reason: string): void {
    if (typeof this.#buffer === 'string') return
    this.#buffer.dispose()
    this.#buffer = reason
  }
}

/** Row-major elements as nested lists. */
export function nest(data: TypedArray, shape: Shape): NestedNumbers {
  let at = 0
  const build = (axis: number): NestedNumbers =>
    axis === shape.length ? data[at++]! : Array.from({ length: shape[axis]! }, () => build(axis + 1))
  return build(0)
}
