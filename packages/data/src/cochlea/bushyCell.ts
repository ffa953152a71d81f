/** Auditory nerve fibres that converge on a bushy cell: from firing probabilities to the spikes of one channel. */
import type { Uniform } from './generator.ts'

/** Fibres a cell, time constants in seconds, and the weight of all fibres together. */
export const bushyCellConstants = {
  fibres: 40,
  membraneTau: 1e-3,
  synapseTau: 0.5e-3,
  refractory: 1e-3,
  threshold: 1,
  weight: 13000,
} as const

/**
 * Draw the spikes of 40 nerve fibres and integrate them in a leaky integrate-and-fire cell; returns the steps at which it fires.
 *
 * A fibre fires in a step with the given probability, but not within 1 ms of its last spike. With n of them firing,
 *   I ← I·e^(−dt/τ_syn) + n,    v ← min(v·e^(−dt/τ_mem) + I·w·dt, 1) unless refractory;
 * a v that reached 1 is a spike at its step, after which v is 0 for 1 ms. The number of firing fibres is drawn first, then which
 * they are: the same distribution as forty draws, in little more than one.
 */
export const bushyCell = (probability: ArrayLike<number>, rate: number, uniform: Uniform): Int32Array => {
  const { fibres, membraneTau, synapseTau, refractory, threshold, weight } = bushyCellConstants
  const dt = 1 / rate
  const dead = Math.round(refractory * rate)
  const synapseDecay = Math.exp(-dt / synapseTau)
  const membraneDecay = Math.exp(-dt / membraneTau)
  const gain = (weight / fibres) * dt
  const last = new Int32Array(fibres).fill(-dead)
  const drawn = new Int32Array(fibres).fill(-1)
  const spikes: number[] = []
  let current = 0
  let v = 0
  let silentUntil = 0
  for (let t = 0; t < probability.length; t += 1) {
    const p = Math.min(probability[t]!, 1)
    const q = 1 - p
    const q5 = q * q * q * q * q
    const q10 = q5 * q5
    const none = q10 * q10 * q10 * q10
    let u = uniform() - none
    current *= synapseDecay
    if (u >= 0) {
      // Walk up the binomial distribution's cumulative sum to the count, then pick that many different fibres.
      let count = 1
      let mass = p === 1 ? 0 : (none * fibres * p) / q
      if (p === 1) count = fibres
      else
        for (; u >= mass && count < fibres; count += 1) {
          u -= mass
          mass *= ((fibres - count) / (count + 1)) * (p / q)
        }
      for (let chosen = 0; chosen < count;) {
        const fibre = Math.floor(uniform() * fibres)
        if (drawn[fibre] === t) continue
        drawn[fibre] = t
        chosen += 1
        if (t - last[fibre]! < dead) continue
        last[fibre] = t
        current += 1
      }
    }
    if (v >= threshold) {
      spikes.push(t - 1)
      v = 0
      silentUntil = t + dead
    } else if (t >= silentUntil) {
      v = Math.min(v * membraneDecay + current * gain, threshold)
    }
  }
  return Int32Array.from(spikes)
}
