/** Measures the data set: its size, its spikes, and what logistic regression on spike counts reaches on heard and on unheard voices. */
import { parseArgs } from 'node:util'
import { permutationFrom, readRecordings, uniformGenerator } from '@fluxion/data'
import type { Recordings } from '@fluxion/data'
import { fit } from './logisticRegression.ts'
import type { Features } from './logisticRegression.ts'
import { unheard, words } from './voices.ts'

const units = 700

/** Spikes of each unit in each recording. */
export const spikeCounts = ({ units: events, offsets, labels }: Recordings): Features => {
  const values = new Float64Array(labels.length * units)
  for (let row = 0; row < labels.length; row += 1) {
    for (const unit of events.subarray(offsets[row], offsets[row + 1])) {
      values[row * units + unit] = values[row * units + unit]! + 1
    }
  }
  return { rows: labels.length, columns: units, values }
}

const rowsOf = ({ columns, values }: Features, rows: readonly number[]): Features => {
  const out = new Float64Array(rows.length * columns)
  rows.forEach((row, i) => out.set(values.subarray(row * columns, (row + 1) * columns), i * columns))
  return { rows: rows.length, columns, values: out }
}

/** What a classifier reaches on the test split. */
export interface Accuracies {
  readonly inverseRegularisation: number
  readonly validation: number
  readonly heard: number
  readonly unheard: number
}

/** The strengths that are tried: the inverse of the regularisation, as is usual for it. */
export const strengths: readonly number[] = [0.0001, 0.001, 0.01, 0.1]

/**
 * Fit logistic regression on spike counts at each strength: on four fifths of the training split for the validation accuracy, then
 * on all of it for the accuracies on the test split.
 */
export const measure = (train: Recordings, test: Recordings): Accuracies[] => {
  const order = [...permutationFrom(uniformGenerator(0), train.labels.length)]
  const held = order.slice(0, Math.floor(order.length / 5))
  const kept = order.slice(held.length)
  const counts = spikeCounts(train)
  const testCounts = spikeCounts(test)
  const score = (predictions: Int32Array, labels: ArrayLike<number>, of: readonly number[]): number =>
    of.filter((i) => predictions[i] === labels[i]).length / of.length
  const labelsOf = (rows: readonly number[]): number[] => rows.map((row) => train.labels[row]!)
  const all = [...test.labels.keys()]
  return strengths.map((inverseRegularisation) => {
    const partial = fit(rowsOf(counts, kept), labelsOf(kept), words.length, inverseRegularisation)
    const predictions = fit(counts, train.labels, words.length, inverseRegularisation).predict(testCounts)
    const heardRows = all.filter((i) => !unheard.includes(test.speakers[i]!))
    const unheardRows = all.filter((i) => unheard.includes(test.speakers[i]!))
    return {
      inverseRegularisation,
      validation: score(partial.predict(rowsOf(counts, held)), labelsOf(held), [...held.keys()]),
      heard: score(predictions, test.labels, heardRows),
      unheard: score(predictions, test.labels, unheardRows),
    }
  })
}

/** A row of the data card's table. */
export const cardRow = ({ inverseRegularisation, validation, heard, unheard: fresh }: Accuracies): string =>
  `| ${inverseRegularisation} | ${[validation, heard, fresh].map((share) => share.toFixed(3)).join(' | ')} |`

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      data: {
        type: 'string',
        default: new URL('../../../packages/data/datasets/spoken-digits', import.meta.url).pathname,
      },
    },
  })
  const [train, test] = await Promise.all(
    ['train', 'test'].map((split) => readRecordings(`${values.data}/shd_${split}.h5`)),
  )
  for (const [split, { labels, offsets, times }] of Object.entries({ train: train!, test: test! })) {
    const counts = Array.from(labels, (_, i) => offsets[i + 1]! - offsets[i]!).toSorted((a, b) => a - b)
    const ends = Array.from(labels, (_, i) => times[offsets[i + 1]! - 1]!)
    console.log(
      `${split}: ${labels.length} recordings of ${Math.min(...ends).toFixed(2)} to ${Math.max(...ends).toFixed(2)} s;`,
      `spikes a recording: least ${counts[0]}, median ${counts[counts.length >> 1]}, most ${counts.at(-1)},`,
      `mean ${Math.round(times.length / labels.length)}`,
    )
  }
  for (const row of measure(train!, test!)) console.log(cardRow(row))
}
