/** Buffers of the WebAssembly back end: handles of values that the heap holds, or the host, or both. */
import { type Backend, type Buffer, DeviceError, type TypedArray } from '@fluxion/core'
import { bytesFor } from './heap/elements.ts'
import type { Heap, Resident, Watch } from './heap/heap.ts'

/** Of values so large the garbage collector tells when a handle is gone, so that their room is free before others have to make it; that costs too much for small ones. */
const watchedBytes = 2 ** 16
const gone = new FinalizationRegistry<Watch>(({ value, heap }) => {
  if (value !== undefined && --value.owners === 0) heap.dispose(value)
})

/** Several handles may share one value, which is disposed of with the last of them. */
export class WasmBuffer implements Buffer {
  readonly backend: Backend
  readonly heap: Heap
  readonly value: Resident
  #disposed = false
  constructor(backend: Backend, heap: Heap, value: Resident) {
    this.backend = backend
    this.heap = heap
    this.value = value
    value.owners++
    if (bytesFor(value.dtype, value.length) < watchedBytes) return
    value.watch ??= { heap, value }
    gone.register(this, value.watch, this)
  }
  read(): TypedArray {
    if (this.#disposed) throw new DeviceError('a buffer was read after it was disposed of')
    return this.heap.read(this.value)
  }
  async readAsync(): Promise<TypedArray> {
    return this.read()
  }
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    if (this.value.watch !== undefined) gone.unregister(this)
    if (--this.value.owners === 0) this.heap.dispose(this.value)
  }
}
