/** Operations that only move elements: broadcast, reshape, transpose, squeeze, reverse; and iota, which makes the elements to move. */
import type { NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import { type Layout, copyBlock } from '../backend/reference/copy.ts'
import { hostZeros, roundTo } from '../backend/reference/host.ts'
import { type DType, checkDtype } from '../dtype.ts'
import { DtypeError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { type Shape, inserted, inverse, normalAxes, range, sameShape, sizeOf, stridesOf, without } from '../shape.ts'
import { bind1, scalar } from '../trace.ts'
import { allBut, cut, moves } from './axes.ts'
import { type BatchDim, type Factor, type Primitive, definePrimitive } from './define.ts'
import { reduceSum } from './reduce.ts'
import { linearJvp, linearTransposeOf } from './rules.ts'

export { concatenate, pad, slice, split } from './slicing.ts'

/** The same elements under another shape; nobody writes to `data`, so it is shared. */
const reshaped = (x: HostArray, out: Aval): HostArray => ({ shape: out.shape, dtype: x.dtype, data: x.data })
/** A new host array into which all of `x` is copied, read by the given layout of the result's shape. */
function relaid(x: HostArray, out: Aval, from: Layout): HostArray {
  const result = hostZeros(out)
  copyBlock(out.shape, x.data, from, result.data, { at: 0, strides: stridesOf(out.shape) })
  return result
}
const checkSizes = (where: string, shape: Shape): void => {
  // a traced size says itself, when it is made a number, why it cannot be one
  for (const dim of shape) if (typeof dim !== 'number') Number(dim)
  if (!shape.every((dim) => Number.isInteger(dim) && dim >= 0)) {
    throw new ShapeError(misuse(where, 'sizes that are integers and not negative', `[${shape.join(',')}]`))
  }
}
const increasing = (list: readonly number[]): boolean => list.every((value, i) => i === 0 || list[i - 1]! < value)
/** Whether all are different axes of an array of this rank. */
const areAxes = (list: readonly number[], rank: number): boolean =>
  new Set(list).size === list.length && list.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank)

interface BroadcastParams {
  readonly shape: Shape
  /** For every axis of the operand the axis of the result that it becomes. */
  readonly broadcastDimensions: readonly number[]
}

function broadcastType([x]: readonly Aval[], { shape, broadcastDimensions: to }: BroadcastParams): [Aval] {
  checkSizes('broadcastInDim', shape)
  const rank = x!.shape.length
  if (to.length !== rank || !areAxes(to, shape.length) || !increasing(to)) {
    const expected = `one axis of [${shape.join(',')}] for each axis of ${showAval(x!)}, in increasing order`
    throw new ShapeError(misuse('broadcastInDim', expected, `[${to.join(',')}]`))
  }
  if (x!.shape.some((dim, i) => dim !== 1 && dim !== shape[to[i]!])) {
    const expected = `axes of size 1 or of the size in [${shape.join(',')}] that broadcastDimensions [${to.join(',')}] lead to`
    throw new ShapeError(misuse('broadcastInDim', expected, showAval(x!)))
  }
  return [aval(shape, x!.dtype, x!.weakType)]
}

const broadcastPrimitive: Primitive<BroadcastParams> = definePrimitive({
  name: 'broadcast_in_dim',
  type: broadcastType,
  jvp: linearJvp(
    (x, params) => bind1(broadcastPrimitive, [x], params),
    (params, x) => broadcastType([x], params)[0],
  ),
  transpose: linearTransposeOf((ct, x, { shape, broadcastDimensions }) => {
    const ones = range(x.shape.length).filter((axis) => x.shape[axis] === 1)
    const summed = without(range(shape.length), without(broadcastDimensions, ones))
    const sum = summed.length === 0 ? ct : reduceSum(ct, summed)
    return ones.length === 0 ? sum : expandDims(sum, ones)
  }),
  batch([x], [dim], { shape, broadcastDimensions }) {
    const front = moveAxis(x!, dim!, 0)
    const to = [0, ...broadcastDimensions.map((axis) => axis + 1)]
    return [[bind1(broadcastPrimitive, [front], { shape: [front.shape[0], ...shape], broadcastDimensions: to })], [0]]
  },
  axes: ([x], params, outs) =>
    moves(
      [x!],
      outs,
      params.shape.map((size, dim): Factor => {
        const axis = params.broadcastDimensions.indexOf(dim)
        return {
          // repeated along dimensions that the operand lacks, or has only one element of
          operands: [axis < 0 || x!.shape[axis] !== size ? null : axis],
          results: [dim],
          part: (span) => ({ ...params, shape: cut(params.shape, dim, span) }),
        }
      }),
    ),
  reference([x], { broadcastDimensions }, [out]) {
    if (sizeOf(out!.shape) === x!.data.length) return [reshaped(x!, out!)]
    const own = stridesOf(x!.shape)
    const strides = new Array<number>(out!.shape.length).fill(0)
    broadcastDimensions.forEach((axis, i) => (strides[axis] = x!.shape[i] === 1 ? 0 : own[i]!))
    return [relaid(x!, out!, { at: 0, strides })]
  },
  show: ({ broadcastDimensions }) => (broadcastDimensions.length === 0 ? {} : { broadcastDimensions }),
})
/** Place the axes of `x` among those of `shape` and repeat along the others. */
export const broadcastInDim = (x: NDArray, shape: Shape, broadcastDimensions: readonly number[]): NDArray =>
  shape.length === 0 && x.ndim === 0 ? x : bind1(broadcastPrimitive, [x], { shape, broadcastDimensions })

/** Insert axes of size 1 at these positions of the result. */
export function expandDims(x: NDArray, dimensions: readonly number[]): NDArray {
  const rank = x.ndim + dimensions.length
  const ones = normalAxes('expandDims', dimensions, rank)
  const kept = without(range(rank), ones)
  const shape = new Array<number>(rank).fill(1)
  kept.forEach((axis, i) => (shape[axis] = x.shape[i]!))
  return broadcastInDim(x, shape, kept)
}

/** An array of equal elements: a scalar that is broadcast. */
export const full = (shape: Shape, value: number, dtype: DType, weakType = false): NDArray =>
  broadcastInDim(scalar(value, dtype, weakType), shape, [])

interface ReshapeParams {
  readonly newSizes: Shape
}

function reshapeType([x]: readonly Aval[], { newSizes }: ReshapeParams): [Aval] {
  checkSizes('reshape', newSizes)
  if (sizeOf(newSizes) !== sizeOf(x!.shape)) {
    const [want, have] = [sizeOf(newSizes), sizeOf(x!.shape)]
    throw new ShapeError(
      misuse('reshape', `${want} elements for the shape [${newSizes.join(',')}]`, `${showAval(x!)} with ${have}`),
    )
  }
  return [aval(newSizes, x!.dtype, x!.weakType)]
}

/** Pairs of dimensions, one of each shape, that are the outermost of groups which hold the same elements. */
function outermost(a: Shape, b: Shape): [number, number][] {
  const pairs: [number, number][] = []
  if (sizeOf(a) === 0) return pairs
  let [i, j] = [0, 0]
  for (;;) {
    while (a[i] === 1) i++
    while (b[j] === 1) j++
    if (i >= a.length || j >= b.length) return pairs
    pairs.push([i, j])
    let [inA, inB] = [a[i++]!, b[j++]!]
    while (inA !== inB) {
      if (inA < inB) inA *= a[i++]!
      else inB *= b[j++]!
    }
  }
}

const reshapePrimitive: Primitive<ReshapeParams> = definePrimitive({
  name: 'reshape',
  type: reshapeType,
  jvp: linearJvp(
    (x, params) => bind1(reshapePrimitive, [x], params),
    (params, x) => reshapeType([x], params)[0],
  ),
  transpose: linearTransposeOf((ct, x) => reshape(ct, x.shape)),
  batch([x], [dim], { newSizes }) {
    const front = moveAxis(x!, dim!, 0)
    return [[reshape(front, [front.shape[0], ...newSizes])], [0]]
  },
  // of dimensions that become one, or one that becomes several, the outermost is split, and that in pieces which are whole on both sides
  axes: ([x], { newSizes }, outs) =>
    moves(
      [x!],
      outs,
      outermost(x!.shape, newSizes).map(([from, to]) => ({
        operands: [from],
        results: [to],
        part: (span) => ({ newSizes: cut(newSizes, to, span) }),
      })),
    ),
  reference: ([x], _, [out]) => [reshaped(x!, out!)],
  show: ({ newSizes }) => ({ dimensions: null, newSizes, sharding: null }),
})
/** The same elements, in row-major order, under another shape. */
export const reshape = (x: NDArray, shape: Shape): NDArray =>
  sameShape(x.shape, shape) ? x : bind1(reshapePrimitive, [x], { newSizes: shape })

interface TransposeParams {
  /** For every axis of the result the axis of the operand that it was. */
  readonly permutation: readonly number[]
}

function transposeType([x]: readonly Aval[], { permutation }: TransposeParams): [Aval] {
  const rank = x!.shape.length
  if (permutation.length !== rank || !areAxes(permutation, rank)) {
    throw new ShapeError(
      misuse('transpose', `a permutation of the ${rank} axes of ${showAval(x!)}`, `[${permutation.join(',')}]`),
    )
  }
  return [
    aval(
      permutation.map((axis) => x!.shape[axis]!),
      x!.dtype,
      x!.weakType,
    ),
  ]
}

const transposePrimitive: Primitive<TransposeParams> = definePrimitive({
  name: 'transpose',
  type: transposeType,
  jvp: linearJvp(
    (x, params) => bind1(transposePrimitive, [x], params),
    (params, x) => transposeType([x], params)[0],
  ),
  transpose: linearTransposeOf((ct, _, { permutation }) => transpose(ct, inverse(permutation))),
  batch: ([x], [dim], { permutation }) => [
    [transpose(x!, [dim!, ...permutation.map((axis) => (axis < dim! ? axis : axis + 1))])],
    [0],
  ],
  axes: ([x], { permutation }, outs) =>
    moves(
      [x!],
      outs,
      permutation.map((axis, dim) => ({ operands: [axis], results: [dim] })),
    ),
  reference([x], { permutation }, [out]) {
    const large = permutation.filter((axis) => x!.shape[axis] !== 1)
    if (increasing(large)) return [reshaped(x!, out!)]
    const own = stridesOf(x!.shape)
    return [relaid(x!, out!, { at: 0, strides: permutation.map((axis) => own[axis]!) })]
  },
})
/** Permute axes: axis `i` of the result is axis `permutation[i]` of `x`. */
export const transpose = (x: NDArray, permutation: readonly number[]): NDArray =>
  permutation.length === x.ndim && increasing(permutation) && areAxes(permutation, x.ndim)
    ? x
    : bind1(transposePrimitive, [x], { permutation })

/** Move one axis, keeping the order of the others. */
export const moveAxis = (x: NDArray, from: number, to: number): NDArray =>
  transpose(x, inserted(without(range(x.ndim), [from]), to, from))

/** The operand with its batch axis in front, repeated along a new one if it has none: what most batch rules start from. */
export const batchInFront = (x: NDArray, dim: BatchDim, size: number): NDArray =>
  dim === null ? broadcastInDim(x, [size, ...x.shape], range(x.ndim, 1)) : moveAxis(x, dim, 0)

interface DimensionsParams {
  readonly dimensions: readonly number[]
}
/** What an axis is called once a batch axis stands at `dim`. */
const besideBatch =
  (dim: number) =>
  (axis: number): number =>
    axis >= dim ? axis + 1 : axis

function squeezeType([x]: readonly Aval[], { dimensions }: DimensionsParams): [Aval] {
  if (!areAxes(dimensions, x!.shape.length) || dimensions.some((axis) => x!.shape[axis] !== 1)) {
    throw new ShapeError(misuse('squeeze', `axes [${dimensions.join(',')}] of size 1`, showAval(x!)))
  }
  return [aval(without(x!.shape, dimensions), x!.dtype, x!.weakType)]
}

const squeezePrimitive: Primitive<DimensionsParams> = definePrimitive({
  name: 'squeeze',
  type: squeezeType,
  jvp: linearJvp(
    (x, params) => bind1(squeezePrimitive, [x], params),
    (params, x) => squeezeType([x], params)[0],
  ),
  transpose: linearTransposeOf((ct, x) => reshape(ct, x.shape)),
  batch: ([x], [dim], { dimensions }) => [
    [
      squeeze(
        moveAxis(x!, dim!, 0),
        dimensions.map((axis) => axis + 1),
      ),
    ],
    [0],
  ],
  axes: ([x], { dimensions }, outs) =>
    moves(
      [x!],
      outs,
      without(range(x!.shape.length), dimensions).map((axis, dim) => ({ operands: [axis], results: [dim] })),
    ),
  reference: ([x], _, [out]) => [reshaped(x!, out!)],
})
/** Drop axes of size 1. */
export const squeeze = (x: NDArray, dimensions: readonly number[]): NDArray =>
  dimensions.length === 0 ? x : bind1(squeezePrimitive, [x], { dimensions: normalAxes('squeeze', dimensions, x.ndim) })

function revType([x]: readonly Aval[], { dimensions }: DimensionsParams): [Aval] {
  if (!areAxes(dimensions, x!.shape.length)) {
    throw new ShapeError(misuse('rev', `different axes of ${showAval(x!)}`, `[${dimensions.join(',')}]`))
  }
  return [x!]
}

const revPrimitive: Primitive<DimensionsParams> = definePrimitive({
  name: 'rev',
  type: revType,
  jvp: linearJvp(
    (x, { dimensions }) => rev(x, dimensions),
    (_, x) => x,
  ),
  transpose: linearTransposeOf((ct, _, { dimensions }) => rev(ct, dimensions)),
  batch: ([x], [dim], { dimensions }) => [[rev(x!, dimensions.map(besideBatch(dim!)))], [dim!]],
  // the first part of a reversed dimension is made of the last
  axes: (args, params, outs, derive) =>
    moves(args, outs, allBut<DimensionsParams>((p) => p.dimensions)(args, params, outs, derive)),
  reference([x], { dimensions }, [out]) {
    const strides = stridesOf(x!.shape)
    let at = 0
    for (const axis of dimensions) {
      at += strides[axis]! * Math.max(0, x!.shape[axis]! - 1)
      strides[axis] = -strides[axis]!
    }
    return [relaid(x!, out!, { at, strides })]
  },
})
/** Reverse the order of elements along axes. */
export const rev = (x: NDArray, dimensions: readonly number[]): NDArray => bind1(revPrimitive, [x], { dimensions })

interface IotaParams {
  readonly dtype: DType
  readonly shape: Shape
  readonly dimension: number
}

const iotaPrimitive: Primitive<IotaParams> = definePrimitive({
  name: 'iota',
  type(_, { dtype, shape, dimension }) {
    checkSizes('iota', shape)
    if (checkDtype('iota', dtype) === 'bool') throw new DtypeError(misuse('iota', 'a dtype of numbers', 'bool'))
    if (!areAxes([dimension], shape.length)) {
      throw new ShapeError(misuse('iota', `an axis of [${shape.join(',')}]`, `${dimension}`))
    }
    return [aval(shape, dtype)]
  },
  axes: (_, params) =>
    params.shape.map((_size, dim): Factor =>
      dim === params.dimension
        ? { operands: [], results: [dim], offset: true }
        : { operands: [], results: [dim], part: (span) => ({ ...params, shape: cut(params.shape, dim, span) }) },
    ),
  reference(_, { dimension }, [out]) {
    const result = hostZeros(out!)
    const size = out!.shape[dimension]!
    const run = stridesOf(out!.shape)[dimension]!
    for (let at = 0, i = 0; at < result.data.length; at += run, i = i + 1 === size ? 0 : i + 1)
      result.data.fill(i, at, at + run)
    return [{ ...result, data: roundTo(out!.dtype, result.data) }]
  },
  show: ({ dtype, shape, dimension }) => ({ dimension, dtype, shape, sharding: null }),
})
/** Indices along one axis, repeated along the others. */
export const iota = (dtype: DType, shape: Shape, dimension: number): NDArray =>
  bind1(iotaPrimitive, [], { dtype, shape, dimension })
