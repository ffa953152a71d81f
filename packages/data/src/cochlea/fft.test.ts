// Fourier transforms of any length against their definition.
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { fourier, inverseFourier } from './fft.ts'

/** The definition, term by term. */
const slow = (re: Float64Array, im: Float64Array): [Float64Array, Float64Array] => {
  const n = re.length
  const out: [Float64Array, Float64Array] = [new Float64Array(n), new Float64Array(n)]
  for (let k = 0; k < n; k += 1) {
    for (let t = 0; t < n; t += 1) {
      const angle = (-2 * Math.PI * ((k * t) % n)) / n
      out[0][k] = out[0][k]! + re[t]! * Math.cos(angle) - im[t]! * Math.sin(angle)
      out[1][k] = out[1][k]! + re[t]! * Math.sin(angle) + im[t]! * Math.cos(angle)
    }
  }
  return out
}

const distance = (a: Float64Array, b: Float64Array): number => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))

const signal = fc
  .integer({ min: 1, max: 130 })
  .chain((n) => {
    const part = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: n, maxLength: n })
    return fc.tuple(part, part)
  })
  .map(([re, im]) => [Float64Array.from(re), Float64Array.from(im)] as const)

test('the transform of any length agrees with its definition', () => {
  fc.assert(
    fc.property(signal, ([re, im]) => {
      const expected = slow(re, im)
      fourier(re.length)(re, im)
      expect(distance(re, expected[0])).toBeLessThan(1e-12)
      expect(distance(im, expected[1])).toBeLessThan(1e-12)
    }),
  )
})

test('powers of two, odd and even, agree with the definition', () => {
  for (const n of [1, 2, 4, 8, 16, 32, 64, 128, 256]) {
    const re = Float64Array.from({ length: n }, (_, i) => Math.sin(3 * i + 1))
    const im = Float64Array.from({ length: n }, (_, i) => Math.cos(5 * i * i))
    const expected = slow(re, im)
    fourier(n)(re, im)
    expect(distance(re, expected[0])).toBeLessThan(1e-12)
    expect(distance(im, expected[1])).toBeLessThan(1e-12)
  }
})

test('the inverse undoes the transform', () => {
  fc.assert(
    fc.property(signal, ([re, im]) => {
      const before = [re.slice(), im.slice()] as const
      fourier(re.length)(re, im)
      inverseFourier(re.length)(re, im)
      expect(distance(re, before[0])).toBeLessThan(1e-13)
      expect(distance(im, before[1])).toBeLessThan(1e-13)
    }),
  )
})

test('the transform keeps energy (Parseval)', () => {
  const n = 32766
  const re = Float64Array.from({ length: n }, (_, i) => Math.sin(i * i))
  const im = new Float64Array(n)
  const energy = re.reduce((sum, x) => sum + x * x, 0)
  fourier(n)(re, im)
  const after = re.reduce((sum, x, k) => sum + x * x + im[k]! ** 2, 0)
  expect(after / n / energy).toBeCloseTo(1, 12)
})
