// Ticks and padding of axes.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AxisPlan, buildAxis, padDomain } from './axis.ts'

const plan = (domain: readonly [number, number], rest: Partial<AxisPlan> = {}): AxisPlan => ({
  log: false,
  domain,
  whole: false,
  ticks: undefined,
  ...rest,
})
const texts = (p: AxisPlan, count = 6) => buildAxis(p, 0, 100, count).ticks.map((tick) => tick.text)

test('linear ticks are round numbers', () => {
  expect(texts(plan([0, 1]), 5)).toEqual(['0.0', '0.2', '0.4', '0.6', '0.8', '1.0'])
  expect(texts(plan([-1500, 1500]), 4)).toEqual(['−1,000', '0', '1,000'])
})

test('large and small values are written with powers of ten', () => {
  expect(texts(plan([0, 5e-6]))).toEqual(['0', '1e-6', '2e-6', '3e-6', '4e-6', '5e-6'])
  expect(texts(plan([0, 4e6]), 4)).toEqual(['0', '1e+6', '2e+6', '3e+6', '4e+6'])
})

test('an axis of whole numbers has no ticks in between', () => {
  expect(texts(plan([0, 2], { whole: true }))).toEqual(['0', '1', '2'])
})

test('logarithmic ticks are powers of ten, and simple multiples where those are too few', () => {
  expect(texts(plan([1e-5, 1e-2], { log: true }))).toEqual(['10⁻⁵', '10⁻⁴', '10⁻³', '10⁻²'])
  expect(texts(plan([1e-12, 1], { log: true }), 4)).toEqual(['10⁻¹²', '10⁻⁸', '10⁻⁴', '10⁰'])
  expect(texts(plan([0.2, 0.6], { log: true }))).toEqual(['0.2', '0.3', '0.5'])
})

test('given ticks keep their texts, and those out of sight are left out', () => {
  expect(
    texts(
      plan([0, 1], {
        ticks: [
          [0, 'none'],
          [1, 'all'],
          [2, 'too much'],
        ],
      }),
    ),
  ).toEqual(['none', 'all'])
  expect(texts(plan([0, 1], { ticks: [0.25] }))).toEqual(['0.25'])
})

const interval = fc.tuple(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.double({ min: 0, max: 1e9, noNaN: true }))

test('every axis has at least one tick, and all ticks lie between its pixels', () => {
  fc.assert(
    fc.property(interval, fc.boolean(), fc.integer({ min: 2, max: 12 }), ([start, length], log, count) => {
      const low = log ? Math.abs(start) + 1e-6 : start
      const domain = padDomain([low, low + length], log, 0.05)
      const axis = buildAxis(plan(domain, { log }), 0, 100, count)
      expect(axis.ticks.length).toBeGreaterThan(0)
      for (const { at } of axis.ticks) {
        expect(axis.toPixel(at)).toBeGreaterThanOrEqual(-1e-3)
        expect(axis.toPixel(at)).toBeLessThanOrEqual(100.001)
      }
    }),
  )
})

test('padding contains the data strictly, also where they are one value or none', () => {
  fc.assert(
    fc.property(interval, ([low, length]) => {
      const [from, to] = padDomain([low, low + length], false, 0.05)
      expect(from).toBeLessThan(low)
      expect(to).toBeGreaterThan(low + length)
    }),
  )
  expect(padDomain([Infinity, -Infinity], false, 0.05)).toEqual([0, 1])
  expect(padDomain([Infinity, -Infinity], true, 0.05)).toEqual([1, 10])
})
