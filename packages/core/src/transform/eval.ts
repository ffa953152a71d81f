/** Runs a program's equations under the current trace, whatever that is. */
import type { NDArray } from '../array.ts'
import { type Atom, type ClosedJaxpr, type Equation, Literal, type Var } from '../ir/jaxpr.ts'
import { invariant } from '../errors.ts'
import { bind, scalar } from '../trace.ts'

export type Env = Map<Var, NDArray>

export function read(env: Env, atom: Atom): NDArray {
  if (atom instanceof Literal) return scalar(atom.value, atom.aval.dtype, atom.aval.weakType)
  const value = env.get(atom)
  invariant(value !== undefined, 'a variable is read before it is bound')
  return value
}
export function evalEquation(env: Env, { primitive, inputs, params, outputs }: Equation): void {
  const outs = bind(
    primitive,
    inputs.map((atom) => read(env, atom)),
    params as never,
  )
  outputs.forEach((variable, i) => variable !== null && env.set(variable, outs[i]!))
}

/** The results of a program for the given arguments. */
export function evalJaxpr({ jaxpr, consts }: ClosedJaxpr, args: readonly NDArray[]): NDArray[] {
  const env: Env = new Map()
  jaxpr.constants.forEach((variable, i) => env.set(variable, consts[i]!))
  jaxpr.inputs.forEach((variable, i) => env.set(variable, args[i]!))
  for (const equation of jaxpr.equations) evalEquation(env, equation)
  return jaxpr.outputs.map((atom) => read(env, atom))
}
