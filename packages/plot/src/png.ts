// Writes small PNG pictures with a palette, for the heat maps inside an SVG. The pixels are stored, not compressed:
// that needs neither Node's zlib nor a browser's streams, so that a figure is drawn synchronously anywhere.
import type { Rgb } from './colors.ts'

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

const adler32 = (bytes: Uint8Array): number => {
  let [a, b] = [1, 0]
  for (const byte of bytes) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return ((b << 16) | a) >>> 0
}

const join = (parts: readonly Uint8Array[]): Uint8Array => {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

const bigEndian = (value: number): Uint8Array =>
  Uint8Array.of((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)

const chunk = (type: string, body: Uint8Array): Uint8Array => {
  const named = join([Uint8Array.from(type, (character) => character.charCodeAt(0)), body])
  return join([bigEndian(body.length), named, bigEndian(crc32(named))])
}

/** Wrap bytes as a zlib stream of stored blocks (RFC 1950, RFC 1951 section 3.2.4). */
const zlibStored = (bytes: Uint8Array): Uint8Array => {
  const blocks: Uint8Array[] = [Uint8Array.of(0x78, 0x01)]
  for (let start = 0; start < bytes.length; start += 0xffff) {
    const block = bytes.subarray(start, start + 0xffff)
    const [low, high] = [block.length & 0xff, block.length >>> 8]
    const isLast = start + 0xffff >= bytes.length ? 1 : 0
    blocks.push(Uint8Array.of(isLast, low, high, ~low & 0xff, ~high & 0xff), block)
  }
  return join([...blocks, bigEndian(adler32(bytes))])
}

/**
 * Encode a picture of at most 255 colours; index 255 is transparent.
 *
 * @param pixels u8[height · width] indices into the palette, row by row
 */
export const encodePng = (width: number, height: number, pixels: Uint8Array, palette: readonly Rgb[]): Uint8Array => {
  const rows = new Uint8Array(height * (width + 1)) // each row begins with its filter type, 0: none
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1)
  const colors = new Uint8Array(3 * 256)
  palette.forEach((color, i) => colors.set(color, 3 * i))
  const alpha = new Uint8Array(256).fill(255)
  alpha[255] = 0
  const header = join([bigEndian(width), bigEndian(height), Uint8Array.of(8, 3, 0, 0, 0)]) // 8 bits, palette
  return join([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('PLTE', colors),
    chunk('tRNS', alpha),
    chunk('IDAT', zlibStored(rows)),
    chunk('IEND', new Uint8Array(0)),
  ])
}

/** Write a picture as a data URI. */
export const dataUri = (png: Uint8Array): string => {
  let binary = ''
  for (const byte of png) binary += String.fromCharCode(byte)
  return `data:image/png;base64,${btoa(binary)}`
}
