/** Transposition: runs a linear program backwards, from cotangents of its results to cotangents of its inputs. */
import type { NDArray } from '../array.ts'
import { MissingRuleError } from '../errors.ts'
import { type Aval, showAval } from '../ir/aval.ts'
import {
  type Atom,
  type ClosedJaxpr,
  type Equation,
  type Jaxpr,
  Literal,
  type Var,
  inAvals,
  outAvals,
} from '../ir/jaxpr.ts'
import { Linear, type Tangent, Zero } from '../primitive/define.ts'
import { isLinear, isZero } from '../primitive/rules.ts'
import { addTangents, instantiate } from '../primitive/zeros.ts'
import { ruleOf } from '../trace.ts'
import { type Env, evalEquation, read } from './eval.ts'
import { fillZeros } from './jvp.ts'
import { memoize } from './memoize.ts'
import { stage } from './staging.ts'

/** Pull cotangents back through a program, to those inputs that are given as `Linear`. */
export function transposeProgram(
  { jaxpr, consts }: ClosedJaxpr,
  args: readonly (NDArray | Linear)[],
  cts: readonly Tangent[],
): Tangent[] {
  const env: Env = new Map()
  const linear = new Set<Atom>()
  jaxpr.constants.forEach((variable, i) => env.set(variable, consts[i]!))
  jaxpr.inputs.forEach((variable, i) => {
    const arg = args[i]!
    if (isLinear(arg)) linear.add(variable)
    else env.set(variable, arg)
  })
  const backwards = evaluateKnown(jaxpr, env, linear)

  const accumulated = new Map<Atom, Tangent>()
  const accumulate = (atom: Atom, ct: Tangent): void => {
    if (atom instanceof Literal || !linear.has(atom) || isZero(ct)) return
    const before = accumulated.get(atom)
    accumulated.set(atom, before === undefined ? ct : addTangents(before, ct))
  }
  jaxpr.outputs.forEach((atom, i) => accumulate(atom, cts[i]!))
  const cotangentOf = (variable: Var): Tangent => accumulated.get(variable) ?? new Zero(variable.aval)

  for (const { primitive, inputs, params, outputs } of backwards.reverse()) {
    const outCts = outputs.map((variable) => (variable === null ? undefined : cotangentOf(variable)))
    for (const variable of outputs) if (variable !== null) accumulated.delete(variable)
    if (outCts.every((ct) => ct === undefined || isZero(ct))) continue
    const operands = inputs.map((atom) => (linear.has(atom) ? new Linear(atom.aval) : read(env, atom)))
    const avals = outCts.includes(undefined)
      ? primitive.type(
          inputs.map((atom) => atom.aval),
          params as never,
        )
      : []
    const inCts = ruleOf(primitive, 'transpose')(
      outCts.map((ct, i) => ct ?? new Zero(avals[i]!)),
      operands,
      params,
    )
    inputs.forEach((atom, i) => {
      const ct = inCts[i]
      if (ct !== null && ct !== undefined) accumulate(atom, ct)
    })
  }
  return jaxpr.inputs.map((variable) => (linear.has(variable) ? cotangentOf(variable) : new Zero(variable.aval)))
}

/** Run the equations that do not depend on linear inputs; the others are returned, and their results join `linear`. */
function evaluateKnown(jaxpr: Jaxpr, env: Env, linear: Set<Atom>): Equation[] {
  const rest: Equation[] = []
  for (const equation of jaxpr.equations) {
    if (equation.inputs.some((atom) => linear.has(atom))) {
      rest.push(equation)
      for (const variable of equation.outputs) if (variable !== null) linear.add(variable)
    } else {
      evalEquation(env, equation)
    }
  }
  return rest
}

/** A program from the known inputs and the cotangents that are not zero to the cotangents of linear inputs that are not. */
export interface TransposedProgram {
  readonly program: ClosedJaxpr
  readonly nonzeroOuts: readonly boolean[]
}
/** `force` names, among the linear inputs, those whose cotangents are made even where they are zero. */
export const transposedProgram: (
  program: ClosedJaxpr,
  isLinearInput: readonly boolean[],
  nonzeroCts: readonly boolean[],
  force?: readonly boolean[],
) => TransposedProgram = memoize((program, isLinearInput, nonzeroCts, force) => {
  const avals = inAvals(program)
  const knownAvals = avals.filter((_, i) => !isLinearInput[i])
  const ctAvals = outAvals(program)
  let nonzeroOuts: boolean[] = []
  const staged = stage(
    'transpose',
    (given) => {
      let next = 0
      const args = avals.map((aval, i) => (isLinearInput[i] ? new Linear(aval) : given[next++]!))
      const cts = transposeProgram(program, args, fillZeros(nonzeroCts, given.slice(next), ctAvals)).filter(
        (_, i) => isLinearInput[i],
      )
      nonzeroOuts = cts.map((ct, i) => force?.[i] === true || !isZero(ct))
      return cts.filter((_, i) => nonzeroOuts[i]).map(instantiate)
    },
    [...knownAvals, ...ctAvals.filter((_, i) => nonzeroCts[i])],
  )
  return { program: staged, nonzeroOuts }
})

/** Spread the results of a transposed program over all operands: `null` for those that are not linear. */
export function spreadCotangents(
  args: readonly (NDArray | Linear)[],
  nonzeroOuts: readonly boolean[],
  given: readonly NDArray[],
): (Tangent | null)[] {
  const linear = args.filter(isLinear)
  const cts = fillZeros(
    nonzeroOuts,
    given,
    linear.map((arg) => arg.aval),
  )
  let next = 0
  return args.map((arg) => (isLinear(arg) ? cts[next++]! : null))
}

/** Refuse what has no transpose, in words that fit the primitive. */
export function refuseTranspose(where: string, operand: Aval, why: string): never {
  throw new MissingRuleError(`${where}: cannot be transposed with respect to its operand ${showAval(operand)}: ${why}`)
}
