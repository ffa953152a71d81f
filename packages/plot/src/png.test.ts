// The small PNG pictures inside an SVG, read back by another program's decoder.
import { crc32, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodePng } from './png.ts'

const chunks = (png: Uint8Array) => {
  const view = new DataView(png.buffer, png.byteOffset)
  const found: { type: string; body: Uint8Array; crc: number; whole: Uint8Array }[] = []
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at)
    const whole = png.subarray(at + 4, at + 8 + length)
    found.push({
      type: String.fromCharCode(...whole.subarray(0, 4)),
      body: whole.subarray(4),
      crc: view.getUint32(at + 8 + length),
      whole,
    })
    at += 12 + length
  }
  return found
}

test('pixels come back from zlib, row by row behind a filter byte, and all checksums hold', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 400 }))
  fc.assert(
    fc.property(sizes, fc.integer(), ([width, height], seed) => {
      const pixels = Uint8Array.from({ length: width * height }, (_, i) => (i * 31 + seed) & 0xff)
      const parts = chunks(encodePng(width, height, pixels, [[1, 2, 3]]))
      expect(parts.map((part) => part.type)).toEqual(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'])
      for (const part of parts) expect(part.crc).toBe(crc32(part.whole))
      const rows = inflateSync(parts[3]!.body)
      for (let y = 0; y < height; y++) {
        const row = rows.subarray(y * (width + 1), (y + 1) * (width + 1))
        expect(row[0]).toBe(0)
        expect(Buffer.compare(row.subarray(1), pixels.subarray(y * width, (y + 1) * width))).toBe(0)
      }
    }),
    { numRuns: 20 },
  )
})
