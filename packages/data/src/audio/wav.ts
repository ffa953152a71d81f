/** Reading and writing WAV sound: integer and floating-point PCM, plain and extensible. */
import { readFile } from 'node:fs/promises'
import { DataFormatError } from '@fluxion/core'
import { writeWhole } from '../files.ts'

/** A recording: one f64[samples] per channel, integers scaled to −1 … 1. */
export interface Recording {
  readonly sampleRate: number
  readonly channels: readonly Float64Array[]
}

/** How the samples of a WAV file are stored. */
export type SampleFormat = 'int8' | 'int16' | 'int24' | 'int32' | 'float32' | 'float64'

interface Codec {
  readonly bytes: number
  readonly tag: number
  readonly read: (view: DataView, at: number) => number
  readonly write: (view: DataView, at: number, value: number) => void
}

const integer = (bits: number, value: number): number => {
  const scale = 2 ** (bits - 1)
  return Math.max(-scale, Math.min(scale - 1, Math.round(value * scale)))
}

/** Eight-bit samples alone are unsigned, by the format's custom. */
const codecs: Readonly<Record<SampleFormat, Codec>> = {
  int8: {
    bytes: 1,
    tag: 1,
    read: (view, at) => (view.getUint8(at) - 128) / 128,
    write: (view, at, value) => view.setUint8(at, integer(8, value) + 128),
  },
  int16: {
    bytes: 2,
    tag: 1,
    read: (view, at) => view.getInt16(at, true) / 2 ** 15,
    write: (view, at, value) => view.setInt16(at, integer(16, value), true),
  },
  int24: {
    bytes: 3,
    tag: 1,
    read: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65536) / 2 ** 23,
    write: (view, at, value) => {
      const sample = integer(24, value)
      view.setUint16(at, sample & 0xffff, true)
      view.setInt8(at + 2, sample >> 16)
    },
  },
  int32: {
    bytes: 4,
    tag: 1,
    read: (view, at) => view.getInt32(at, true) / 2 ** 31,
    write: (view, at, value) => view.setInt32(at, integer(32, value), true),
  },
  float32: {
    bytes: 4,
    tag: 3,
    read: (view, at) => view.getFloat32(at, true),
    write: (view, at, value) => view.setFloat32(at, value, true),
  },
  float64: {
    bytes: 8,
    tag: 3,
    read: (view, at) => view.getFloat64(at, true),
    write: (view, at, value) => view.setFloat64(at, value, true),
  },
}

const extensible = 0xfffe
/** Programs that write to a pipe cannot know the length and put one of these. */
const unknownLengths: readonly number[] = [0, 0x7fffffff, 0xffffffff]

interface Format {
  readonly codec: Codec
  readonly channels: number
  readonly sampleRate: number
}

/**
 * Decode a WAV file held in memory.
 *
 * @param file its name, for messages
 * @throws DataFormatError where the bytes are no WAV file, end early, or hold another encoding than PCM
 */
export const decodeWav = (bytes: Uint8Array, file = 'WAV'): Recording => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const name = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))
  const fail = (message: string, dataset?: string): never => {
    throw new DataFormatError(message, dataset === undefined ? { file } : { file, dataset })
  }
  if (bytes.length < 12 || name(0) !== 'RIFF' || name(8) !== 'WAVE') fail('expected a RIFF file of type WAVE')
  let format: Format | undefined
  for (let at = 12; at + 8 <= bytes.length;) {
    const chunk = name(at)
    const stated = view.getUint32(at + 4, true)
    const start = at + 8
    const present = bytes.length - start
    if (chunk === 'fmt ') {
      if (stated < 16 || stated > present) fail(`expected at least 16 bytes, got ${Math.min(stated, present)}`, chunk)
      format = formatOf(view, start, stated, (message) => fail(message, chunk))
    } else if (chunk === 'data') {
      if (format === undefined) return fail('expected a chunk "fmt " before it', chunk)
      const streamed = unknownLengths.includes(stated) || stated === 0x7ffff000
      if (stated > present && !streamed) fail(`expected ${stated} bytes, got ${present}: the file is truncated`, chunk)
      return samplesOf(view, start, Math.min(streamed ? present : stated, present), format)
    }
    at = start + stated + (stated % 2)
  }
  return fail('expected a chunk "data", got none')
}

const formatOf = (view: DataView, at: number, size: number, fail: (message: string) => never): Format => {
  const stated = view.getUint16(at, true)
  const channels = view.getUint16(at + 2, true)
  const sampleRate = view.getUint32(at + 4, true)
  const bits = view.getUint16(at + 14, true)
  if (stated === extensible && size < 26) fail(`expected 26 bytes of an extensible format, got ${size}`)
  const tag = stated === extensible ? view.getUint16(at + 24, true) : stated
  const codec = Object.values(codecs).find((row) => row.tag === tag && row.bytes * 8 === bits)
  if (codec === undefined) {
    return fail(`expected PCM of 8, 16, 24 or 32 bits or floats of 32 or 64, got format ${tag} of ${bits} bits`)
  }
  if (channels === 0 || sampleRate === 0) fail(`expected channels and a sample rate, got ${channels} and ${sampleRate}`)
  return { codec, channels, sampleRate }
}

const samplesOf = (view: DataView, start: number, size: number, { codec, channels, sampleRate }: Format): Recording => {
  const frame = codec.bytes * channels
  const frames = Math.floor(size / frame)
  return {
    sampleRate,
    channels: Array.from({ length: channels }, (_, channel) =>
      Float64Array.from({ length: frames }, (_, i) => codec.read(view, start + i * frame + channel * codec.bytes)),
    ),
  }
}

/** Encode a recording as a WAV file; integer formats clip at −1 and 1. */
export const encodeWav = (
  { sampleRate, channels }: Recording,
  { format = 'int16' }: { readonly format?: SampleFormat } = {},
): Uint8Array => {
  const codec = codecs[format]
  const frames = channels[0]?.length ?? 0
  if (channels.length === 0 || channels.some((channel) => channel.length !== frames)) {
    throw new RangeError(
      `encodeWav: expected channels of equal length, got [${channels.map((c) => c.length).join(', ')}]`,
    )
  }
  const frame = codec.bytes * channels.length
  const size = frames * frame
  const bytes = new Uint8Array(44 + size + (size % 2))
  const view = new DataView(bytes.buffer)
  const text = (at: number, value: string): void => bytes.set(new TextEncoder().encode(value), at)
  text(0, 'RIFF')
  view.setUint32(4, bytes.length - 8, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, codec.tag, true)
  view.setUint16(22, channels.length, true)
  view.setUint32(24, sampleRate, true)
  view.setUint32(28, sampleRate * frame, true)
  view.setUint16(32, frame, true)
  view.setUint16(34, codec.bytes * 8, true)
  text(36, 'data')
  view.setUint32(40, size, true)
  channels.forEach((samples, channel) => {
    samples.forEach((value, i) => codec.write(view, 44 + i * frame + channel * codec.bytes, value))
  })
  return bytes
}

/** Mix the channels of a recording to one, by their mean. */
export const toMono = ({ channels }: Recording): Float64Array =>
  Float64Array.from({ length: channels[0]?.length ?? 0 }, (_, i) => {
    let sum = 0
    for (const channel of channels) sum += channel[i]!
    return sum / channels.length
  })

/**
 * Read a WAV file.
 *
 * @throws DataFormatError where the file is missing or is no WAV file of PCM
 */
export const readWav = async (path: string): Promise<Recording> => {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new DataFormatError(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      file: path,
    })
  })
  return decodeWav(bytes, path)
}

/** Write a WAV file: the whole file or none. */
export const writeWav = (
  path: string,
  recording: Recording,
  options: { readonly format?: SampleFormat } = {},
): Promise<void> => writeWhole(path, encodeWav(recording, options))
