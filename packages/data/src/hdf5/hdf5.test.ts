// HDF5 files written and read, and the errors of broken ones.
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import fc from 'fast-check'
import { DataFormatError } from '@fluxion/core'
import { fromFloat16, toFloat16 } from './float16.ts'
import { float16, float32, float64, hdf5File, unsigned } from './format.ts'
import type { Entry } from './format.ts'
import { readRecordings } from './read.ts'
import { recordingsFrom } from './recordings.ts'
import { encodeRecordings, writeRecordings } from './write.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fluxion-hdf5-'))
})
afterAll(() => rm(folder, { recursive: true }))

const recording = fc.record({
  // Multiples of 1/1024 below 1 are exact in half precision.
  events: fc.array(fc.tuple(fc.integer({ min: 0, max: 1023 }), fc.integer({ min: 0, max: 699 })), { maxLength: 40 }),
  label: fc.integer({ min: 0, max: 19 }),
  speaker: fc.integer({ min: 0, max: 255 }),
})
const recordings = fc.array(recording, { maxLength: 20 }).map((list) =>
  recordingsFrom(
    list.map(({ events, label, speaker }) => ({
      times: events.map(([tick]) => tick / 1024),
      units: events.map(([, unit]) => unit),
      label,
      speaker,
    })),
    ['null', 'fünf'],
  ),
)

test('recordings are read as they were written, in either precision, plain and compressed', async () => {
  await fc.assert(
    fc.asyncProperty(
      recordings,
      fc.constantFrom('float16', 'float32'),
      fc.constantFrom('a.h5', 'b.h5.gz'),
      async (given, times, name) => {
        const path = join(folder, name)
        await writeRecordings(path, given, { times, metaInfo: { gender: ['female', 'male'] } })
        expect(await readRecordings(path)).toEqual(given)
        // The compressed file is found without its ending too.
        if (name === 'b.h5.gz') expect(await readRecordings(join(folder, 'b.h5'))).toEqual(given)
      },
    ),
    { numRuns: 30 },
  )
})

test('more events than one heap collection holds are read back', async () => {
  const list = Array.from({ length: 600 }, (_, i) => ({
    times: Float32Array.from({ length: (i * 37) % 1500 }, (_, k) => k / 2048),
    units: Uint16Array.from({ length: (i * 37) % 1500 }, (_, k) => (k * 7 + i) % 700),
    label: i % 20,
  }))
  const given = recordingsFrom(list)
  const path = join(folder, 'large.h5')
  await writeRecordings(path, given)
  expect(await readRecordings(path)).toEqual(given)
})

test('half-precision numbers survive both ways, and other numbers go to the nearest', () => {
  const changed = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => {
    const value = fromFloat16(bits)
    return Number.isNaN(value) ? !Number.isNaN(fromFloat16(toFloat16(value))) : toFloat16(value) !== bits
  })
  expect(changed).toEqual([])
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7bfe }), fc.double({ min: 0, max: 1, noNaN: true }), (bits, part) => {
      const [low, high] = [fromFloat16(bits), fromFloat16(bits + 1)]
      const value = low + part * (high - low)
      const middle = (low + high) / 2
      const expected = value < middle ? bits : value > middle ? bits + 1 : bits + (bits % 2)
      expect(toFloat16(value)).toBe(expected)
    }),
  )
  expect(toFloat16(65519.99)).toBe(0x7bff)
  expect(toFloat16(65520)).toBe(0x7c00)
})

const doubles = (...values: number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer)
const words = (...values: number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer)

interface Parts {
  readonly times?: Entry
  readonly units?: Entry
  readonly labels?: Entry
  readonly speaker?: Entry
}
const good: Required<Parts> = {
  times: { kind: 'sequences', type: float64, values: [doubles(0.25), doubles(0.5, 0.75)] },
  units: { kind: 'sequences', type: unsigned(2), values: [words(3), words(4, 5)] },
  labels: { kind: 'array', type: unsigned(2), data: words(1, 2) },
  speaker: { kind: 'array', type: unsigned(2), data: words(0, 9) },
}

/** Write the good file with some parts exchanged, or any bytes, and give its path. */
const written = async (parts: Parts | Uint8Array, name = 'bad.h5'): Promise<string> => {
  const path = join(folder, name)
  const { times, units, labels, speaker } = { ...good, ...parts }
  const file =
    parts instanceof Uint8Array
      ? parts
      : hdf5File({
          spikes: { kind: 'group', entries: { times, units } },
          labels,
          extra: { kind: 'group', entries: { speaker } },
        })
  await writeFile(path, file)
  return path
}

/** The error that reading such a file ends in. */
const errorOf = async (parts: Parts | Uint8Array, name?: string): Promise<DataFormatError> => {
  const path = await written(parts, name)
  const caught: unknown = await readRecordings(path).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(caught).toBeInstanceOf(DataFormatError)
  return caught as DataFormatError
}

test('the file that the faults below are made from is itself read', async () => {
  expect(await readRecordings(await written({}))).toEqual({
    times: Float32Array.of(0.25, 0.5, 0.75),
    units: Uint16Array.of(3, 4, 5),
    offsets: Uint32Array.of(0, 1, 3),
    labels: Uint8Array.of(1, 2),
    speakers: Uint8Array.of(0, 9),
    keys: [],
  })
})

const sequences = (type: typeof float64, ...values: Uint8Array[]): Entry => ({ kind: 'sequences', type, values })

test.each<[string, Parts, string | undefined, number | undefined, string]>([
  [
    'a unit out of range',
    { units: sequences(unsigned(2), words(3), words(4, 700)) },
    'spikes/units',
    1,
    'expected a unit from 0 to 699, got 700 at event 1',
  ],
  [
    'a label out of range',
    { labels: { kind: 'array', type: unsigned(2), data: words(1, 20) } },
    'labels',
    1,
    'expected an integer from 0 to 19, got 20',
  ],
  [
    'a speaker out of range',
    { speaker: { kind: 'array', type: unsigned(2), data: words(256, 0) } },
    'extra/speaker',
    0,
    'expected an integer from 0 to 255, got 256',
  ],
  [
    'a time that is not a number',
    { times: sequences(float64, doubles(0.25), doubles(0.5, NaN)) },
    'spikes/times',
    1,
    'expected times ≥ 0 in seconds, got NaN at event 1',
  ],
  [
    'a negative time',
    { times: sequences(float64, doubles(-1), doubles(0.5, 1)) },
    'spikes/times',
    0,
    'got -1 at event 0',
  ],
  [
    'an infinite half-precision time',
    { times: sequences(float16, words(0x7c00), words(0, 0)) },
    'spikes/times',
    0,
    'got Infinity at event 0',
  ],
  [
    'a recording with more times than units',
    { times: sequences(float64, doubles(0, 0), doubles(0, 0)) },
    'spikes/units',
    0,
    'expected as many units as times (2), got 1',
  ],
  [
    'fewer recordings of times than labels',
    { times: sequences(float64, doubles(0)) },
    'spikes/times',
    undefined,
    'expected 2 recordings, one a label, got 1',
  ],
  [
    'fewer recordings of units than labels',
    { units: sequences(unsigned(2), words(0)) },
    'spikes/units',
    undefined,
    'expected 2 recordings, one a label, got 1',
  ],
  [
    'another number of speakers',
    { speaker: { kind: 'array', type: unsigned(2), data: words(0) } },
    'extra/speaker',
    undefined,
    'expected 2 values, one a label, got 1',
  ],
  [
    'labels that are text',
    { labels: { kind: 'strings', values: ['a', 'b'] } },
    'labels',
    undefined,
    'expected integers or floats, got HDF5 type class 3',
  ],
  [
    'labels that are no integers',
    { labels: { kind: 'array', type: float32, data: new Uint8Array(Float32Array.of(0, 0.5).buffer) } },
    'labels',
    1,
    'got 0.5',
  ],
  [
    'times that are no sequences',
    { times: { kind: 'array', type: float64, data: doubles(1, 2) } },
    'spikes/times',
    undefined,
    'expected sequences of numbers of variable length',
  ],
  [
    'a group in the place of a dataset',
    { labels: { kind: 'group', entries: {} } },
    'labels',
    undefined,
    'expected a dataset, got a group',
  ],
])('%s is an error that says where', async (_, parts, dataset, index, message) => {
  const error = await errorOf(parts)
  expect(error.file).toBe(join(folder, 'bad.h5'))
  expect(error.dataset).toBe(dataset)
  expect(error.index).toBe(index)
  expect(error.message).toContain(message)
})

test('a missing dataset is named', async () => {
  const error = await errorOf(
    hdf5File({ labels: good.labels, spikes: { kind: 'group', entries: { times: good.times } } }),
  )
  expect(error.dataset).toBe('spikes/units')
  expect(error.message).toContain('expected a dataset of this name, got none')
})

test('a missing file is an error, and a folder is none', async () => {
  await expect(readRecordings(join(folder, 'none.h5'))).rejects.toThrow(
    `${join(folder, 'none.h5')}: expected a file, got none`,
  )
  await expect(readRecordings(folder)).rejects.toThrow(DataFormatError)
})

test('a file cut anywhere is an error, and nothing is printed for it', async () => {
  const whole = encodeRecordings(
    recordingsFrom(
      Array.from({ length: 30 }, (_, i) => ({ times: Array(i).fill(0.5), units: Array(i).fill(i), label: 0 })),
    ),
  )
  for (const part of [0, 7, 8, 60, 96, 500, 0.3, 0.6, 0.9, 0.999]) {
    const error = await errorOf(whole.subarray(0, part < 1 ? Math.floor(part * whole.length) : part))
    expect(error.message).toMatch(/truncated|not those of one/)
  }
})

test('a compressed file cut short is an error, what is no HDF5 file inside too, and no temporary file is left', async () => {
  const left = async (): Promise<string[]> =>
    (await readdir(tmpdir())).filter((name) => name.startsWith('fluxion-data-'))
  const before = await left()
  const whole = gzipSync(encodeRecordings(recordingsFrom([{ times: [0, 0.25], units: [1, 2], label: 0 }])))
  expect((await errorOf(whole.subarray(0, whole.length - 20), 'cut.h5.gz')).message).toContain('cannot be decompressed')
  expect((await errorOf(gzipSync('no data'), 'text.h5.gz')).message).toContain(
    'expected an HDF5 file, got something else',
  )
  expect((await errorOf(new TextEncoder().encode('no gzip'), 'plain.h5.gz')).message).toContain(
    'cannot be decompressed',
  )
  await writeFile(join(folder, 'whole.h5.gz'), whole)
  await readRecordings(join(folder, 'whole.h5.gz'))
  expect(await left()).toEqual(before)
})

test('a file whose inner structure is damaged is an error, also when it takes the place of a good one and the other way round', async () => {
  const good = encodeRecordings(recordingsFrom([{ times: [0, 0.25], units: [1, 2], label: 0 }]))
  for (const mark of ['TREE', 'SNOD', 'HEAP']) {
    // The last of each belongs to the root group, which is written last.
    const damaged = good.slice()
    damaged[Buffer.from(good).lastIndexOf(mark)] = 0
    expect((await errorOf(damaged, 'damaged.h5')).message).toContain('labels: cannot be read, so the file is truncated')
    await writeFile(join(folder, 'damaged.h5'), good)
    expect((await readRecordings(join(folder, 'damaged.h5'))).units).toEqual(Uint16Array.of(1, 2))
  }
})

test('writing to a folder that is not there fails and leaves nothing', async () => {
  const given = recordingsFrom([{ times: [0], units: [0], label: 0 }])
  await expect(writeRecordings(join(folder, 'no', 'x.h5'), given)).rejects.toThrow('ENOENT')
  await writeRecordings(join(folder, 'x.h5'), given)
  expect((await readFile(join(folder, 'x.h5'))).length).toBe(encodeRecordings(given).length)
  expect((await readdir(folder)).filter((name) => name.endsWith('.partial'))).toEqual([])
})
