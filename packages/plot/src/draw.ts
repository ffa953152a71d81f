// Draws each kind of mark between its axes, and says which places it covers, so that the legend can keep off them.
import type { Axis } from './axis.ts'
import { colorAt, isDark, palette } from './colors.ts'
import { extent, steps } from './data.ts'
import type { Curve, Histogram, Image, Mark, Raster, Rule } from './marks.ts'
import { dataUri, encodePng } from './png.ts'
import { coordinate, element, lineElement, textElement } from './svg.ts'

export type Point = readonly [number, number]

/** How a mark is told from its neighbours. */
export interface Style {
  readonly color: string
  readonly dashes: string | undefined
}
export interface Drawing {
  readonly svg: string
  readonly covered: readonly Point[]
}
interface Axes {
  readonly x: Axis
  readonly y: Axis
}

const dashed = '7 4'
const dashCycle = [undefined, dashed, '2 3', '9 3 2 3'] as const

/** Give each mark the next colour of the palette; once the colours are used up, lines get dashes as well. */
export const assignStyles = (marks: readonly Mark[]): readonly Style[] => {
  let next = 0
  return marks.map((mark) => {
    if (mark.kind === 'image') return { color: '', dashes: undefined }
    if (mark.kind === 'rule') {
      return { color: mark.options.color ?? '#666666', dashes: mark.options.dashed === false ? undefined : dashed }
    }
    const wantsDashes = mark.kind === 'curve' && mark.options.dashed === true
    if (mark.options.color !== undefined) return { color: mark.options.color, dashes: wantsDashes ? dashed : undefined }
    const round = Math.floor(next / palette.length) % dashCycle.length
    const color = palette[next % palette.length] ?? '#000000'
    next += 1
    return { color, dashes: wantsDashes ? dashed : dashCycle[round] }
  })
}

/** Draw one mark. */
export const drawMark = (mark: Mark, style: Style, axes: Axes): Drawing => {
  switch (mark.kind) {
    case 'curve':
      return drawCurve(mark, style, axes)
    case 'rule':
      return drawRule(mark, style, axes)
    case 'raster':
      return drawRaster(mark, style, axes)
    case 'image':
      return drawImage(mark, axes)
    case 'histogram':
      return drawHistogram(mark, style, axes)
  }
}

/** Draw what stands for a mark in the legend, 24 pixels wide around height 0. */
export const drawSample = (mark: Mark, { color, dashes }: Style): string => {
  if (mark.kind === 'histogram')
    return element('rect', { x: 4, y: -5, width: 16, height: 10, fill: color, 'fill-opacity': 0.6 })
  if (mark.kind === 'raster') {
    return element('path', { d: 'M5,-5V5M12,-5V5M19,-5V5', stroke: color, 'stroke-width': 1.6, fill: 'none' })
  }
  const width = mark.kind === 'image' ? 0 : (mark.options.width ?? defaultWidth(mark))
  const line = lineElement([0, 0], [24, 0], { stroke: color, 'stroke-width': width, 'stroke-dasharray': dashes })
  const dot =
    mark.kind === 'curve' && mark.options.markers ? element('circle', { cx: 12, cy: 0, r: 3, fill: color }) : ''
  return line + dot
}

const defaultWidth = (mark: Mark): number => (mark.kind === 'rule' ? 1.3 : 1.8)

const drawCurve = ({ x, y, options }: Curve, { color, dashes }: Style, axes: Axes): Drawing => {
  // A place off a logarithmic axis maps to NaN or an infinity: a gap, like NaN itself.
  const points = x.map((value, i): Point => [axes.x.toPixel(value), axes.y.toPixel(y[i] ?? NaN)])
  const shown = points.map(([px, py]) => Number.isFinite(px) && Number.isFinite(py))
  const path = points.map(([px, py], i) => {
    if (!shown[i]) return ''
    return `${shown[i - 1] ? 'L' : 'M'}${coordinate(px)},${coordinate(py)}`
  })
  const dots = points.filter((_, i) => shown[i] && (options.markers || (!shown[i - 1] && !shown[i + 1])))
  const width = options.width ?? 1.8
  const line = element('path', {
    d: path.join(''),
    fill: 'none',
    stroke: color,
    'stroke-width': width,
    'stroke-dasharray': dashes,
    'stroke-linejoin': 'round',
    'stroke-linecap': dashes ? 'butt' : 'round',
  })
  const circles = dots.map(([cx, cy]) => element('circle', { cx, cy, r: Math.max(2.5, width * 1.4), fill: color }))
  return {
    svg: [line, ...circles].join(''),
    covered: points.flatMap((p, i) => (shown[i] ? between(points[i - 1], p) : [])),
  }
}

/** Places every few pixels from one point to the next. */
const between = (a: Point | undefined, b: Point): readonly Point[] => {
  if (a === undefined || !Number.isFinite(a[0]) || !Number.isFinite(a[1])) return [b]
  const count = Math.min(200, Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) / 5))
  return steps(count).map((i) => {
    const part = (i + 1) / count
    return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part]
  })
}

const drawRule = ({ axis, at, options }: Rule, { color, dashes }: Style, axes: Axes): Drawing => {
  const [acrossLow, acrossHigh] = (axis === 'y' ? axes.x : axes.y).domain
  const across = axis === 'y' ? axes.x : axes.y
  const place = axes[axis].toPixel(at)
  if (!Number.isFinite(place)) return { svg: '', covered: [] }
  const point = (along: number): Point =>
    axis === 'y' ? [across.toPixel(along), place] : [place, across.toPixel(along)]
  const [from, to] = [point(acrossLow), point(acrossHigh)]
  const width = options.width ?? 1.3
  return {
    svg: lineElement(from, to, { stroke: color, 'stroke-width': width, 'stroke-dasharray': dashes }),
    covered: [from, ...between(from, to)],
  }
}

const drawRaster = ({ times, units, options }: Raster, { color }: Style, { x, y }: Axes): Drawing => {
  const row = Math.abs(y.toPixel(1) - y.toPixel(0))
  const height = Math.max(1.2, row * (options.height ?? 0.8))
  const step = Math.abs(x.toPixel(1) - x.toPixel(0))
  const points = times.map((time, i): Point => [x.toPixel(time), y.toPixel(units[i] ?? NaN)])
  const path = points
    .map(([px, py]) => `M${coordinate(px)},${coordinate(py - height / 2)}v${coordinate(height)}`)
    .join('')
  const width = Math.min(2, Math.max(0.8, step * 0.6))
  return { svg: element('path', { d: path, fill: 'none', stroke: color, 'stroke-width': width }), covered: points }
}

const drawHistogram = ({ edges, heights }: Histogram, { color }: Style, { x, y }: Axes): Drawing => {
  // On a logarithmic axis zero is infinitely far down: the bars then stand on the lower end of the axis.
  const floor = y.toPixel(y.log ? y.domain[0] : 0)
  const bars = heights.map((height, i) => {
    const [left, right] = [x.toPixel(edges[i] ?? NaN), x.toPixel(edges[i + 1] ?? NaN)]
    return { left, right, top: height > 0 ? y.toPixel(height) : floor }
  })
  const rectangles = bars.map(({ left, right, top }) =>
    element('rect', {
      x: left,
      y: top,
      width: Math.max(0, right - left),
      height: Math.max(0, floor - top),
      fill: color,
      'fill-opacity': 0.6,
      stroke: '#ffffff',
      'stroke-width': 0.8,
    }),
  )
  const covered = bars.flatMap(({ left, right, top }) =>
    [left, (left + right) / 2, right].flatMap((px) => between([px, top], [px, floor])),
  )
  return { svg: rectangles.join(''), covered }
}

/** Values at the two ends of an image's colour map. */
export const imageLimits = ({ values, options }: Image): readonly [number, number] => {
  if (options.limits) return options.limits
  const [low, high] = extent(values)
  if (!(low <= high)) return [0, 1]
  return low === high ? [low - 0.5, high + 0.5] : [low, high]
}

const colorCount = 255

const drawImage = (mark: Image, { x, y }: Axes): Drawing => {
  const { rows, columns, values, options } = mark
  const map = options.colorMap ?? 'viridis'
  const [low, high] = imageLimits(mark)
  const level = (value: number): number => Math.min(1, Math.max(0, (value - low) / (high - low)))
  // The data's first row is at unit 0; the picture's first row is whatever the axis shows on top.
  const flipped = y.toPixel(0) > y.toPixel(1)
  const pixels = Uint8Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns]
    const value = values[(flipped ? rows - 1 - row : row) * columns + column] ?? NaN
    return Number.isNaN(value) ? 255 : Math.round(level(value) * (colorCount - 1))
  })
  const colors = steps(colorCount).map((i) => colorAt(map, i / (colorCount - 1)))
  const [left, right] = [x.toPixel(-0.5), x.toPixel(columns - 0.5)]
  const [top, bottom] = [y.toPixel(-0.5), y.toPixel(rows - 0.5)].sort((a, b) => a - b) as [number, number]
  const picture = pictureElement(encodePng(columns, rows, pixels, colors), left, top, right - left, bottom - top)
  if (!options.cellText) return { svg: picture, covered: [] }
  const width = (right - left) / columns
  const texts = values.map(cellText)
  const longest = Math.max(3, extent(texts.map((text) => text.length))[1])
  const size = Math.min(13, ((bottom - top) / rows) * 0.55, (width * 0.88) / (longest * 0.64))
  const cells = values.map((value, i) => {
    if (Number.isNaN(value)) return ''
    const [row, column] = [Math.floor(i / columns), i % columns]
    const fill = isDark(colorAt(map, level(value))) ? '#ffffff' : value === 0 ? '#9aa4ae' : '#1a1a1a'
    const place = { x: x.toPixel(column), y: y.toPixel(row) + size * 0.36 }
    return textElement(texts[i] ?? '', { ...place, 'font-size': size, fill, 'text-anchor': 'middle' })
  })
  return { svg: picture + cells.join(''), covered: [] }
}

const cellText = (value: number): string =>
  Number.isInteger(value) ? String(value) : Math.abs(value) < 1 ? value.toFixed(2).replace('0.', '.') : value.toFixed(1)

/** The style that keeps a browser from blurring the cells of an image. */
export const sharpCells = 'image-rendering:pixelated'

const pictureElement = (png: Uint8Array, x: number, y: number, width: number, height: number): string =>
  element('image', {
    x,
    y,
    width,
    height,
    href: dataUri(png),
    preserveAspectRatio: 'none',
    style: sharpCells,
  })

/** Draw the colours from the lower to the upper end of an image's map, bottom to top. */
export const drawColorBar = (mark: Image, x: number, y: number, width: number, height: number): string => {
  const colors = steps(colorCount).map((i) => colorAt(mark.options.colorMap ?? 'viridis', i / (colorCount - 1)))
  const pixels = Uint8Array.from({ length: colorCount }, (_, i) => colorCount - 1 - i)
  return pictureElement(encodePng(1, colorCount, pixels, colors), x, y, width, height)
}
