// Resampled sound keeps what lies in its band.
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { resample } from './resample.ts'

const tone = (frequency: number, rate: number, seconds = 0.1): Float64Array =>
  Float64Array.from({ length: Math.round(rate * seconds) }, (_, n) => Math.sin((2 * Math.PI * frequency * n) / rate))

/** The largest difference away from the ends, where the filter reaches into silence. */
const difference = (a: Float64Array, b: Float64Array, margin: number): number => {
  let most = 0
  for (let i = margin; i < a.length - margin; i += 1) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return most
}

test('tones within the band keep their shape, whatever the rates', () => {
  for (const [from, to] of [
    [22050, 48000],
    [8000, 48000],
    [44100, 48000],
    [48000, 16000],
    [96000, 48000],
  ] as const) {
    const frequency = 0.35 * Math.min(from, to)
    const out = resample(tone(frequency, from), from, to)
    expect(difference(out, tone(frequency, to), Math.ceil(0.01 * to)), `${from} to ${to}`).toBeLessThan(1e-4)
  }
})

test('tones above the new band are gone', () => {
  const out = resample(tone(12000, 48000), 48000, 16000)
  const middle = out.slice(200, -200)
  expect(Math.max(...middle.map(Math.abs))).toBeLessThan(1e-4)
})

test('a constant stays constant away from the ends', () => {
  const out = resample(new Float64Array(2000).fill(3), 22050, 48000)
  expect(Math.max(...out.slice(200, -200).map((x) => Math.abs(x - 3)))).toBeLessThan(1e-12)
})

test('resampling is linear, and of the expected length', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true })), {
        maxLength: 50,
      }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 30 }),
      (pairs, from, to) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)]
        const mixed = resample(
          a.map((x, i) => 2 * x - b[i]!),
          from,
          to,
        )
        const [ra, rb] = [resample(a, from, to), resample(b, from, to)]
        expect(mixed.length).toBe(Math.ceil((pairs.length * to) / from))
        mixed.forEach((x, i) => expect(x).toBeCloseTo(2 * ra[i]! - rb[i]!, 10))
      },
    ),
  )
})

test('equal rates copy, and rates that are none are refused', () => {
  expect(resample([1, 2], 5, 5)).toEqual(Float64Array.of(1, 2))
  expect(() => resample([1], 0, 48000)).toThrow(
    'resample: expected sample rates that are positive integers, got 0 and 48000',
  )
  expect(() => resample([1], 8000, 44100.5)).toThrow(RangeError)
})
