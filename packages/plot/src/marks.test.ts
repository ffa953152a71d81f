// What marks accept, and what they refuse with which words.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { curve, curves, horizontalLine, histogram, image, PlotError, raster } from './index.ts'

/** The structure of an NDArray. */
const array = (shape: readonly number[], nested: unknown) => ({ shape, toArray: () => nested })

test('curve takes lists, typed arrays and anything with shape and toArray', () => {
  expect(curve([3, 4]).y).toEqual([3, 4])
  expect(curve(new Float32Array([3, 4])).y).toEqual([3, 4])
  expect(curve(array([2], [1, 2]), array([2], [true, false])).y).toEqual([1, 0])
})

test('curves gives one curve a column', () => {
  const made = curves([new Float32Array([1, 2]), [3, 4]], { x: [10, 20], labels: ['a', 'b'] })
  expect(made.map(({ x, y, options }) => [x, y, options.label])).toEqual([
    [[10, 20], [1, 3], 'a'],
    [[10, 20], [2, 4], 'b'],
  ])
})

const misspelt = { colour: 'red' } as object

test.each([
  ['x and y of unequal length', () => curve([0, 1, 2], [1, 2]), 'curve: expected x and y of equal length, got 3 and 2'],
  ['no values', () => curve([]), 'curve: expected a vector of shape [n] with at least one value, got shape [0]'],
  [
    'a matrix',
    () => curve([[1, 2]]),
    'curve: expected a vector of shape [n], got shape [1, 2]\nhint: reshape, ravel or index it first',
  ],
  [
    'an infinite value',
    () => curve([1, Infinity]),
    'curve: expected finite numbers, got Infinity at index 1\nhint: replace the value by NaN to leave a gap',
  ],
  [
    'an unknown option',
    () => curve([1], misspelt),
    "curve: expected options among label, color, dashed, width, markers, got 'colour'\nhint: check the spelling of the option",
  ],
  ['a width of zero', () => curve([1], { width: 0 }), 'curve: expected width to be a number above zero, got 0'],
  ['a place that is NaN', () => horizontalLine(NaN), /^horizontalLine: expected finite numbers, got NaN at index 0/],
  ['ragged rows', () => image([[1, 2], [3]]), 'image: expected rows of equal length 2, got a row of length 1'],
  [
    'rows with nothing in them',
    () => raster([[], []]),
    'raster: expected a matrix of shape [rows, columns] with at least one value, got shape [2, 0]',
  ],
  ['texts', () => image([['a']] as never), 'image: expected numbers or booleans, nested evenly, got string'],
  [
    'limits that decrease',
    () => image([[1]], { limits: [2, 1] }),
    'image: expected limits to be [low, high] with low < high, got [2, 1]',
  ],
  [
    'an unknown colour map',
    () => image([[1]], { colorMap: 'jet' as never }),
    /^image: expected colorMap to be one of viridis, .*, got jet$/,
  ],
  [
    'half a bin',
    () => histogram([1, 2], { bins: 1.5 }),
    /^histogram: expected bins to be a whole number above zero or increasing edges, got 1.5$/,
  ],
  ['edges that decrease', () => histogram([1, 2], { bins: [2, 1] }), /got \[2, 1\]$/],
  ['times without units', () => raster([1, 2], [1]), 'raster: expected times and units of equal length, got 2 and 1'],
])('%s is refused', (_, make, message) => {
  expect(make).toThrow(PlotError)
  const exact = typeof message === 'string' ? new RegExp(`^${message.replace(/[[\]().*+?^$|\\]/g, '\\$&')}$`) : message
  expect(make).toThrow(exact)
})

test('raster of a dense array lists exactly its non-zero entries', () => {
  const arbitrary = fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
    .chain(([t, n]) => fc.array(fc.array(fc.boolean(), { minLength: n, maxLength: n }), { minLength: t, maxLength: t }))
  fc.assert(
    fc.property(arbitrary, (spikes) => {
      const { times, units, size } = raster(spikes)
      const rebuilt = spikes.map((row) => row.map(() => false))
      times.forEach((time, i) => (rebuilt[time]![units[i]!] = true))
      expect(rebuilt).toEqual(spikes)
      expect(size).toEqual([spikes.length, spikes[0]!.length])
    }),
  )
})

test('a raster may be silent', () => {
  expect(raster([], []).times).toEqual([])
  expect(raster([[0], [0]]).times).toEqual([])
})

test('each value falls into one bin of a histogram, and densities have area one', () => {
  const values = fc.array(
    fc.integer({ min: -800, max: 800 }).map((n) => n / 8),
    { minLength: 1 },
  )
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 20 }), (data, bins) => {
      const { edges, heights } = histogram(data, { bins })
      expect(heights.reduce((sum, height) => sum + height, 0)).toBe(data.length)
      const density = histogram(data, { bins: edges, density: true }).heights
      const area = density.reduce((sum, height, i) => sum + height * (edges[i + 1]! - edges[i]!), 0)
      expect(area).toBeCloseTo(1, 9)
    }),
  )
})
