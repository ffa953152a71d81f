/** Binning events into a binary raster whose time axis is packed eight steps to the byte. */
import type { TakeEvents } from './hdf5/read.ts'
import type { Recordings } from './hdf5/recordings.ts'

/** The size of a raster. */
export interface RasterOptions {
  /** Time steps in the one second that is kept (128). */
  readonly sampleT?: number
  /** Channels after binning (128). */
  readonly channels?: number
  /** Channels of the recordings (700). */
  readonly units?: number
}

/** A raster of all recordings. */
export interface Raster {
  /** u8[recordings, ⌈sampleT/8⌉, channels]; the first of eight steps is the highest bit */
  readonly packed: Uint8Array
  readonly shape: readonly [recordings: number, bytes: number, channels: number]
}

/**
 * Bin recordings as Spyx does: step trunc(µs·(10⁻⁶·sampleT)), channel trunc(unit·(channels/units)), the first second, 0 or 1.
 *
 * Times are whole microseconds first, cut rather than rounded, because that is what the reader of Spyx gives it: so an event at
 * exactly 1/128 s = 7812.5 µs falls into step 0 of 128. Steps beyond `sampleT` in the last byte are 0.
 *
 * @example
 * ```ts
 * import { rasterize, recordingsFrom } from '@fluxion/data'
 * const recordings = recordingsFrom([{ times: [0, 0.5, 1.5], units: [0, 699, 0], label: 3 }])
 * rasterize(recordings, { sampleT: 8, channels: 2 }).packed // => new Uint8Array([0b10000000, 0b00001000])
 * ```
 */
export const rasterize = (
  { times, units: events, offsets, labels }: Recordings,
  { sampleT = 128, channels = 128, units = 700 }: RasterOptions = {},
): Raster => {
  const { raster, add } = rasterOf(labels.length, { sampleT, channels, units })
  for (let recording = 0; recording < labels.length; recording += 1) {
    const row = [offsets[recording]!, offsets[recording + 1]!] as const
    add(recording, times.subarray(...row), events.subarray(...row))
  }
  return raster
}

/** An empty raster, and what adds the events of a recording to it. */
export const rasterOf = (
  recordings: number,
  { sampleT, channels, units = 700 }: RasterOptions & { readonly sampleT: number; readonly channels: number },
): { readonly raster: Raster; readonly add: TakeEvents } => {
  const bytes = Math.ceil(sampleT / 8)
  const packed = new Uint8Array(recordings * bytes * channels)
  const perMicrosecond = 1e-6 * sampleT
  const perUnit = channels / units
  const add: TakeEvents = (recording, times, events) => {
    const base = recording * bytes * channels
    for (let event = 0; event < times.length; event += 1) {
      const step = Math.trunc(Math.trunc(times[event]! * 1e6) * perMicrosecond)
      if (step >= sampleT) continue
      const at = base + (step >> 3) * channels + Math.trunc(events[event]! * perUnit)
      packed[at] = packed[at]! | (128 >> (step & 7))
    }
  }
  return { raster: { packed, shape: [recordings, bytes, channels] }, add }
}
