/** The page's figures: samples as rasters, and the curves of a training. */
import { type Figure, curve, figure, horizontalLine, raster, toElement } from '@fluxion/plot'
import type { Epoch } from './training.ts'

/** A figure that says in words what it shows, for those who do not see it. */
function shown(drawn: Figure, words: string): HTMLElement {
  const svg = toElement(drawn)
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', words)
  const holder = document.createElement('figure')
  holder.append(svg)
  return holder
}

/** The spikes of one sample, row-major [steps, channels]. */
export function sampleFigure(spikes: ArrayLike<number>, steps: number, channels: number, title: string): HTMLElement {
  const rows = Array.from({ length: steps }, (_, t) =>
    Array.from({ length: channels }, (_, c) => spikes[t * channels + c]! > 0),
  )
  const drawn = figure([raster(rows)], { title, xLabel: 'time step', yLabel: 'channel', width: 320, height: 260 })
  return shown(drawn, `${title}: which of ${channels} channels spikes at which of ${steps} time steps`)
}

/** Loss and accuracy over the epochs so far, of which there is at least one. */
export function trainingFigures(epochs: readonly Epoch[], all: number, classes: number): HTMLElement[] {
  const x = epochs.map(({ number }) => number)
  const last = epochs.at(-1)!
  const size = { width: 480, height: 320, xLimits: [0, all + 1] as const, xLabel: 'epoch' }
  const loss = figure(
    [
      curve(
        x,
        epochs.map((epoch) => epoch.loss),
        { markers: true },
      ),
    ],
    {
      ...size,
      title: 'Training loss',
      yLabel: 'cross-entropy',
      yLimits: [0, 1.05 * Math.max(...epochs.map((epoch) => epoch.loss))],
    },
  )
  const accuracy = figure(
    [
      curve(
        x,
        epochs.map((epoch) => epoch.accuracy),
        { markers: true, color: '#009e73', label: 'network' },
      ),
      horizontalLine(1 / classes, { dashed: true, color: '#595959', label: 'chance' }),
    ],
    { ...size, title: 'Accuracy on unseen samples', yLabel: 'part told right', yLimits: [0, 1], legend: 'bottomRight' },
  )
  return [
    shown(loss, `Training loss by epoch: from ${epochs[0]!.loss.toFixed(2)} to ${last.loss.toFixed(2)}`),
    shown(accuracy, `Accuracy on unseen samples by epoch: now ${(100 * last.accuracy).toFixed(1)} per cent`),
  ]
}
