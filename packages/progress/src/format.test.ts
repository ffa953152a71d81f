// The words of a progress bar.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatBar, formatLine, formatMetric, formatRate, formatTime } from './format.ts'

test.each([
  [0, '00:00'],
  [59.6, '01:00'],
  [3599, '59:59'],
  [36_061, '10:01:01'],
  [NaN, '?'],
  [Infinity, '?'],
])('%d seconds are written %s', (seconds, text) => expect(formatTime(seconds)).toBe(text))

test.each([
  [12.345, '12.35 it/s'],
  [0.25, '4.00 s/it'],
  [NaN, '? it/s'],
])('a rate of %d is written %s', (rate, text) => expect(formatRate(rate, 'it')).toBe(text))

test.each([
  [0.5, '0.5000'],
  [12, '12'],
  [3.2e-5, '3.20e-5'],
  [NaN, 'NaN'],
])('a metric of %d is written %s', (value, text) => expect(formatMetric(value)).toBe(text))

test('a bar has its width and never shrinks as the part grows', () => {
  const filled = (bar: string) => [...bar].reduce((sum, c) => sum + (c === ' ' ? 0 : 8 - '█▉▊▋▌▍▎▏'.indexOf(c)), 0)
  const part = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(part, part, fc.integer({ min: 1, max: 40 }), (a, b, width) => {
      const [low, high] = [formatBar(Math.min(a, b), width), formatBar(Math.max(a, b), width)]
      expect([low.length, high.length]).toEqual([width, width])
      expect(filled(low)).toBeLessThanOrEqual(filled(high))
    }),
  )
})

test('a line never exceeds the width of the terminal', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(1000), fc.nat(1000), fc.nat(150), (message, done, total, columns) => {
      const metrics = { loss: 0.1234, 'val accuracy': 0.5 }
      const line = formatLine({ message, done, total, elapsed: 3, rate: 2, unit: 'it', metrics }, columns)
      expect(line.length).toBeLessThanOrEqual(columns)
    }),
  )
})

test('a whole line tells part, count, times, rate and metrics', () => {
  const progress = {
    message: 'epochs',
    done: 630,
    total: 1500,
    elapsed: 63,
    rate: 10,
    unit: 'epoch',
    metrics: { loss: 0.41 },
  }
  expect(formatLine(progress, 79)).toBe(
    'epochs:  42%|█████▉        | 630/1500 [01:03<01:27, 10.00 epoch/s, loss=0.4100]',
  )
})
