// A figure as plain data: one panel with axes, or a grid of figures.
import { splitTicks, type Ticks } from './axis.ts'
import { checkFinite } from './data.ts'
import { checkChoice, checkLimits, checkOptions, checkPositive, PlotError } from './errors.ts'
import { rangeOf } from './domain.ts'
import type { Mark } from './marks.ts'

/** Where the legend stands; `best` takes a corner that is free of data, else `outside`, to the right of the panel. */
export type LegendPlace = 'best' | 'topRight' | 'topLeft' | 'bottomRight' | 'bottomLeft' | 'outside'

const legendPlaces: readonly LegendPlace[] = ['best', 'topRight', 'topLeft', 'bottomRight', 'bottomLeft', 'outside']

export interface FigureOptions {
  readonly title?: string
  readonly xLabel?: string
  readonly yLabel?: string
  readonly xScale?: 'linear' | 'log'
  readonly yScale?: 'linear' | 'log'
  readonly xLimits?: readonly [number, number]
  readonly yLimits?: readonly [number, number]
  readonly xTicks?: Ticks
  readonly yTicks?: Ticks
  /** By default a legend is drawn where it is best if any mark has a label. */
  readonly legend?: boolean | LegendPlace
  /** Lines behind the data at the ticks: true by default. */
  readonly grid?: boolean
  /** Size in pixels: 640 × 420 by default. */
  readonly width?: number
  readonly height?: number
}
export interface SubplotsOptions {
  readonly title?: string
  /** Give all panels of one column the same x axis. */
  readonly shareX?: boolean
  /** Give all panels of one row the same y axis. */
  readonly shareY?: boolean
}
/** One pair of axes with what they show. */
export interface Panel {
  readonly kind: 'panel'
  readonly marks: readonly Mark[]
  readonly options: FigureOptions
}
/** Figures in rows. */
export interface Grid {
  readonly kind: 'grid'
  readonly rows: readonly (readonly Figure[])[]
  readonly options: SubplotsOptions
}
export type Figure = Panel | Grid

const axisKeys = ['xLabel', 'yLabel', 'xScale', 'yScale', 'xLimits', 'yLimits', 'xTicks', 'yTicks'] as const
const figureKeys = ['title', ...axisKeys, 'legend', 'grid', 'width', 'height'] as const

/**
 * Make a figure with one pair of axes from marks, or from lists of marks.
 *
 * @throws PlotError for no marks, an unknown option, limits that do not increase, or limits and ticks that a logarithmic
 * axis cannot show.
 * @example
 * ```ts
 * import { curve, figure, horizontalLine } from '@fluxion/plot'
 * const fig = figure([curve([0.9, 0.5, 0.3], { label: 'loss' }), horizontalLine(0.4)], { xLabel: 'epoch', yScale: 'log' })
 * fig.marks.length // => 2
 * ```
 */
export const figure = (marks: readonly (Mark | readonly Mark[])[], options: FigureOptions = {}): Panel => {
  checkOptions('figure', options, figureKeys)
  checkChoice('figure', 'legend', options.legend, [true, false, ...legendPlaces])
  checkPositive('figure', 'width', options.width)
  checkPositive('figure', 'height', options.height)
  for (const axis of ['x', 'y'] as const) checkAxis(axis, options)
  const flat = marks.flat() as readonly Mark[]
  if (flat.length === 0)
    throw new PlotError('figure', 'at least one mark', 'none', 'pass a list such as [curve(losses)]')
  for (const axis of ['x', 'y'] as const) if (options[`${axis}Scale`] === 'log') checkLogMarks(axis, flat)
  return { kind: 'panel', marks: flat, options }
}

const checkAxis = (axis: 'x' | 'y', options: FigureOptions): void => {
  const {
    [`${axis}Scale` as const]: scale,
    [`${axis}Limits` as const]: limits,
    [`${axis}Ticks` as const]: ticks,
  } = options
  checkChoice('figure', `${axis}Scale`, scale, ['linear', 'log'])
  checkLimits('figure', `${axis}Limits`, limits)
  const places = [...(limits ?? []), ...(ticks ? splitTicks(ticks).at : [])]
  checkFinite('figure', places, 'error')
  const bad = places.find((place) => place <= 0)
  if (scale === 'log' && bad !== undefined) {
    throw new PlotError('figure', `${axis}Limits and ${axis}Ticks above zero on a logarithmic axis`, String(bad))
  }
}

const checkLogMarks = (axis: 'x' | 'y', marks: readonly Mark[]): void => {
  const dense = marks.find((mark) => mark.kind === 'image' || (mark.kind === 'raster' && mark.size))
  if (dense) {
    throw new PlotError(
      'figure',
      `a linear ${axis} axis for ${dense.kind}`,
      'a logarithmic one',
      'its indices begin at 0',
    )
  }
  const values = marks.flatMap((mark) => rangeOf(mark, axis)).filter((value) => !Number.isNaN(value))
  if (values.length > 0 && values.every((value) => value <= 0)) {
    throw new PlotError('figure', `a ${axis} above zero on the logarithmic axis`, 'none', 'use a linear axis')
  }
}

/**
 * Lay figures out in rows.
 *
 * @throws PlotError for no figures, an unknown option, or a shared axis that is logarithmic in some panels only.
 * @example
 * ```ts
 * import { curve, figure, subplots } from '@fluxion/plot'
 * const panel = figure([curve([1, 2, 3])])
 * subplots([[panel, panel], [panel]], { title: 'three', shareX: true }).rows.length // => 2
 * ```
 */
export const subplots = (rows: readonly (readonly Figure[])[], options: SubplotsOptions = {}): Grid => {
  checkOptions('subplots', options, ['title', 'shareX', 'shareY'])
  if (rows.flat().length === 0) throw new PlotError('subplots', 'at least one figure', 'none')
  const columns = Array.from({ length: Math.max(...rows.map((row) => row.length)) }, (_, i) =>
    rows.flatMap((r) => r[i] ?? []),
  )
  if (options.shareX) for (const column of columns) checkSameScale('x', column)
  if (options.shareY) for (const row of rows) checkSameScale('y', row)
  return { kind: 'grid', rows, options }
}

const checkSameScale = (axis: 'x' | 'y', figures: readonly Figure[]): void => {
  const scales = figures.flatMap((f) => (f.kind === 'panel' ? (f.options[`${axis}Scale`] ?? 'linear') : []))
  if (new Set(scales).size > 1)
    throw new PlotError('subplots', `one scale along the shared ${axis} axis`, scales.join(', '))
}
