/** The whole cochlea in one call: a recording in, spikes of the auditory channels out. */
import { resample } from '../audio/resample.ts'
import { basilarMembrane, cachedTransfer, paddedLength } from './membrane.ts'
import { bushyCell } from './bushyCell.ts'
import { conditionAudio } from './condition.ts'
import type { ConditionOptions } from './condition.ts'
import { hairCell } from './hairCell.ts'
import { uniformGenerator } from './generator.ts'

/** Spikes sorted by time, those of one instant by unit. */
export interface Spikes {
  /** f64[spikes], in seconds */
  readonly times: Float64Array
  /** u16[spikes], the channel; 0 is the highest frequency */
  readonly units: Uint16Array
}

/** How a recording is encoded. */
export interface EncodeOptions extends ConditionOptions {
  /** Samples a second of the recording. */
  readonly sampleRate: number
  /** Auditory channels (700). */
  readonly channels?: number
  /** Seed of the nerve fibres (0). */
  readonly seed?: number
  /** Pad the track to a length whose transfer table is shared (true); false gives the unpadded transform. */
  readonly pad?: boolean
}

/** The rate at which the model runs: the hair cells are unstable below 18.2 kHz. */
const modelRate = 48000

/**
 * Encode a recording as the spikes of auditory channels.
 *
 * Resamples to 48 kHz, conditions, and passes the sound through the basilar membrane, the inner hair cells and the bushy cells:
 * the model behind the Heidelberg spoken digits (Cramer et al., IEEE Trans. Neural Netw. Learn. Syst. 33 (2020) 2744). Equal
 * seeds give equal spikes. The first call for a length of track computes its transfer table, which takes some seconds.
 *
 * @param samples mono sound, f64[samples]
 *
 * @example
 * ```ts
 * import { encodeAudio } from '@fluxion/data'
 * const tone = Float64Array.from({ length: 480 }, (_, n) => Math.sin((2 * Math.PI * 440 * n) / 48000))
 * const { times, units } = encodeAudio(tone, { sampleRate: 48000, channels: 8 })
 * times.length === units.length // => true
 * ```
 */
export const encodeAudio = (samples: ArrayLike<number>, options: EncodeOptions): Spikes => {
  const { sampleRate, channels = 700, seed = 0, pad = true } = options
  const sound = conditionAudio(resample(samples, sampleRate, modelRate), modelRate, options)
  const transfer = cachedTransfer(modelRate, pad ? paddedLength(sound.length) : sound.length, channels)
  const rate = modelRate / 2
  const perChannel: Int32Array[] = []
  for (const velocity of basilarMembrane(sound, transfer)) {
    perChannel.push(bushyCell(hairCell(velocity, rate), rate, uniformGenerator(seed, perChannel.length)))
  }
  return mergeChannels(perChannel, Math.floor(sound.length / 2), rate)
}

/** Merge the steps of each channel into one list by counting: sorted by step, then by channel. */
const mergeChannels = (perChannel: readonly Int32Array[], steps: number, rate: number): Spikes => {
  const starts = new Int32Array(steps + 1)
  for (const spikes of perChannel) for (const step of spikes) starts[step + 1] = starts[step + 1]! + 1
  for (let step = 0; step < steps; step += 1) starts[step + 1] = starts[step + 1]! + starts[step]!
  const total = starts[steps]!
  const times = new Float64Array(total)
  const units = new Uint16Array(total)
  perChannel.forEach((spikes, channel) => {
    for (const step of spikes) {
      const at = starts[step]!
      starts[step] = at + 1
      times[at] = step / rate
      units[at] = channel
    }
  })
  return { times, units }
}
