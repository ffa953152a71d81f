/** Values of all steps of a scan at once, computed outside of it from stacked ones by the batch rules of the operations between. */
import {
  type Atom,
  type ClosedJaxpr,
  type Equation,
  type Jaxpr,
  Literal,
  type Var,
  batchedProgram,
  closed,
} from '@fluxion/core'
import { elementwise, rearranging } from '../elementwise.ts'
import { inline } from '../inline.ts'
import { budget, bytesOfAval } from '../rewrite.ts'
import type { Parts } from '../rules/scan.ts'

/** Operations that stand between values and products and cost nothing beside these. */
const between = new Set([...elementwise, ...rearranging, 'unpackbits', 'iota', 'pad', 'concatenate', 'dynamic_slice'])

export const bytesOfAll = (values: readonly Atom[]): number =>
  values.reduce((sum, { aval }) => sum + bytesOfAval(aval), 0)
/**
 * How many bytes passes may stack for a scan, or make for it before: as many as it is given and stacks for all steps, and the budget.
 */
export const roomFor = ({ params, xs, ys }: Parts): number => bytesOfAll(xs) + params.length * bytesOfAll(ys) + budget

/** The equations from leaves to a value. */
export interface Slice {
  readonly result: Var
  readonly equations: readonly Equation[]
  readonly leaves: readonly Var[]
}

/** How a value of a body follows from leaves by equations that may run outside; nothing if it does not. */
export function sliceOf(
  result: Var,
  jaxpr: Jaxpr,
  isLeaf: (variable: Var) => boolean,
  isAllowed: (equation: Equation) => boolean,
): Slice | undefined {
  const needed = new Set<Atom>([result])
  const leaves = new Set<Var>()
  const equations: Equation[] = []
  const visit = (atom: Atom): void => {
    if (atom instanceof Literal) return
    if (isLeaf(atom)) leaves.add(atom)
    else needed.add(atom)
  }
  if (isLeaf(result)) return { result, equations, leaves: [result] }
  let missing = needed.size
  for (const equation of jaxpr.equations.toReversed()) {
    if (!equation.outputs.some((variable) => variable !== null && needed.has(variable))) continue
    if (!isAllowed(equation)) return undefined
    for (const variable of equation.outputs) if (variable !== null) needed.delete(variable)
    equations.push(equation)
    equation.inputs.forEach(visit)
    missing = needed.size
  }
  // What is made by no equation is an input that is no leaf: a carry.
  return missing > 0 ? undefined : { result, equations: equations.reverse(), leaves: [...leaves] }
}
/** Whether no value on the way exceeds, for all steps, the leaves by more than the budget. */
export function fits({ equations, leaves }: Slice, length: number): boolean {
  const given = bytesOfAll(leaves)
  return equations.every(({ outputs }) =>
    outputs.every((variable) => variable === null || bytesOfAval(variable.aval) * length <= given * length + budget),
  )
}
export const isBetween = ({ primitive }: Equation): boolean => between.has(primitive.name)

/** A slice for all steps at once, of leaves that are stacked or the same for all; nothing if it cannot be had, or is the same for all. */
export function batchedSlice(
  { result, equations, leaves }: Slice,
  length: number,
  isStacked: (leaf: Var) => boolean,
): ClosedJaxpr | undefined {
  const program = closed({ constants: [], inputs: leaves, equations, outputs: [result] })
  const { program: batched, batchedOuts } = batchedProgram(program, leaves.map(isStacked), length, null)
  if (batchedOuts[0] !== true) return undefined
  const written = inline(batched)
  return written.consts.length > 0 ? undefined : written
}
