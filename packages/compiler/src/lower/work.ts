/** How much work a program is, roughly, in operations on elements: what a choice between ways to lower it depends on. */
import { type ClosedJaxpr, type Equation, type ScanParams, sizeOf, subprograms } from '@fluxion/core'
import { weightOf } from './table.ts'

/** A loop that ends when it likes may take so many turns. */
const turns = 16

/** Operations of a run of a program. */
export const workOf = ({ jaxpr }: ClosedJaxpr): number =>
  jaxpr.equations.reduce((sum, equation) => sum + workOfEquation(equation), 0)

function workOfEquation(equation: Equation): number {
  const { primitive, params, inputs, outputs } = equation
  const sizes = [...inputs, ...outputs].map((atom) => sizeOf(atom?.aval.shape ?? []))
  const inside = [...subprograms(params)].map(workOf)
  switch (primitive.name) {
    case 'scan':
      return (params as ScanParams).length * inside[0]!
    case 'while':
      return turns * inside.reduce((sum, work) => sum + work, 0)
    case 'cond':
      return Math.max(...inside)
    case 'dot_general': {
      const { dimensionNumbers } = params as { readonly dimensionNumbers: readonly (readonly (readonly number[])[])[] }
      const inner = dimensionNumbers[0]![0]!.reduce((count, axis) => count * inputs[0]!.aval.shape[axis]!, 1)
      return 2 * sizes.at(-1)! * inner
    }
    case 'conv_general_dilated':
      // Each element of the kernel meets each place of the output, or so.
      return (2 * sizes[1]! * sizes.at(-1)!) / Math.max(1, outputs[0]?.aval.shape[1] ?? 1)
    default:
      if (inside.length > 0) return inside.reduce((sum, work) => sum + work, 0)
      return Math.max(...sizes) * Math.max(0.25, weightOf(primitive.name))
  }
}
