/**
 * What gather and scatter share: the checks of their dimension numbers, and the list of windows that index vectors point at. A scatter
 * is described here by the numbers of the gather that would read what it writes.
 */
import type { HostArray } from '../backend/interface.ts'
import { offsetsOf } from '../backend/reference/copy.ts'
import { isInteger } from '../dtype.ts'
import { DtypeError, OptionError, ShapeError, misuse } from '../errors.ts'
import { type Aval, showAval } from '../ir/aval.ts'
import { type Shape, range, stridesOf, without } from '../shape.ts'

/** What happens at places that do not exist; `fill` and `drop` are one mode, named for what gathers and scatters do. */
export type IndexMode = 'clip' | 'fill' | 'drop' | 'promiseInBounds'
const modeNames: Readonly<Record<IndexMode, string>> = {
  clip: 'GatherScatterMode.CLIP',
  fill: 'GatherScatterMode.FILL_OR_DROP',
  drop: 'GatherScatterMode.FILL_OR_DROP',
  promiseInBounds: 'GatherScatterMode.PROMISE_IN_BOUNDS',
}
export const showMode = (mode: IndexMode): string => modeNames[mode]
export function checkMode(where: string, mode: IndexMode): void {
  if (!Object.hasOwn(modeNames, mode)) {
    throw new OptionError(misuse(where, `a mode of ${Object.keys(modeNames).join(', ')}`, `'${String(mode)}'`))
  }
}

/** A batch of windows: which axes of operand, indices and result are which. */
export interface Numbers {
  /** Axes of the result that run inside a window. */
  readonly offsetDims: readonly number[]
  /** Axes of the operand along which a window has size 1, and that the result lacks. */
  readonly collapsedSliceDims: readonly number[]
  /** The axis of the operand that each entry of an index vector is for; index vectors lie along the last axis of the indices. */
  readonly startIndexMap: readonly number[]
  /** Axes of the operand that go in step with those axes of the indices. */
  readonly operandBatchingDims: readonly number[]
  readonly startIndicesBatchingDims: readonly number[]
}
/** What the fields are called by the operation, for messages. */
export type Names = Readonly<Record<keyof Numbers, string>>

const different = (axes: readonly number[], rank: number): boolean =>
  new Set(axes).size === axes.length && axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank)
const sortedAxes = (axes: readonly number[], rank: number): boolean =>
  different(axes, rank) && axes.every((axis, i) => i === 0 || axes[i - 1]! < axis)

/** Axes of the result that run over the index vectors. */
const batchAxesOf = (numbers: Numbers, indexRank: number): number[] =>
  without(range(numbers.offsetDims.length + indexRank - 1), numbers.offsetDims)
/** Axes of the operand that windows extend along. */
export const windowAxesOf = (numbers: Numbers, rank: number): number[] =>
  without(range(rank), [...numbers.collapsedSliceDims, ...numbers.operandBatchingDims])

/** Check operands and numbers, and give the shape that the gather has. */
export function gatheredShape(
  where: string,
  x: Aval,
  indices: Aval,
  numbers: Numbers,
  sizes: Shape,
  names: Names,
): number[] {
  if (!isInteger(indices.dtype))
    throw new DtypeError(misuse(where, 'indices of an integer dtype', showAval(indices), 'x.astype(dtype) converts'))
  const [rank, indexRank] = [x.shape.length, indices.shape.length]
  const { offsetDims, collapsedSliceDims, startIndexMap, operandBatchingDims, startIndicesBatchingDims } = numbers
  const outRank = offsetDims.length + indexRank - 1
  const shown = (field: keyof Numbers): string => `${names[field]} [${numbers[field].join(',')}]`
  const clash = operandBatchingDims.find((axis) => collapsedSliceDims.includes(axis) || startIndexMap.includes(axis))
  const of = `of ${showAval(x)}`
  // Each row: what must hold, how it is worded, and what there is instead.
  const checks: readonly (readonly [() => boolean, string, string])[] = [
    [() => indexRank > 0, 'indices whose last axis holds the index vectors', showAval(indices)],
    [
      () => sortedAxes(offsetDims, outRank),
      `sorted different axes of a result of rank ${outRank}`,
      shown('offsetDims'),
    ],
    [
      () => startIndexMap.length === indices.shape[indexRank - 1],
      `an axis for each entry of the index vectors of ${showAval(indices)}`,
      shown('startIndexMap'),
    ],
    [() => different(startIndexMap, rank), `different axes ${of}`, shown('startIndexMap')],
    [() => sortedAxes(collapsedSliceDims, rank), `sorted different axes ${of}`, shown('collapsedSliceDims')],
    [() => sortedAxes(operandBatchingDims, rank), `sorted different axes ${of}`, shown('operandBatchingDims')],
    [
      () => clash === undefined,
      `axes that are not also in ${shown('collapsedSliceDims')} or ${shown('startIndexMap')}`,
      shown('operandBatchingDims'),
    ],
    [
      () => different(startIndicesBatchingDims, indexRank - 1),
      `different axes of ${showAval(indices)} before the last`,
      shown('startIndicesBatchingDims'),
    ],
    [
      () =>
        operandBatchingDims.length === startIndicesBatchingDims.length &&
        operandBatchingDims.every((axis, i) => x.shape[axis] === indices.shape[startIndicesBatchingDims[i]!]),
      `axes ${of} and ${showAval(indices)} that agree in number and size`,
      `${shown('operandBatchingDims')} and ${shown('startIndicesBatchingDims')}`,
    ],
    [() => sizes.length === rank, `a slice size for each axis ${of}`, `[${sizes.join(',')}]`],
    [
      () => windowAxesOf(numbers, rank).length === offsetDims.length,
      `an axis of the result for each axis ${of} that is neither in ${shown('collapsedSliceDims')} nor in ${shown('operandBatchingDims')}`,
      shown('offsetDims'),
    ],
    [
      () =>
        indices.shape.includes(0) ||
        sizes.every((size, i) => Number.isInteger(size) && size >= 0 && size <= x.shape[i]!),
      `slice sizes from 0 to those ${of}`,
      `[${sizes.join(',')}]`,
    ],
    [
      () => collapsedSliceDims.every((axis) => sizes[axis] === 1),
      `slice size 1 along ${shown('collapsedSliceDims')}`,
      `[${sizes.join(',')}]`,
    ],
    [
      () => operandBatchingDims.every((axis) => sizes[axis]! <= 1),
      `slice size 0 or 1 along ${shown('operandBatchingDims')}`,
      `[${sizes.join(',')}]`,
    ],
  ]
  for (const [holds, expected, got] of checks) if (!holds()) throw new ShapeError(misuse(where, expected, got))
  return resultShape(indices.shape, numbers, sizes)
}

/** Dimensions of a gather that go together, of the operand, the indices and the result. */
export interface Aligned {
  readonly operand: number | null
  readonly indices: number | null
  readonly result: number
}
/**
 * Which dimensions a gather can be split along: those of a batch, those that list index vectors, and those that windows take whole. Index
 * vectors themselves, and dimensions that they point along, are not split.
 */
export function alignedDims(operand: Shape, indexRank: number, numbers: Numbers, sizes: Shape): Aligned[] {
  const { offsetDims, operandBatchingDims, startIndicesBatchingDims } = numbers
  const listed = batchAxesOf(numbers, indexRank).map((result, indices): Aligned => ({
    operand: operandBatchingDims[startIndicesBatchingDims.indexOf(indices)] ?? null,
    indices,
    result,
  }))
  const whole = windowAxesOf(numbers, operand.length).flatMap((axis, i): Aligned[] =>
    sizes[axis] === operand[axis] ? [{ operand: axis, indices: null, result: offsetDims[i]! }] : [],
  )
  return [...listed, ...whole]
}

function resultShape(indexShape: Shape, numbers: Numbers, sizes: Shape): number[] {
  const shape = new Array<number>(numbers.offsetDims.length + indexShape.length - 1)
  batchAxesOf(numbers, indexShape.length).forEach((axis, i) => (shape[axis] = indexShape[i]!))
  windowAxesOf(numbers, sizes.length).forEach((axis, i) => (shape[numbers.offsetDims[i]!] = sizes[axis]!))
  return shape
}

/** Where windows lie in an operand and in the result of a gather. */
export interface Windows {
  /** For each index vector the offset of its window in the operand; −1 for a window that is not all inside. */
  readonly starts: Int32Array
  /** The same in the result. */
  readonly places: Int32Array
  readonly shape: Shape
  readonly strides: readonly number[]
  readonly resultStrides: readonly number[]
}

/** List the windows, moved inside if `clamp` is on. */
export function windowsOf(operand: Shape, indices: HostArray, numbers: Numbers, sizes: Shape, clamp: boolean): Windows {
  const { startIndexMap, offsetDims, operandBatchingDims, startIndicesBatchingDims } = numbers
  const own = stridesOf(operand)
  const result = stridesOf(resultShape(indices.shape, numbers, sizes))
  const batchShape = indices.shape.slice(0, -1)
  const inStep = batchShape.map((_, axis) => own[operandBatchingDims[startIndicesBatchingDims.indexOf(axis)]!] ?? 0)
  const starts = offsetsOf(batchShape, inStep)
  const places = offsetsOf(
    batchShape,
    batchAxesOf(numbers, indices.shape.length).map((axis) => result[axis]!),
  )
  const windowAxes = windowAxesOf(numbers, operand.length)

  const entries = startIndexMap.length
  const strides = startIndexMap.map((axis) => own[axis]!)
  const last = startIndexMap.map((axis) => operand[axis]! - sizes[axis]!)
  const { data } = indices
  for (let n = 0, at = 0; n < starts.length; n++, at += entries) {
    let start = starts[n]!
    for (let k = 0; k < entries; k++) {
      const [index, end] = [data[at + k]!, last[k]!]
      if (index >= 0 && index <= end) {
        start += index * strides[k]!
      } else if (clamp) {
        start += index < 0 ? 0 : end * strides[k]!
      } else {
        start = -1
        break
      }
    }
    starts[n] = start
  }
  return {
    starts,
    places,
    shape: windowAxes.map((axis) => sizes[axis]!),
    strides: windowAxes.map((axis) => own[axis]!),
    resultStrides: offsetDims.map((axis) => result[axis]!),
  }
}

/** The numbers for operands with a batch axis in front; `operand` and `indices` say which of the two has one. */
export function batchNumbers(numbers: Numbers, operand: boolean, indices: boolean): Numbers {
  const up = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1)
  const { offsetDims, collapsedSliceDims, startIndexMap, operandBatchingDims, startIndicesBatchingDims } = numbers
  // Without batched indices a window takes the whole batch; with both in step it is a batching axis.
  const together = operand && indices ? [0] : []
  return {
    offsetDims: [...(indices ? [] : [0]), ...up(offsetDims)],
    collapsedSliceDims: operand ? up(collapsedSliceDims) : collapsedSliceDims,
    startIndexMap: operand ? up(startIndexMap) : startIndexMap,
    operandBatchingDims: [...together, ...(operand ? up(operandBatchingDims) : operandBatchingDims)],
    startIndicesBatchingDims: [...together, ...(indices ? up(startIndicesBatchingDims) : startIndicesBatchingDims)],
  }
}
