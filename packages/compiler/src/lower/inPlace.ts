/**
 * Carries that a loop's body changes in part: a window or scattered elements replaced, the rest as it was. They are updated where they
 * lie; written anew at each step, a loop over an array's elements would cost the square of its length.
 */
import { type Equation, type Jaxpr, Var } from '@fluxion/core'
import { store, variable } from '../loops/build.ts'
import { flatIndex, indexAdd } from '../loops/indices.ts'
import { LoopVar } from '../loops/ir.ts'
import type { Builder } from './builder.ts'
import { clampedIndex } from './rows/indexing.ts'
import type { Value } from './value.ts'

const updates = new Set(['dynamic_update_slice', 'scatter', 'scatter-add', 'scatter-mul', 'scatter-min', 'scatter-max'])

export const updatesInPart = ({ primitive }: Equation): boolean => updates.has(primitive.name)

/** The carries, by number, whose memory the body can update: nothing reads the old one after the update. */
export function updatedCarries(
  { inputs, outputs, equations }: Jaxpr,
  numConsts: number,
  numCarry: number,
): Set<number> {
  const found = new Set<number>()
  for (let i = 0; i < numCarry; i++) {
    const [carry, out] = [inputs[numConsts + i]!, outputs[i]!]
    const at = equations.findIndex((equation) => equation.outputs[0] === out)
    const equation = equations[at]
    if (!(out instanceof Var) || equation === undefined || !updatesInPart(equation)) continue
    const readLater = equations.some((other, k) => k > at && other.inputs.includes(carry))
    const readTwice = equation.inputs.lastIndexOf(carry) !== 0
    if (equation.inputs[0] === carry && !readTwice && !readLater && !outputs.includes(carry)) found.add(i)
  }
  return found
}

/** Variables that are read by an equation after the given one, or are results. */
export function readAfter({ equations, outputs }: Jaxpr, equation: Equation): Set<unknown> {
  const later = equations.slice(equations.indexOf(equation))
  return new Set<unknown>([...outputs, ...later.flatMap(({ inputs }) => inputs)])
}

/** Write an update to its window of an array in memory. */
export function updateWindow(builder: Builder, array: Value, update: Value, starts: readonly Value[]): void {
  const { shape } = array.aval
  const grid = update.aval.shape.map((size, axis) => new LoopVar(`i${axis}`, size))
  const index = grid.map(variable)
  const at = starts.map((start, axis) =>
    indexAdd(index[axis]!, clampedIndex(builder.element(start, []), shape[axis]! - update.aval.shape[axis]!)),
  )
  const element = builder.element(update, index)
  builder.nest('update', grid, [store(builder.bufferOf(array), flatIndex(at, shape), element)])
}
