/** Drops what nobody uses: equations without effects, results of programs inside parameters, and what only these need. */
import {
  type Atom,
  type ClosedJaxpr,
  type CondParams,
  type Equation,
  type Jaxpr,
  type ScanParams,
  type Var,
  type WhileParams,
  closed,
  isEffectful,
} from '@fluxion/core'
import { mapPrograms, pick, remembered } from './rewrite.ts'

/** Drop dead equations, and dead inputs, carries and results of loops, conditions and checkpoints, at every depth. */
export const eliminateDead = (program: ClosedJaxpr): ClosedJaxpr => withoutUnread(eliminate(program))

/** A program without the constants that it does not read. */
function withoutUnread(program: ClosedJaxpr): ClosedJaxpr {
  const { jaxpr, consts } = program
  if (consts.length === 0) return program
  const read = new Set<Atom>([...jaxpr.outputs, ...jaxpr.equations.flatMap(({ inputs }) => inputs)])
  const kept = jaxpr.constants.map((variable) => read.has(variable))
  if (all(kept)) return program
  return closed({ ...jaxpr, constants: pick(jaxpr.constants, kept) }, pick(consts, kept))
}

const eliminate: (program: ClosedJaxpr) => ClosedJaxpr = remembered((program) => {
  const { jaxpr, consts } = program
  const equations = liveEquations(jaxpr)
  return equations === jaxpr.equations ? program : closed({ ...jaxpr, equations }, consts)
})

/** The equations that the outputs need, or that have effects; the same list if all are, and nothing in them is dead. */
function liveEquations({ equations, outputs }: Jaxpr): readonly Equation[] {
  const live = new Set<Atom>(outputs)
  const kept: Equation[] = []
  let changed = false
  for (const equation of equations.toReversed()) {
    const used = equation.outputs.map((variable) => variable !== null && live.has(variable))
    if (!used.includes(true) && !isEffectful(equation)) {
      changed = true
      continue
    }
    const next = trimmed(equation, used)
    if (next !== equation) changed = true
    for (const atom of next.inputs) live.add(atom)
    kept.push(next)
  }
  return changed ? kept.reverse() : equations
}

function trimmed(equation: Equation, used: readonly boolean[]): Equation {
  const trim = trims[equation.primitive.name]
  let next = trim === undefined ? equation : trim(equation, used)
  if (next.outputs.some((variable, i) => variable !== null && next === equation && !used[i]))
    next = { ...next, outputs: next.outputs.map((variable, i) => (used[i] ? variable : null)) }
  const params = mapPrograms(next.params, eliminate)
  return params === next.params ? next : { ...next, params }
}

/** Which inputs of a program its named outputs and its effects need. */
export function neededInputs({ jaxpr }: ClosedJaxpr, wanted: readonly boolean[]): boolean[] {
  const live = new Set<Atom>(jaxpr.outputs.filter((_, i) => wanted[i]))
  for (const equation of jaxpr.equations.toReversed()) {
    if (!isEffectful(equation) && !equation.outputs.some((variable) => variable !== null && live.has(variable)))
      continue
    for (const atom of equation.inputs) live.add(atom)
  }
  return jaxpr.inputs.map((variable) => live.has(variable))
}
/** A program with a part of its inputs and of its outputs. */
const restricted = ({ jaxpr, consts }: ClosedJaxpr, inputs: readonly boolean[], outputs: readonly boolean[]) => {
  const next = { ...jaxpr, inputs: pick(jaxpr.inputs, inputs), outputs: pick(jaxpr.outputs, outputs) }
  return closed({ ...next, equations: liveEquations(next) }, consts)
}
const all = (mask: readonly boolean[]): boolean => mask.every(Boolean)
const count = (mask: readonly boolean[]): number => mask.filter(Boolean).length

type Trim = (equation: Equation, used: readonly boolean[]) => Equation
const trims: Readonly<Record<string, Trim>> = {
  scan(equation, used) {
    const params = equation.params as ScanParams
    const { jaxpr, numConsts, numCarry } = params
    let wanted = [...used]
    let needed: boolean[]
    // A carry is alive if its last value is used, or if a live result of a step needs the value before.
    for (;;) {
      needed = neededInputs(jaxpr, wanted)
      const grown = wanted.map((is, i) => is || (i < numCarry && needed[numConsts + i]!))
      if (count(grown) === count(wanted)) break
      wanted = grown
    }
    const inputs = needed.map((is, i) => is || (i >= numConsts && i < numConsts + numCarry && wanted[i - numConsts]!))
    if (all(inputs) && all(wanted)) return equation
    return {
      ...equation,
      inputs: pick(equation.inputs, inputs),
      outputs: usedOf(equation.outputs, used, wanted),
      params: {
        ...params,
        jaxpr: restricted(jaxpr, inputs, wanted),
        numConsts: count(inputs.slice(0, numConsts)),
        numCarry: count(wanted.slice(0, numCarry)),
      },
    }
  },
  while(equation, used) {
    const params = equation.params as WhileParams
    const { condJaxpr, bodyJaxpr, condNconsts, bodyNconsts } = params
    const test = neededInputs(condJaxpr, [true])
    let wanted = used.map((is, i) => is || test[condNconsts + i]!)
    let body: boolean[]
    for (;;) {
      body = neededInputs(bodyJaxpr, wanted)
      const grown = wanted.map((is, i) => is || body[bodyNconsts + i]!)
      if (count(grown) === count(wanted)) break
      wanted = grown
    }
    const testInputs = [...test.slice(0, condNconsts), ...wanted]
    const bodyInputs = [...body.slice(0, bodyNconsts), ...wanted]
    if (all(testInputs) && all(bodyInputs)) return equation
    return {
      ...equation,
      inputs: pick(equation.inputs, [...testInputs.slice(0, condNconsts), ...bodyInputs]),
      outputs: usedOf(equation.outputs, used, wanted),
      params: {
        condJaxpr: restricted(condJaxpr, testInputs, [true]),
        bodyJaxpr: restricted(bodyJaxpr, bodyInputs, wanted),
        condNconsts: count(testInputs.slice(0, condNconsts)),
        bodyNconsts: count(bodyInputs.slice(0, bodyNconsts)),
      },
    }
  },
  cond(equation, used) {
    const { branches } = equation.params as CondParams
    const needs = branches.map((branch) => neededInputs(branch, used))
    const needed = needs[0]!.map((_, i) => needs.some((mask) => mask[i]))
    if (all(needed) && all(used)) return equation
    return {
      ...equation,
      inputs: pick(equation.inputs, [true, ...needed]),
      outputs: usedOf(equation.outputs, used, used),
      params: { branches: branches.map((branch) => restricted(branch, needed, used)) },
    }
  },
  remat2(equation, used) {
    const params = equation.params as { readonly jaxpr: ClosedJaxpr }
    const needed = neededInputs(params.jaxpr, used)
    if (all(needed) && all(used)) return equation
    return {
      ...equation,
      inputs: pick(equation.inputs, needed),
      outputs: usedOf(equation.outputs, used, used),
      params: { ...params, jaxpr: restricted(params.jaxpr, needed, used) },
    }
  },
}
/** Of the results that remain, those that nobody reads are `null`. */
const usedOf = (
  outputs: readonly (Var | null)[],
  used: readonly boolean[],
  wanted: readonly boolean[],
): (Var | null)[] =>
  pick(
    outputs.map((variable, i) => (used[i] ? variable : null)),
    wanted,
  )
