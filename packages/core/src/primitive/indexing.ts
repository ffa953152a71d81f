/** Reading and writing at places known only when the program runs: slices at dynamic starts. Lists of places are `gather.ts` and `scatter.ts`. */
import type { NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import { copyBlock } from '../backend/reference/copy.ts'
import { hostZeros } from '../backend/reference/host.ts'
import { isInteger } from '../dtype.ts'
import { DtypeError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { type Shape, inserted, range, sizeOf, stridesOf } from '../shape.ts'
import { bind1, scalar } from '../trace.ts'
import { cut, moves } from './axes.ts'
import { type BatchDim, type Primitive, Zero, definePrimitive } from './define.ts'
import { convert } from './elementwise.ts'
import { batchGather } from './gather.ts'
import { batchInFront, broadcastInDim, concatenate, full } from './movement.ts'
import { batched, isLinear, isZero } from './rules.ts'
import { batchScatter, setPrimitive } from './scatter.ts'
import { instantiate } from './zeros.ts'

export { type GatherDimensionNumbers, type GatherOptions, gather } from './gather.ts'
export type { IndexMode } from './gatherNumbers.ts'
export {
  type ScatterDimensionNumbers,
  type ScatterOptions,
  scatter,
  scatterAdd,
  scatterMax,
  scatterMin,
  scatterMul,
} from './scatter.ts'

/** Check the starts and the size of a window into `x`. */
function checkWindow(where: string, x: Aval, starts: readonly Aval[], sizes: Shape): void {
  const bad = starts.find((start) => start.shape.length > 0 || !isInteger(start.dtype))
  if (bad !== undefined) {
    throw new DtypeError(
      misuse(where, 'start indices that are scalars of integers', showAval(bad), 'x.astype(dtype) converts'),
    )
  }
  const rank = x.shape.length
  if (starts.length !== rank || sizes.length !== rank) {
    throw new ShapeError(
      misuse(
        where,
        `a start and a size for each axis of ${showAval(x)}`,
        `${starts.length} starts and sizes [${sizes.join(',')}]`,
      ),
    )
  }
  if (!sizes.every((size, i) => Number.isInteger(size) && size >= 0 && size <= x.shape[i]!)) {
    throw new ShapeError(misuse(where, `sizes from 0 to those of ${showAval(x)}`, `[${sizes.join(',')}]`))
  }
}

/** The offset of a window, moved as far as it takes to lie inside. */
const offsetOf = (x: HostArray, starts: readonly HostArray[], sizes: Shape): number =>
  stridesOf(x.shape).reduce(
    (sum, stride, i) => sum + stride * Math.max(0, Math.min(starts[i]!.data[0]!, x.shape[i]! - sizes[i]!)),
    0,
  )

/** Scalar starts as the index vectors of a gather, one for each element of the batch. */
function startVectors(starts: readonly NDArray[], dims: readonly BatchDim[], size: number): NDArray {
  const same = starts.every((start) => start.dtype === starts[0]!.dtype)
  const columns = starts.map((start, i) =>
    broadcastInDim(same ? start : convert(start, 'int32'), [size, 1], batched(dims[i]!) ? [0] : []),
  )
  return concatenate(columns, 1)
}
/** A start for the batch axis, which stays whole. */
const withWholeBatch = (starts: readonly NDArray[], dim: number): NDArray[] =>
  inserted(starts, dim, scalar(0, starts[0]?.dtype ?? 'int32'))

interface DynamicSliceParams {
  readonly sliceSizes: Shape
}

const wholeDims = (shape: Shape, window: Shape): number[] =>
  range(shape.length).filter((dim) => shape[dim] === window[dim])

const dynamicSlicePrimitive: Primitive<DynamicSliceParams> = definePrimitive({
  name: 'dynamic_slice',
  type([x, ...starts], { sliceSizes }) {
    checkWindow('dynamicSlice', x!, starts, sliceSizes)
    return [aval(sliceSizes, x!.dtype, x!.weakType)]
  },
  jvp([x, ...starts], tangents, { sliceSizes }) {
    const out = dynamicSlice(x!, starts, sliceSizes)
    const t = tangents[0]!
    return [[out], [isZero(t) ? new Zero(out.aval) : dynamicSlice(t, starts, sliceSizes)]]
  },
  transpose(cts, [x, ...rest]) {
    const ct = cts[0]!
    const starts = rest as NDArray[]
    const into = (): NDArray => dynamicUpdateSlice(full(x!.aval.shape, 0, x!.aval.dtype), instantiate(ct), starts)
    return [isZero(ct) ? new Zero(x!.aval) : into(), ...starts.map(() => null)]
  },
  batch([x, ...starts], [dim, ...startDims], { sliceSizes }, axis) {
    if (!startDims.some(batched)) {
      return [[dynamicSlice(x!, withWholeBatch(starts, dim!), inserted(sliceSizes, dim!, axis.size))], [dim!]]
    }
    const all = range(sliceSizes.length)
    const params = {
      dimensionNumbers: {
        offsetDims: all,
        collapsedSliceDims: [],
        startIndexMap: all,
        operandBatchingDims: [],
        startIndicesBatchingDims: [],
      },
      sliceSizes,
      mode: 'clip',
      fillValue: null,
      uniqueIndices: true,
      indicesAreSorted: true,
    } as const
    return batchGather([x!, startVectors(starts, startDims, axis.size)], [dim!, 0], params)
  },
  // dimensions that the window takes whole
  axes: ([x, ...starts], { sliceSizes }, outs) =>
    moves(
      [x!, ...starts],
      outs,
      wholeDims(x!.shape, sliceSizes).map((dim) => ({
        operands: [dim, ...starts.map(() => null)],
        results: [dim],
        part: (span) => ({ sliceSizes: cut(sliceSizes, dim, span) }),
      })),
      [0],
    ),
  reference([x, ...starts], { sliceSizes }, [out]) {
    const at = offsetOf(x!, starts, sliceSizes)
    // Whole rows of the first axis lie together and can be shared: what a loop over the rows of its data asks for.
    const whole = sliceSizes.every((size, i) => i === 0 || size === x!.shape[i])
    if (whole) return [{ shape: sliceSizes, dtype: x!.dtype, data: x!.data.subarray(at, at + sizeOf(sliceSizes)) }]
    const result = hostZeros(out!)
    copyBlock(sliceSizes, x!.data, { at, strides: stridesOf(x!.shape) }, result.data, {
      at: 0,
      strides: stridesOf(sliceSizes),
    })
    return [result]
  },
})
/** A window of fixed size; its starts are clamped so that it lies inside. */
export const dynamicSlice = (x: NDArray, startIndices: readonly NDArray[], sliceSizes: Shape): NDArray =>
  bind1(dynamicSlicePrimitive, [x, ...startIndices], { sliceSizes })

const dynamicUpdateSlicePrimitive: Primitive = definePrimitive({
  name: 'dynamic_update_slice',
  type([x, update, ...starts]) {
    const where = 'dynamicUpdateSlice'
    if (update!.dtype !== x!.dtype)
      throw new DtypeError(
        misuse(where, `an update of dtype ${x!.dtype}`, showAval(update!), 'x.astype(dtype) converts'),
      )
    if (update!.shape.length !== x!.shape.length)
      throw new ShapeError(misuse(where, `an update of the rank of ${showAval(x!)}`, showAval(update!)))
    checkWindow(where, x!, starts, update!.shape)
    return [
      aval(
        x!.shape,
        x!.dtype,
        [x!, update!, ...starts].every((arg) => arg.weakType),
      ),
    ]
  },
  jvp([x, update, ...starts], [tx, tUpdate]) {
    const out = dynamicUpdateSlice(x!, update!, starts)
    if (isZero(tx!) && isZero(tUpdate!)) return [[out], [new Zero(out.aval)]]
    return [[out], [dynamicUpdateSlice(instantiate(tx!), instantiate(tUpdate!), starts)]]
  },
  transpose(cts, [x, update, ...rest]) {
    const ct = cts[0]!
    const starts = rest as NDArray[]
    const none = starts.map(() => null)
    if (isZero(ct)) return [...[x!, update!].map((arg) => (isLinear(arg) ? new Zero(arg.aval) : null)), ...none]
    const { shape } = update!.aval
    return [
      isLinear(x!) ? dynamicUpdateSlice(ct, full(shape, 0, ct.dtype), starts) : null,
      isLinear(update!) ? dynamicSlice(ct, starts, shape) : null,
      ...none,
    ]
  },
  batch([x, update, ...starts], [dim, updateDim, ...startDims], _, axis) {
    if (!startDims.some(batched)) {
      const [front, frontUpdate] = [batchInFront(x!, dim!, axis.size), batchInFront(update!, updateDim!, axis.size)]
      return [[dynamicUpdateSlice(front, frontUpdate, withWholeBatch(starts, 0))], [0]]
    }
    const all = range(starts.length)
    const params = {
      dimensionNumbers: {
        updateWindowDims: all,
        insertedWindowDims: [],
        scatterDimsToOperandDims: all,
        operandBatchingDims: [],
        scatterIndicesBatchingDims: [],
      },
      mode: 'clip',
      uniqueIndices: true,
      indicesAreSorted: true,
    } as const
    const vectors = startVectors(starts, startDims, axis.size)
    return batchScatter(setPrimitive, [x!, vectors, update!], [dim!, 0, updateDim!], params, axis)
  },
  axes: ([x, update, ...starts], _, outs) =>
    moves(
      [x!, update!, ...starts],
      outs,
      wholeDims(x!.shape, update!.shape).map((dim) => ({
        operands: [dim, dim, ...starts.map(() => null)],
        results: [dim],
      })),
      [0, 1],
    ),
  reference([x, update, ...starts]) {
    const data = x!.data.slice()
    const to = { at: offsetOf(x!, starts, update!.shape), strides: stridesOf(x!.shape) }
    copyBlock(update!.shape, update!.data, { at: 0, strides: stridesOf(update!.shape) }, data, to)
    return [{ shape: x!.shape, dtype: x!.dtype, data }]
  },
})
/** `x` with a window replaced; the starts are clamped so that it lies inside. */
export const dynamicUpdateSlice = (x: NDArray, update: NDArray, startIndices: readonly NDArray[]): NDArray =>
  bind1(dynamicUpdateSlicePrimitive, [x, update, ...startIndices], {})
