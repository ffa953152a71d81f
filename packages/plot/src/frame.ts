// Draws what stands around the data of a panel: grid, frame, ticks, and the colour bar of an image.
import { type Axis, buildAxis, minorTicks, type Tick } from './axis.ts'
import { extent } from './data.ts'
import { drawColorBar, imageLimits, type Point } from './draw.ts'
import type { Box } from './legend.ts'
import type { Image } from './marks.ts'
import { element, lineElement, textElement } from './svg.ts'
import { textWidth } from './text.ts'

/** Font sizes in pixels. */
export const font = { tick: 11, label: 12.5, title: 14.5 } as const
/** Heights of lines of text in pixels. */
export const lineOf = { label: 17, title: 20 } as const
const frameColor = '#8a8a8a'

/** Width of the widest of some ticks' texts. */
export const widestText = (texts: readonly string[]): number =>
  extent(texts.map((text) => textWidth(text, font.tick)).concat(0))[1]

/** Width of the widest text of an axis. */
export const widestTick = ({ ticks }: Axis): number => widestText(ticks.map((tick) => tick.text))

/** Write a label that reads upwards. */
export const upwardText = (text: string, x: number, y: number): string =>
  textElement(text, {
    'font-size': font.label,
    'text-anchor': 'middle',
    transform: `translate(${x.toFixed(2)},${y.toFixed(2)}) rotate(-90)`,
  })

/** Draw the lines behind the data. */
export const drawGrid = (box: Box, x: Axis, y: Axis): string => {
  const style = { stroke: '#e4e4e4', 'stroke-width': 0.8 }
  const [right, bottom] = [box.x + box.width, box.y + box.height]
  return [
    ...x.ticks.map(({ at }) => lineElement([x.toPixel(at), box.y], [x.toPixel(at), bottom], style)),
    ...y.ticks.map(({ at }) => lineElement([box.x, y.toPixel(at)], [right, y.toPixel(at)], style)),
  ].join('')
}

/** Draw the two axes, or all four sides. */
export const drawFrame = ({ x, y, width, height }: Box, closed: boolean): string => {
  const d = closed ? `M${x},${y}h${width}v${height}h${-width}Z` : `M${x},${y}v${height}h${width}`
  return element('path', { d, fill: 'none', stroke: frameColor, 'stroke-width': 1 })
}

const tickLine = (from: Point, to: Point): string => lineElement(from, to, { stroke: frameColor, 'stroke-width': 1 })

/** Leave out ticks whose texts would run into the one before. */
const spaced = (ticks: readonly Tick[], axis: Axis, room: (tick: Tick) => number): readonly Tick[] => {
  const kept: Tick[] = []
  for (const tick of ticks) {
    const before = kept.at(-1)
    const gap = before === undefined ? Infinity : Math.abs(axis.toPixel(tick.at) - axis.toPixel(before.at))
    if (before === undefined || gap >= (room(tick) + room(before)) / 2) kept.push(tick)
  }
  return kept
}

/** Draw ticks below the panel. */
export const drawXTicks = (x: Axis, box: Box, turned: boolean): string => {
  const bottom = box.y + box.height
  const labelled = turned ? x.ticks : spaced(x.ticks, x, ({ text }) => textWidth(text, font.tick) + 6)
  const texts = labelled.map(({ at, text }) => {
    const place = x.toPixel(at)
    if (!turned) return textElement(text, { x: place, y: bottom + 18, 'font-size': font.tick, 'text-anchor': 'middle' })
    const transform = `translate(${(place + 4).toFixed(2)},${(bottom + 12).toFixed(2)}) rotate(-45)`
    return textElement(text, { 'font-size': font.tick, 'text-anchor': 'end', transform })
  })
  const marks = x.ticks.map(({ at }) => tickLine([x.toPixel(at), bottom], [x.toPixel(at), bottom + 5]))
  const minor = minorTicks(x).map((at) => tickLine([x.toPixel(at), bottom], [x.toPixel(at), bottom + 2.5]))
  return [...marks, ...minor, ...texts].join('')
}

/** Draw ticks left of the panel. */
export const drawYTicks = (y: Axis, box: Box): string => {
  const labelled = spaced(y.ticks, y, () => font.tick + 1)
  const texts = labelled.map(({ at, text }) =>
    textElement(text, { x: box.x - 8, y: y.toPixel(at) + 4, 'font-size': font.tick, 'text-anchor': 'end' }),
  )
  const marks = y.ticks.map(({ at }) => tickLine([box.x - 5, y.toPixel(at)], [box.x, y.toPixel(at)]))
  const minor = minorTicks(y).map((at) => tickLine([box.x - 2.5, y.toPixel(at)], [box.x, y.toPixel(at)]))
  return [...marks, ...minor, ...texts].join('')
}

const barGap = 14
const barThickness = 14

/** The axis of an image's colour bar between two pixels. */
const barAxis = (bar: Image, from: number, to: number): Axis => {
  const plan = { log: false, domain: imageLimits(bar), whole: false, ticks: undefined }
  return buildAxis(plan, from, to, Math.max(2, Math.round(Math.abs(to - from) / 50)))
}

/** Width of an image's colour bar of a height, with its texts and the gap before it. */
export const barSpace = (bar: Image, height: number): number => {
  const label = bar.options.label === undefined ? 0 : lineOf.label + 4
  return barGap + barThickness + 9 + widestTick(barAxis(bar, height, 0)) + label
}

/** Draw an image's colour bar right of its panel. */
export const drawBar = (bar: Image, box: Box, space: number): string => {
  const left = box.x + box.width + barGap
  const right = left + barThickness
  const axis = barAxis(bar, box.y + box.height, box.y)
  const ticks = axis.ticks.map(({ at, text }) => {
    const place = axis.toPixel(at)
    return (
      tickLine([right, place], [right + 4, place]) +
      textElement(text, { x: right + 8, y: place + 4, 'font-size': font.tick })
    )
  })
  const frame = { x: left, y: box.y, width: barThickness, height: box.height, fill: 'none', stroke: frameColor }
  const label = bar.options.label
  return [
    drawColorBar(bar, left, box.y, barThickness, box.height),
    element('rect', { ...frame, 'stroke-width': 0.8 }),
    ...ticks,
    label === undefined ? '' : upwardText(label, box.x + box.width + space, box.y + box.height / 2),
  ].join('')
}
