/** Sums of products over the steps of a loop, as one product that contracts the steps too. */
import type { Atom, Equation } from '@fluxion/core'
import { type Writer, range } from '../rewrite.ts'
import type { DotParams } from '../rules/products.ts'

interface ConvParams {
  readonly dimensionNumbers: { readonly lhsSpec: readonly number[]; readonly rhsSpec: readonly number[] }
  readonly featureGroupCount: number
  readonly batchGroupCount: number
}

/** Whether an equation is a product whose sums over steps are one product. */
export function isProduct({ primitive: { name }, params }: Equation): boolean {
  if (name === 'dot_general') return true
  if (name !== 'conv_general_dilated') return false
  const { featureGroupCount, batchGroupCount } = params as ConvParams
  return featureGroupCount === 1 && batchGroupCount === 1
}

/** Σₜ of a product of a(t) and b(t), of both operands for all steps, steps in front. */
export function contraction(product: Equation, a: Atom, b: Atom, to: Writer): Atom {
  const { params, source } = product
  if (product.primitive.name === 'dot_general') {
    const { dimensionNumbers, preferredElementType } = params as DotParams
    const [contracted, batch] = dimensionNumbers.map((pair) => pair.map((axes) => axes.map((axis) => axis + 1)))
    const numbers = [contracted!.map((axes) => [0, ...axes]), batch]
    return to.emit('dot_general', [a, b], { dimensionNumbers: numbers, preferredElementType }, source)[0]!
  }
  // A convolution contracts input features: steps become more of them.
  const { lhsSpec, rhsSpec } = (params as ConvParams).dimensionNumbers
  const operands = [stepsIn(a, lhsSpec[1]!, to), stepsIn(b, rhsSpec[1]!, to)]
  return to.emit('conv_general_dilated', operands, params, source)[0]!
}
/** A stack with its steps made part of another axis of a step's value, within which they vary fastest: the axis can be cut as before. */
function stepsIn(stack: Atom, axis: number, to: Writer): Atom {
  const { shape } = stack.aval
  const permutation = [...range(axis + 1, 1), 0, ...range(shape.length - 2 - axis, axis + 2)]
  const moved = to.emit('transpose', [stack], { permutation })[0]!
  const newSizes = shape.slice(1).map((size, d) => (d === axis ? size * shape[0]! : size))
  return to.emit('reshape', [moved], { newSizes })[0]!
}
