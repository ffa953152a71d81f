// Events as bits of time and channel, binned exactly.
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { recordingsFrom } from './hdf5/recordings.ts'
import { rasterize } from './raster.ts'

const recording = fc
  .array(fc.tuple(fc.float({ min: 0, max: 2, noNaN: true }), fc.integer({ min: 0, max: 699 })), { maxLength: 60 })
  .map((events) => ({ times: events.map(([time]) => time), units: events.map(([, unit]) => unit), label: 0 }))

const bit = (packed: Uint8Array, bytes: number, channels: number, n: number, step: number, channel: number): number =>
  (packed[(n * bytes + (step >> 3)) * channels + channel]! >> (7 - (step % 8))) & 1

test('a bit is set exactly where an event of the first second falls', () => {
  fc.assert(
    fc.property(
      fc.array(recording, { maxLength: 4 }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 700 }),
      (list, sampleT, channels) => {
        const { packed, shape } = rasterize(recordingsFrom(list), { sampleT, channels })
        expect(shape).toEqual([list.length, Math.ceil(sampleT / 8), channels])
        const expected = new Set<string>()
        list.forEach(({ times, units }, n) => {
          times.forEach((time, i) => {
            const step = Math.floor(Math.floor(Math.fround(time) * 1e6) * (1e-6 * sampleT))
            if (step < sampleT) expected.add([n, step, Math.floor(units[i]! * (channels / 700))].join())
          })
        })
        let set = 0
        for (const byte of packed) for (let b = byte; b > 0; b &= b - 1) set += 1
        expect(set).toBe(expected.size)
        for (const place of expected) {
          const [n, step, channel] = place.split(',').map(Number) as [number, number, number]
          expect(bit(packed, shape[1], channels, n, step, channel)).toBe(1)
        }
      },
    ),
  )
})

test('times are cut to whole microseconds before they are binned', () => {
  const { packed } = rasterize(recordingsFrom([{ times: [1 / 128, 2 / 128], units: [0, 0], label: 0 }]), {
    sampleT: 128,
    channels: 1,
  })
  // 7812.5 µs becomes 7812 and stays in step 0; 15625 µs is step 2.
  expect(packed[0]).toBe(0b10100000)
})

test('the last event of the first second is kept and the first of the next is not', () => {
  const { packed } = rasterize(recordingsFrom([{ times: [0.99999, 1], units: [0, 699], label: 0 }]), {
    sampleT: 16,
    channels: 2,
  })
  expect([...packed]).toEqual([0, 0, 1, 0])
})

test('events of one bin count once', () => {
  const { packed } = rasterize(recordingsFrom([{ times: [0, 0.001, 0.002], units: [0, 1, 2], label: 0 }]), {
    sampleT: 8,
    channels: 70,
  })
  expect(packed.reduce((sum, byte) => sum + byte, 0)).toBe(128)
})
