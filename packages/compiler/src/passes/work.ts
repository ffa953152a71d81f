/** About how much work equations are, in operations on numbers, the programs inside of them included. */
import {
  type Atom,
  type CondParams,
  type Equation,
  type Jaxpr,
  type ScanParams,
  sizeOf,
  subprograms,
} from '@fluxion/core'
import type { DotParams } from './rules/products.ts'

/** A loop that ends when it likes counts as so many turns. */
const turns = 8

/** How many elements some values have together. */
export const elementsOf = (atoms: readonly (Atom | null)[]): number =>
  atoms.reduce((sum, atom) => sum + (atom === null ? 0 : sizeOf(atom.aval.shape)), 0)

/** The work of any equation, where `operation` says what one takes that is no product and holds no program. */
export function workBy(operation: (equation: Equation) => number): (equation: Equation) => number {
  const known = new WeakMap<Equation, number>()
  const ofProgram = ({ equations }: Jaxpr): number => equations.reduce((sum, equation) => sum + ofEquation(equation), 0)
  function ofEquation(equation: Equation): number {
    let work = known.get(equation)
    if (work === undefined) known.set(equation, (work = estimate(equation)))
    return work
  }
  function estimate(equation: Equation): number {
    const { primitive, inputs, params, outputs } = equation
    switch (primitive.name) {
      case 'scan': {
        const { jaxpr, length } = params as ScanParams
        return length * ofProgram(jaxpr.jaxpr)
      }
      case 'cond':
        return Math.max(...(params as CondParams).branches.map(({ jaxpr }) => ofProgram(jaxpr)))
      case 'dot_general': {
        const [contracted] = (params as DotParams).dimensionNumbers
        const { shape } = inputs[0]!.aval
        return 2 * elementsOf(outputs) * contracted[0].reduce((product, axis) => product * shape[axis]!, 1)
      }
      case 'conv_general_dilated':
        return 2 * elementsOf(outputs) * sizeOf(inputs[1]!.aval.shape.slice(1))
      default: {
        const inside = subprograms(params)
        if (inside.length === 0) return operation(equation)
        const once = inside.reduce((sum, { jaxpr }) => sum + ofProgram(jaxpr), 0)
        return primitive.name === 'while' ? turns * once : once
      }
    }
  }
  return ofEquation
}
