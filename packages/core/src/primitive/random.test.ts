/** Threefry's known answers, and that an element's bits depend on its place alone. */
import { expect, test } from 'vitest'
import { threefry2x32 } from '../backend/reference/threefry.ts'
import { array, f32, hostOf, useHostBackend } from './hostBackend.testing.ts'
import { randomBits, randomFoldIn, randomSplit } from './random.ts'
import { elementsOf, expectLikeLoop } from './rules.testing.ts'

useHostBackend()

const u32 = (shape: readonly number[], data: readonly number[]) =>
  array({ shape, dtype: 'uint32', data: Uint32Array.from(data) })

// key, counter and result as the authors of Random123 publish them for twenty rounds
test.each([
  [
    [0x00000000, 0x00000000],
    [0x00000000, 0x00000000],
    [0x6b200159, 0x99ba4efe],
  ],
  [
    [0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x1cb996fc, 0xbb002be7],
  ],
  [
    [0x13198a2e, 0x03707344],
    [0x243f6a88, 0x85a308d3],
    [0xc4923a9c, 0x483df7a0],
  ],
])('threefry of key %o and counter %o is known', (key, counter, expected) => {
  const [high, low] = [Uint32Array.of(counter[0]!), Uint32Array.of(counter[1]!)]
  threefry2x32(key[0]!, key[1]!, high, low)
  expect([high[0], low[0]]).toEqual(expected)
})

const key = u32([2], [3, 5])

test('longer arrays and other shapes begin with the same bits', () => {
  const long = elementsOf(randomBits(key, [24], 32))
  expect(elementsOf(randomBits(key, [7], 32))).toEqual(long.slice(0, 7))
  expect(elementsOf(randomBits(key, [2, 3, 4], 32))).toEqual(long)
})

test('narrow words are the low bits of wide ones, and 64 bits are two words whose exclusive or is the 32', () => {
  const words = elementsOf(randomBits(key, [6], 32))
  expect(elementsOf(randomBits(key, [6], 8))).toEqual(words.map((word) => word & 0xff))
  expect(elementsOf(randomBits(key, [6], 16))).toEqual(words.map((word) => word & 0xffff))
  const pairs = elementsOf(randomBits(key, [6], 64))
  expect(words.map((_, i) => (pairs[2 * i]! ^ pairs[2 * i + 1]!) >>> 0)).toEqual(words)
})

test('arrays of keys give what each key gives', () => {
  const keys = u32([2, 3], [1, 2, 3, 4, 5, 6])
  expectLikeLoop('random_bits', [keys], [1], { shape: [4], bitWidth: 32 }, 3)
  expectLikeLoop('random_split', [keys], [1], { shape: [2, 2] }, 3)
  const data = array({ shape: [3], dtype: 'int32', data: Int32Array.of(0, 1, -1) })
  expectLikeLoop('random_fold_in', [keys, data], [1, 0], {}, 3)
  expectLikeLoop('random_fold_in', [key, data], [null, 0], {}, 3)
  expect(hostOf(randomBits(u32([3, 2], [1, 2, 3, 4, 5, 6]), [4], 32)).shape).toEqual([3, 4])
})

test('what is no key is refused', () => {
  expect(() => randomBits(f32([2], [0, 0]), [1], 32)).toThrow(
    'randomBits: expected a key u32[2] or an array of keys u32[...,2], got f32[2]',
  )
  expect(() => randomSplit(u32([3], [1, 2, 3]), [2])).toThrow('randomSplit: expected a key')
  expect(() => randomFoldIn(key, f32([], [1]))).toThrow('randomFoldIn: expected integers, got f32[]')
})
