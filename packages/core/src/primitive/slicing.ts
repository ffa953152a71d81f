/** Cutting arrays and joining them: static slices, padding, concatenation, splitting. */
import type { NDArray } from '../array.ts'
import { copyBlock } from '../backend/reference/copy.ts'
import { hostZeros } from '../backend/reference/host.ts'
import { DtypeError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { type Shape, inserted, range, sizeOf, stridesOf } from '../shape.ts'
import { bind, bind1, scalar } from '../trace.ts'
import { allBut, cut, moves } from './axes.ts'
import { type Factor, type Primitive, Zero, definePrimitive } from './define.ts'
import { selectN, sub } from './elementwise.ts'
import { batchInFront, broadcastInDim, full } from './movement.ts'
import { reduceSum } from './reduce.ts'
import { batched, isLinear, isZero, linearJvp, linearTransposeOf } from './rules.ts'
import { instantiate } from './zeros.ts'

interface SliceParams {
  readonly startIndices: readonly number[]
  readonly limitIndices: readonly number[]
  /** `null` for steps of one. */
  readonly strides: readonly number[] | null
}

function sliceType([x]: readonly Aval[], { startIndices, limitIndices, strides }: SliceParams): [Aval] {
  const { shape } = x!
  const steps = strides ?? shape.map(() => 1)
  if ([startIndices, limitIndices, steps].some((list) => list.length !== shape.length)) {
    throw new ShapeError(
      misuse(
        'slice',
        `a start, a limit and a stride for each axis of ${showAval(x!)}`,
        showSlice(startIndices, limitIndices, steps),
      ),
    )
  }
  const fits = shape.every((dim, i) => {
    const [start, limit, step] = [startIndices[i]!, limitIndices[i]!, steps[i]!]
    return [start, limit, step].every(Number.isInteger) && 0 <= start && start <= limit && limit <= dim && step > 0
  })
  if (!fits) {
    throw new ShapeError(
      misuse(
        'slice',
        `0 <= start <= limit <= size and stride > 0 on each axis of ${showAval(x!)}`,
        showSlice(startIndices, limitIndices, steps),
      ),
    )
  }
  return [
    aval(
      shape.map((_, i) => Math.ceil((limitIndices[i]! - startIndices[i]!) / steps[i]!)),
      x!.dtype,
      x!.weakType,
    ),
  ]
}
const showSlice = (starts: readonly number[], limits: readonly number[], strides: readonly number[]): string =>
  `starts [${starts.join(',')}], limits [${limits.join(',')}], strides [${strides.join(',')}]`

const slicePrimitive: Primitive<SliceParams> = definePrimitive({
  name: 'slice',
  type: sliceType,
  jvp: linearJvp(
    (x, params) => bind1(slicePrimitive, [x], params),
    (params, x) => sliceType([x], params)[0],
  ),
  transpose: linearTransposeOf((ct, x, { startIndices, strides }) => {
    const config = x.shape.map((dim, i): PaddingOfAxis => {
      const [low, step] = [startIndices[i]!, strides?.[i] ?? 1]
      // What the slice spans: the last element that it took ends it, be the limit further away.
      const span = ct.shape[i] === 0 ? 0 : (ct.shape[i]! - 1) * step + 1
      return [low, dim - low - span, step - 1]
    })
    return pad(ct, scalar(0, ct.dtype), config)
  }),
  batch: ([x], [dim], { startIndices, limitIndices, strides }) => {
    const params = {
      startIndices: inserted(startIndices, dim!, 0),
      limitIndices: inserted(limitIndices, dim!, x!.shape[dim!]!),
      strides: strides === null ? null : inserted(strides, dim!, 1),
    }
    return [[bind1(slicePrimitive, [x!], params)], [dim!]]
  },
  // dimensions that are cut, or of which elements are left out, are not split: the parts would not be of equal sizes
  axes: ([x], params, outs) =>
    moves(
      [x!],
      outs,
      range(x!.shape.length)
        .filter((dim) => outs[0]!.shape[dim] === x!.shape[dim])
        .map((dim): Factor => ({
          operands: [dim],
          results: [dim],
          part: (span) => ({ ...params, limitIndices: cut(params.limitIndices, dim, span) }),
        })),
    ),
  reference([x], { startIndices, strides }, [out]) {
    const own = stridesOf(x!.shape)
    const at = own.reduce((sum, stride, i) => sum + stride * startIndices[i]!, 0)
    // A stretch of the elements as they lie, whole rows of the first axis, can be shared.
    const whole = strides === null && out!.shape.every((dim, i) => i === 0 || dim === x!.shape[i])
    if (whole) return [{ shape: out!.shape, dtype: x!.dtype, data: x!.data.subarray(at, at + sizeOf(out!.shape)) }]
    const result = hostZeros(out!)
    const from = { at, strides: own.map((stride, i) => stride * (strides?.[i] ?? 1)) }
    copyBlock(out!.shape, x!.data, from, result.data, { at: 0, strides: stridesOf(out!.shape) })
    return [result]
  },
})
/** The elements from `startIndices` up to `limitIndices`, every `strides`-th of them. */
export const slice = (
  x: NDArray,
  startIndices: readonly number[],
  limitIndices: readonly number[],
  strides: readonly number[] | null = null,
): NDArray => bind1(slicePrimitive, [x], { startIndices, limitIndices, strides })

/** How much is put before the first element, after the last, and between any two; the first two may be negative and then cut. */
export type PaddingOfAxis = readonly [low: number, high: number, interior: number]
interface PadParams {
  readonly paddingConfig: readonly PaddingOfAxis[]
}

function padType([x, value]: readonly Aval[], { paddingConfig: config }: PadParams): [Aval] {
  if (value!.shape.length > 0) throw new ShapeError(misuse('pad', 'a scalar to pad with', showAval(value!)))
  if (value!.dtype !== x!.dtype)
    throw new DtypeError(misuse('pad', `a padding value of dtype ${x!.dtype}`, showAval(value!)))
  const shown = `[${config.map((axis) => `[${axis.join(',')}]`).join(',')}]`
  if (config.length !== x!.shape.length)
    throw new ShapeError(misuse('pad', `[low, high, interior] for each axis of ${showAval(x!)}`, shown))
  if (config.some((axis) => axis.length !== 3 || !axis.every(Number.isInteger) || axis[2] < 0)) {
    throw new ShapeError(misuse('pad', 'integers [low, high, interior], of which interior is not negative', shown))
  }
  const shape = x!.shape.map((dim, i) => {
    const [low, high, interior] = config[i]!
    return low + high + dim + interior * Math.max(0, dim - 1)
  })
  if (shape.some((dim) => dim < 0)) {
    throw new ShapeError(
      misuse('pad', `no more cut away than there is of ${showAval(x!)}`, `${shown}, a shape of [${shape.join(',')}]`),
    )
  }
  return [aval(shape, x!.dtype, x!.weakType && value!.weakType)]
}

const padPrimitive: Primitive<PadParams> = definePrimitive({
  name: 'pad',
  type: padType,
  jvp([x, value], tangents, { paddingConfig }) {
    const out = pad(x!, value!, paddingConfig)
    if (tangents.every(isZero)) return [[out], [new Zero(out.aval)]]
    return [[out], [pad(instantiate(tangents[0]!), instantiate(tangents[1]!), paddingConfig)]]
  },
  transpose(cts, [x, value], { paddingConfig }) {
    const ct = cts[0]!
    if (isZero(ct)) return [x!, value!].map((arg) => (isLinear(arg) ? new Zero(arg.aval) : null))
    const unpadded = pad(
      ct,
      scalar(0, ct.dtype),
      paddingConfig.map(([low, high]) => [-low, -high, 0] as const),
    )
    const strides = paddingConfig.map(([, , interior]) => interior + 1)
    const inside = slice(
      unpadded,
      strides.map(() => 0),
      unpadded.shape,
      strides.every((step) => step === 1) ? null : strides,
    )
    // The padding value went everywhere else.
    const sum = (part: NDArray): NDArray => reduceSum(part, range(part.ndim))
    return [isLinear(x!) ? inside : null, isLinear(value!) ? sub(sum(ct), sum(inside)) : null]
  },
  batch([x, value], [dim, valueDim], { paddingConfig }, { size }) {
    const front = dim === null ? batchInFront(x!, null, size) : x!
    const at = dim ?? 0
    const config = inserted<PaddingOfAxis>(paddingConfig, at, [0, 0, 0])
    if (!batched(valueDim!)) return [[pad(front, value!, config)], [at]]
    const inside = pad(full(front.shape, 1, 'bool'), scalar(0, 'bool'), config)
    const padded = pad(front, scalar(0, front.dtype, front.weakType), config)
    return [[selectN(inside, broadcastInDim(value!, padded.shape, [at]), padded)], [at]]
  },
  // nor are dimensions that are padded
  axes: (args, params, outs, derive) =>
    moves(
      args,
      outs,
      allBut<PadParams>(({ paddingConfig }) =>
        range(paddingConfig.length).filter((dim) => paddingConfig[dim]!.some((amount) => amount !== 0)),
      )(args, params, outs, derive),
    ),
  reference([x, value], { paddingConfig }, [out]) {
    const result = hostZeros(out!)
    if (value!.data[0] !== 0 || Object.is(value!.data[0], -0)) result.data.fill(value!.data[0]!)
    const [own, strides] = [stridesOf(x!.shape), stridesOf(out!.shape)]
    let [from, to] = [0, 0]
    const block: number[] = []
    for (const [axis, [low, , interior]] of paddingConfig.entries()) {
      const step = interior + 1
      // The elements that remain: those whose place in the result is neither negative nor beyond its end.
      const first = low < 0 ? Math.ceil(-low / step) : 0
      const last = Math.min(x!.shape[axis]! - 1, Math.floor((out!.shape[axis]! - 1 - low) / step))
      block.push(Math.max(0, last - first + 1))
      from += first * own[axis]!
      to += (low + first * step) * strides[axis]!
      strides[axis]! *= step
    }
    copyBlock(block, x!.data, { at: from, strides: own }, result.data, { at: to, strides })
    return [result]
  },
})
/** Put a value around and between elements; negative amounts cut. */
export const pad = (x: NDArray, paddingValue: NDArray, paddingConfig: readonly PaddingOfAxis[]): NDArray =>
  bind1(padPrimitive, [x, paddingValue], { paddingConfig })

interface ConcatenateParams {
  readonly dimension: number
}

function concatenateType(args: readonly Aval[], { dimension }: ConcatenateParams): [Aval] {
  const first = args[0]
  const shown = args.map(showAval).join(' and ')
  if (first === undefined) throw new ShapeError(misuse('concatenate', 'at least one array', 'none'))
  if (!Number.isInteger(dimension) || dimension < 0 || dimension >= first.shape.length) {
    throw new ShapeError(misuse('concatenate', `an axis of ${showAval(first)}`, `${dimension}`))
  }
  const fits = (x: Aval): boolean =>
    x.shape.length === first.shape.length && x.shape.every((dim, i) => i === dimension || dim === first.shape[i])
  if (!args.every(fits))
    throw new ShapeError(misuse('concatenate', `shapes that differ in axis ${dimension} only`, shown))
  if (args.some((x) => x.dtype !== first.dtype))
    throw new DtypeError(misuse('concatenate', 'equal dtypes', shown, 'np functions promote; x.astype(dtype) converts'))
  const size = args.reduce((sum, x) => sum + x.shape[dimension]!, 0)
  return [
    aval(
      first.shape.map((dim, i) => (i === dimension ? size : dim)),
      first.dtype,
      args.every((x) => x.weakType),
    ),
  ]
}

const concatenatePrimitive: Primitive<ConcatenateParams> = definePrimitive({
  name: 'concatenate',
  type: concatenateType,
  jvp(xs, tangents, { dimension }) {
    const out = concatenate(xs, dimension)
    return [[out], [tangents.every(isZero) ? new Zero(out.aval) : concatenate(tangents.map(instantiate), dimension)]]
  },
  transpose(cts, args, { dimension }) {
    const ct = cts[0]!
    let end = 0
    return args.map((arg) => {
      const start = end
      end += arg.aval.shape[dimension]!
      if (!isLinear(arg)) return null
      if (isZero(ct)) return new Zero(arg.aval)
      const limits = replaced(ct.shape, dimension, end)
      return slice(
        ct,
        ct.shape.map((_, i) => (i === dimension ? start : 0)),
        limits,
      )
    })
  },
  batch: (xs, dims, { dimension }, { size }) => [
    [
      concatenate(
        xs.map((x, i) => batchInFront(x, dims[i]!, size)),
        dimension + 1,
      ),
    ],
    [0],
  ],
  // a part of the joined dimension is made of some of the operands
  axes: (args, params, outs, derive) =>
    moves(args, outs, allBut<ConcatenateParams>(({ dimension }) => [dimension])(args, params, outs, derive)),
  reference(xs, { dimension }, [out]) {
    const result = hostZeros(out!)
    const strides = stridesOf(out!.shape)
    let at = 0
    for (const x of xs) {
      copyBlock(x.shape, x.data, { at: 0, strides: stridesOf(x.shape) }, result.data, { at, strides })
      at += x.shape[dimension]! * strides[dimension]!
    }
    return [result]
  },
})
/** Join arrays along an axis. */
export const concatenate = (xs: readonly NDArray[], dimension: number): NDArray =>
  xs.length === 1 ? xs[0]! : bind1(concatenatePrimitive, xs, { dimension })

interface SplitParams {
  readonly sizes: readonly number[]
  readonly axis: number
}

const splitPrimitive: Primitive<SplitParams> = definePrimitive({
  name: 'split',
  type([x], { sizes, axis }) {
    if (!Number.isInteger(axis) || axis < 0 || axis >= x!.shape.length)
      throw new ShapeError(misuse('split', `an axis of ${showAval(x!)}`, `${axis}`))
    const sum = sizes.reduce((a, b) => a + b, 0)
    if (sum !== x!.shape[axis] || sizes.some((size) => !Number.isInteger(size) || size < 0)) {
      throw new ShapeError(
        misuse('split', `sizes that add up to axis ${axis} of ${showAval(x!)}`, `[${sizes.join(',')}]`),
      )
    }
    return sizes.map((size) => aval(replaced(x!.shape, axis, size), x!.dtype, x!.weakType))
  },
  jvp([x], tangents, { sizes, axis }) {
    const outs = split(x!, sizes, axis)
    const t = tangents[0]!
    return [outs, isZero(t) ? outs.map((out) => new Zero(out.aval)) : split(t, sizes, axis)]
  },
  transpose(cts, [x], { axis }) {
    if (cts.every(isZero)) return [new Zero(x!.aval)]
    return [concatenate(cts.map(instantiate), axis)]
  },
  batch([x], [dim], { sizes, axis }) {
    const outs = split(x!, sizes, axis >= dim! ? axis + 1 : axis)
    return [outs, outs.map(() => dim!)]
  },
  axes: (args, params, outs, derive) =>
    outs.length === 0 ? [] : moves(args, outs, allBut<SplitParams>(({ axis }) => [axis])(args, params, outs, derive)),
  reference([x], { axis }, outs) {
    const strides = stridesOf(x!.shape)
    let at = 0
    return outs.map((out) => {
      const result = hostZeros(out)
      copyBlock(out.shape, x!.data, { at, strides }, result.data, { at: 0, strides: stridesOf(out.shape) })
      at += out.shape[axis]! * strides[axis]!
      return result
    })
  },
})
const replaced = (shape: Shape, axis: number, size: number): number[] =>
  shape.map((dim, i) => (i === axis ? size : dim))
/** Cut an array into parts of the given sizes along an axis. */
export const split = (x: NDArray, sizes: readonly number[], axis: number): NDArray[] => [
  ...bind(splitPrimitive, [x], { sizes, axis }),
]
