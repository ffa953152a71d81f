/** Convolution as a product: windows of the padded and dilated left operand, by the kernel, for each group. */
import type { DType } from '@fluxion/core'
import { constant, scalarType, select, variable } from '../../loops/build.ts'
import { indexAdd, indexMul } from '../../loops/indices.ts'
import { type Expr, LoopVar } from '../../loops/ir.ts'
import type { ProductRow, Rows } from '../lowering.ts'
import { factor } from './dot.ts'
import { all } from './slicing.ts'
import { windowSpot } from './window.ts'

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
    const windows = places.map((size, i) => new LoopVar(`p${i}`, size))
    const inWindow = taps.map((size, i) => new LoopVar(`t${i}`, size))
    const dtype: DType = out!.dtype

    const inGroup = (of: LoopVar, size: number, grouped: boolean): Expr =>
      grouped ? indexAdd(indexMul(variable(group), size), variable(of)) : variable(of)
    const features = inGroup(column, outFeatures! / groups, true)
    // Where a window covers padding, or a hole of the dilated operand, its element is zero.
    const spots = space.map((size, i) =>
      windowSpot(variable(windows[i]!), variable(inWindow[i]!), size, {
        stride: params.windowStrides[i]!,
        low: params.padding[i]![0],
        spread: params.lhsDilation[i]!,
        dilation: params.rhsDilation[i]!,
      }),
    )
    const zero = constant(scalarType(dtype), 0)
    const covered = (): Expr =>
      lhs!.at(
        arranged(lhsSpec, [
          inGroup(image, images!, params.batchGroupCount > 1),
          inGroup(channel, inFeatures!, params.featureGroupCount > 1),
          ...spots.map(({ at }) => at),
        ]),
      )
    const left = lhs!.aval.shape.includes(0)
      ? zero
      : select(all(spots.map(({ inside }) => inside)), factor(covered(), lhs!.aval.dtype, dtype), zero)
    const kernel = rhs!.at(arranged(rhsSpec, [features, variable(channel), ...inWindow.map(variable)]))
    return {
      batch: groups === 1 ? [] : [group],
      rows: [image, ...windows],
      columns: [column],
      inner: [channel, ...inWindow],
      left,
      right: factor(kernel, rhs!.aval.dtype, dtype),
      index: arranged(outSpec, [variable(image), features, ...windows.map(variable)]),
    }
  },
}

export const convRows: Rows = { conv_general_dilated: convGeneralDilated }
