/**
 * An index as a gather: which windows of the array it reads, and in which order they stand in the result. A write scatters what this
 * gather would read.
 */
import type { NDArray } from '../../array.ts'
import { add, convert, mul } from '../../primitive/elementwise.ts'
import type { GatherDimensionNumbers } from '../../primitive/indexing.ts'
import { broadcastInDim, concatenate, expandDims, full, iota } from '../../primitive/movement.ts'
import { type Shape, range } from '../../shape.ts'
import { scalar } from '../../trace.ts'
import { broadcastAll } from '../promote.ts'
import type { Positions } from '../slice.ts'
import type { Parsed, Part } from './parse.ts'
import { fromFront } from './positions.ts'

export interface Plan {
  /** The shape of what is read, new axes included. */
  readonly shape: Shape
  /** Index vectors along the last axis. */
  readonly indices: NDArray
  readonly dimensionNumbers: GatherDimensionNumbers
  readonly sliceSizes: Shape
  /** Axes of the gathered array, before new axes, along which the index runs backwards. */
  readonly reversed: readonly number[]
  readonly newAxes: readonly number[]
  /** Whether no arrays are among the parts, so that every element is named once, and in order. */
  readonly regular: boolean
}

/** Entries of the index vectors for one axis: the axes of `values` stand from `at` on among those that list vectors. */
interface Entry {
  readonly axis: number
  readonly values: NDArray
  readonly at: number
}
type Named = Extract<Part, { kind: 'position' | 'array' }>
const isNamed = (part: Part): part is Named => part.kind === 'position' || part.kind === 'array'

export function planOf({ parts, shape, adjacent }: Parsed): Plan {
  // positions by themselves drop their axis; beside arrays they broadcast with them
  const advanced = parts.some((part) => part.kind === 'array' && part.indices.ndim > 0)
  const together = advanced ? parts.filter(isNamed) : []
  const place = adjacent ? parts.findIndex(isNamed) : 0
  const valuesOf = (part: Named): NDArray =>
    part.kind === 'position'
      ? scalar(part.index, 'int32')
      : convert(fromFront(part.indices, shape[part.axis]!), 'int32')

  const entries: Entry[] = []
  const batch: number[] = []
  const result: number[] = []
  const newAxes: number[] = []
  const reversed: number[] = []
  const offsetDims: number[] = []
  const sliceSizes = [...shape]
  // axes of the gathered array, which lacks new axes
  const gathered = () => result.length - newAxes.length
  const point = (axis: number, values: NDArray): void => {
    entries.push({ axis, values, at: batch.length })
    sliceSizes[axis] = 1
  }
  const collapsed: number[] = []

  parts.forEach((part, i) => {
    if (advanced && i === place) {
      const arrays = broadcastAll('index', ...together.map(valuesOf))
      together.forEach(({ axis }, k) => point(axis, arrays[k]!))
      batch.push(...arrays[0]!.shape)
      result.push(...arrays[0]!.shape)
    }
    if (part.kind === 'newaxis') {
      newAxes.push(result.length)
      result.push(1)
    } else if (part.kind === 'range') {
      const { start, step, count } = part.positions
      if (step === 1) {
        if (count !== shape[part.axis])
          entries.push({ axis: part.axis, values: scalar(start, 'int32'), at: batch.length })
        sliceSizes[part.axis] = count
        offsetDims.push(gathered())
      } else {
        if (step < 0) reversed.push(gathered())
        point(part.axis, rising(part.positions))
        collapsed.push(part.axis)
        batch.push(count)
      }
      result.push(count)
    } else {
      collapsed.push(part.axis)
      if (!advanced) point(part.axis, valuesOf(part))
    }
  })
  return {
    shape: result,
    indices: vectorsOf(entries, batch),
    dimensionNumbers: {
      offsetDims,
      collapsedSliceDims: collapsed.sort((a, b) => a - b),
      startIndexMap: entries.map(({ axis }) => axis),
    },
    sliceSizes,
    reversed,
    newAxes,
    regular: !advanced,
  }
}

/** The positions of a range in rising order. */
function rising({ start, step, count }: Positions): NDArray {
  const first = step > 0 ? start : start + step * (count - 1)
  const steps = mul(scalar(Math.abs(step), 'int32'), iota('int32', [count], 0))
  return add(scalar(first, 'int32'), steps)
}

/** Entries side by side as vectors, along a last axis. */
function vectorsOf(entries: readonly Entry[], batch: Shape): NDArray {
  const [first] = entries
  if (first === undefined) return full([0], 0, 'int32')
  if (entries.length === 1) return expandDims(first.values, [first.values.ndim])
  const shape = [...batch, 1]
  return concatenate(
    entries.map(({ values, at }) => broadcastInDim(values, shape, range(values.ndim, at))),
    batch.length,
  )
}
