// Draws one panel: divides its room by the sizes of the texts, and puts the pieces together.
import { type Axis, type AxisPlan, buildAxis, splitTicks } from './axis.ts'
import { planAxis, type SharedDomains } from './domain.ts'
import { assignStyles, drawMark } from './draw.ts'
import type { Panel } from './figure.ts'
import {
  barSpace,
  drawBar,
  drawFrame,
  drawGrid,
  drawXTicks,
  drawYTicks,
  font,
  lineOf,
  upwardText,
  widestText,
  widestTick,
} from './frame.ts'
import { type Box, buildLegend, drawLegend, placeLegend } from './legend.ts'
import type { Image } from './marks.ts'
import { element, textElement } from './svg.ts'
import { textWidth, wrapText } from './text.ts'

const edge = 10

/** Draw a panel of a size in pixels, with its upper left corner at 0, 0. */
export const drawPanel = (panel: Panel, width: number, height: number, shared: SharedDomains): string => {
  const { marks, options } = panel
  const styles = assignStyles(marks)
  const image = marks.find((mark) => mark.kind === 'image')
  const legend = options.legend === false ? undefined : buildLegend(marks, styles, width * 0.45)
  const texts = layOutTexts(panel, planAxis(panel, 'x', shared), width, height)
  const layOut = (outside: number): Layout => layOutPanel(panel, texts, { width, height, outside, shared })
  const draw = (at: Layout) => marks.map((mark, i) => drawMark(mark, styles[i]!, at))

  const wanted = typeof options.legend === 'string' ? options.legend : image ? 'outside' : 'best'
  const legendSpace = legend ? legend.width + legendGap : 0
  const first = layOut(wanted === 'outside' ? legendSpace : 0)
  const firstDrawings = draw(first)
  const inside =
    legend &&
    placeLegend(
      wanted,
      legend,
      first.box,
      firstDrawings.flatMap((drawing) => drawing.covered),
    )
  // A legend that found no room among the data makes the panel narrower, so everything is drawn again.
  const again = legend && !inside && wanted !== 'outside'
  const final = again ? layOut(legendSpace) : first
  const drawings = again ? draw(final) : firstDrawings
  const { box, x, y } = final
  const beside = box.x + box.width + final.barSpace + legendGap

  return [
    options.grid === false || image ? '' : drawGrid(box, x, y),
    // A nested svg clips what lies beyond the limits, and needs no id that could clash in a page.
    element(
      'svg',
      { ...box, viewBox: `${box.x} ${box.y} ${box.width} ${box.height}`, overflow: 'hidden' },
      ...drawings.map((drawing) => drawing.svg),
    ),
    drawFrame(box, image !== undefined),
    drawXTicks(x, box, texts.turned),
    drawYTicks(y, box),
    image && final.barSpace > 0 ? drawBar(image, box, final.barSpace) : '',
    legend ? drawLegend(legend, inside ?? { x: beside, y: box.y, width: legend.width, height: legend.height }) : '',
    drawTexts(texts, final, width),
  ].join('')
}

const legendGap = 12

/** The texts around a panel, broken into lines, and the room that they take. */
interface Texts {
  readonly title: readonly string[]
  readonly xLabel: readonly string[]
  readonly yLabel: readonly string[]
  /** Whether the texts of the ticks along x are slanted. */
  readonly turned: boolean
  readonly xTickHeight: number
}
interface Layout {
  readonly box: Box
  readonly x: Axis
  readonly y: Axis
  readonly barSpace: number
}

const layOutTexts = ({ options }: Panel, xPlan: AxisPlan, width: number, height: number): Texts => {
  const lines = (text: string | undefined, room: number, size: number, bold = false): readonly string[] =>
    text === undefined ? [] : wrapText(text, room, size, bold)
  const turned = needsTurn(xPlan, width - 140)
  const names = options.xTicks ? (splitTicks(options.xTicks).texts ?? []) : []
  return {
    title: lines(options.title, width - 2 * edge, font.title, true),
    xLabel: lines(options.xLabel, width - 80, font.label),
    yLabel: lines(options.yLabel, height - 40, font.label),
    turned,
    xTickHeight: 8 + (turned ? widestText(names) * Math.SQRT1_2 + 10 : 15),
  }
}

interface Room {
  readonly width: number
  readonly height: number
  /** Width to leave free for a legend beside the panel. */
  readonly outside: number
  readonly shared: SharedDomains
}

const layOutPanel = (panel: Panel, texts: Texts, { width, height, outside, shared }: Room): Layout => {
  const image = panel.marks.find((mark) => mark.kind === 'image')
  const downwards = image !== undefined && image.options.origin !== 'lower'
  const top = edge + 4 + texts.title.length * lineOf.title
  const below = edge + texts.xTickHeight + (texts.xLabel.length > 0 ? 3 + texts.xLabel.length * lineOf.label : 0)
  const innerHeight = Math.max(20, height - top - below)
  const upright = (box: Box): Axis => {
    const [from, to] = downwards ? [box.y, box.y + box.height] : [box.y + box.height, box.y]
    return buildAxis(planAxis(panel, 'y', shared), from, to, Math.max(2, Math.round(box.height / 50)))
  }
  // The ticks' texts along y depend on the height alone, so they are known before the width is divided up.
  const tickWidth = widestTick(upright({ x: 0, y: top, width: 1, height: innerHeight }))
  const left = edge + texts.yLabel.length * lineOf.label + 4 + tickWidth + 8
  const besides = image && image.options.colorBar !== false ? barSpace(image, innerHeight) : 0
  const right = besides + outside + edge + (besides + outside > 0 ? 0 : 8)
  const room = { x: left, y: top, width: Math.max(20, width - left - right), height: innerHeight }
  const box = image?.options.aspect === 'equal' ? squareCells(image, room) : room
  const x = buildAxis(planAxis(panel, 'x', shared), box.x, box.x + box.width, Math.max(2, Math.round(box.width / 80)))
  return { box, x, y: upright(box), barSpace: besides }
}

const drawTexts = (texts: Texts, { box, y }: Layout, width: number): string => {
  const centred = (line: string, at: number, size: number, bold: boolean): string =>
    textElement(line, {
      x: clampCentre(box.x + box.width / 2, textWidth(line, size, bold), width),
      y: at,
      'font-size': size,
      'font-weight': bold ? 'bold' : undefined,
      'text-anchor': 'middle',
    })
  const labelTop = box.y + box.height + texts.xTickHeight + 13
  const labelRight = box.x - widestTick(y) - 18
  return [
    ...texts.title.map((line, i) => centred(line, edge + 13 + i * lineOf.title, font.title, true)),
    ...texts.xLabel.map((line, i) => centred(line, labelTop + i * lineOf.label, font.label, false)),
    ...texts.yLabel.map((line, i) =>
      upwardText(line, labelRight - (texts.yLabel.length - 1 - i) * lineOf.label, box.y + box.height / 2),
    ),
  ].join('')
}

/** Whether named ticks along x need to be turned to fit. */
const needsTurn = ({ ticks, domain: [low, high] }: AxisPlan, width: number): boolean => {
  const texts = ticks && splitTicks(ticks).texts
  if (!ticks || !texts || texts.length < 2) return false
  const places = splitTicks(ticks).at.toSorted((a, b) => a - b)
  const gap = Math.min(...places.slice(1).map((place, i) => place - places[i]!))
  return widestText(texts) + 6 > (width * gap) / (high - low)
}

/** The largest box in a room that makes an image's cells square, in its middle. */
const squareCells = ({ rows, columns }: Image, room: Box): Box => {
  const cell = Math.min(room.width / columns, room.height / rows)
  const [width, height] = [cell * columns, cell * rows]
  return { x: room.x + (room.width - width) / 2, y: room.y + (room.height - height) / 2, width, height }
}

/** Move the centre of a text so that the text stays within the figure. */
const clampCentre = (centre: number, textLength: number, width: number): number =>
  Math.max(textLength / 2 + 4, Math.min(width - textLength / 2 - 4, centre))
