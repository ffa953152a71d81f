/** About how much work a program is, with operations weighed as lowering weighs them: what a choice between ways to lower it depends on. */
import { type ClosedJaxpr, sizeOf } from '@fluxion/core'
import { workBy } from '../passes/work.ts'
import { weightOf } from './table.ts'

const workOfEquation = workBy(({ primitive, inputs, outputs }) => {
  const sizes = [...inputs, ...outputs].map((atom) => sizeOf(atom?.aval.shape ?? []))
  return Math.max(...sizes) * Math.max(0.25, weightOf(primitive.name))
})
/** Operations on elements in a run of a program. */
export const workOf = ({ jaxpr }: ClosedJaxpr): number =>
  jaxpr.equations.reduce((sum, equation) => sum + workOfEquation(equation), 0)
