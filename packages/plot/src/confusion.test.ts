// Counting and showing confusion.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { confusionFigure, confusionMatrix, toSvg } from './index.ts'

const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })), { minLength: 1 })

test('each entry of a confusion matrix counts its pair of classes', () => {
  fc.assert(
    fc.property(pairs, (examples) => {
      const matrix = confusionMatrix(
        examples.map(([t]) => t),
        examples.map(([, p]) => p),
        5,
      )
      matrix.forEach((row, i) =>
        row.forEach((count, j) => expect(count).toBe(examples.filter(([t, p]) => t === i && p === j).length)),
      )
    }),
  )
})

test('swapping targets and predictions transposes the matrix', () => {
  fc.assert(
    fc.property(pairs, (examples) => {
      const [targets, predictions] = [examples.map(([t]) => t), examples.map(([, p]) => p)]
      const swapped = confusionMatrix(predictions, targets, 5)
      const matrix = confusionMatrix(targets, predictions, 5)
      expect(swapped).toEqual(matrix.map((_, i) => matrix.map((row) => row[i])))
    }),
  )
})

test.each([
  [() => confusionMatrix([0, 1], [0], 2), /targets and predictions of equal length, got 2 and 1/],
  [() => confusionMatrix([0, 2], [0, 1], 2), /labels to be whole numbers from 0 to 1, got 2 at index 1/],
  [() => confusionMatrix([0.5], [0], 2), /got 0.5 at index 0/],
  [() => confusionMatrix([0], [0], 0), /classes to be a whole number above zero, got 0/],
  [() => confusionFigure([[1, 2]]), /a square matrix, got shape \[1, 2\]/],
  [() => confusionFigure([[-1]]), /counts of zero and more, got a negative count/],
  [() => confusionFigure([[1]], { classes: ['a', 'b'] }), /names of classes and rows of equal length, got 2 and 1/],
])('bad confusion %# is refused', (make, message) => expect(make).toThrow(message))

test('the figure shows the counts and the names of the classes', () => {
  const svg = toSvg(
    confusionFigure(
      [
        [7, 0],
        [13, 5],
      ],
      { classes: ['left', 'right'], title: 'A & B' },
    ),
  )
  for (const text of ['7', '13', '5', 'left', 'right', 'predicted class', 'true class', 'A &amp; B', 'count']) {
    expect(svg).toContain(`>${text}</text>`)
  }
})

test('normalised rows sum to one, and a class without examples stays zero', () => {
  const mark = confusionFigure(
    [
      [1, 3],
      [0, 0],
    ],
    { normalize: true },
  ).marks[0]
  expect(mark).toMatchObject({ values: [0.25, 0.75, 0, 0] })
})
