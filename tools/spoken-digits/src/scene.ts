/** What lies between a voice and the ear: the room's noise, the microphone's colour, the moment at which the word begins. */
import { fourier, inverseFourier, normalFrom } from '@fluxion/data'
import type { Uniform } from '@fluxion/data'

/** How much a recording varies; every range is drawn from uniformly. */
export interface Conditions {
  /** Signal-to-noise ratio in decibels. */
  readonly snr: readonly [number, number]
  /** Slope of the noise's spectrum in decibels an octave. */
  readonly noiseSlope: readonly [number, number]
  /** Slope of the microphone's response in decibels an octave, about 1 kHz. */
  readonly tilt: readonly [number, number]
  /** Depth in decibels of the microphone's ripple: a random smooth curve over frequency. */
  readonly ripple: number
  /** Seconds before and after the word. */
  readonly lead: readonly [number, number]
  readonly tail: readonly [number, number]
}

export const between = (uniform: Uniform, [low, high]: readonly [number, number]): number =>
  low + (high - low) * uniform()

/** Octaves above 1 kHz, held level below 100 Hz where a slope would run away. */
const octaves = (frequency: number): number => Math.log2(Math.max(frequency, 100) / 1000)

/** Filter a signal by a real gain over frequency, in place of a microphone. */
const filtered = (samples: Float64Array, sampleRate: number, decibels: (frequency: number) => number): Float64Array => {
  const n = samples.length
  const re = samples.slice()
  const im = new Float64Array(n)
  fourier(n)(re, im)
  for (let k = 0; k < n; k += 1) {
    const frequency = (Math.min(k, n - k) * sampleRate) / n
    const gain = 10 ** (decibels(frequency) / 20)
    re[k] = re[k]! * gain
    im[k] = im[k]! * gain
  }
  inverseFourier(n)(re, im)
  return re
}

const powerOf = (samples: Float64Array): number => samples.reduce((sum, x) => sum + x * x, 0) / samples.length

/** Set a spoken word in its scene: f64[samples], longer than the word by lead and tail. */
export const scene = (
  word: Float64Array,
  sampleRate: number,
  conditions: Conditions,
  uniform: Uniform,
): Float64Array => {
  const lead = Math.round(between(uniform, conditions.lead) * sampleRate)
  const tail = Math.round(between(uniform, conditions.tail) * sampleRate)
  const dry = new Float64Array(lead + word.length + tail)
  dry.set(word, lead)
  const tilt = between(uniform, conditions.tilt)
  // Two cosines over the octaves, at random phases: the dips and rises of a cheap microphone in a room.
  const ripples = [1, 2].map((cycles) => ({
    cycles,
    phase: 2 * Math.PI * uniform(),
    depth: conditions.ripple / cycles,
  }))
  const speech = filtered(dry, sampleRate, (frequency) =>
    ripples.reduce(
      (sum, { cycles, phase, depth }) => sum + depth * Math.cos(0.9 * cycles * octaves(frequency) + phase),
      tilt * octaves(frequency),
    ),
  )
  const slope = between(uniform, conditions.noiseSlope)
  const white = Float64Array.from(dry, () => normalFrom(uniform))
  const noise = filtered(white, sampleRate, (frequency) => slope * octaves(frequency))
  // The ratio is of the word's own stretch, so that silence around it does not count.
  const level = powerOf(speech.subarray(lead, lead + word.length)) / 10 ** (between(uniform, conditions.snr) / 10)
  const gain = Math.sqrt(level / powerOf(noise))
  return speech.map((x, i) => x + gain * noise[i]!)
}
