/** What a spike data set holds in memory: the events of all recordings in a row, and what is known of each recording. */

/** Recordings of spikes: those of recording i are the events from `offsets[i]` to `offsets[i + 1]`. */
export interface Recordings {
  /** f32[events], seconds */
  readonly times: Float32Array
  /** u16[events] */
  readonly units: Uint16Array
  /** u32[recordings + 1] */
  readonly offsets: Uint32Array
  /** u8[recordings] */
  readonly labels: Uint8Array
  /** u8[recordings]; empty where the file does not say who speaks */
  readonly speakers: Uint8Array
  /** Names of the labels; empty where the file has none. */
  readonly keys: readonly string[]
}

/** Put recordings given one by one in a row. */
export const recordingsFrom = (
  list: readonly {
    readonly times: ArrayLike<number>
    readonly units: ArrayLike<number>
    readonly label: number
    readonly speaker?: number
  }[],
  keys: readonly string[] = [],
): Recordings => {
  const offsets = new Uint32Array(list.length + 1)
  list.forEach(({ times }, i) => {
    offsets[i + 1] = offsets[i]! + times.length
  })
  const times = new Float32Array(offsets[list.length]!)
  const units = new Uint16Array(times.length)
  list.forEach((recording, i) => {
    times.set(recording.times, offsets[i])
    units.set(recording.units, offsets[i])
  })
  const speakers = list.every(({ speaker }) => speaker !== undefined) ? list.map(({ speaker }) => speaker!) : []
  return {
    times,
    units,
    offsets,
    labels: Uint8Array.from(list, ({ label }) => label),
    speakers: Uint8Array.from(speakers),
    keys,
  }
}
