// Blocks of memory, taken and given back in any order.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Allocator, type Block, aligned, alignment } from './allocator.ts'

test('blocks are aligned, inside the range and disjoint, whatever is taken and given back in any order', () => {
  const action = fc.record({ take: fc.boolean(), bytes: fc.integer({ min: 0, max: 5000 }), at: fc.nat(1000) })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const allocator = new Allocator(64)
      let end = 64 + 64 * 256
      allocator.grow(end)
      const live: Block[] = []
      for (const { take, bytes, at } of actions) {
        if (!take) {
          const [block] = live.splice(at % Math.max(1, live.length), 1)
          if (block !== undefined) allocator.give(block)
          continue
        }
        let block = allocator.take(bytes)
        if (block === undefined) {
          end += aligned(allocator.missing(bytes))
          allocator.grow(end)
          block = allocator.take(bytes)!
        }
        expect(block.size).toBe(aligned(bytes))
        live.push(block)
      }
      const sorted = live.toSorted((a, b) => a.address - b.address)
      let free = 64
      for (const { address, size } of sorted) {
        expect(address % alignment).toBe(0)
        expect(address).toBeGreaterThanOrEqual(free)
        free = address + size
      }
      expect(free).toBeLessThanOrEqual(end)
      expect(allocator.used).toBe(live.reduce((sum, { size }) => sum + size, 0))
      // Free blocks merge: at last there is one that is as large as the range.
      for (const block of live) allocator.give(block)
      expect(allocator.take(end - 64)?.address).toBe(64)
    }),
    { numRuns: 200 },
  )
})
test('of the free blocks the smallest that fits is taken', () => {
  const allocator = new Allocator(64)
  allocator.grow(64 + 64 * 1100)
  const sizes = [300, 64, 500, 64, 200, 64]
  const blocks = sizes.map((units) => allocator.take(64 * (units === 64 ? 1 : units))!)
  for (const i of [0, 2, 4]) allocator.give(blocks[i]!)
  expect(allocator.take(64 * 199)?.address).toBe(blocks[4]!.address)
  expect(allocator.take(64 * 301)?.address).toBe(blocks[2]!.address)
})
