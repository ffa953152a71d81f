// WAV files written and read, and what is said of others.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { DataFormatError } from '@fluxion/core'
import { decodeWav, encodeWav, readWav, toMono, writeWav } from './wav.ts'
import type { SampleFormat } from './wav.ts'

/** Half a step of each format: how far a sample may move by being stored. */
const halfSteps: Readonly<Record<SampleFormat, number>> = {
  int8: 2 ** -8,
  int16: 2 ** -16,
  int24: 2 ** -24,
  int32: 2 ** -32,
  float32: 2 ** -25,
  float64: 0,
}
const formats = Object.keys(halfSteps) as SampleFormat[]

test('what is written is read again to within half a step of the format', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...formats),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 1, max: 192000 }),
      fc.func(fc.double({ min: -1, max: 1, noNaN: true })),
      (format, channels, frames, sampleRate, sample) => {
        const recording = {
          sampleRate,
          channels: Array.from({ length: channels }, (_, c) =>
            Float64Array.from({ length: frames }, (_, i) => sample(c, i)),
          ),
        }
        const read = decodeWav(encodeWav(recording, { format }))
        expect(read.sampleRate).toBe(sampleRate)
        expect(read.channels.length).toBe(channels)
        read.channels.forEach((samples, c) => {
          expect(samples.length).toBe(frames)
          // The largest value of an integer format is one step below 1.
          samples.forEach((x, i) => {
            const limit = halfSteps[format] * (recording.channels[c]![i]! > 1 - 2 * halfSteps[format] ? 2 : 1)
            expect(Math.abs(x - recording.channels[c]![i]!)).toBeLessThanOrEqual(limit)
          })
        })
      },
    ),
  )
})

const sixteenBit = encodeWav({ sampleRate: 8000, channels: [Float64Array.of(0.5, -0.5, 0.25)] })

/** The same file with some bytes changed. */
const patched = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
  const copy = bytes.slice()
  copy.set(values, at)
  return copy
}

test('the extensible format, chunks between, and lengths that a streaming program left open are understood', () => {
  const body = sixteenBit.slice(44)
  const format = new Uint8Array(40)
  format.set(sixteenBit.slice(20, 36))
  format.set([0xfe, 0xff], 0)
  format.set([22, 0, 16, 0, 4, 0, 0, 0, 1, 0], 16)
  const chunk = (name: string, bytes: Uint8Array, stated = bytes.length): number[] => [
    ...new TextEncoder().encode(name),
    ...new Uint8Array(Uint32Array.of(stated).buffer),
    ...bytes,
    ...(bytes.length % 2 === 1 ? [0] : []),
  ]
  const file = Uint8Array.from([
    ...sixteenBit.slice(0, 12),
    ...chunk('LIST', Uint8Array.of(1, 2, 3)),
    ...chunk('fmt ', format),
    ...chunk('data', body, 0xffffffff),
  ])
  expect(decodeWav(file)).toEqual(decodeWav(sixteenBit))
})

test('channels mix to their mean', () => {
  expect(toMono({ sampleRate: 1, channels: [Float64Array.of(1, 0), Float64Array.of(0, -1)] })).toEqual(
    Float64Array.of(0.5, -0.5),
  )
})

test('a file that is no PCM sound says what it is instead', () => {
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [new Uint8Array(5), 'x.wav: expected a RIFF file of type WAVE'],
    [patched(sixteenBit, 8, 65), 'x.wav: expected a RIFF file of type WAVE'],
    [patched(sixteenBit, 36, 65), 'x.wav: expected a chunk "data", got none'],
    [patched(sixteenBit, 12, 65), 'x.wav data: expected a chunk "fmt " before it'],
    [
      patched(sixteenBit, 20, 2),
      'x.wav fmt : expected PCM of 8, 16, 24 or 32 bits or floats of 32 or 64, got format 2 of 16 bits',
    ],
    [
      patched(sixteenBit, 34, 12),
      'x.wav fmt : expected PCM of 8, 16, 24 or 32 bits or floats of 32 or 64, got format 1 of 12 bits',
    ],
    [patched(sixteenBit, 22, 0), 'x.wav fmt : expected channels and a sample rate, got 0 and 8000'],
    [sixteenBit.slice(0, 47), 'x.wav data: expected 6 bytes, got 3: the file is truncated'],
    [sixteenBit.slice(0, 30), 'x.wav fmt : expected at least 16 bytes, got 10'],
  ]
  for (const [bytes, message] of cases) {
    expect(() => decodeWav(bytes, 'x.wav')).toThrow(DataFormatError)
    expect(() => decodeWav(bytes, 'x.wav')).toThrow(message)
  }
})

test('files go to disk whole and come back; a missing one is an error that names it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fluxion-wav-'))
  try {
    const path = join(folder, 'a.wav')
    await writeWav(path, decodeWav(sixteenBit))
    expect(await readWav(path)).toEqual(decodeWav(sixteenBit))
    expect(await readdir(folder)).toEqual(['a.wav'])
    await expect(readWav(join(folder, 'b.wav'))).rejects.toThrow(DataFormatError)
    await writeFile(path, 'no sound')
    await expect(readWav(path)).rejects.toThrow(`${path}: expected a RIFF file`)
  } finally {
    await rm(folder, { recursive: true })
  }
})
