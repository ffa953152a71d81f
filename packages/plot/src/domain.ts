// The part of the numbers that an axis of a panel shows.
import { type AxisPlan, padDomain } from './axis.ts'
import { extent } from './data.ts'
import type { Panel } from './figure.ts'
import type { Mark } from './marks.ts'

/** Domains that a grid forces on its panels. */
export interface SharedDomains {
  readonly x?: readonly [number, number]
  readonly y?: readonly [number, number]
}

/** The values that a mark spans along an axis. */
export const rangeOf = (mark: Mark, axis: 'x' | 'y'): readonly number[] => {
  switch (mark.kind) {
    case 'curve':
      return mark[axis]
    case 'rule':
      return mark.axis === axis ? [mark.at] : []
    case 'raster':
      if (mark.size) return [-0.5, mark.size[axis === 'x' ? 0 : 1] - 0.5]
      return axis === 'x' ? mark.times : mark.units.flatMap((unit) => [unit - 0.5, unit + 0.5])
    case 'image':
      return [-0.5, (axis === 'x' ? mark.columns : mark.rows) - 0.5]
    case 'histogram':
      return axis === 'x' ? mark.edges : [0, ...mark.heights]
  }
}

/** The part of an axis that a panel's data take up, before any limits of a grid. */
export const dataDomain = ({ marks, options }: Panel, axis: 'x' | 'y'): readonly [number, number] => {
  const limits = options[`${axis}Limits`]
  if (limits) return limits
  const log = options[`${axis}Scale`] === 'log'
  const values = marks.flatMap((mark) => rangeOf(mark, axis)).filter((value) => !log || value > 0)
  // Cells and rows reach exactly to the frame, and bars stand on it.
  const exact = marks.every((mark) => mark.kind === 'image' || (mark.kind === 'raster' && mark.size))
  if (exact && !log) return extent(values)
  const [low, high] = padDomain(extent(values), log, axis === 'x' ? 0.02 : 0.05)
  const onFloor = axis === 'y' && !log && marks.some((mark) => mark.kind === 'histogram') && low < 0
  return [onFloor && extent(values)[0] >= 0 ? 0 : low, high]
}

/** Decide scale, domain and kind of ticks of a panel's axis. */
export const planAxis = (panel: Panel, axis: 'x' | 'y', shared: SharedDomains): AxisPlan => {
  const { marks, options } = panel
  const data = marks.filter((mark) => mark.kind !== 'rule')
  const [low, high] = shared[axis] ?? dataDomain(panel, axis)
  const wholeValues = (mark: Mark): boolean =>
    mark.kind === 'image' ||
    (mark.kind === 'raster' && mark.size !== undefined) ||
    (mark.kind === 'curve' && mark[axis].every(Number.isInteger))
  return {
    log: options[`${axis}Scale`] === 'log',
    domain: [low, high],
    // Without at least two whole numbers in sight, ticks at whole numbers alone would not show a scale.
    whole: data.length > 0 && data.every(wholeValues) && (axis === 'x' || Math.floor(high) > Math.ceil(low)),
    ticks: options[`${axis}Ticks`],
  }
}
