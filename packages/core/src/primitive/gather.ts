/** Gather: windows of one size, read at places that an array of index vectors lists. */
import type { NDArray } from '../array.ts'
import { bitsOf, planCopy } from '../backend/reference/copy.ts'
import { hostZeros } from '../backend/reference/host.ts'
import { type DType, dtypes, isFloat } from '../dtype.ts'
import { aval } from '../ir/aval.ts'
import type { Shape } from '../shape.ts'
import { bind1 } from '../trace.ts'
import { cut, keepsSums } from './axes.ts'
import { type BatchDim, type Factor, type Primitive, Zero, definePrimitive } from './define.ts'
import {
  type IndexMode,
  type Names,
  type Numbers,
  alignedDims,
  batchNumbers,
  checkMode,
  gatheredShape,
  showMode,
  windowsOf,
} from './gatherNumbers.ts'
import { full, moveAxis } from './movement.ts'
import { batched, isZero } from './rules.ts'
import { scatterAdd } from './scatter.ts'

/** JAX's `GatherDimensionNumbers`; index vectors lie along the last axis of the indices. */
export interface GatherDimensionNumbers extends Pick<Numbers, 'offsetDims' | 'collapsedSliceDims' | 'startIndexMap'> {
  readonly operandBatchingDims?: readonly number[]
  readonly startIndicesBatchingDims?: readonly number[]
}
export interface GatherOptions {
  readonly dimensionNumbers: GatherDimensionNumbers
  readonly sliceSizes: Shape
  readonly mode?: IndexMode
  /** What mode `fill` gives outside: NaN by default; of integers the smallest if signed, the largest if not. */
  readonly fillValue?: number | null
  readonly uniqueIndices?: boolean
  readonly indicesAreSorted?: boolean
}
interface GatherParams {
  readonly dimensionNumbers: Numbers
  readonly sliceSizes: Shape
  readonly mode: IndexMode
  readonly fillValue: number | null
  readonly uniqueIndices: boolean
  readonly indicesAreSorted: boolean
}

const names: Names = {
  offsetDims: 'offsetDims',
  collapsedSliceDims: 'collapsedSliceDims',
  startIndexMap: 'startIndexMap',
  operandBatchingDims: 'operandBatchingDims',
  startIndicesBatchingDims: 'startIndicesBatchingDims',
}
const tuple = (axes: readonly number[]): string => `(${axes.join(', ')}${axes.length === 1 ? ',' : ''})`
/** Dimension numbers as JAX prints them: a call with the fields in the given order. */
export const showNumbers = (name: string, fields: Readonly<Record<string, readonly number[]>>): string => {
  const snake = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return `${name}(${Object.entries(fields)
    .map(([field, axes]) => `${snake(field)}=${tuple(axes)}`)
    .join(', ')})`
}

const fills = (mode: IndexMode): boolean => mode === 'fill' || mode === 'drop'
const defaultFill = (dtype: DType): number => {
  const { kind, min, max } = dtypes[dtype]
  return isFloat(dtype) ? NaN : kind === 'signed' ? min : max
}

/** The batch rule, which dynamic slices share. */
export function batchGather(
  [x, indices]: readonly [NDArray, NDArray],
  [dim, indexDim]: readonly [BatchDim, BatchDim],
  params: GatherParams,
): [NDArray[], BatchDim[]] {
  const operand = dim === null ? x : moveAxis(x, dim, 0)
  const vectors = indexDim === null ? indices : moveAxis(indices, indexDim, 0)
  const size = batched(indexDim) ? Math.min(1, operand.shape[0]) : operand.shape[0]
  const next = {
    ...params,
    dimensionNumbers: batchNumbers(params.dimensionNumbers, batched(dim), batched(indexDim)),
    sliceSizes: dim === null ? params.sliceSizes : [size, ...params.sliceSizes],
    // Index vectors of several batch elements into one operand may repeat, in any order.
    ...(dim === null ? { uniqueIndices: false, indicesAreSorted: false } : {}),
  }
  return [[bind1(gatherPrimitive, [operand, vectors], next)], [0]]
}

const gatherPrimitive: Primitive<GatherParams> = definePrimitive({
  name: 'gather',
  type([x, indices], { dimensionNumbers, sliceSizes }) {
    return [aval(gatheredShape('gather', x!, indices!, dimensionNumbers, sliceSizes, names), x!.dtype, x!.weakType)]
  },
  jvp([x, indices], tangents, params) {
    const out = gather(x!, indices!, params)
    const t = tangents[0]!
    return [
      [out],
      [isZero(t) ? new Zero(out.aval) : gather(t, indices!, { ...params, fillValue: fills(params.mode) ? 0 : null })],
    ]
  },
  transpose(cts, [x, indices], { dimensionNumbers, mode, uniqueIndices, indicesAreSorted }) {
    const ct = cts[0]!
    if (isZero(ct)) return [new Zero(x!.aval), null]
    const numbers = {
      updateWindowDims: dimensionNumbers.offsetDims,
      insertedWindowDims: dimensionNumbers.collapsedSliceDims,
      scatterDimsToOperandDims: dimensionNumbers.startIndexMap,
      operandBatchingDims: dimensionNumbers.operandBatchingDims,
      scatterIndicesBatchingDims: dimensionNumbers.startIndicesBatchingDims,
    }
    const options = { dimensionNumbers: numbers, mode, uniqueIndices, indicesAreSorted }
    return [scatterAdd(full(x!.aval.shape, 0, ct.dtype), indices as NDArray, ct, options), null]
  },
  batch: ([x, indices], [dim, indexDim], params) => batchGather([x!, indices!], [dim!, indexDim!], params),
  axes: ([x, indices], params) => [
    ...alignedDims(x!.shape, indices!.shape.length, params.dimensionNumbers, params.sliceSizes).map(
      ({ operand, indices: listed, result }): Factor => ({
        operands: [operand, listed],
        results: [result],
        // a window that takes a dimension whole takes all of its part
        ...(operand !== null &&
          listed === null && { part: (span) => ({ ...params, sliceSizes: cut(params.sliceSizes, operand, span) }) }),
      }),
    ),
    ...(fills(params.mode) && params.fillValue !== 0 ? [] : keepsSums([x!, indices!], [0])),
  ],
  reference([x, indices], { dimensionNumbers, sliceSizes, mode, fillValue }, [out]) {
    const result = hostZeros(out!)
    const windows = windowsOf(x!.shape, indices!, dimensionNumbers, sliceSizes, !fills(mode))
    const { starts, places } = windows
    if (fills(mode) && fillValue !== 0 && starts.includes(-1)) result.data.fill(fillValue!)
    const [source, target] = [bitsOf(x!.data), bitsOf(result.data)]
    if (windows.shape.every((size) => size === 1)) {
      for (let n = 0; n < starts.length; n++) if (starts[n]! >= 0) target[places[n]!] = source[starts[n]!]!
      return [result]
    }
    const copy = planCopy(windows.shape, windows.strides, windows.resultStrides)
    for (let n = 0; n < starts.length; n++) if (starts[n]! >= 0) copy(source, starts[n]!, target, places[n]!)
    return [result]
  },
  show: ({ dimensionNumbers: numbers, fillValue, indicesAreSorted, mode, sliceSizes, uniqueIndices }) => ({
    dimensionNumbers: showNumbers('GatherDimensionNumbers', {
      offsetDims: numbers.offsetDims,
      collapsedSliceDims: numbers.collapsedSliceDims,
      startIndexMap: numbers.startIndexMap,
      operandBatchingDims: numbers.operandBatchingDims,
      startIndicesBatchingDims: numbers.startIndicesBatchingDims,
    }),
    fillValue,
    indicesAreSorted,
    mode: showMode(mode),
    sliceSizes,
    uniqueIndices,
  }),
})
/** The windows of `x` that the vectors along the last axis of `indices` point at. */
export function gather(x: NDArray, indices: NDArray, options: GatherOptions): NDArray {
  const mode = options.mode ?? 'promiseInBounds'
  checkMode('gather', mode)
  return bind1(gatherPrimitive, [x, indices], {
    dimensionNumbers: { operandBatchingDims: [], startIndicesBatchingDims: [], ...options.dimensionNumbers },
    sliceSizes: options.sliceSizes,
    mode,
    fillValue: fills(mode) ? (options.fillValue ?? defaultFill(x.dtype)) : null,
    uniqueIndices: options.uniqueIndices ?? false,
    indicesAreSorted: options.indicesAreSorted ?? false,
  })
}
