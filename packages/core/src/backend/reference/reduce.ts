/** Reductions of host arrays along any axes: each output element is folded in a register or, along leading axes, row by row. */
import { isFloat } from '../../dtype.ts'
import { type Shape, sizeOf, without } from '../../shape.ts'
import type { HostArray, TypedArray } from '../interface.ts'
import { allocate, roundTo } from './host.ts'

/** One way to fold: where it starts, how it runs along contiguous elements into one, and across them into as many. */
export interface Fold {
  readonly initial: number
  /** The fold of `start` and `data[from … from + size]`. */
  readonly along: (start: number, data: TypedArray, from: number, size: number) => number
  /** out[to + i] = the fold of itself and data[from + i]. */
  readonly across: (out: TypedArray, to: number, data: TypedArray, from: number, size: number) => void
}

export const folding = (initial: number, step: (accumulated: number, x: number) => number): Fold => ({
  initial,
  along(start, data, from, size) {
    let result = start
    for (let i = from; i < from + size; i++) result = step(result, data[i]!)
    return result
  },
  across(out, to, data, from, size) {
    for (let i = 0; i < size; i++) out[to + i] = step(out[to + i]!, data[from + i]!)
  },
})

/** The sum of floats, written out since training spends its time here: a call for each element would cost more than the sum. */
export const floatSum: Fold = {
  initial: 0,
  along(start, data, from, size) {
    let sum = start
    for (let i = from; i < from + size; i++) sum += data[i]!
    return sum
  },
  across(out, to, data, from, size) {
    for (let i = 0; i < size; i++) out[to + i]! += data[from + i]!
  },
}

/** Adjacent axes that are both kept or both reduced, as one: sizes, and whether they are reduced. */
function runsOf(shape: Shape, axes: readonly number[]): { size: number; reduced: boolean }[] {
  const runs: { size: number; reduced: boolean }[] = []
  shape.forEach((size, axis) => {
    const reduced = axes.includes(axis)
    const last = runs.at(-1)
    if (last?.reduced === reduced) last.size *= size
    else runs.push({ size, reduced })
  })
  return runs
}

/**
 * Fold the elements along `axes`. Floats accumulate in float64, so that their sum is rounded once; integers in their own dtype, where
 * they wrap.
 */
export function reduceHost(x: HostArray, axes: readonly number[], fold: Fold): HostArray {
  const shape = without(x.shape, axes)
  const size = sizeOf(shape)
  const accumulated: TypedArray = isFloat(x.dtype) ? new Float64Array(size) : allocate(x.dtype, size)
  accumulated.fill(fold.initial)
  if (x.data.length > 0) foldInto(accumulated, x.data, runsOf(x.shape, axes), fold)
  const data = allocate(x.dtype, size)
  data.set(accumulated)
  return { shape, dtype: x.dtype, data: roundTo(x.dtype, data) }
}

function foldInto(
  out: TypedArray,
  data: TypedArray,
  runs: readonly { size: number; reduced: boolean }[],
  fold: Fold,
): void {
  let from = 0
  const walk = (axis: number, to: number, stride: number): void => {
    const { size, reduced } = runs[axis]!
    if (axis === runs.length - 1) {
      if (reduced) out[to] = fold.along(out[to]!, data, from, size)
      else fold.across(out, to, data, from, size)
      from += size
      return
    }
    const inner = reduced ? stride : stride / size
    for (let i = 0; i < size; i++) walk(axis + 1, reduced ? to : to + i * inner, inner)
  }
  if (runs.length === 0) fold.across(out, 0, data, 0, 1)
  else walk(0, 0, out.length)
}
