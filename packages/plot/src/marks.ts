// The things that a panel can show, as plain data, and the functions that make and check them.
import { type ColorMap, colorMaps } from './colors.ts'
import {
  checkEqualLength,
  checkFinite,
  type Data,
  extent,
  isData,
  steps,
  toMatrix,
  toTensor,
  toVector,
} from './data.ts'
import { checkChoice, checkLimits, checkOptions, checkPositive, PlotError } from './errors.ts'

/** A line through points; where x or y is NaN there is a gap. */
export interface Curve {
  readonly kind: 'curve'
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly options: CurveOptions
}
/** A straight line across the whole panel. */
export interface Rule {
  readonly kind: 'rule'
  readonly axis: 'x' | 'y'
  readonly at: number
  readonly options: CurveOptions
}
/** Events as short vertical lines, one row a unit. */
export interface Raster {
  readonly kind: 'raster'
  readonly times: readonly number[]
  readonly units: readonly number[]
  /** Extent of the axes if it is known: steps and units of a dense array. */
  readonly size?: readonly [number, number]
  readonly options: RasterOptions
}
/** A matrix as colours, first row on top. */
export interface Image {
  readonly kind: 'image'
  readonly rows: number
  readonly columns: number
  readonly values: readonly number[]
  readonly options: ImageOptions
}
/** Bars over intervals. */
export interface Histogram {
  readonly kind: 'histogram'
  readonly edges: readonly number[]
  readonly heights: readonly number[]
  readonly options: SeriesOptions
}
/** Anything that a panel can show. */
export type Mark = Curve | Rule | Raster | Image | Histogram

export interface SeriesOptions {
  /** Name in the legend; without it the series is not in the legend. */
  readonly label?: string
  /** A CSS colour; by default the next one of `palette`. */
  readonly color?: string
}
export interface CurveOptions extends SeriesOptions {
  readonly dashed?: boolean
  /** Width of the line in pixels. */
  readonly width?: number
  /** Draw a dot at each point. */
  readonly markers?: boolean
}
export interface RasterOptions extends SeriesOptions {
  /** Height of an event's line, as a part of its row: 0.8 by default. */
  readonly height?: number
}
export interface ImageOptions {
  readonly colorMap?: ColorMap
  /** Values of the two ends of the colour map; by default the least and the greatest value. */
  readonly limits?: readonly [number, number]
  /** `auto` fills the panel, `equal` makes cells square. */
  readonly aspect?: 'auto' | 'equal'
  /** Whether the first row is on top (`upper`, the default) or at the bottom. */
  readonly origin?: 'upper' | 'lower'
  /** Draw a colour bar beside the panel: true by default. */
  readonly colorBar?: boolean
  /** Text beside the colour bar. */
  readonly label?: string
  /** Write each value into its cell: false by default. */
  readonly cellText?: boolean
}

const seriesKeys = ['label', 'color'] as const
const curveKeys = [...seriesKeys, 'dashed', 'width', 'markers'] as const

const checkCurve = (where: string, options: CurveOptions): void => {
  checkOptions(where, options, curveKeys)
  checkPositive(where, 'width', options.width)
}

/**
 * Make a curve of `y` over `x`, or over 0, 1, 2 … if only `y` is given.
 *
 * NaN leaves a gap, as does a value that is not positive on a logarithmic axis. A point with gaps on both sides is
 * drawn as a dot.
 *
 * @throws PlotError for unequal lengths, no values, an infinite value, or an unknown option.
 * @example
 * ```ts
 * import { curve } from '@fluxion/plot'
 * curve([0.9, 0.5, 0.3], { label: 'loss' }).x // => [0, 1, 2]
 * curve(new Float32Array([10, 20]), [1, NaN]).y // => [1, NaN]
 * ```
 */
export function curve(y: Data, options?: CurveOptions): Curve
export function curve(x: Data, y: Data, options?: CurveOptions): Curve
export function curve(first: Data, second?: Data | CurveOptions, third?: CurveOptions): Curve {
  const both = isData(second)
  const options = (both ? third : (second as CurveOptions | undefined)) ?? {}
  checkCurve('curve', options)
  const y = toVector('curve', both ? second : first)
  const x = both ? toVector('curve', first) : steps(y.length)
  checkEqualLength('curve', 'x and y', x, y)
  checkFinite('curve', x, 'gap')
  checkFinite('curve', y, 'gap')
  return { kind: 'curve', x, y, options }
}

/**
 * Make one curve for each column of a matrix, such as the membrane traces `[time, unit]` of a layer.
 *
 * @param matrix f32[time, curves]
 * @throws PlotError as for `curve`, and if `labels` has not one name for each column.
 * @example
 * ```ts
 * import { curves } from '@fluxion/plot'
 * curves([[1, 5], [2, 6]], { labels: ['a', 'b'] }).map((c) => c.y) // => [[1, 2], [5, 6]]
 * ```
 */
export const curves = (
  matrix: Data,
  options: { readonly x?: Data; readonly labels?: readonly string[] } = {},
): readonly Curve[] => {
  checkOptions('curves', options, ['x', 'labels'])
  const { shape, values } = toMatrix('curves', matrix)
  const [rows = 0, columns = 0] = shape
  if (options.labels) checkEqualLength('curves', 'labels and columns', options.labels, steps(columns))
  return steps(columns).map((column) => {
    const y = steps(rows).map((row) => values[row * columns + column] ?? NaN)
    const label = options.labels?.[column]
    return curve(options.x ?? steps(rows), y, label === undefined ? {} : { label })
  })
}

const rule = (where: string, axis: 'x' | 'y', at: number, options: CurveOptions): Rule => {
  checkCurve(where, options)
  checkFinite(where, [at], 'error')
  return { kind: 'rule', axis, at, options }
}

/**
 * Make a horizontal line across the panel, dashed and grey unless told otherwise.
 *
 * @throws PlotError for a place that is not finite, or an unknown option.
 * @example
 * ```ts
 * import { horizontalLine } from '@fluxion/plot'
 * horizontalLine(0.05, { label: 'chance' }).at // => 0.05
 * ```
 */
export const horizontalLine = (y: number, options: CurveOptions = {}): Rule => rule('horizontalLine', 'y', y, options)

/**
 * Make a vertical line across the panel, dashed and grey unless told otherwise.
 *
 * @throws PlotError for a place that is not finite, or an unknown option.
 * @example
 * ```ts
 * import { verticalLine } from '@fluxion/plot'
 * verticalLine(40, { label: 'end of the warm-up' }).axis // => 'x'
 * ```
 */
export const verticalLine = (x: number, options: CurveOptions = {}): Rule => rule('verticalLine', 'x', x, options)

/**
 * Make a raster of spikes from an array that is not zero where a unit fires, or from the times and units of events.
 *
 * @param spikes bool[time, unit], or the times f32[events] if `units` f32[events] follows
 * @throws PlotError for another rank, unequal lengths, a value that is not finite, or an unknown option. No event at all
 * is drawn as an empty panel: a silent network is a result too.
 * @example
 * ```ts
 * import { raster } from '@fluxion/plot'
 * raster([[0, 1], [0, 0], [1, 1]]).times // => [0, 2, 2]
 * raster([0.1, 0.25], [7, 3]).units // => [7, 3]
 * ```
 */
export function raster(spikes: Data, options?: RasterOptions): Raster
export function raster(times: Data, units: Data, options?: RasterOptions): Raster
export function raster(first: Data, second?: Data | RasterOptions, third?: RasterOptions): Raster {
  const listed = isData(second)
  const options = (listed ? third : (second as RasterOptions | undefined)) ?? {}
  checkOptions('raster', options, [...seriesKeys, 'height'])
  checkPositive('raster', 'height', options.height)
  if (listed) {
    const [times, units] = [toTensor('raster', first), toTensor('raster', second)]
    if (times.shape.length !== 1 || units.shape.length !== 1) {
      throw new PlotError(
        'raster',
        'vectors of times and units',
        `ranks ${times.shape.length} and ${units.shape.length}`,
      )
    }
    checkEqualLength('raster', 'times and units', times.values, units.values)
    checkFinite('raster', times.values, 'error')
    checkFinite('raster', units.values, 'error')
    return { kind: 'raster', times: times.values, units: units.values, options }
  }
  const { shape, values } = toMatrix('raster', first)
  checkFinite('raster', values, 'error')
  const [time = 0, count = 0] = shape
  const active = steps(values.length).filter((i) => values[i] !== 0)
  return {
    kind: 'raster',
    times: active.map((i) => Math.floor(i / count)),
    units: active.map((i) => i % count),
    size: [time, count],
    options,
  }
}

/**
 * Make a heat map of a matrix, with a colour bar.
 *
 * NaN is left transparent.
 *
 * @param matrix f32[rows, columns]
 * @throws PlotError for another rank, no values, an infinite value, or an unknown option.
 * @example
 * ```ts
 * import { image } from '@fluxion/plot'
 * image([[0, 1, 2], [3, 4, 5]], { colorMap: 'magma' }).columns // => 3
 * ```
 */
export const image = (matrix: Data, options: ImageOptions = {}): Image => {
  checkOptions('image', options, ['colorMap', 'limits', 'aspect', 'origin', 'colorBar', 'label', 'cellText'])
  checkChoice('image', 'colorMap', options.colorMap, colorMaps)
  checkChoice('image', 'aspect', options.aspect, ['auto', 'equal'])
  checkChoice('image', 'origin', options.origin, ['upper', 'lower'])
  checkLimits('image', 'limits', options.limits)
  const { shape, values } = toMatrix('image', matrix)
  checkFinite('image', values, 'gap')
  return { kind: 'image', rows: shape[0] ?? 0, columns: shape[1] ?? 0, values, options }
}

/**
 * Make a histogram: how many values lie in each interval, the last of which includes its right edge.
 *
 * With `density` the bars' areas sum to one.
 *
 * @param values f32[n]
 * @throws PlotError for no values, a value that is not finite, bins that are not a positive whole number or increasing
 * edges, or an unknown option.
 * @example
 * ```ts
 * import { histogram } from '@fluxion/plot'
 * histogram([1, 2, 2, 4], { bins: 3 }).heights // => [1, 2, 1]
 * histogram([1, 2, 2, 4], { bins: [0, 2, 4] }).heights // => [1, 3]
 * ```
 */
export const histogram = (
  values: Data,
  options: SeriesOptions & { readonly bins?: number | readonly number[]; readonly density?: boolean } = {},
): Histogram => {
  checkOptions('histogram', options, [...seriesKeys, 'bins', 'density'])
  const { bins = 10, density = false, ...series } = options
  const data = toVector('histogram', values)
  checkFinite('histogram', data, 'error')
  const edges = typeof bins === 'number' ? evenEdges(data, bins) : bins
  const increasing = edges.every((edge, i) => Number.isFinite(edge) && (i === 0 || edge > edges[i - 1]!))
  if (edges.length < 2 || !increasing) {
    throw new PlotError(
      'histogram',
      'bins to be a whole number above zero or increasing edges',
      `[${edges.join(', ')}]`,
    )
  }
  const counts = steps(edges.length - 1).map(() => 0)
  const last = edges.length - 1
  for (const value of data) {
    if (value < edges[0]! || value > edges[last]!) continue
    const above = edges.findIndex((edge) => edge > value)
    const bin = above < 0 ? last - 1 : above - 1
    counts[bin]! += 1
  }
  const total = counts.reduce((sum, count) => sum + count, 0)
  const area = (bin: number): number => (edges[bin + 1]! - edges[bin]!) * Math.max(total, 1)
  const heights = density ? counts.map((count, bin) => count / area(bin)) : counts
  return { kind: 'histogram', edges, heights, options: series }
}

const evenEdges = (data: readonly number[], bins: number): readonly number[] => {
  if (!Number.isInteger(bins) || bins < 1) {
    throw new PlotError('histogram', 'bins to be a whole number above zero or increasing edges', String(bins))
  }
  const [least, most] = extent(data)
  // One value only has no width of its own: give it a unit interval around itself, as numpy.histogram does.
  const [low, high] = least === most ? [least - 0.5, most + 0.5] : [least, most]
  return steps(bins + 1).map((i) => (i === bins ? high : low + ((high - low) * i) / bins))
}
