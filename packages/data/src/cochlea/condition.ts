/** Input conditioning: brings a recording to the level the cochlea model expects and fades its ends. */

/** How a recording is conditioned. */
export interface ConditionOptions {
  /** Length of the fade at either end in seconds (0.030); `null` fades over half the track, as the program that made SHD does. */
  readonly rampSeconds?: number | null
  /** Root mean square the samples are scaled to (0.3). */
  readonly rms?: number
}

/**
 * Scale samples to a root mean square and multiply their ends by the halves of a Hann window.
 *
 * The ramp of R samples rises as sin²(π(n + ½)/2R). Silence stays silence.
 *
 * @example
 * ```ts
 * import { conditionAudio } from '@fluxion/data'
 * conditionAudio(new Float64Array([1, -1, 1, -1]), 48000, { rampSeconds: 0, rms: 0.5 }) // => new Float64Array([0.5, -0.5, 0.5, -0.5])
 * ```
 */
export const conditionAudio = (
  samples: ArrayLike<number>,
  sampleRate: number,
  { rampSeconds = 0.03, rms = 0.3 }: ConditionOptions = {},
): Float64Array => {
  const n = samples.length
  let power = 0
  for (let i = 0; i < n; i += 1) power += samples[i]! * samples[i]!
  const scale = power > 0 ? rms / Math.sqrt(power / n) : 0
  const half = Math.floor(n / 2)
  const ramp = rampSeconds === null ? half : Math.min(half, Math.round(rampSeconds * sampleRate))
  const out = new Float64Array(n)
  for (let i = 0; i < n; i += 1) out[i] = samples[i]! * scale
  for (let i = 0; i < ramp; i += 1) {
    const gain = Math.sin((Math.PI * (i + 0.5)) / (2 * ramp)) ** 2
    out[i] = out[i]! * gain
    out[n - 1 - i] = out[n - 1 - i]! * gain
  }
  return out
}
