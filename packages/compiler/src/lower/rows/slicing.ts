/** Cutting and joining: static slices, padding, concatenation, splitting. Where a select discards an element, it is one in bounds all the same. */
import { and, eq, ge, i32, le, lt, max, min, select, store, truth, variable } from '../../loops/build.ts'
import { flatIndex, indexAdd, indexDiv, indexMod, indexMul, indexRange } from '../../loops/indices.ts'
import { type Expr, LoopVar } from '../../loops/ir.ts'
import type { KernelRow, MapRow, Rows } from '../lowering.ts'

/** An index that may lie outside 0 … size − 1: moved inside, and whether it lay there; what is known beforehand costs nothing. */
export function within(index: Expr, size: number): { readonly at: Expr; readonly inside: Expr } {
  const [low, high] = indexRange(index)
  const [below, above] = [low < 0, high >= size]
  const notBelow = below ? max(index, i32(0)) : index
  return {
    at: above ? min(notBelow, i32(size - 1)) : notBelow,
    inside: and(below ? ge(index, i32(0)) : truth(true), above ? le(index, i32(size - 1)) : truth(true)),
  }
}
export const all = (conditions: readonly Expr[]): Expr => conditions.reduce(and, truth(true))

interface SliceParams {
  readonly startIndices: readonly number[]
  readonly strides: readonly number[] | null
}
const slice: MapRow<SliceParams> = {
  kind: 'map',
  at: ([x], { startIndices, strides }, outs, index) =>
    x!.at(index.map((at, axis) => indexAdd(indexMul(at, strides?.[axis] ?? 1), startIndices[axis]!))),
}

interface PadParams {
  readonly paddingConfig: readonly (readonly [low: number, high: number, interior: number])[]
}
const pad: MapRow<PadParams> = {
  kind: 'map',
  at([x, value], { paddingConfig }, outs, index) {
    const { shape } = x!.aval
    if (shape.includes(0)) return value!.at([])
    const places = index.map((at, axis) => {
      const [low, , interior] = paddingConfig[axis]!
      const place = indexAdd(at, -low)
      const { at: inner, inside } = within(indexDiv(place, interior + 1), shape[axis]!)
      return { at: inner, inside: and(inside, eq(indexMod(place, interior + 1), i32(0))) }
    })
    return select(all(places.map(({ inside }) => inside)), x!.at(places.map(({ at }) => at)), value!.at([]))
  },
}

interface ConcatenateParams {
  readonly dimension: number
}
const replaced = (index: readonly Expr[], axis: number, at: Expr): Expr[] =>
  index.map((other, i) => (i === axis ? at : other))
/** A chain of selects, which computes an element of every operand: for a few operands. */
const concatenate: MapRow<ConcatenateParams> = {
  kind: 'map',
  at(operands, { dimension }, outs, index) {
    const at = index[dimension]!
    let start = 0
    const parts = operands
      .map((operand) => {
        const size = operand.aval.shape[dimension]!
        start += size
        return { operand, size, start: start - size, end: start }
      })
      .filter(({ size }) => size > 0)
    // nobody reads an element of a result without any
    if (parts.length === 0) return operands[0]!.at(index)
    return parts
      .map(({ operand, size, start: from, end }) => ({
        end,
        element: operand.at(replaced(index, dimension, within(indexAdd(at, -from), size).at)),
      }))
      .reduceRight<Expr | undefined>(
        (later, { end, element }) => (later === undefined ? element : select(lt(at, i32(end)), element, later)),
        undefined,
      )!
  },
}
/** A nest for each operand: for many operands. */
export const concatenateByParts: KernelRow<ConcatenateParams> = {
  kind: 'kernels',
  emit(build, operands, { dimension }, [out], [outAval]) {
    let start = 0
    for (const { aval, at } of operands) {
      const grid = aval.shape.map((size, axis) => new LoopVar(`i${axis}`, size))
      const index = grid.map(variable)
      const to = replaced(index, dimension, indexAdd(index[dimension]!, start))
      build.nest('concatenate', grid, [store(out!, flatIndex(to, outAval!.shape), at(index))])
      start += aval.shape[dimension]!
    }
  },
}

interface SplitParams {
  readonly sizes: readonly number[]
  readonly axis: number
}
const split: MapRow<SplitParams> = {
  kind: 'map',
  at([x], { sizes, axis }, outs, index, result) {
    const start = sizes.slice(0, result).reduce((a, b) => a + b, 0)
    return x!.at(replaced(index, axis, indexAdd(index[axis]!, start)))
  },
}

export const slicingRows: Rows = { slice, pad, concatenate, split }
