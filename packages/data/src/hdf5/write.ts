/** Writing spike recordings in the layout of the Heidelberg digits. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { writeWhole } from '../files.ts'
import { toFloat16 } from './float16.ts'
import { float16, float32, hdf5File, unsigned } from './format.ts'
import type { Entry } from './format.ts'
import type { Recordings } from './recordings.ts'

/** How recordings are stored. */
export interface WriteOptions {
  /** Type of the times: float16 as in the Heidelberg digits (default), or float32. */
  readonly times?: 'float16' | 'float32'
  /** Lists of text for `extra/meta_info`, by name. */
  readonly metaInfo?: Readonly<Record<string, readonly string[]>>
}

const bytesOf = (array: Uint8Array | Uint16Array | Float32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice()

/** Lay out recordings as an HDF5 file: `spikes/times`, `spikes/units`, `labels` and `extra`. */
export const encodeRecordings = (
  recordings: Recordings,
  { times = 'float16', metaInfo = {} }: WriteOptions = {},
): Uint8Array => {
  const stored = times === 'float16' ? Uint16Array.from(recordings.times, toFloat16) : recordings.times
  const rows = (array: Uint16Array | Float32Array): Uint8Array[] =>
    Array.from(recordings.labels, (_, i) => bytesOf(array.subarray(recordings.offsets[i], recordings.offsets[i + 1])))
  const strings = (values: readonly string[]): Entry => ({ kind: 'strings', values })
  const small = (data: Uint8Array): Entry => ({ kind: 'array', type: unsigned(1), data })
  return hdf5File({
    spikes: {
      kind: 'group',
      entries: {
        times: { kind: 'sequences', type: times === 'float16' ? float16 : float32, values: rows(stored) },
        units: { kind: 'sequences', type: unsigned(2), values: rows(recordings.units) },
      },
    },
    labels: small(recordings.labels),
    extra: {
      kind: 'group',
      entries: {
        ...(recordings.speakers.length > 0 && { speaker: small(recordings.speakers) }),
        ...(recordings.keys.length > 0 && { keys: strings(recordings.keys) }),
        meta_info: {
          kind: 'group',
          entries: Object.fromEntries(Object.entries(metaInfo).map(([name, values]) => [name, strings(values)])),
        },
      },
    },
  })
}

/** Write recordings to an HDF5 file, compressed if the path ends in `.gz`: the whole file or none. */
export const writeRecordings = async (
  path: string,
  recordings: Recordings,
  options: WriteOptions = {},
): Promise<void> => {
  const file = encodeRecordings(recordings, options)
  await writeWhole(path, path.endsWith('.gz') ? await promisify(gzip)(file, { level: 9 }) : file)
}
