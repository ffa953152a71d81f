// What figures accept, and how they refuse the rest.
import { expect, test } from 'vitest'
import { curve, figure, image, raster, subplots } from './index.ts'

const line = curve([1, 2])

test.each([
  [
    'no marks',
    () => figure([]),
    'figure: expected at least one mark, got none\nhint: pass a list such as [curve(losses)]',
  ],
  [
    'an unknown option',
    () => figure([line], { xlabel: 'epoch' } as object),
    /^figure: expected options among title, xLabel.*, got 'xlabel'/,
  ],
  [
    'an unknown scale',
    () => figure([line], { yScale: 'logarithmic' as never }),
    /yScale to be one of linear, log, got logarithmic/,
  ],
  [
    'limits below zero on a log axis',
    () => figure([line], { yScale: 'log', yLimits: [-1, 2] }),
    /above zero on a logarithmic axis, got -1/,
  ],
  ['ticks that are not finite', () => figure([line], { yTicks: [0, NaN] }), /finite numbers, got NaN at index 1/],
  [
    'an image on a log axis',
    () => figure([image([[1]])], { xScale: 'log' }),
    /a linear x axis for image, got a logarithmic one/,
  ],
  ['a dense raster on a log axis', () => figure([raster([[1]])], { yScale: 'log' }), /a linear y axis for raster/],
  [
    'nothing positive on a log axis',
    () => figure([curve([0, -1])], { yScale: 'log' }),
    /a y above zero on the logarithmic axis, got none/,
  ],
  [
    'an unknown place of the legend',
    () => figure([line], { legend: 'left' as never }),
    /legend to be one of true, false, best/,
  ],
  ['a height of NaN', () => figure([line], { height: NaN }), /height to be a number above zero, got NaN/],
  ['an empty grid', () => subplots([[]]), 'subplots: expected at least one figure, got none'],
  [
    'a shared axis of two scales',
    () => subplots([[figure([line]), figure([line], { yScale: 'log' })]], { shareY: true }),
    'subplots: expected one scale along the shared y axis, got linear, log',
  ],
])('%s is refused', (_, make, message) => expect(make).toThrow(message))

test('marks may come in nested lists', () => {
  expect(figure([line, [line, line]]).marks).toHaveLength(3)
})
