/** Buffers of the WebAssembly back end: handles of values that the heap holds, or the host, or both. */
import { type Backend, type Buffer, DeviceError, type TypedArray } from '@fluxion/core'
import type { Heap, Resident } from './heap/heap.ts'

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
    if (--this.value.owners === 0) this.heap.dispose(this.value)
  }
}
