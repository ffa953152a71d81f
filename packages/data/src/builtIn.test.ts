// The built-in digits: what they are, and how they are told apart.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRecordings } from './hdf5/read.ts'
import { builtInDigits } from './shd.ts'

const [train, heldOut] = await Promise.all(
  ['train', 'test'].map((split) => readRecordings(join(builtInDigits, `shd_${split}.h5`))),
)

test('the built-in digits are small, balanced, and named as the Heidelberg digits are', () => {
  const bytes = readdirSync(builtInDigits).reduce((sum, name) => sum + statSync(join(builtInDigits, name)).size, 0)
  expect(bytes).toBeLessThan(12e6)
  expect(train!.labels.length).toBe(1280)
  expect(heldOut!.labels.length).toBe(400)
  for (const { labels } of [train!, heldOut!]) {
    const counts = Array.from({ length: 20 }, (_, label) => labels.filter((each) => each === label).length)
    expect(counts).toEqual(Array(20).fill(labels.length / 20))
  }
  expect(train!.keys[0]).toBe('zero')
  expect(train!.keys[15]).toBe('fünf')
  expect(heldOut!.keys).toEqual(train!.keys)
})

test('two of eighteen speakers are heard in the test alone', () => {
  const speakers = (of: Uint8Array): number[] => [...new Set(of)].toSorted((a, b) => a - b)
  const all = [...Array(18).keys()]
  expect(speakers(heldOut!.speakers)).toEqual(all)
  expect(speakers(train!.speakers)).toEqual(all.filter((speaker) => speaker !== 4 && speaker !== 5))
  expect(heldOut!.speakers.filter((speaker) => speaker === 4 || speaker === 5).length).toBe(240)
})

test('events are sorted by time, fall in the middle of ticks of 1/1024 s, and lie within the first second', () => {
  for (const { times, units, offsets, labels } of [train!, heldOut!]) {
    const unsorted = Array.from(labels).findIndex((_, recording) => {
      for (let i = offsets[recording]! + 1; i < offsets[recording + 1]!; i += 1) {
        if (times[i]! < times[i - 1]! || (times[i] === times[i - 1] && units[i]! <= units[i - 1]!)) return true
      }
      return false
    })
    expect(unsorted).toBe(-1)
    expect(times.every((time) => time < 1 && (time * 1024) % 1 === 0.5)).toBe(true)
  }
})
