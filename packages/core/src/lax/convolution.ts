/** Convolutions: of any layout, with padding by name, and their transposes. */
import type { NDArray } from '../array.ts'
import { type DType, checkDtype } from '../dtype.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import * as raw from '../primitive/conv.ts'
import { dilated } from '../backend/reference/windows.ts'
import { identity } from '../primitive/matrix.ts'
import { broadcastInDim, reshape, rev, transpose } from '../primitive/movement.ts'
import { type Shape, inverse, range, sizeOf } from '../shape.ts'
import { type Padding, paddingOf } from './padding.ts'

export type { ConvDimensionNumbers } from '../primitive/conv.ts'
/** Which axis is what: in letters (`N` batch, `C` features, `O` and `I` output and input features, space by any other), or as lists of axes. */
export type ConvLayout = readonly [lhs: string, rhs: string, out: string] | raw.ConvDimensionNumbers | null

export interface ConvOptions {
  /** Holes between elements of the left operand, less one, which makes a transposed convolution. */
  lhsDilation?: readonly number[]
  /** Holes between elements of the kernel, less one. */
  rhsDilation?: readonly number[]
  /** `['NCHW', 'OIHW', 'NCHW']` and the like for other ranks by default. */
  dimensionNumbers?: ConvLayout
  /** Divide features into that many groups, each with kernels of its own. */
  featureGroupCount?: number
  batchGroupCount?: number
  /** The dtype in which products are summed and that the result has. */
  preferredElementType?: DType
}

const places = (where: string, spec: string, letters: string, space: string): number[] => {
  const at = [...letters, ...space].map((letter) => spec.indexOf(letter))
  if (at.includes(-1) || new Set(spec).size !== spec.length || spec.length !== at.length) {
    throw new OptionError(misuse(where, `a layout of the letters ${letters}${space}, each once`, `'${spec}'`))
  }
  return at
}
/**
 * Layouts as lists of axes.
 *
 * @param layout letters, lists, or `null` for batch and features first
 * @throws OptionError for letters that do not fit the shapes or each other
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.convDimensionNumbers([1, 8, 8, 3], [3, 3, 3, 16], ['NHWC', 'HWIO', 'NHWC']).lhsSpec // => [0, 3, 1, 2]
 * ```
 */
export function convDimensionNumbers(lhsShape: Shape, rhsShape: Shape, layout: ConvLayout): raw.ConvDimensionNumbers {
  const where = 'convDimensionNumbers'
  if (lhsShape.length !== rhsShape.length || lhsShape.length < 2) {
    throw new ShapeError(
      misuse(where, 'shapes of one rank of at least 2', `[${lhsShape.join(',')}] and [${rhsShape.join(',')}]`),
    )
  }
  if (layout === null) {
    const all = range(lhsShape.length)
    return { lhsSpec: all, rhsSpec: all, outSpec: all }
  }
  if (!isLetters(layout)) return layout
  const [lhs, rhs, out] = layout
  for (const spec of layout) {
    if (spec.length !== lhsShape.length)
      throw new OptionError(misuse(where, `layouts of ${lhsShape.length} letters`, `'${spec}'`))
  }
  // space in the order in which the kernel names it
  const space = [...rhs].filter((letter) => letter !== 'O' && letter !== 'I').join('')
  return {
    lhsSpec: places(where, lhs, 'NC', space),
    rhsSpec: places(where, rhs, 'OI', space),
    outSpec: places(where, out, 'NC', space),
  }
}
const isLetters = (layout: NonNullable<ConvLayout>): layout is readonly [string, string, string] =>
  Array.isArray(layout)

const spatial = (shape: Shape, spec: readonly number[]): number[] => spec.slice(2).map((axis) => shape[axis]!)
const spread = (sizes: Shape, dilation: readonly number[]): number[] =>
  sizes.map((size, i) => dilated(size, dilation[i] ?? 1))

/**
 * Slide a kernel over space, without turning it around.
 *
 * @param lhs f32[batch, features, ...space], in the layout that `dimensionNumbers` says
 * @param rhs f32[outputs, features / groups, ...window]
 * @param windowStrides the step along each axis of space
 * @param padding `'SAME'`, `'SAME_LOWER'`, `'VALID'`, or `[low, high]` for each axis of space
 * @returns f32[batch, outputs, ...space]
 * @throws ShapeError or OptionError if operands, layouts and groups do not fit
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.convGeneralDilated(np.array([[[1, 2, 3]]]), np.array([[[1, 1]]]), [1], 'VALID') // => [[[3, 5]]]
 * ```
 */
export function convGeneralDilated(
  lhs: NDArray,
  rhs: NDArray,
  windowStrides: readonly number[],
  padding: Padding,
  options: ConvOptions = {},
): NDArray {
  const where = 'convGeneralDilated'
  checkOptions(where, options, [
    'lhsDilation',
    'rhsDilation',
    'dimensionNumbers',
    'featureGroupCount',
    'batchGroupCount',
    'preferredElementType',
  ])
  const dimensionNumbers = convDimensionNumbers(lhs.shape, rhs.shape, options.dimensionNumbers ?? null)
  const ones = range(Math.max(0, lhs.ndim - 2)).map(() => 1)
  const { lhsDilation = ones, rhsDilation = ones, featureGroupCount = 1, batchGroupCount = 1 } = options
  if (padding !== 'VALID' && typeof padding === 'string' && lhsDilation.some((dilation) => dilation !== 1)) {
    throw new OptionError(
      misuse(where, 'padding in numbers beside lhsDilation', `'${padding}'`, 'lax.convTranspose takes padding by name'),
    )
  }
  const windows = spread(spatial(rhs.shape, dimensionNumbers.rhsSpec), rhsDilation)
  const pads = paddingOf(where, padding, spatial(lhs.shape, dimensionNumbers.lhsSpec), windows, windowStrides)
  const preferredElementType =
    options.preferredElementType === undefined ? undefined : checkDtype(where, options.preferredElementType)
  return raw.convGeneralDilated(lhs, rhs, {
    windowStrides,
    padding: pads,
    lhsDilation,
    rhsDilation,
    dimensionNumbers,
    featureGroupCount,
    batchGroupCount,
    preferredElementType,
  })
}

/**
 * A convolution with batch and features first; see `convGeneralDilated`.
 *
 * @param lhs f32[batch, features, ...space]
 * @param rhs f32[outputs, features, ...window]
 */
export const conv = (
  lhs: NDArray,
  rhs: NDArray,
  windowStrides: readonly number[],
  padding: Padding,
  options: Pick<ConvOptions, 'preferredElementType'> = {},
): NDArray => convGeneralDilated(lhs, rhs, windowStrides, padding, options)

/** A convolution with batch and features first, and with dilations, of which `null` stands for none; see `convGeneralDilated`. */
export const convWithGeneralPadding = (
  lhs: NDArray,
  rhs: NDArray,
  windowStrides: readonly number[],
  padding: Padding,
  lhsDilation: readonly number[] | null,
  rhsDilation: readonly number[] | null,
  options: Pick<ConvOptions, 'preferredElementType'> = {},
): NDArray =>
  convGeneralDilated(lhs, rhs, windowStrides, padding, {
    ...options,
    ...(lhsDilation === null ? {} : { lhsDilation }),
    ...(rhsDilation === null ? {} : { rhsDilation }),
  })

/**
 * The windows that a convolution sees, as features: feature c · size + i is element i, in row-major order, of the window over feature c.
 *
 * @param filterShape the window's size along each axis of space
 * @returns f32[batch, features · size, ...space]; see `convGeneralDilated`
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.convGeneralDilatedPatches(np.array([[[1, 2, 3]]]), [2], [1], 'VALID') // => [[[1, 2], [2, 3]]]
 * ```
 */
export function convGeneralDilatedPatches(
  lhs: NDArray,
  filterShape: Shape,
  windowStrides: readonly number[],
  padding: Padding,
  options: Pick<ConvOptions, 'lhsDilation' | 'rhsDilation' | 'dimensionNumbers' | 'preferredElementType'> = {},
): NDArray {
  checkOptions('convGeneralDilatedPatches', options, [
    'lhsDilation',
    'rhsDilation',
    'dimensionNumbers',
    'preferredElementType',
  ])
  const dimensionNumbers = convDimensionNumbers(lhs.shape, [1, 1, ...filterShape], options.dimensionNumbers ?? null)
  const features = lhs.shape[dimensionNumbers.lhsSpec[1]!]!
  const size = sizeOf(filterShape)
  // one kernel for each element of the window, that picks it
  const picks = reshape(identity(lhs.dtype, [size, size]), [1, size, 1, ...filterShape])
  const kernels = reshape(broadcastInDim(picks, [features, size, 1, ...filterShape], range(picks.ndim)), [
    features * size,
    1,
    ...filterShape,
  ])
  const rhs = transpose(kernels, inverse(dimensionNumbers.rhsSpec))
  return convGeneralDilated(lhs, rhs, windowStrides, padding, {
    ...options,
    dimensionNumbers,
    featureGroupCount: features,
  })
}

/** Padding of the dilated operand with which a convolution undoes the shape of a strided one. */
function transposedPadding(window: number, stride: number, padding: 'SAME' | 'VALID'): [low: number, high: number] {
  const total = window + stride - 2 + (padding === 'VALID' ? Math.max(window - stride, 0) : 0)
  const low = padding === 'VALID' ? window - 1 : stride > window - 1 ? window - 1 : Math.ceil(total / 2)
  return [low, total - low]
}

export interface ConvTransposeOptions extends Pick<
  ConvOptions,
  'rhsDilation' | 'dimensionNumbers' | 'preferredElementType'
> {
  /** Turn the kernel around and exchange its features, which makes the result the derivative of a convolution with this kernel. */
  transposeKernel?: boolean
}
/**
 * A convolution that grows space by `strides`: the transpose of a strided one.
 *
 * @param lhs in the layout `NHWC`, or the like for other ranks, unless `dimensionNumbers` says otherwise
 * @param rhs in the layout `HWIO` by default
 * @param padding `'SAME'` and `'VALID'` are those of the strided convolution; pairs pad the spread operand
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * const x = np.array([[[1], [2]]])
 * lax.convTranspose(x, np.ones([2, 1, 1]), [2], 'SAME') // => [[[1], [1], [2], [2]]]
 * ```
 */
export function convTranspose(
  lhs: NDArray,
  rhs: NDArray,
  strides: readonly number[],
  padding: Padding,
  options: ConvTransposeOptions = {},
): NDArray {
  const where = 'convTranspose'
  checkOptions(where, options, ['rhsDilation', 'dimensionNumbers', 'transposeKernel', 'preferredElementType'])
  const { transposeKernel = false, ...rest } = options
  const rank = lhs.ndim
  if (rank < 2 || rhs.ndim !== rank)
    throw new ShapeError(
      misuse(where, 'operands of one rank of at least 2', `${showAval(lhs.aval)} and ${showAval(rhs.aval)}`),
    )
  const space = range(rank - 2, 1)
  const last: raw.ConvDimensionNumbers = {
    lhsSpec: [0, rank - 1, ...space],
    rhsSpec: [rank - 1, rank - 2, ...range(rank - 2)],
    outSpec: [0, rank - 1, ...space],
  }
  const layout = convDimensionNumbers(lhs.shape, rhs.shape, options.dimensionNumbers ?? last)
  const windows = spread(spatial(rhs.shape, layout.rhsSpec), options.rhsDilation ?? [])
  if (padding === 'SAME_LOWER')
    throw new OptionError(misuse(where, "padding 'SAME', 'VALID' or pairs of numbers", "'SAME_LOWER'"))
  const pads =
    typeof padding === 'string' ? windows.map((size, i) => transposedPadding(size, strides[i]!, padding)) : padding
  const kernel = transposeKernel ? turned(rhs, layout.rhsSpec) : rhs
  return convGeneralDilated(
    lhs,
    kernel,
    strides.map(() => 1),
    pads,
    { ...rest, lhsDilation: strides, dimensionNumbers: layout },
  )
}
/** The kernel with space reversed and its features exchanged. */
function turned(kernel: NDArray, [outputs, inputs, ...space]: readonly number[]): NDArray {
  const permutation = range(kernel.ndim).map((axis) => (axis === outputs ? inputs! : axis === inputs ? outputs! : axis))
  return transpose(rev(kernel, space), permutation)
}
