/** Sorting of several arrays by the first of them, and the largest elements. */
import type { Shape } from '@fluxion/core'
import { load, variable } from '../../../loops/build.ts'
import { flatIndex } from '../../../loops/indices.ts'
import { type Expr, LoopVar } from '../../../loops/ir.ts'
import type { KernelBuilder, KernelRow, Operand, Rows } from '../../lowering.ts'
import type { Lines } from './lines.ts'
import { ascending, descending } from './order.ts'
import { sortLines } from './sortLines.ts'

/** Lines along an axis of arrays of this shape, of which the results keep so many elements. */
function linesAlong(
  shape: Shape,
  axis: number,
  kept: number,
): Pick<Lines, 'grid' | 'length' | 'kept' | 'place' | 'isContiguous'> & {
  readonly index: (number: Expr) => Expr[]
} {
  const loops = shape.map((size, i) => new LoopVar(`i${i}`, size))
  const index = (number: Expr): Expr[] => loops.map(variable).with(axis, number)
  return {
    grid: loops.toSpliced(axis, 1),
    length: shape[axis]!,
    kept,
    index,
    place: (number) => flatIndex(index(number), shape.with(axis, kept)),
    isContiguous: shape.slice(axis + 1).every((size) => size === 1),
  }
}
/** Elements of an operand: where all points read many of them, from memory. */
function reader(build: KernelBuilder, operand: Operand): (index: readonly Expr[]) => Expr {
  if (!build.target.parallel) return operand.at
  const buffer = build.buffer(operand)
  return (index) => load(buffer, flatIndex(index, operand.aval.shape))
}

interface SortParams {
  readonly dimension: number
  readonly numKeys: number
}
const sort: KernelRow<SortParams> = {
  kind: 'kernels',
  emit(build, operands, { dimension, numKeys }, outs) {
    const { shape } = operands[0]!.aval
    if (shape.includes(0)) return
    const { index, ...lines } = linesAlong(shape, dimension, shape[dimension]!)
    const columns = operands.map((operand, i) => {
      const at = reader(build, operand)
      return { dtype: operand.aval.dtype, out: outs[i]!, read: (number: Expr) => at(index(number)) }
    })
    sortLines(build, { name: 'sort', ...lines, columns, after: ascending(numKeys, build.target) })
  },
}

interface TopKParams {
  readonly axis: number
  readonly k: number
}
const topK: KernelRow<TopKParams> = {
  kind: 'kernels',
  emit(build, [x], { axis, k }, [values, indices]) {
    const { shape, dtype } = x!.aval
    if (k === 0 || shape.includes(0)) return
    const { index, ...lines } = linesAlong(shape, axis, k)
    const at = reader(build, x!)
    const columns = [
      { dtype, out: values!, read: (number: Expr) => at(index(number)) },
      { dtype: 'int32' as const, out: indices!, read: (number: Expr) => number },
    ]
    sortLines(build, { name: 'top_k', ...lines, columns, after: descending(build.target) })
  },
}

export const sortRows: Rows = { sort, top_k: topK }
