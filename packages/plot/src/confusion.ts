// Confusion matrices: counting them, and showing them with counts in their cells.
import { checkEqualLength, checkFinite, type Data, extent, steps, toMatrix, toVector } from './data.ts'
import { checkChoice, checkOptions, PlotError } from './errors.ts'
import { figure, type Panel } from './figure.ts'
import type { ColorMap } from './colors.ts'
import { image } from './marks.ts'

/**
 * Count how often an example of class `row` was predicted to be of class `column`.
 *
 * C[i, j] = Σₙ [targetsₙ = i] [predictionsₙ = j]
 *
 * @param targets int[n]
 * @param predictions int[n]
 * @returns int[classes, classes] as nested lists
 * @throws PlotError for unequal lengths, no examples, or a label that is not a whole number below `classes`.
 * @example
 * ```ts
 * import { confusionMatrix } from '@fluxion/plot'
 * confusionMatrix([0, 1, 1, 2], [0, 1, 2, 2], 3) // => [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
 * ```
 */
export const confusionMatrix = (targets: Data, predictions: Data, classes: number): number[][] => {
  const where = 'confusionMatrix'
  if (!Number.isInteger(classes) || classes < 1) {
    throw new PlotError(where, 'classes to be a whole number above zero', String(classes))
  }
  const [rows, columns] = [toVector(where, targets), toVector(where, predictions)]
  checkEqualLength(where, 'targets and predictions', rows, columns)
  const counts = steps(classes).map(() => steps(classes).map(() => 0))
  rows.forEach((target, n) => {
    const prediction = columns[n]!
    for (const label of [target, prediction]) {
      if (!Number.isInteger(label) || label < 0 || label >= classes) {
        throw new PlotError(where, `labels to be whole numbers from 0 to ${classes - 1}`, `${label} at index ${n}`)
      }
    }
    counts[target]![prediction]! += 1
  })
  return counts
}

export interface ConfusionOptions {
  /** Names of the classes; by default their numbers. */
  readonly classes?: readonly string[]
  readonly title?: string
  /** Divide each row by its sum, so that the diagonal shows the recall of each class. */
  readonly normalize?: boolean
  readonly colorMap?: ColorMap
  /** Side of the figure in pixels; by default it grows with the number of classes. */
  readonly size?: number
}

/**
 * Make the figure of a confusion matrix, true classes downwards, predicted ones rightwards.
 *
 * @param matrix int[classes, classes]
 * @throws PlotError for a matrix that is not square, negative counts, a wrong number of names, or an unknown option.
 * @example
 * ```ts
 * import { confusionFigure, confusionMatrix } from '@fluxion/plot'
 * const matrix = confusionMatrix([0, 1, 1], [0, 1, 0], 2)
 * confusionFigure(matrix, { classes: ['no', 'yes'] }).options.xLabel // => 'predicted class'
 * ```
 */
export const confusionFigure = (matrix: Data, options: ConfusionOptions = {}): Panel => {
  const where = 'confusionFigure'
  checkOptions(where, options, ['classes', 'title', 'normalize', 'colorMap', 'size'])
  checkChoice(where, 'normalize', options.normalize, [true, false])
  const { shape, values } = toMatrix(where, matrix)
  const [n = 0, columns = 0] = shape
  if (n !== columns) throw new PlotError(where, 'a square matrix', `shape [${n}, ${columns}]`)
  checkFinite(where, values, 'error')
  if (values.some((count) => count < 0)) throw new PlotError(where, 'counts of zero and more', 'a negative count')
  const names = options.classes ?? steps(n).map(String)
  checkEqualLength(where, 'names of classes and rows', names, steps(n))
  const ticks = names.map((name, i) => [i, name] as const)
  const rows = steps(n).map((row) => {
    const counts = values.slice(row * n, row * n + n)
    const sum = counts.reduce((total, count) => total + count, 0)
    // A class without examples has no recall: its row stays zero.
    return options.normalize ? counts.map((count) => (sum === 0 ? 0 : count / sum)) : counts
  })
  const size = options.size ?? Math.max(420, 130 + 30 * n)
  return figure(
    [
      image(rows, {
        colorMap: options.colorMap ?? 'blues',
        limits: [0, options.normalize ? 1 : Math.max(1, extent(values)[1])],
        aspect: 'equal',
        cellText: true,
        label: options.normalize ? 'part of the true class' : 'count',
      }),
    ],
    {
      ...(options.title === undefined ? {} : { title: options.title }),
      xLabel: 'predicted class',
      yLabel: 'true class',
      xTicks: ticks,
      yTicks: ticks,
      grid: false,
      width: size + 60,
      height: size,
    },
  )
}
