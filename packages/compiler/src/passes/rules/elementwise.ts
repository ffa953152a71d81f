/** What holds for every elementwise operation: equal elements are computed once, and what is spread is spread after it. */
import type { Atom } from '@fluxion/core'
import { sameList } from '../rewrite.ts'
import type { Rule } from '../simplify.ts'

export const elementwiseRule: Rule = (equation, to) => {
  const { primitive, params, source } = equation
  const { name } = primitive
  const shaped = equation.inputs.filter(({ aval }) => aval.shape.length > 0)
  const shape = shaped[0]?.aval.shape
  if (shape === undefined) return undefined

  // Operands of equal elements become scalars; if all are such, the result is one too, and is spread.
  const scalars = equation.inputs.map((atom) => to.scalarOf(atom) ?? atom)
  if (!sameList(scalars, equation.inputs)) {
    const result = to.make(name, scalars, params, source)
    return [to.shaped(result, { ...result.aval, shape })]
  }
  // Operands that are all spread in one way are computed with before they are.
  const spreads = shaped.map((atom) => to.made(atom, 'broadcast_in_dim'))
  const first = spreads[0]
  if (first === undefined) return undefined
  const { broadcastDimensions } = first.params as { readonly broadcastDimensions: readonly number[] }
  const alike = spreads.every(
    (other) =>
      other !== undefined &&
      sameList(
        (other.params as typeof first.params & { broadcastDimensions: readonly number[] }).broadcastDimensions,
        broadcastDimensions,
      ) &&
      sameList(other.inputs[0]!.aval.shape, first.inputs[0]!.aval.shape),
  )
  if (!alike) return undefined
  const before = (atom: Atom): Atom =>
    atom.aval.shape.length === 0 ? atom : to.made(atom, 'broadcast_in_dim')!.inputs[0]!
  const result = to.make(name, equation.inputs.map(before), params, source)
  return [to.make('broadcast_in_dim', [result], { shape, broadcastDimensions }, source)]
}
