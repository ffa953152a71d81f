/** Slices at dynamic starts, read and replaced; starts are clamped so that the window lies inside. */
import type { Shape } from '@fluxion/core'
import { bitcast, constant, i32, isConst, max, min, select } from '../../loops/build.ts'
import { indexAdd, indexMul } from '../../loops/indices.ts'
import type { Expr } from '../../loops/ir.ts'
import type { MapRow, Operand, Rows } from '../lowering.ts'
import { all, within } from './slicing.ts'

/** An integer of any dtype as an index of 0 … last. */
export function clampedIndex(x: Expr, last: number): Expr {
  if (last <= 0) return i32(0)
  if (isConst(x)) return i32(Math.max(0, Math.min(x.value, last)))
  if (x.type === 'u32') return bitcast('i32', min(x, constant('u32', last)))
  return max(min(x, i32(last)), i32(0))
}
const startsOf = (starts: readonly Operand[], shape: Shape, sizes: Shape): Expr[] =>
  starts.map((start, axis) => clampedIndex(start.at([]), shape[axis]! - sizes[axis]!))

interface DynamicSliceParams {
  readonly sliceSizes: Shape
}
const dynamicSlice: MapRow<DynamicSliceParams> = {
  kind: 'map',
  at([x, ...starts], { sliceSizes }, outs, index) {
    const from = startsOf(starts, x!.aval.shape, sliceSizes)
    return x!.at(index.map((at, axis) => indexAdd(at, from[axis]!)))
  },
}

const dynamicUpdateSlice: MapRow<object> = {
  kind: 'map',
  at([x, update, ...starts], _, outs, index) {
    const { shape } = update!.aval
    if (shape.includes(0)) return x!.at(index)
    const from = startsOf(starts, x!.aval.shape, shape)
    const places = index.map((at, axis) =>
      shape[axis] === x!.aval.shape[axis]
        ? within(at, shape[axis]!)
        : within(indexAdd(at, indexMul(from[axis]!, -1)), shape[axis]!),
    )
    return select(all(places.map(({ inside }) => inside)), update!.at(places.map(({ at }) => at)), x!.at(index))
  },
}

export const indexingRows: Rows = { dynamic_slice: dynamicSlice, dynamic_update_slice: dynamicUpdateSlice }
