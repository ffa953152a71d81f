// Spikes of the cochlea from sound.
import { expect, test } from 'vitest'
import { encodeAudio } from './encode.ts'
import { normalFrom, permutationFrom, uniformGenerator } from './generator.ts'

/** A vowel of 0.085 s: pulses of a voice at 120 Hz through two formants. */
const vowel = (sampleRate: number): Float64Array =>
  Float64Array.from({ length: Math.round(0.085 * sampleRate) }, (_, n) => {
    const t = (n / sampleRate) % (1 / 120)
    return Math.exp(-400 * t) * (Math.sin(2 * Math.PI * 700 * t) + 0.5 * Math.sin(2 * Math.PI * 1200 * t))
  })

test('a vowel gives hundreds of spikes over 700 channels, sorted by time and then by unit', () => {
  const { times, units } = encodeAudio(vowel(48000), { sampleRate: 48000 })
  expect(times.length).toBeGreaterThan(300)
  expect(times.length).toBeLessThan(5000)
  for (let i = 1; i < times.length; i += 1) {
    expect(times[i]! > times[i - 1]! || (times[i] === times[i - 1] && units[i]! > units[i - 1]!)).toBe(true)
  }
  expect(Math.max(...times)).toBeLessThan(0.085)
  expect(Math.max(...units)).toBeLessThan(700)
  // Formants of 700 and 1200 Hz resonate 2.7 to 2.3 cm from the base, far in the second half.
  const apical = units.filter((unit) => unit > 350).length
  expect(apical / units.length).toBeGreaterThan(0.7)
}, 60_000)

test('equal seeds give equal spikes and other seeds give others', () => {
  const encode = (seed: number): number[] => [
    ...encodeAudio(vowel(48000), { sampleRate: 48000, channels: 10, seed }).times,
  ]
  expect(encode(3)).toEqual(encode(3))
  expect(encode(3)).not.toEqual(encode(4))
})

test('sound at another sample rate is resampled, and hardly changes what is heard', () => {
  const at48 = encodeAudio(vowel(48000), { sampleRate: 48000, channels: 40 }).times.length
  const at16 = encodeAudio(vowel(16000), { sampleRate: 16000, channels: 40 }).times.length
  expect(at16 / at48).toBeGreaterThan(0.8)
  expect(at16 / at48).toBeLessThan(1.2)
})

test('the unpadded transform hears almost the same', () => {
  const padded = encodeAudio(vowel(48000), { sampleRate: 48000, channels: 40 }).times.length
  const exact = encodeAudio(vowel(48000), { sampleRate: 48000, channels: 40, pad: false }).times.length
  expect(Math.abs(padded - exact) / padded).toBeLessThan(0.15)
})

test('the generator is uniform, and its normal numbers have the moments of a normal distribution', () => {
  const uniform = uniformGenerator(5)
  const draws = Array.from({ length: 20000 }, uniform)
  const counts = new Int32Array(10)
  for (const draw of draws) counts[Math.floor(10 * draw)]! += 1
  // Each count is binomial with deviation √(20000·0.09) ≈ 42.
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(5 * 42)
  const normals = Array.from({ length: 20000 }, () => normalFrom(uniform))
  const mean = normals.reduce((sum, x) => sum + x, 0) / 20000
  const variance = normals.reduce((sum, x) => sum + x * x, 0) / 20000
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(20000))
  expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / 20000))
})

test('lists of seeds that differ anywhere give different streams', () => {
  const first = (...seeds: number[]): number => uniformGenerator(...seeds)()
  const seen = new Set([first(), first(0), first(0, 0), first(1), first(0, 1), first(1, 0), first(2 ** 32), first(-1)])
  expect(seen.size).toBe(8)
})

test('a permutation holds every index once', () => {
  const order = permutationFrom(uniformGenerator(1), 100)
  expect([...order].toSorted((a, b) => a - b)).toEqual([...Array(100).keys()])
  expect([...order]).not.toEqual([...Array(100).keys()])
})
