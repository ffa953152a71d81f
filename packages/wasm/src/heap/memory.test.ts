// Memories: shared where they can be, as large as the platform lets them be.
import { afterEach, expect, test, vi } from 'vitest'
import { makeMemory, mostPages } from './memory.ts'

afterEach(() => vi.unstubAllGlobals())

test('memory is shared if that is wanted and can be', () => {
  expect(makeMemory(64, true).memory.buffer).toBeInstanceOf(SharedArrayBuffer)
  expect(makeMemory(64, false).memory.buffer).toBeInstanceOf(ArrayBuffer)
  // as in a page without the headers
  vi.stubGlobal('crossOriginIsolated', false)
  expect(makeMemory(64, true).memory.buffer).toBeInstanceOf(ArrayBuffer)
})
test('where address space is short a shared memory gets less of it, or is none', () => {
  let room = mostPages / 4
  const { Memory } = WebAssembly
  vi.stubGlobal('WebAssembly', {
    Memory: class extends Memory {
      constructor(of: WebAssembly.MemoryDescriptor) {
        if (of.shared === true && of.maximum! > room) throw new RangeError('no room')
        super(of)
      }
    },
  })
  expect(makeMemory(mostPages, true)).toMatchObject({ pages: mostPages / 4 })
  room = 0
  const { memory, pages } = makeMemory(mostPages, true)
  expect(memory.buffer).toBeInstanceOf(ArrayBuffer)
  expect(pages).toBe(mostPages)
})
