/** Reading at an index: by slicing where it is static, by one dynamic slice where single positions are traced, else by a gather. */
import type { NDArray } from '../../array.ts'
import { checkOptions } from '../../errors.ts'
import { dynamicSlice, gather } from '../../primitive/indexing.ts'
import * as lax from '../../primitive/movement.ts'
import { convert } from '../../primitive/elementwise.ts'
import { scalar } from '../../trace.ts'
import type { Index } from '../slice.ts'
import { type Parsed, type Part, parseIndex } from './parse.ts'
import { planOf } from './plan.ts'
import { type Promises, fromFront } from './positions.ts'

/** What happens at positions that do not exist, and what is promised of positions. */
export interface ScatterOptions extends Promises {
  /**
   * `clip` takes the nearest element instead; `fill` reads NaN there and `drop` writes nothing, and each does as the other where the
   * other is meant; `promiseInBounds` says that there are none. Reads clip by default, writes drop.
   */
  mode?: 'drop' | 'clip' | 'fill' | 'promiseInBounds'
}
export interface GetOptions extends ScatterOptions {
  /** What `fill` reads: NaN by default, of integers the smallest if they are signed, the largest if not. */
  fillValue?: number
}
export const scatterNames = ['mode', 'uniqueIndices', 'indicesAreSorted'] as const

/**
 * Read at an index, as NumPy does: positions drop their axis, ranges keep it, `null` makes an axis, `'...'` stands for the axes not
 * named, arrays of integers are read at all their elements, masks choose. Positions that do not exist are moved to the nearest.
 */
export function get(x: NDArray, ...index: readonly Index[]): NDArray {
  return read(x, index, {})
}

/** The same with options. */
export function read(x: NDArray, index: readonly Index[], options: GetOptions): NDArray {
  checkOptions('get', options, [...scatterNames, 'fillValue'])
  const parsed = parseIndex(index, x.shape)
  const { mode } = options
  if (mode === undefined || mode === 'clip' || mode === 'promiseInBounds') {
    if (parsed.parts.every((part) => part.kind !== 'array')) return readStatic(x, parsed.parts)
    if (parsed.parts.every(isDynamic)) return readWindow(x, parsed.parts)
  }
  const plan = planOf(parsed)
  const y = parsed.inserted.length === 0 ? x : lax.expandDims(x, parsed.inserted)
  if (plan.shape.includes(0)) return lax.full(plan.shape, 0, x.dtype, x.weakType)
  const { indices, dimensionNumbers, sliceSizes } = plan
  const gathered =
    indices.size === 0
      ? y
      : gather(y, indices, {
          dimensionNumbers,
          sliceSizes,
          mode: mode ?? 'promiseInBounds',
          fillValue: options.fillValue ?? null,
          uniqueIndices: plan.regular || options.uniqueIndices === true,
          indicesAreSorted: plan.regular || options.indicesAreSorted === true,
        })
  return withNewAxes(plan.reversed.length === 0 ? gathered : lax.rev(gathered, plan.reversed), plan.newAxes)
}

const withNewAxes = (x: NDArray, axes: readonly number[]): NDArray => (axes.length === 0 ? x : lax.expandDims(x, axes))
const isDynamic = (part: Part): boolean =>
  part.kind === 'array' ? part.indices.ndim === 0 : part.kind !== 'range' || Math.abs(part.positions.step) === 1

/** Where single positions drop their axis, ranges run backwards, and axes are new. */
function tidied(x: NDArray, parts: Parsed['parts']): NDArray {
  const axes = parts.filter((part) => part.kind !== 'newaxis')
  const backwards = axes.flatMap((part) => (part.kind === 'range' && part.positions.step < 0 ? [part.axis] : []))
  const dropped = axes.flatMap((part) => (part.kind === 'range' ? [] : [part.axis]))
  const kept = parts.filter((part) => part.kind === 'newaxis' || part.kind === 'range')
  const made = kept.flatMap((part, i) => (part.kind === 'newaxis' ? [i] : []))
  const ordered = backwards.length === 0 ? x : lax.rev(x, backwards)
  return withNewAxes(lax.squeeze(ordered, dropped), made)
}

function readStatic(x: NDArray, parts: Parsed['parts']): NDArray {
  const ends = parts.flatMap((part): [start: number, limit: number, stride: number][] => {
    if (part.kind === 'newaxis') return []
    if (part.kind === 'range') {
      const { start, step, count } = part.positions
      const last = start + step * (count - 1)
      // with no positions, a range may begin behind the last element
      if (count === 0) return [[0, 0, 1]]
      return [
        [
          Math.min(start, last),
          step > 0 ? Math.min(start + step * count, x.shape[part.axis]!) : start + 1,
          Math.abs(step),
        ],
      ]
    }
    const inside = Math.max(0, Math.min((part as { index: number }).index, x.shape[part.axis]! - 1))
    return [[inside, inside + 1, 1]]
  })
  const whole = ends.every(([start, limit, stride], axis) => start === 0 && limit === x.shape[axis] && stride === 1)
  const strides = ends.map(([, , stride]) => stride)
  const sliced = lax.slice(
    x,
    ends.map(([start]) => start),
    ends.map(([, limit]) => limit),
    ...(strides.every((stride) => stride === 1) ? [] : [strides]),
  )
  return tidied(whole ? x : sliced, parts)
}

/** A window whose start is traced, along axes that it extends over or has one element of. */
function readWindow(x: NDArray, parts: Parsed['parts']): NDArray {
  const axes = parts.filter((part) => part.kind !== 'newaxis')
  const starts = axes.map((part) => {
    if (part.kind === 'array') return convert(fromFront(part.indices, x.shape[part.axis]!), 'int32')
    if (part.kind === 'position') return scalar(part.index, 'int32')
    const { start, step, count } = part.positions
    return scalar(step > 0 ? start : start - count + 1, 'int32')
  })
  const sizes = axes.map((part) => (part.kind === 'range' ? part.positions.count : 1))
  return tidied(dynamicSlice(x, starts, sizes), parts)
}
