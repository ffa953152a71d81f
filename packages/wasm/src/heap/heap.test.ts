// Values move out of the heap and come back unchanged, and memory stays within its budget.
import { DeviceError } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readElements, writeElements } from './elements.ts'
import { Heap, Resident } from './heap.ts'

const mib = 2 ** 20
const numbered = (length: number, first: number): Float32Array => Float32Array.from({ length }, (_, i) => first + i)
/** A value with a place in the heap and these elements. */
function settled(heap: Heap, data: Float32Array): Resident {
  const x = new Resident('float32', data.length)
  const at = heap.settle(x)
  writeElements(heap.memory.buffer, at, 'float32', data)
  heap.unpin(x)
  return x
}

test('half floats of every bit pattern come back with the same value and sign', () => {
  const memory = new ArrayBuffer(2 ** 17)
  const patterns = new Uint16Array(memory)
  for (const dtype of ['float16', 'bfloat16'] as const) {
    for (let i = 0; i < 65536; i++) patterns[i] = i
    const values = readElements(memory, 0, dtype, 65536)
    writeElements(memory, 0, dtype, values)
    const again = readElements(memory, 0, dtype, 65536)
    let wrong = 0
    for (let i = 0; i < 65536; i++) {
      if (!Object.is(values[i], again[i])) wrong++
      else if (!Number.isNaN(values[i]) && patterns[i] !== i) wrong++
    }
    expect(wrong).toBe(0)
  }
  patterns.set([0x3c00, 0x0001, 0x7bff, 0xfc00])
  expect([...readElements(memory, 0, 'float16', 4)]).toEqual([1, 2 ** -24, 65504, -Infinity])
  patterns.set([0x3f80, 0x0001, 0x7f80, 0xc000])
  expect([...readElements(memory, 0, 'bfloat16', 4)]).toEqual([1, 2 ** -133, Infinity, -2])
})
test('temporaries of a program push no values out, which would come back for its next call', () => {
  const heap = new Heap({ budget: mib, limit: 16 * mib })
  const values = [settled(heap, numbered(100_000, 0)), settled(heap, numbered(100_000, 1))]
  for (let call = 0; call < 3; call++) heap.give(heap.takeTemporary(4 * mib))
  expect(values.map(({ evicted }) => evicted)).toEqual([false, false])
  heap.give(heap.take(2 * mib))
  settled(heap, numbered(mib, 2))
  settled(heap, numbered(mib / 4, 3))
  expect(heap.size).toBeLessThanOrEqual(5 * mib)
})
test('values keep their elements while others push them out and they come back', () => {
  const actions = fc.array(
    fc.record({ make: fc.boolean(), at: fc.nat(1000), length: fc.integer({ min: 0, max: 20000 }) }),
  )
  fc.assert(
    fc.property(actions, (list) => {
      const heap = new Heap({ budget: 4 * 65536, limit: 64 * 65536 })
      const values: { x: Resident; data: Float32Array }[] = []
      list.forEach(({ make, at, length }, i) => {
        if (make || values.length === 0) {
          const data = numbered(length, i)
          values.push({ x: settled(heap, data), data })
          return
        }
        const { x, data } = values[at % values.length]!
        const address = heap.pin(x)
        expect(readElements(heap.memory.buffer, address, 'float32', data.length)).toEqual(data)
        heap.unpin(x)
      })
      for (const { x, data } of values) expect(heap.read(x)).toEqual(data)
      expect(heap.size).toBeLessThanOrEqual(4 * 65536)
    }),
    { numRuns: 30 },
  )
})
test('pinned values stay where they are, and the heap grows beyond its budget for them alone', () => {
  const heap = new Heap({ budget: 2 * mib, limit: 64 * mib })
  const values = Array.from({ length: 6 }, () => new Resident('float32', mib / 4))
  const addresses = values.map((x) => heap.settle(x))
  expect(values.map((x) => x.block!.address)).toEqual(addresses)
  expect(heap.size).toBeGreaterThan(6 * mib)
  for (const x of values) heap.unpin(x)
  const before = heap.size
  for (let i = 0; i < 40; i++) settled(heap, new Float32Array(mib / 4))
  expect(heap.size).toBe(before)
})
test('what does not fit beside running programs is an error that says what to do', () => {
  const heap = new Heap({ limit: 4 * mib })
  const x = new Resident('float32', mib / 2)
  heap.settle(x)
  expect(() => heap.settle(new Resident('float32', mib))).toThrow(DeviceError)
  expect(() => heap.settle(new Resident('float32', mib))).toThrow(
    /needs 4 MiB more, and 2 MiB of the 4 MiB.*\nhint: use a smaller batch/,
  )
  heap.unpin(x)
  expect(heap.settle(new Resident('float32', (3 * mib) / 4))).toBeGreaterThan(0)
})
test('disposing gives the room back at once, of a pinned value when it is unpinned', () => {
  const heap = new Heap({ budget: 8 * mib })
  const [x, y] = [settled(heap, new Float32Array(1000)), settled(heap, new Float32Array(1000))]
  heap.dispose(x)
  expect(heap.used).toBe(4032)
  heap.pin(y)
  heap.dispose(y)
  expect(heap.used).toBe(4032)
  heap.unpin(y)
  expect(heap.used).toBe(0)
  expect(() => heap.pin(y)).toThrow(DeviceError)
  expect(() => heap.read(x)).toThrow(DeviceError)
})
test('programs that alternate between more than fits the budget raise it', () => {
  const heap = new Heap({ budget: 2 * mib, limit: 64 * mib })
  const values = Array.from({ length: 4 }, () => settled(heap, new Float32Array(mib / 4)))
  for (let round = 0; round < 10; round++) {
    for (const x of values) {
      heap.pin(x)
      heap.unpin(x)
    }
  }
  expect(values.every((x) => x.block !== undefined)).toBe(true)
})
test('values that nobody uses any more take neither heap nor host memory, without a pause for finalizers', () => {
  const heap = new Heap({ budget: 32 * mib })
  const before = process.memoryUsage()
  for (let i = 0; i < 150; i++) settled(heap, new Float32Array(mib))
  for (let i = 0; i < 50_000; i++) {
    const x = new Resident('float32', 4)
    heap.settle(x)
    heap.unpin(x)
  }
  const after = process.memoryUsage()
  // Small values are limited in number.
  expect(heap.used).toBeLessThanOrEqual(2 ** 12 * 64)
  expect(heap.size).toBeLessThanOrEqual(64 * mib)
  // 150 values of 4 MiB were made: most of them are gone.
  expect(after.rss - before.rss).toBeLessThan(400 * mib)
}, 30_000)
