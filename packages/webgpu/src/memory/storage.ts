/** Elements on a GPU, or on their way there; and the handles of them that arrays hold. */
import { type Backend, type Buffer, type DType, DeviceError, type TypedArray } from '@fluxion/core'
import { bytesFor, encode } from './elements.ts'
import type { Device } from '../device/device.ts'
import type { Pool } from './pool.ts'

/** Elements of no more bytes stay on the host too, where they can be read at once. */
const small = 4096

/** Memory with those who need it: handles of arrays, and calls that have not run yet. */
export class Storage {
  readonly dtype: DType
  readonly length: number
  readonly #device: Device
  readonly #pool: Pool
  #host: TypedArray | undefined
  #gpu: GPUBuffer | undefined
  #users = 0
  /** Why there will never be elements. */
  error: Error | undefined
  /** Rejects if what was submitted to compute the elements failed. */
  checked: Promise<unknown> | undefined

  constructor(device: Device, pool: Pool, dtype: DType, length: number, host?: TypedArray) {
    this.#device = device
    this.#pool = pool
    this.dtype = dtype
    this.length = length
    this.#host = host
  }
  get bytes(): number {
    return Math.max(4, bytesFor(this.dtype, this.length))
  }
  /** Elements on the host, if they are there. */
  get host(): TypedArray | undefined {
    return this.#host
  }
  /** The buffer; the elements are brought there if they are only on the host. */
  get gpu(): GPUBuffer {
    if (this.error !== undefined) throw this.error
    if (this.#gpu === undefined) {
      this.#gpu = this.#pool.take(this.bytes)
      if (this.#host !== undefined && this.length > 0) {
        this.#device.gpu.queue.writeBuffer(this.#gpu, 0, encode(this.dtype, this.#host))
        if (this.bytes > small) this.#host = undefined
      }
    }
    return this.#gpu
  }
  /** How many need the elements. */
  get users(): number {
    return this.#users
  }
  use(): void {
    this.#users++
  }
  /** Take another's buffer, whose elements nobody needs any more. */
  takeOver(from: Storage): void {
    this.#gpu = from.gpu
    from.#gpu = undefined
    from.#host = undefined
    from.error ??= new DeviceError('this array was donated')
  }
  /** The memory goes back to the pool when nobody needs it: what is submitted later comes after what is submitted already. */
  drop(): void {
    this.#users--
    if (this.#users > 0) return
    if (this.#gpu !== undefined && !this.#device.isLost) this.#pool.give(this.#gpu)
    this.#gpu = undefined
    this.#host = undefined
    this.error ??= new DeviceError('this array was disposed of')
  }
}

const forgotten = new FinalizationRegistry<Storage>((storage) => storage.drop())

export class WebGpuBuffer implements Buffer {
  readonly backend: Backend
  readonly storage: Storage
  readonly #read: (storage: Storage) => Promise<TypedArray>
  #disposed = false

  constructor(backend: Backend, storage: Storage, read: (storage: Storage) => Promise<TypedArray>) {
    this.backend = backend
    this.storage = storage
    this.#read = read
    storage.use()
    forgotten.register(this, storage, this)
  }
  get isDisposed(): boolean {
    return this.#disposed
  }
  read(): TypedArray {
    const { host, error, dtype, length } = this.storage
    if (error !== undefined) throw error
    if (host !== undefined) return host
    throw new DeviceError(
      `an array on the GPU, ${dtype} of ${length} elements, cannot be read at once\nhint: await x.data() reads it`,
    )
  }
  async readAsync(): Promise<TypedArray> {
    return this.storage.host ?? this.#read(this.storage)
  }
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    forgotten.unregister(this)
    this.storage.drop()
  }
}
