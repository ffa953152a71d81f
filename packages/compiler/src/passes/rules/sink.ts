/** Moves what costs nothing to make, numbers and spread values, from outside of a program that an operation holds into it. */
import { type Atom, type ClosedJaxpr, type Equation, Literal, Var, closed, sizeOf } from '@fluxion/core'
import { type Environment, equationOf, primitiveNamed, substitutedAll } from '../rewrite.ts'
import type { Simplifier } from '../simplify.ts'
import type { BroadcastParams } from './movement.ts'

/** How an input of the inner program is made inside: from a value given instead of it, or from nothing. */
export interface Making {
  readonly from: Atom | undefined
  readonly equation?: Equation
  /** The value given instead is scanned, an element a step. */
  readonly scanned?: boolean
}

/** How an operand is made anew inside at no cost. */
export function makingOf(operand: Atom, to: Simplifier): Making | undefined {
  if (operand instanceof Literal) return { from: operand }
  const spreading = to.made(operand, 'broadcast_in_dim')
  const x = spreading?.inputs[0]
  const isSmaller = x instanceof Literal || (x !== undefined && sizeOf(x.aval.shape) < sizeOf(operand.aval.shape))
  if (spreading !== undefined && x !== undefined && isSmaller) return { from: x, equation: spreading }
  const counting = to.made(operand, 'iota')
  return counting === undefined ? undefined : { from: undefined, equation: counting }
}

/** The same for one step's element of a scanned operand. */
export function makingOfElement(operand: Atom, to: Simplifier): Making | undefined {
  const spreading = to.made(operand, 'broadcast_in_dim')
  const x = spreading?.inputs[0]
  if (spreading === undefined || x === undefined) return undefined
  const { shape, broadcastDimensions } = spreading.params as BroadcastParams
  const element = { shape: shape.slice(1), broadcastDimensions: broadcastDimensions.map((axis) => axis - 1) }
  const broadcast = (atom: Atom, params: BroadcastParams): Making['equation'] =>
    params.shape.length === 0
      ? undefined
      : equationOf(primitiveNamed('broadcast_in_dim'), [atom], params, spreading.source)
  // The same element for every step: a constant of the loop.
  if (broadcastDimensions[0] !== 0) {
    const equation = broadcast(x, element)
    return { from: x, ...(equation && { equation }) }
  }
  if (x.aval.shape[0] !== shape[0] || sizeOf(x.aval.shape) === sizeOf(shape)) return undefined
  const one = new Var({ ...x.aval, shape: x.aval.shape.slice(1) })
  const equation = broadcast(one, { ...element, broadcastDimensions: element.broadcastDimensions.slice(1) })
  return { from: x, scanned: true, ...(equation && { equation }) }
}

/** A program with inputs replaced by others, in `inputs`, or made at its start by `equations`. */
export const withStart = (
  { jaxpr, consts }: ClosedJaxpr,
  inputs: readonly Var[],
  environment: Environment,
  start: readonly Equation[],
): ClosedJaxpr =>
  closed(
    {
      ...jaxpr,
      inputs,
      equations: [
        ...start,
        ...jaxpr.equations.map((equation) => ({ ...equation, inputs: substitutedAll(environment, equation.inputs) })),
      ],
      outputs: substitutedAll(environment, jaxpr.outputs),
    },
    consts,
  )

/** The new inputs of a program: each distinct value is given once; numbers are written into it. */
export class Inputs {
  readonly operands: Atom[] = []
  readonly variables: Var[] = []
  /** The variable that stands inside for a value from outside. */
  of(operand: Atom, element?: Var): Atom {
    if (operand instanceof Literal) return operand
    const at = this.operands.indexOf(operand)
    if (at >= 0) return this.variables[at]!
    const variable = element ?? new Var(operand.aval)
    this.operands.push(operand)
    this.variables.push(variable)
    return variable
  }
}

/** Sink what can be, and merge equal operands; nothing if there is nothing to do. */
export function sink(
  program: ClosedJaxpr,
  operands: readonly Atom[],
  to: Simplifier,
): { program: ClosedJaxpr; operands: Atom[] } | undefined {
  const makings = operands.map((operand) => makingOf(operand, to))
  if (makings.every((making) => making === undefined) && new Set(operands).size === operands.length) return undefined
  const environment: Environment = new Map()
  const inputs = new Inputs()
  const start: Equation[] = []
  program.jaxpr.inputs.forEach((variable, i) => {
    const making = makings[i]
    environment.set(variable, making === undefined ? inputs.of(operands[i]!) : makeInside(making, inputs, start))
  })
  return { program: withStart(program, inputs.variables, environment, start), operands: inputs.operands }
}
/** Write what makes an input, and give what stands for it. */
export function makeInside({ from, equation }: Making, inputs: Inputs, start: Equation[]): Atom {
  const value = from === undefined ? undefined : inputs.of(from)
  if (equation === undefined) return value!
  const made = equationOf(equation.primitive, value === undefined ? [] : [value], equation.params, equation.source)
  start.push(made)
  return made.outputs[0]!
}
