// The legend: its size, where it hides the least, and its drawing.
import { drawSample, type Point, type Style } from './draw.ts'
import type { LegendPlace } from './figure.ts'
import type { Mark } from './marks.ts'
import { element, textElement } from './svg.ts'
import { textWidth, wrapText } from './text.ts'

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}
export interface Legend {
  readonly entries: readonly { readonly lines: readonly string[]; readonly sample: string }[]
  readonly width: number
  readonly height: number
}

const fontSize = 11.5
const lineHeight = 16
const padding = 8
const sampleWidth = 24
const inset = 8

/** Collect the marks that have labels; `undefined` if none has. Labels are broken at `maxWidth`. */
export const buildLegend = (marks: readonly Mark[], styles: readonly Style[], maxWidth: number): Legend | undefined => {
  const entries = marks.flatMap((mark, i) => {
    if (mark.kind === 'image' || mark.options.label === undefined) return []
    return [{ lines: wrapText(mark.options.label, maxWidth, fontSize), sample: drawSample(mark, styles[i]!) }]
  })
  if (entries.length === 0) return undefined
  const lines = entries.flatMap((entry) => entry.lines)
  const textWidths = lines.map((line) => textWidth(line, fontSize))
  return {
    entries,
    width: 2 * padding + sampleWidth + 7 + Math.max(...textWidths),
    height: 2 * padding - 4 + lines.length * lineHeight,
  }
}

/** The box of a legend at a part of the way across and down the free room of a panel. */
const boxAt = (across: number, down: number, { width, height }: Legend, panel: Box): Box => ({
  x: panel.x + inset + across * (panel.width - width - 2 * inset),
  y: panel.y + inset + down * (panel.height - height - 2 * inset),
  width,
  height,
})

const corners: Readonly<Record<string, readonly [number, number]>> = {
  topRight: [1, 0],
  topLeft: [0, 0],
  bottomRight: [1, 1],
  bottomLeft: [0, 1],
}
// Where to look for room: the corners, then along the right and the left edge, then in between.
const eighths = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => i / 8)
const places = [
  ...Object.values(corners),
  ...[1, 0, 0.5, 0.75, 0.25].flatMap((x) => eighths.map((y) => [x, y] as const)),
]

const isNear = (box: Box, [x, y]: Point, margin: number): boolean =>
  x > box.x - margin && x < box.x + box.width + margin && y > box.y - margin && y < box.y + box.height + margin

/** Find the box of a legend; `undefined` means that it has to stand outside the panel. */
export const placeLegend = (
  place: LegendPlace,
  legend: Legend,
  panel: Box,
  covered: readonly Point[],
): Box | undefined => {
  const corner = corners[place]
  if (corner) return boxAt(...corner, legend, panel)
  const fits = legend.width + 2 * inset <= panel.width * 0.7 && legend.height + 2 * inset <= panel.height
  if (place === 'outside' || !fits) return undefined
  const boxes = places.map(([across, down]) => boxAt(across, down, legend, panel))
  const freeBy = (margin: number): Box | undefined =>
    boxes.find((box) => !covered.some((point) => isNear(box, point, margin)))
  return freeBy(24) ?? freeBy(4)
}

/** Draw the legend in its box. */
export const drawLegend = (legend: Legend, box: Box): string => {
  const frame = element('rect', {
    x: box.x,
    y: box.y,
    width: box.width,
    height: box.height,
    rx: 3,
    fill: '#ffffff',
    'fill-opacity': 0.88,
    stroke: '#d0d0d0',
    'stroke-width': 0.8,
  })
  let y = box.y + padding - 2 + lineHeight / 2
  const rows = legend.entries.map(({ lines, sample }) => {
    const swatch = element('g', { transform: `translate(${box.x + padding},${y})` }, sample)
    const texts = lines.map((line, i) =>
      textElement(line, { x: box.x + padding + sampleWidth + 7, y: y + i * lineHeight + 4, 'font-size': fontSize }),
    )
    y += lines.length * lineHeight
    return swatch + texts.join('')
  })
  return frame + rows.join('')
}
