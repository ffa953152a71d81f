// Figures as plain data, drawn as SVG: works in Node and in a page. Files and PNG are in `@fluxion/plot/node`.
export type { Ticks } from './axis.ts'
export { type ColorMap, colorMaps, palette } from './colors.ts'
export { confusionFigure, confusionMatrix, type ConfusionOptions } from './confusion.ts'
export type { ArrayData, Data, NestedData, NumericTypedArray } from './data.ts'
export { PlotError } from './errors.ts'
export {
  type Figure,
  figure,
  type FigureOptions,
  type Grid,
  type LegendPlace,
  type Panel,
  subplots,
  type SubplotsOptions,
} from './figure.ts'
export {
  type Curve,
  curve,
  type CurveOptions,
  curves,
  type Histogram,
  histogram,
  horizontalLine,
  type Image,
  image,
  type ImageOptions,
  type Mark,
  type Raster,
  raster,
  type RasterOptions,
  type Rule,
  type SeriesOptions,
  verticalLine,
} from './marks.ts'
export { toElement, toSvg } from './render.ts'
