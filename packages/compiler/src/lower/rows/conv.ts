/** Convolution as a product: windows of the padded and dilated left operand, by the kernel, for each group. */
import type { DType } from '@fluxion/core'
import { and, constant, i32, lt, min, scalarType, select, truth, variable } from '../../loops/build.ts'
import { indexAdd, indexDiv, indexMod, indexMul } from '../../loops/indices.ts'
import { type Expr, LoopVar } from '../../loops/ir.ts'
import type { ProductRow, Rows } from '../lowering.ts'
import { factor } from './dot.ts'
import { all, within } from './slicing.ts'
import { type Spacing, windowSpot } from './window.ts'

/** `lhs` lists batch, features, then space; `rhs` output features, input features, space; `out` as `lhs`. */
interface ConvParams {
  readonly windowStrides: readonly number[]
  readonly padding: readonly (readonly [low: number, high: number])[]
  readonly lhsDilation: readonly number[]
  readonly rhsDilation: readonly number[]
  readonly dimensionNumbers: {
    readonly lhsSpec: readonly number[]
    readonly rhsSpec: readonly number[]
    readonly outSpec: readonly number[]
  }
  readonly featureGroupCount: number
  readonly batchGroupCount: number
}

/** Coordinates listed as a specification lists axes, in the order of the axes. */
const arranged = (spec: readonly number[], listed: readonly Expr[]): Expr[] =>
  spec.map((_, axis) => listed[spec.indexOf(axis)]!)

/** How a product runs along one axis of space: over windows, the elements of one, and phases of windows if they are told apart. */
interface Along {
  readonly window: LoopVar
  readonly phase: LoopVar | undefined
  readonly tap: LoopVar
  /** Which window that is, where in the operand its element lies, and with which of the kernel's it is multiplied. */
  readonly place: Expr
  readonly at: Expr
  readonly inside: Expr
  readonly kernelAt: Expr
  /** Whether the kernel has such an element. */
  readonly inKernel: Expr
}
/**
 * Where the operand is spread out, as in the gradient of a convolution with strides, all windows of one phase meet its elements with the
 * same taps, every `spread`-th, and holes with all others: those are left out. Window spread · q + phase has the taps spread · u + first, with
 * first ≡ low − phase.
 */
function along(axis: number, size: number, windows: number, taps: number, spacing: Spacing): Along {
  const { stride, low, spread, dilation } = spacing
  if (spread > 1 && stride === 1 && dilation === 1 && windows % spread === 0) {
    const [window, phase] = [new LoopVar(`p${axis}`, windows / spread), new LoopVar(`h${axis}`, spread)]
    const tap = new LoopVar(`t${axis}`, Math.ceil(taps / spread))
    const first = indexMod(indexAdd(indexMul(variable(phase), -1), low), spread)
    const skipped = indexDiv(indexAdd(variable(phase), first, -low), spread)
    const kernelAt = indexAdd(indexMul(variable(tap), spread), first)
    const even = taps % spread === 0
    return {
      window,
      phase,
      tap,
      place: indexAdd(indexMul(variable(window), spread), variable(phase)),
      ...within(indexAdd(variable(window), variable(tap), skipped), size),
      kernelAt: even ? kernelAt : min(kernelAt, i32(Math.max(0, taps - 1))),
      inKernel: even ? truth(true) : lt(kernelAt, i32(taps)),
    }
  }
  const [window, tap] = [new LoopVar(`p${axis}`, windows), new LoopVar(`t${axis}`, taps)]
  const [place, kernelAt] = [variable(window), variable(tap)]
  const spot = windowSpot(place, kernelAt, size, spacing)
  return { window, phase: undefined, tap, place, kernelAt, ...spot, inKernel: truth(true) }
}

const convGeneralDilated: ProductRow<ConvParams> = {
  kind: 'product',
  loops([lhs, rhs], params, [out]) {
    const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers
    const listed = (shape: readonly number[], spec: readonly number[]): number[] => spec.map((axis) => shape[axis]!)
    const [, , ...space] = listed(lhs!.aval.shape, lhsSpec)
    const [outFeatures, inFeatures, ...taps] = listed(rhs!.aval.shape, rhsSpec)
    const [images, , ...places] = listed(out!.shape, outSpec)
    const groups = Math.max(params.featureGroupCount, params.batchGroupCount)
    const group = new LoopVar('g', groups)
    const image = new LoopVar('n', images!)
    const column = new LoopVar('o', outFeatures! / groups)
    const channel = new LoopVar('c', inFeatures!)
    const dtype: DType = out!.dtype

    const inGroup = (of: LoopVar, size: number, grouped: boolean): Expr =>
      grouped ? indexAdd(indexMul(variable(group), size), variable(of)) : variable(of)
    const features = inGroup(column, outFeatures! / groups, true)
    // Where a window covers padding, or a hole of the dilated operand, its element is zero.
    const axes = space.map((size, i) =>
      along(i, size, places[i]!, taps[i]!, {
        stride: params.windowStrides[i]!,
        low: params.padding[i]![0],
        spread: params.lhsDilation[i]!,
        dilation: params.rhsDilation[i]!,
      }),
    )
    const inKernel = all(axes.map((axis) => axis.inKernel))
    const zero = constant(scalarType(dtype), 0)
    const covered = (): Expr =>
      lhs!.at(
        arranged(lhsSpec, [
          inGroup(image, images!, params.batchGroupCount > 1),
          inGroup(channel, inFeatures!, params.featureGroupCount > 1),
          ...axes.map(({ at }) => at),
        ]),
      )
    const left = lhs!.aval.shape.includes(0)
      ? zero
      : select(and(all(axes.map(({ inside }) => inside)), inKernel), factor(covered(), lhs!.aval.dtype, dtype), zero)
    const kernelPlaces = axes.map(({ kernelAt }) => kernelAt)
    const kernel = rhs!.at(arranged(rhsSpec, [features, variable(channel), ...kernelPlaces]))
    const phases = axes.flatMap(({ phase }) => (phase === undefined ? [] : [phase]))
    return {
      batch: [...(groups === 1 ? [] : [group]), ...phases],
      rows: [image, ...axes.map(({ window }) => window)],
      columns: [column],
      inner: [channel, ...axes.map(({ tap }) => tap)],
      left,
      right: rhs!.aval.shape.includes(0) ? zero : select(inKernel, factor(kernel, rhs!.aval.dtype, dtype), zero),
      index: arranged(outSpec, [variable(image), features, ...axes.map(({ place }) => place)]),
    }
  },
}

export const convRows: Rows = { conv_general_dilated: convGeneralDilated }
