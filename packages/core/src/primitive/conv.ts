/** Convolution as JAX has it: any layout, strides, padding, dilation of either operand, and groups of features or of the batch. */
import type { NDArray } from '../array.ts'
import type { HostArray, TypedArray } from '../backend/interface.ts'
import { hostZeros, roundTo } from '../backend/reference/host.ts'
import { type Matrix, multiplyFloats, multiplyIntegers, offsetsOf } from '../backend/reference/matmul.ts'
import { type Windows, dilated, windowCounts, windowOffsets } from '../backend/reference/windows.ts'
import { type DType, isFloat } from '../dtype.ts'
import { OptionError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { inserted, inverse, range, sizeOf, stridesOf, without } from '../shape.ts'
import { bind1 } from '../trace.ts'
import { bilinearJvp, bilinearTranspose, productType } from './bilinear.ts'
import { type BatchDim, type Factor, type Primitive, definePrimitive } from './define.ts'
import { convert } from './elementwise.ts'
import { showNumbers } from './gather.ts'
import { full, reshape, rev, transpose } from './movement.ts'

/** Which axis is what: `lhs` lists batch, features, then space; `rhs` output features, input features, space; `out` as `lhs`. */
export interface ConvDimensionNumbers {
  readonly lhsSpec: readonly number[]
  readonly rhsSpec: readonly number[]
  readonly outSpec: readonly number[]
}
export interface ConvParams {
  readonly windowStrides: readonly number[]
  readonly padding: readonly (readonly [low: number, high: number])[]
  readonly lhsDilation: readonly number[]
  readonly rhsDilation: readonly number[]
  readonly dimensionNumbers: ConvDimensionNumbers
  readonly featureGroupCount: number
  readonly batchGroupCount: number
  readonly preferredElementType: DType | undefined
}

const where = 'convGeneralDilated'
const pick = (shape: readonly number[], axes: readonly number[]): number[] => axes.map((axis) => shape[axis]!)
const spatial = (shape: readonly number[], spec: readonly number[]): number[] => pick(shape, spec.slice(2))

const windowsOf = (
  rhs: readonly number[],
  { windowStrides, padding, lhsDilation, rhsDilation, dimensionNumbers }: ConvParams,
): Windows => ({
  sizes: spatial(rhs, dimensionNumbers.rhsSpec),
  strides: windowStrides,
  padding,
  baseDilation: lhsDilation,
  windowDilation: rhsDilation,
})

/** Check that the operands, the groups and the lists of one entry a spatial axis fit together. */
function checkConv(lhs: Aval, rhs: Aval, params: ConvParams): void {
  const { dimensionNumbers, featureGroupCount, batchGroupCount } = params
  const rank = lhs.shape.length
  const refuse = (expectation: string, got: string): never => {
    throw new ShapeError(misuse(where, expectation, got))
  }
  const operands = `${showAval(lhs)} and ${showAval(rhs)}`
  const specs = Object.values(dimensionNumbers) as (readonly number[])[]
  if (rhs.shape.length !== rank || specs.some((spec) => spec.length !== rank))
    refuse('operands and dimensionNumbers of one rank', operands)
  for (const name of ['windowStrides', 'padding', 'lhsDilation', 'rhsDilation'] as const) {
    if (params[name].length !== rank - 2) refuse(`${rank - 2} entries of ${name}`, `${params[name].length}`)
  }
  if (featureGroupCount < 1 || batchGroupCount < 1 || (featureGroupCount > 1 && batchGroupCount > 1)) {
    const got = `featureGroupCount ${featureGroupCount} and batchGroupCount ${batchGroupCount}`
    throw new OptionError(misuse(where, 'positive group counts of which one at most is above 1', got))
  }
  const [batch, features] = pick(lhs.shape, dimensionNumbers.lhsSpec) as [number, number]
  const [outFeatures, inFeatures] = pick(rhs.shape, dimensionNumbers.rhsSpec) as [number, number]
  if (features !== inFeatures * featureGroupCount) {
    refuse(
      `${inFeatures} × ${featureGroupCount} features, the kernel's times featureGroupCount, in the left operand`,
      operands,
    )
  }
  if (outFeatures % featureGroupCount !== 0 || outFeatures % batchGroupCount !== 0 || batch % batchGroupCount !== 0) {
    const counts = `groups ${featureGroupCount} of features, ${batchGroupCount} of the batch`
    refuse('group counts that divide the output features and the batch', `${operands} with ${counts}`)
  }
}

function type([lhs, rhs]: readonly Aval[], params: ConvParams): Aval[] {
  checkConv(lhs!, rhs!, params)
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers
  const counts = windowCounts(spatial(lhs!.shape, lhsSpec), windowsOf(rhs!.shape, params))
  const ordered = [lhs!.shape[lhsSpec[0]!]! / params.batchGroupCount, rhs!.shape[rhsSpec[0]!]!, ...counts]
  const shape = pick(ordered, inverse(outSpec))
  return [aval(shape, productType(where, lhs!, rhs!, params.preferredElementType), lhs!.weakType && rhs!.weakType)]
}

/** Take axis `from` out and make it the slower part of the axis that is `to` once `from` is gone. */
function axisInto(from: number, to: number, x: NDArray): NDArray {
  const permutation = inserted(without(range(x.ndim), [from]), to, from)
  const shape = without(x.shape, [from])
  shape[to]! *= x.shape[from]!
  return reshape(transpose(x, permutation), shape)
}
/** Split an axis into one of `size`, the slower part, and one of the rest. */
function axisOutOf(axis: number, size: number, x: NDArray): NDArray {
  const shape = [...x.shape]
  shape.splice(axis, 1, size, x.shape[axis]! / size)
  return reshape(x, shape)
}
const swapped = ([a, b, ...rest]: readonly number[]): number[] => [b!, a!, ...rest]

/** The sizes along space that both transposes need, dilated. */
function dilatedSizes(lhs: readonly number[], rhs: readonly number[], out: readonly number[], params: ConvParams) {
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers
  const spread = (shape: readonly number[], spec: readonly number[], dilation: readonly number[]) =>
    spatial(shape, spec).map((dim, i) => dilated(dim, dilation[i]!))
  return {
    lhs: spread(lhs, lhsSpec, params.lhsDilation),
    rhs: spread(rhs, rhsSpec, params.rhsDilation),
    out: spread(out, outSpec, params.windowStrides),
  }
}

// Without space let m be the batch, j the input features, k the output features, g the groups. A convolution is [m,gj] × [j,gk] → [m,gk].
// Pulled back to lhs: [m,gk] × [k,gj] → [m,gj], again with groups of features once the kernel's groups have changed sides; pulled
// back to rhs: [gj,m] × [m,gk] → [j,gk], with groups of the batch. With groups of the batch, [gm,j] × [j,gk] → [m,gk], both
// transposes have groups of features.
function transposeLhs(ct: NDArray, lhs: Aval, rhs: NDArray, params: ConvParams): NDArray {
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers
  const groups = Math.max(params.featureGroupCount, params.batchGroupCount)
  const kernel = groups > 1 ? axisInto(rhsSpec[0]!, rhsSpec[1]!, axisOutOf(rhsSpec[0]!, groups, rhs)) : rhs
  const sizes = dilatedSizes(lhs.shape, rhs.shape, ct.shape, params)
  const padding = params.padding.map(([low], i) => {
    const before = sizes.rhs[i]! - low - 1
    return [before, sizes.lhs[i]! + sizes.rhs[i]! - 1 - sizes.out[i]! - before] as const
  })
  const out = convGeneralDilated(ct, convert(rev(kernel, rhsSpec.slice(2)), ct.dtype), {
    ...params,
    windowStrides: params.lhsDilation,
    padding,
    lhsDilation: params.windowStrides,
    dimensionNumbers: { lhsSpec: outSpec, rhsSpec: swapped(rhsSpec), outSpec: lhsSpec },
    featureGroupCount: groups,
    batchGroupCount: 1,
  })
  const pulled = convert(out, lhs.dtype, lhs.weakType)
  const batchGroups = params.batchGroupCount
  return batchGroups > 1 ? axisInto(lhsSpec[1]!, lhsSpec[0]!, axisOutOf(lhsSpec[1]!, batchGroups, pulled)) : pulled
}

function transposeRhs(ct: NDArray, rhs: Aval, lhs: NDArray, params: ConvParams): NDArray {
  // a window that never fits has no gradient, and its transpose would have a negative size
  if (ct.size === 0) return full(rhs.shape, 0, rhs.dtype, rhs.weakType)
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers
  const sizes = dilatedSizes(lhs.shape, rhs.shape, ct.shape, params)
  const padding = params.padding.map(
    ([low], i) => [low, sizes.out[i]! - sizes.lhs[i]! + sizes.rhs[i]! - low - 1] as const,
  )
  const out = convGeneralDilated(convert(lhs, ct.dtype), ct, {
    ...params,
    windowStrides: params.rhsDilation,
    padding,
    rhsDilation: params.windowStrides,
    dimensionNumbers: { lhsSpec: swapped(lhsSpec), rhsSpec: swapped(outSpec), outSpec: swapped(rhsSpec) },
    featureGroupCount: params.batchGroupCount,
    batchGroupCount: params.featureGroupCount,
  })
  return convert(out, rhs.dtype, rhs.weakType)
}

/** A batch axis becomes part of an axis that the convolution has anyway: groups if both operands have one, else batch or features. */
function batch(
  [lhs, rhs]: readonly NDArray[],
  [lhsDim, rhsDim]: readonly BatchDim[],
  params: ConvParams,
): [NDArray[], BatchDim[]] {
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers
  const { featureGroupCount, batchGroupCount } = params
  const size = lhsDim !== null ? lhs!.shape[lhsDim!]! : rhs!.shape[rhsDim!]!
  if (size === 0) {
    const single = (x: NDArray, dim: BatchDim): Aval => ({
      ...x.aval,
      shape: dim === null ? x.shape : without(x.shape, [dim]),
    })
    const [out] = type([single(lhs!, lhsDim!), single(rhs!, rhsDim!)], params)
    return [[full([0, ...out!.shape], 0, out!.dtype, out!.weakType)], [0]]
  }
  if (lhsDim !== null && rhsDim !== null) {
    const byBatch = batchGroupCount > 1
    const out = convGeneralDilated(
      axisInto(lhsDim!, lhsSpec[byBatch ? 0 : 1]!, lhs!),
      axisInto(rhsDim!, rhsSpec[0]!, rhs!),
      {
        ...params,
        batchGroupCount: byBatch ? batchGroupCount * size : 1,
        featureGroupCount: byBatch ? 1 : featureGroupCount * size,
      },
    )
    return [[axisOutOf(outSpec[1]!, size, out)], [outSpec[1]!]]
  }
  if (lhsDim !== null) {
    const wide = intoGroupedAxis(lhsDim!, lhsSpec[0]!, batchGroupCount, lhs!)
    return [[axisOutOf(outSpec[0]!, size, convGeneralDilated(wide, rhs!, params))], [outSpec[0]!]]
  }
  const groups = Math.max(featureGroupCount, batchGroupCount)
  const out = convGeneralDilated(lhs!, intoGroupedAxis(rhsDim!, rhsSpec[0]!, groups, rhs!), params)
  if (groups === 1) return [[axisOutOf(outSpec[1]!, size, out)], [outSpec[1]!]]
  const split = axisOutOf(outSpec[1]! + 1, size, axisOutOf(outSpec[1]!, groups, out))
  return [[axisInto(outSpec[1]!, outSpec[1]! + 1, split)], [outSpec[1]!]]
}
/** A batch axis at `dim` becomes part of an axis whose groups have to stay outermost. */
function intoGroupedAxis(dim: number, axis: number, groups: number, x: NDArray): NDArray {
  if (groups === 1) return axisInto(dim, axis, x)
  const split = axisOutOf(axis + (dim <= axis ? 1 : 0), groups, x)
  return axisInto(axis, axis, axisInto(dim + (axis < dim ? 1 : 0), axis + 1, split))
}

/** Batch and features; windows reach over the borders of what space would be cut into. Groups are split as groups. */
function axes(_: readonly Aval[], params: ConvParams, [out]: readonly Aval[]): Factor[] {
  const { dimensionNumbers, featureGroupCount, batchGroupCount } = params
  const [[batchOf, features], [outputs, inputs], [images, channels]] = [
    dimensionNumbers.lhsSpec,
    dimensionNumbers.rhsSpec,
    dimensionNumbers.outSpec,
  ] as [[number, number], [number, number], [number, number]]
  const [batches, groups] = [batchGroupCount > 1, featureGroupCount > 1]
  const rules: readonly (Factor | false)[] = [
    !batches && { operands: [batchOf, null], results: [images] },
    !batches && !groups && { operands: [null, outputs], results: [channels] },
    !groups && { operands: [features, inputs], results: [out!.dtype === 'bool' ? 'or' : 'sum'] },
    groups && {
      operands: [features, outputs],
      results: [channels],
      units: featureGroupCount,
      part: (span) => ({ ...params, featureGroupCount: span(featureGroupCount)[1] }),
    },
    batches && {
      operands: [batchOf, outputs],
      results: [channels],
      units: batchGroupCount,
      part: (span) => ({ ...params, batchGroupCount: span(batchGroupCount)[1] }),
    },
  ]
  return rules.filter((rule) => rule !== false)
}

/** The patches under the windows as rows of a matrix, times the kernel as a matrix, some images at a time. */
function reference([lhs, rhs]: readonly HostArray[], params: ConvParams, [out]: readonly Aval[]): HostArray[] {
  const result = hostZeros(out!)
  if (result.data.length === 0) return [result]
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers
  const strides = { lhs: stridesOf(lhs!.shape), rhs: stridesOf(rhs!.shape), out: stridesOf(out!.shape) }
  const windows = windowsOf(rhs!.shape, params)
  const places = windowOffsets(spatial(lhs!.shape, lhsSpec), spatial(strides.lhs, lhsSpec), windows)
  const outPlaces = offsetsOf(spatial(out!.shape, outSpec), spatial(strides.out, outSpec))
  const taps = sizeOf(windows.sizes)
  const [outFeatures, inFeatures] = pick(rhs!.shape, rhsSpec) as [number, number]
  const groups = Math.max(params.featureGroupCount, params.batchGroupCount)
  const byBatch = params.batchGroupCount > 1
  const columns = outFeatures / groups
  const depth = inFeatures * taps
  const images = out!.shape[outSpec[0]!]!
  const atOnce = Math.max(1, Math.floor(2 ** 20 / Math.max(1, outPlaces.length * depth)))
  const floats = isFloat(out!.dtype)
  const store = floats ? Float64Array : Int32Array
  const kernelData = new store(rhs!.data)
  const kernelRows = offsetsOf(
    pick(rhs!.shape, [rhsSpec[1]!, ...rhsSpec.slice(2)]),
    pick(strides.rhs, [rhsSpec[1]!, ...rhsSpec.slice(2)]),
  )
  const multiply = (floats ? multiplyFloats : multiplyIntegers) as (
    a: Matrix,
    b: Matrix,
    to: TypedArray,
    at: number,
  ) => void
  for (let group = 0; group < groups; group++) {
    const kernel: Matrix = {
      data: kernelData,
      base: group * columns * strides.rhs[rhsSpec[0]!]!,
      rows: kernelRows,
      columns: offsetsOf([columns], [strides.rhs[rhsSpec[0]!]!]),
    }
    const base = byBatch ? group * images * strides.lhs[lhsSpec[0]!]! : group * inFeatures * strides.lhs[lhsSpec[1]!]!
    for (let first = 0; first < images; first += atOnce) {
      const count = Math.min(atOnce, images - first)
      const rows = count * outPlaces.length
      const patches = new store(rows * depth)
      let at = 0
      for (let n = first; n < first + count; n++) {
        for (let p = 0; p < outPlaces.length; p++) {
          for (let c = 0; c < inFeatures; c++) {
            const from = base + n * strides.lhs[lhsSpec[0]!]! + c * strides.lhs[lhsSpec[1]!]!
            for (let k = p * taps; k < (p + 1) * taps; k++, at++)
              if (places[k]! >= 0) patches[at] = lhs!.data[from + places[k]!]!
          }
        }
      }
      const product = new store(rows * columns)
      multiply(
        { data: patches, base: 0, rows: offsetsOf([rows], [depth]), columns: offsetsOf([depth], [1]) },
        kernel,
        product,
        0,
      )
      // of bools, the disjunction of conjunctions
      if (out!.dtype === 'bool') for (let i = 0; i < product.length; i++) product[i] = product[i] === 0 ? 0 : 1
      at = 0
      for (let n = first; n < first + count; n++) {
        for (let p = 0; p < outPlaces.length; p++) {
          const to = n * strides.out[outSpec[0]!]! + group * columns * strides.out[outSpec[1]!]! + outPlaces[p]!
          for (let o = 0; o < columns; o++) result.data[to + o * strides.out[outSpec[1]!]!] = product[at++]!
        }
      }
    }
  }
  roundTo(out!.dtype, result.data)
  return [result]
}

const convPrimitive: Primitive<ConvParams> = definePrimitive<ConvParams>({
  name: 'conv_general_dilated',
  type,
  jvp: bilinearJvp((x, y, params) => convGeneralDilated(x, y, params)),
  transpose: bilinearTranspose(where, transposeLhs, transposeRhs),
  batch,
  axes,
  reference,
  show: ({ dimensionNumbers, preferredElementType, ...rest }) => ({
    ...rest,
    dimensionNumbers: showNumbers('ConvDimensionNumbers', { ...dimensionNumbers }),
    preferredElementType: preferredElementType ?? null,
    outSharding: null,
    precision: null,
  }),
})
/** Slide the kernel `rhs` over `lhs`, without turning it around. */
export const convGeneralDilated = (lhs: NDArray, rhs: NDArray, params: ConvParams): NDArray =>
  bind1(convPrimitive, [lhs, rhs], params)
