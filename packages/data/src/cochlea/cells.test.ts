// Hair cells and nerve fibres answer sound as the model says.
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { bushyCell, bushyCellConstants } from './bushyCell.ts'
import { conditionAudio } from './condition.ts'
import { uniformGenerator } from './generator.ts'
import { hairCell, hairCellConstants } from './hairCell.ts'

const rate = 24000

test('in silence the hair cell stays at its steady state', () => {
  const { replenish, release, loss, reuptake, A, B, firing } = hairCellConstants
  const k = (release * A) / (A + B)
  const cleft = (replenish * k) / (loss * k + replenish * (loss + reuptake))
  for (const p of hairCell(new Float64Array(2000), rate)) expect(p).toBeCloseTo((firing * cleft) / rate, 12)
})

test('a step of velocity makes the hair cell fire strongly, then adapt, then fall below its rest', () => {
  const step = Float64Array.from({ length: 4800 }, (_, t) => (t >= 480 && t < 2880 ? 100 : 0))
  const p = hairCell(step, rate)
  const onset = Math.max(...p.slice(480, 960))
  expect(onset).toBeGreaterThan(5 * p[0]!)
  expect(p[2800]!).toBeLessThan(onset / 2)
  expect(p[2800]!).toBeGreaterThan(p[0]!)
  expect(p[2960]!).toBeLessThan(p[0]!)
})

test('a velocity that holds the channel shut empties the cleft', () => {
  const p = hairCell(new Float64Array(2400).fill(-hairCellConstants.A - 1), rate)
  expect(p[2399]!).toBeLessThan(1e-10)
})

/** The cell as its equations say, forty fibres one by one. */
const fortyDraws = (probability: Float64Array, uniform: () => number): number => {
  const { fibres, membraneTau, synapseTau, refractory, weight } = bushyCellConstants
  const dead = refractory * rate
  const last = new Float64Array(fibres).fill(-dead)
  let [current, v, silent, spikes] = [0, 0, 0, 0]
  probability.forEach((p, t) => {
    current *= Math.exp(-1 / (rate * synapseTau))
    for (let fibre = 0; fibre < fibres; fibre += 1) {
      if (uniform() >= p || t - last[fibre]! < dead) continue
      last[fibre] = t
      current += 1
    }
    if (v >= 1) {
      spikes += 1
      v = 0
      silent = t + dead
    } else if (t >= silent)
      v = Math.min(1, v * Math.exp(-1 / (rate * membraneTau)) + (current * weight) / fibres / rate)
  })
  return spikes
}

test('drawing the number of firing fibres first gives the rate that forty separate draws give', () => {
  for (const p of [0.01, 0.03, 0.2]) {
    const probability = new Float64Array(rate * 4).fill(p)
    const ours = bushyCell(probability, rate, uniformGenerator(1)).length
    const theirs = fortyDraws(probability, uniformGenerator(2))
    // Intervals are more regular than a Poisson process's, so four times the Poisson deviation is a wide margin.
    expect(Math.abs(ours - theirs), `p = ${p}`).toBeLessThan(4 * Math.sqrt(ours + theirs) + 4)
  }
})

test('spikes of a cell are never closer than its refractory time', () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, p) => {
      const spikes = bushyCell(new Float64Array(1000).fill(p), rate, uniformGenerator(seed))
      for (let i = 1; i < spikes.length; i += 1) expect(spikes[i]! - spikes[i - 1]!).toBeGreaterThan(24)
    }),
  )
})

test('no probability gives no spikes, and certainty gives the fastest train', () => {
  expect(bushyCell(new Float64Array(1000), rate, uniformGenerator(0)).length).toBe(0)
  expect(bushyCell(new Float64Array(24000).fill(1), rate, uniformGenerator(0)).length).toBeGreaterThan(500)
})

test('conditioning sets the level before the ramps and fades both ends alike', () => {
  const sound = Float64Array.from({ length: 4800 }, (_, n) => Math.sin(n / 7))
  const level = (x: Float64Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length)
  expect(level(conditionAudio(sound, 48000, { rampSeconds: 0 }))).toBeCloseTo(0.3, 12)
  const ones = conditionAudio(new Float64Array(4800).fill(7), 48000, { rampSeconds: 0.01, rms: 1 })
  expect(ones[0]!).toBeLessThan(1e-5)
  expect(ones[240]! + ones[239]!).toBeCloseTo(1, 12)
  expect(ones[480]).toBe(1)
  expect(ones.toReversed()).toEqual(ones)
  const whole = conditionAudio(new Float64Array(4800).fill(7), 48000, { rampSeconds: null, rms: 1 })
  expect(whole[1200]!).toBeCloseTo(0.5, 3)
  expect(conditionAudio([0, 0, 0], 48000)).toEqual(new Float64Array(3))
})
