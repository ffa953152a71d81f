// Hankel functions against those of SciPy, and their laws.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { hankel1 } from './hankel.ts'
import type { Complex } from './hankel.ts'

interface Row {
  readonly z: Complex
  readonly h0: Complex
  readonly h1: Complex
}

const golden: readonly Row[] = JSON.parse(
  readFileSync(new URL('../../../../test/golden/hankel.json', import.meta.url), 'utf8'),
).hankel

const relative = ([a, b]: Complex, [c, d]: Complex): number => Math.hypot(a - c, b - d) / Math.hypot(c, d)
const times = ([a, b]: Complex, [c, d]: Complex): Complex => [a * c - b * d, a * d + b * c]
const minus = ([a, b]: Complex, [c, d]: Complex): Complex => [a - c, b - d]

test('values agree with those of SciPy in the upper half-plane and just below the real axis', () => {
  for (const { z, h0, h1 } of golden) {
    const [a, b] = hankel1(z)
    expect(relative(a, h0), `H0(${z.join(', ')})`).toBeLessThan(2e-14)
    expect(relative(b, h1), `H1(${z.join(', ')})`).toBeLessThan(2e-14)
  }
})

test('on the real axis the parts satisfy the Wronskian J1·Y0 − J0·Y1 = 2/(πx)', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 100, noNaN: true }), (x) => {
      const [[j0, y0], [j1, y1]] = hankel1([x, 0])
      expect((j1 * y0 - j0 * y1) / (2 / (Math.PI * x))).toBeCloseTo(1, 11)
    }),
  )
})

test('series and continued fraction meet at the circle that parts them', () => {
  fc.assert(
    fc.property(fc.double({ min: -0.3, max: Math.PI / 2, noNaN: true }), (angle) => {
      const at = (radius: number): readonly [Complex, Complex] =>
        hankel1([radius * Math.cos(angle), radius * Math.sin(angle)])
      const [inside, outside] = [at(2 - 1e-13), at(2 + 1e-13)]
      expect(relative(inside[0], outside[0])).toBeLessThan(1e-12)
      expect(relative(inside[1], outside[1])).toBeLessThan(1e-12)
    }),
  )
})

test('the derivative of H0 is −H1', () => {
  const step = 1e-5
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 20, noNaN: true }), fc.double({ min: 0, max: 20, noNaN: true }), (x, y) => {
      const slope = times(minus(hankel1([x + step, y])[0], hankel1([x - step, y])[0]), [-1 / (2 * step), 0])
      expect(relative(slope, hankel1([x, y])[1])).toBeLessThan(2e-7)
    }),
  )
})

test('far up the imaginary axis the values are tiny and keep their relative accuracy', () => {
  // H0(iy) = −(2i/π)·K0(y), and K0(y)·eʸ·√(2y/π) = 1 − 1/(8y) + 9/(128y²) − 225/(3072y³) + 11025/(98304y⁴) − …
  const y = 600
  const [[re, im]] = hankel1([0, y])
  const scaled = 1 - 1 / (8 * y) + 9 / (128 * y ** 2) - 225 / (3072 * y ** 3) + 11025 / (98304 * y ** 4)
  expect(Math.abs(re)).toBeLessThan(1e-14 * Math.abs(im))
  expect(im / (-Math.sqrt(2 / (Math.PI * y)) * Math.exp(-y) * scaled)).toBeCloseTo(1, 12)
})
