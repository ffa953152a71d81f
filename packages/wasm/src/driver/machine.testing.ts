/** A machine for tests of programs on several threads. */
import type { Backend } from '@fluxion/core'
import { WasmBuffer } from '../buffer.ts'
import { Heap, Resident } from '../heap/heap.ts'
import { Threads } from '../threads/threads.ts'
import type { Machine } from './executable.ts'

/** A machine with a heap of its own and so many threads. */
export function machineOf(count: number, shared = true): Machine {
  const heap = new Heap({ budget: 2 ** 26, shared })
  const backend: Backend = {
    name: 'wasm',
    put: ({ dtype, data }) => new WasmBuffer(backend, heap, new Resident(dtype, data.length, data)),
    apply: () => [],
    compile: () => () => [],
  }
  return { backend, heap, threads: new Threads(heap.memory, count), relaxed: true, run: () => [] }
}
