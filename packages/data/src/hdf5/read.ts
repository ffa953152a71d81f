/** Reading spike recordings in the layout of the Heidelberg digits (SHD and SSC), every value checked. */
import { withHdf5 } from './open.ts'
import type { Hdf5File, Numbers, OpenDataset } from './open.ts'
import { fromFloat16 } from './float16.ts'
import type { Recordings } from './recordings.ts'

/** What the values of a file may be. */
export interface ReadOptions {
  /** Channels of the cochlea: units lie in 0 … units − 1 (700). */
  readonly units?: number
  /** Labels lie in 0 … classes − 1 (20; the Speech Commands in spikes have 35). */
  readonly classes?: number
}

/** Recordings read at a time, which bounds the memory that the HDF5 library takes. */
const chunk = 64

/** What is known of the recordings beside their events. */
export type Known = Pick<Recordings, 'labels' | 'speakers' | 'keys'>
/** Takes the events of one recording after the other, in arrays that the next ones will overwrite. */
export type TakeEvents = (recording: number, times: Float32Array, units: Uint16Array) => void

/**
 * Read recordings from an HDF5 file: `spikes/times` (seconds, float16, float32 or float64), `spikes/units`, `labels`, and where
 * they are there `extra/speaker` and `extra/keys`.
 *
 * A path that ends in `.gz`, or whose file is there only with that ending, is decompressed to a temporary file, which is removed.
 *
 * @throws DataFormatError where the file is missing, truncated or no HDF5 file, lacks a dataset, or holds a time that is negative
 * or not finite, a unit or label out of range, or lists of different lengths
 */
export const readRecordings = async (path: string, options: ReadOptions = {}): Promise<Recordings> => {
  const timeParts: Float32Array[] = []
  const unitParts: Uint16Array[] = []
  const known = await visitRecordings(path, options, () => (_, times, units) => {
    timeParts.push(times.slice())
    unitParts.push(units.slice())
  })
  const offsets = new Uint32Array(timeParts.length + 1)
  timeParts.forEach((row, i) => {
    offsets[i + 1] = offsets[i]! + row.length
  })
  const out = { times: new Float32Array(offsets.at(-1)!), units: new Uint16Array(offsets.at(-1)!), offsets }
  timeParts.forEach((row, i) => out.times.set(row, offsets[i]))
  unitParts.forEach((row, i) => out.units.set(row, offsets[i]))
  return { ...out, ...known }
}

/** Like `readRecordings`, for those who do not need all events at once: data sets have hundreds of megabytes of them. */
export const visitRecordings = (
  path: string,
  { units = 700, classes = 20 }: ReadOptions,
  begin: (known: Known) => TakeEvents,
): Promise<Known> =>
  withHdf5(path, (file) => {
    const labels = checkedLabels(file, classes)
    const speakers = file.find('extra/speaker')
    const known: Known = {
      labels,
      speakers: speakers === undefined ? new Uint8Array(0) : checkedList(file, speakers, labels.length, 256),
      keys: file.find('extra/keys')?.strings() ?? [],
    }
    visitEvents(file, labels.length, units, begin(known))
    return known
  })

const checkedLabels = (file: Hdf5File, classes: number): Uint8Array => {
  const labels = file.dataset('labels')
  return checkedList(file, labels, labels.length, classes)
}

/** A list of integers from 0 to bound − 1. */
const checkedList = (file: Hdf5File, dataset: OpenDataset, length: number, bound: number): Uint8Array => {
  if (dataset.length !== length) {
    throw file.error(`expected ${length} values, one a label, got ${dataset.length}`, dataset.name)
  }
  const out = new Uint8Array(length)
  Array.from(dataset.numbers(), Number).forEach((value, i) => {
    if (!Number.isInteger(value) || value < 0 || value >= bound) {
      throw file.error(`expected an integer from 0 to ${bound - 1}, got ${value}`, dataset.name, i)
    }
    out[i] = value
  })
  return out
}

const visitEvents = (file: Hdf5File, count: number, bound: number, take: TakeEvents): void => {
  const times = file.dataset('spikes/times')
  const units = file.dataset('spikes/units')
  for (const each of [times, units]) {
    if (each.length !== count)
      throw file.error(`expected ${count} recordings, one a label, got ${each.length}`, each.name)
  }
  let room = { times: new Float32Array(0), units: new Uint16Array(0) }
  for (let start = 0; start < count; start += chunk) {
    const end = Math.min(start + chunk, count)
    const timeRows = times.sequences(start, end)
    const unitRows = units.sequences(start, end)
    timeRows.forEach((row, k) => {
      const i = start + k
      const unitRow = unitRows[k]!
      if (row.length !== unitRow.length) {
        throw file.error(`expected as many units as times (${row.length}), got ${unitRow.length}`, units.name, i)
      }
      if (row.length > room.times.length) {
        room = { times: new Float32Array(2 * row.length), units: new Uint16Array(2 * row.length) }
      }
      const [timesOut, unitsOut] = [room.times.subarray(0, row.length), room.units.subarray(0, row.length)]
      checkTimes(file, times, row, i, timesOut)
      checkUnits(file, units, unitRow, i, bound, unitsOut)
      take(i, timesOut, unitsOut)
    })
  }
}

/** Plain numbers for what may be 64-bit integers. */
const plain = (row: Numbers): ArrayLike<number> =>
  row instanceof BigInt64Array || row instanceof BigUint64Array
    ? Float64Array.from(row, Number)
    : (row as ArrayLike<number>)

/** All half-precision numbers: looking one up is several times faster than taking it apart. */
let halves: Float32Array | undefined

const checkTimes = (file: Hdf5File, times: OpenDataset, row: Numbers, recording: number, out: Float32Array): void => {
  out.set(plain(row))
  if (times.isFloat16) {
    halves ??= Float32Array.from({ length: 65536 }, (_, bits) => fromFloat16(bits))
    for (let event = 0; event < out.length; event += 1) out[event] = halves[out[event]!]!
  }
  for (let event = 0; event < out.length; event += 1) {
    const time = out[event]!
    if (time >= 0 && time < Infinity) continue
    throw file.error(`expected times ≥ 0 in seconds, got ${time} at event ${event}`, times.name, recording)
  }
}

const checkUnits = (
  file: Hdf5File,
  units: OpenDataset,
  row: Numbers,
  recording: number,
  bound: number,
  out: Uint16Array,
): void => {
  const given = plain(row)
  out.set(given)
  for (let event = 0; event < out.length; event += 1) {
    const unit = given[event]!
    // What was changed by being stored in sixteen bits was negative, too large or no integer.
    if (out[event] === unit && unit < bound) continue
    throw file.error(`expected a unit from 0 to ${bound - 1}, got ${unit} at event ${event}`, units.name, recording)
  }
}
