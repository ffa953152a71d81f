/** Operations that only move elements: the operand's coordinates as linear forms of the result's; and iota. */
import type { DType, Shape } from '@fluxion/core'
import { i32 } from '../../loops/build.ts'
import { flatIndex, indexAdd, indexMul, unflatten } from '../../loops/indices.ts'
import type { Expr } from '../../loops/ir.ts'
import type { MapRow, Rows } from '../lowering.ts'
import { converted } from './elementwise/convert.ts'

/** The result's element is that of the one operand at other coordinates. */
const movedRow = <P extends object>(
  from: (index: readonly Expr[], shape: Shape, params: P, out: Shape) => readonly Expr[],
): MapRow<P> => ({
  kind: 'map',
  at: ([x], params, [out], index) => x!.at(from(index, x!.aval.shape, params, out!.shape)),
})

interface BroadcastParams {
  readonly broadcastDimensions: readonly number[]
}
const broadcastInDim = movedRow<BroadcastParams>((index, shape, { broadcastDimensions }) =>
  shape.map((size, axis) => (size === 1 ? i32(0) : index[broadcastDimensions[axis]!]!)),
)

/**
 * Coordinates in `to` of the element at `index` in `from`, of equally many elements. Axes are matched in groups whose products agree, and only
 * within a group are places taken apart: what is not reshaped stays as it is.
 */
export function reshapedIndex(index: readonly Expr[], from: Shape, to: Shape): Expr[] {
  const result: Expr[] = []
  let i = 0
  while (i < from.length || result.length < to.length) {
    const [start, first] = [i, result.length]
    let end = first
    let [size, wanted] = [from[i++] ?? 1, to[end++] ?? 1]
    while (size !== wanted) {
      if (size < wanted) size *= from[i++]!
      else wanted *= to[end++]!
    }
    // ones at the end of either side belong to the last group
    const group = from.slice(start, i)
    result.push(...unflatten(flatIndex(index.slice(start, i), group), to.slice(first, end)))
  }
  return result
}
const reshape = movedRow((index, shape, _, out) =>
  out.includes(0) ? shape.map(() => i32(0)) : reshapedIndex(index, out, shape),
)

interface TransposeParams {
  readonly permutation: readonly number[]
}
const transpose = movedRow<TransposeParams>((index, shape, { permutation }) =>
  shape.map((_, axis) => index[permutation.indexOf(axis)]!),
)

interface DimensionsParams {
  readonly dimensions: readonly number[]
}
const squeeze = movedRow<DimensionsParams>((index, shape, { dimensions }) => {
  let kept = 0
  return shape.map((_, axis) => (dimensions.includes(axis) ? i32(0) : index[kept++]!))
})
const rev = movedRow<DimensionsParams>((index, shape, { dimensions }) =>
  index.map((at, axis) => (dimensions.includes(axis) ? indexAdd(shape[axis]! - 1, indexMul(at, -1)) : at)),
)

interface IotaParams {
  readonly dtype: DType
  readonly dimension: number
}
const iota: MapRow<IotaParams> = {
  kind: 'map',
  at: (_, { dtype, dimension }, outs, index) => converted(index[dimension]!, 'int32', dtype),
}

export const movementRows: Rows = {
  broadcast_in_dim: broadcastInDim,
  reshape,
  transpose,
  squeeze,
  rev,
  iota,
}
