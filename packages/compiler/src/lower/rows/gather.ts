/** Gather: windows at places that an array of index vectors lists. */
import { type DType, type Shape, isFloat } from '@fluxion/core'
import { and, constant, ge, i32, le, narrow, scalarType, select, truth } from '../../loops/build.ts'
import { indexAdd } from '../../loops/indices.ts'
import type { Expr } from '../../loops/ir.ts'
import type { MapRow, Rows } from '../lowering.ts'
import { clampedIndex } from './indexing.ts'
import { all } from './slicing.ts'

interface Numbers {
  readonly offsetDims: readonly number[]
  readonly collapsedSliceDims: readonly number[]
  readonly startIndexMap: readonly number[]
  readonly operandBatchingDims: readonly number[]
  readonly startIndicesBatchingDims: readonly number[]
}
interface GatherParams {
  readonly dimensionNumbers: Numbers
  readonly sliceSizes: Shape
  readonly mode: 'clip' | 'fill' | 'drop' | 'promiseInBounds'
  readonly fillValue: number | null
}

/** Whether an integer of any dtype is an index of 0 … last. */
export const isIndex = (x: Expr, last: number): Expr =>
  x.type === 'u32' ? le(x, constant('u32', Math.max(0, last))) : and(ge(x, i32(0)), le(x, i32(last)))
/** What a number becomes that is stored in the dtype. */
function stored(value: number, dtype: DType): Expr {
  if (dtype === 'bool') return truth(value !== 0)
  const type = scalarType(dtype)
  return narrow(dtype, constant(type, isFloat(dtype) ? value : type === 'u32' ? value >>> 0 : value | 0))
}

const gather: MapRow<GatherParams> = {
  kind: 'map',
  at([x, indices], { dimensionNumbers, sliceSizes, mode, fillValue }, outs, index) {
    const { offsetDims, collapsedSliceDims, startIndexMap, operandBatchingDims, startIndicesBatchingDims } =
      dimensionNumbers
    const { shape, dtype } = x!.aval
    const batch = index.filter((_, axis) => !offsetDims.includes(axis))
    const conditions: Expr[] = []
    let window = 0
    const place = shape.map((size, axis) => {
      const inStep = operandBatchingDims.indexOf(axis)
      if (inStep >= 0) return batch[startIndicesBatchingDims[inStep]!]!
      const inWindow = collapsedSliceDims.includes(axis) ? i32(0) : index[offsetDims[window++]!]!
      const entry = startIndexMap.indexOf(axis)
      if (entry < 0) return inWindow
      const start = indices!.at([...batch, i32(entry)])
      const last = size - sliceSizes[axis]!
      conditions.push(isIndex(start, last))
      return indexAdd(clampedIndex(start, last), inWindow)
    })
    const element = x!.at(place)
    if (mode === 'clip' || mode === 'promiseInBounds') return element
    return select(all(conditions), element, stored(fillValue!, dtype))
  },
}

export const gatherRows: Rows = { gather }
