// The basilar membrane against quadrature.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import fc from 'fast-check'
import type { Complex } from './hankel.ts'
import {
  basilarMembrane,
  cachedTransfer,
  membraneConstants,
  membraneTransfer,
  paddedLength,
  placesOf,
  wavePhase,
} from './membrane.ts'

interface Row {
  readonly frequency: number
  readonly place: number
  readonly phase: Complex
  readonly velocity: Complex
}

const golden: readonly Row[] = JSON.parse(
  readFileSync(new URL('../../../../test/golden/hankel.json', import.meta.url), 'utf8'),
).membrane

const relative = ([a, b]: Complex, [c, d]: Complex): number => Math.hypot(a - c, b - d) / Math.hypot(c, d)

test('the closed form of the phase integral agrees with quadrature over the whole range', () => {
  for (const { frequency, place, phase } of golden) {
    expect(
      relative(wavePhase(2 * Math.PI * frequency, place).phase, phase),
      `${frequency} Hz, ${place} cm`,
    ).toBeLessThan(1e-9)
  }
})

test('the wave number is the derivative of the phase integral', () => {
  const step = 1e-5
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 24000, noNaN: true }),
      fc.double({ min: step, max: 3.5, noNaN: true }),
      (frequency, place) => {
        const omega = 2 * Math.PI * frequency
        const [ahead, behind] = [wavePhase(omega, place + step).phase, wavePhase(omega, place - step).phase]
        const slope: Complex = [(ahead[0] - behind[0]) / (2 * step), (ahead[1] - behind[1]) / (2 * step)]
        expect(relative(slope, wavePhase(omega, place).waveNumber)).toBeLessThan(1e-5)
      },
    ),
  )
})

/** The transfer at one frequency: a track of two bins has it as its upper one. */
const transferAt = (frequency: number, channels: number): ((channel: number) => Complex) => {
  const { table, bins } = membraneTransfer(2 * frequency, 2, channels)
  return (channel) => [table[2 * (channel * bins + 1)]!, table[2 * (channel * bins + 1) + 1]!]
}

test('the velocity transfer agrees with one made of quadrature and SciPy', () => {
  // Places of the golden rows are multiples of 0.05 cm: 71 channels fall on them.
  for (const { frequency, place, velocity } of golden) {
    const ours = transferAt(frequency, 71)(Math.round(place / 0.05))
    expect(relative(ours, velocity), `${frequency} Hz, ${place} cm`).toBeLessThan(1e-6)
  }
})

test('a tone moves the membrane most near the place where it resonates', () => {
  const { stiffness, mass, decay } = membraneConstants
  const places = placesOf(700)
  for (const frequency of [500, 1000, 2000, 4000, 8000]) {
    const at = transferAt(frequency, 700)
    const sizes = Array.from(places, (_, channel) => Math.hypot(...at(channel)))
    const best = places[sizes.indexOf(Math.max(...sizes))]!
    const resonance = Math.log(stiffness / (mass * (2 * Math.PI * frequency) ** 2)) / decay
    // Damping and the travelling wave's loss place the peak a little towards the base.
    expect(best).toBeLessThan(resonance)
    expect(resonance - best).toBeLessThan(0.6)
  }
})

test('the channels of a track are the inverse transforms of its filtered half spectrum', () => {
  const n = 30
  const sound = Float64Array.from({ length: n }, (_, i) => Math.sin(i * i))
  const transfer = membraneTransfer(48000, n, 3)
  const { bins, table } = transfer
  const moved = [...basilarMembrane(sound, transfer)]
  expect(moved.map((velocity) => velocity.length)).toEqual([15, 15, 15])
  for (let channel = 0; channel < 3; channel += 1) {
    for (let t = 0; t < 15; t += 1) {
      let sum = 0
      for (let k = 0; k < bins; k += 1) {
        let [xr, xi] = [0, 0]
        sound.forEach((value, i) => {
          xr += value * Math.cos((2 * Math.PI * k * i) / n)
          xi -= value * Math.sin((2 * Math.PI * k * i) / n)
        })
        const [vr, vi] = [table[2 * (channel * bins + k)]!, table[2 * (channel * bins + k) + 1]!]
        const angle = (2 * Math.PI * k * t) / bins
        sum += ((vr * xr - vi * xi) * Math.cos(angle) - (vr * xi + vi * xr) * Math.sin(angle)) / bins
      }
      expect(moved[channel]![t]).toBeCloseTo(sum, 8)
    }
  }
})

test('padded lengths hold the track and make the inverse transform a power of two', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200000 }), (n) => {
      const padded = paddedLength(n)
      const bins = Math.floor(padded / 2) + 1
      expect(padded).toBeGreaterThanOrEqual(n)
      expect(bins & (bins - 1)).toBe(0)
    }),
  )
  expect(paddedLength(32766)).toBe(32766)
  expect(paddedLength(32767)).toBe(65534)
})

test('the two tables used last are remembered', () => {
  const first = cachedTransfer(48000, 10, 2)
  const second = cachedTransfer(48000, 12, 2)
  expect(cachedTransfer(48000, 10, 2)).toBe(first)
  cachedTransfer(48000, 14, 2)
  expect(cachedTransfer(48000, 10, 2)).toBe(first)
  expect(cachedTransfer(48000, 12, 2)).not.toBe(second)
})
