/** General products: transpositions of operands and of the result become dimension numbers. */
import type { Atom, DType } from '@fluxion/core'
import { range, sameList } from '../rewrite.ts'
import type { Rule, Rules, Simplifier } from '../simplify.ts'

type Axes = readonly number[]
export interface DotParams {
  readonly dimensionNumbers: readonly [readonly [Axes, Axes], readonly [Axes, Axes]]
  readonly preferredElementType: DType | undefined
}
const increasing = (axes: Axes): boolean => axes.every((axis, i) => i === 0 || axes[i - 1]! < axis)
export const keptAxes = (rank: number, contracted: Axes, batch: Axes): number[] =>
  range(rank).filter((axis) => !contracted.includes(axis) && !batch.includes(axis))

/** The operand before its transposition, if the axes that are its own keep their order in the result. */
function untransposed(x: Atom, contracted: Axes, batch: Axes, to: Simplifier): [Atom, Axes, Axes] | undefined {
  const before = to.made(x, 'transpose')
  if (before === undefined) return undefined
  const { permutation } = before.params as { readonly permutation: Axes }
  const moved = (axes: Axes): Axes => axes.map((axis) => permutation[axis]!)
  if (!increasing(moved(keptAxes(x.aval.shape.length, contracted, batch)))) return undefined
  return [before.inputs[0]!, moved(contracted), moved(batch)]
}
const ofTransposed: Rule = ({ inputs: [x, y], params, source }, to) => {
  const {
    dimensionNumbers: [[xc, yc], [xb, yb]],
    preferredElementType,
  } = params as DotParams
  const left = untransposed(x!, xc, xb, to)
  const right = untransposed(y!, yc, yb, to)
  if (left === undefined && right === undefined) return undefined
  const [a, ac, ab] = left ?? [x!, xc, xb]
  const [b, bc, bb] = right ?? [y!, yc, yb]
  const dimensionNumbers = [
    [ac, bc],
    [ab, bb],
  ]
  return [to.make('dot_general', [a, b], { dimensionNumbers, preferredElementType }, source)]
}

/** The transposition of a product that exchanges the axes of its operands is the product of the operands exchanged. */
const ofProduct: Rule = ({ inputs: [product], params, source }, to) => {
  const dot = to.made(product!, 'dot_general')
  if (dot === undefined || !to.readOnce(product!)) return undefined
  const [x, y] = dot.inputs
  const {
    dimensionNumbers: [[xc, yc], [xb, yb]],
    preferredElementType,
  } = dot.params as DotParams
  const batch = xb.length
  const own = x!.aval.shape.length - xc.length - batch
  const others = y!.aval.shape.length - yc.length - batch
  const { permutation } = params as { readonly permutation: Axes }
  const exchange = [...range(batch), ...range(others, batch + own), ...range(own, batch)]
  if (!sameList(permutation, exchange)) return undefined
  return [
    to.make(
      'dot_general',
      [y!, x!],
      {
        dimensionNumbers: [
          [yc, xc],
          [yb, xb],
        ],
        preferredElementType,
      },
      source,
    ),
  ]
}

export const productRules: Rules = {
  dot_general: [ofTransposed],
  transpose: [ofProduct],
}
