/** What passes over loops share: scans rewritten one by one, at every depth, innermost first. */
import { type Atom, type ClosedJaxpr, type Equation, type Jaxpr, type Var, closed, isEffectful } from '@fluxion/core'
import { type Environment, type Pass, Writer, mapPrograms, remembered, substitutedAll } from '../rewrite.ts'

/** A scan's results in other words, written before it as needed; nothing if there is nothing to do. */
export type RewriteScan = (scan: Equation, to: Writer) => readonly Atom[] | undefined

export function rewriteScans(rewrite: RewriteScan): Pass {
  const pass: Pass = remembered((program: ClosedJaxpr) => {
    const { jaxpr, consts } = program
    const writer = new Writer()
    const environment: Environment = new Map()
    let changed = false
    for (const given of jaxpr.equations) {
      const inputs = substitutedAll(environment, given.inputs)
      const params = mapPrograms(given.params, pass)
      const equation = inputs === given.inputs && params === given.params ? given : { ...given, inputs, params }
      const results = equation.primitive.name === 'scan' ? rewrite(equation, writer) : undefined
      if (equation !== given || results !== undefined) changed = true
      if (results === undefined) writer.add(equation)
      else equation.outputs.forEach((variable, i) => variable !== null && environment.set(variable, results[i]!))
    }
    if (!changed) return program
    const outputs = substitutedAll(environment, jaxpr.outputs)
    return closed({ ...jaxpr, equations: writer.equations, outputs }, consts)
  })
  return pass
}

/** Whether an equation may run elsewhere, once instead of many times: no effects, no calls of the host, nothing that is to be computed again. */
export const isMovable = (equation: Equation): boolean =>
  !isEffectful(equation) && !immovable.has(equation.primitive.name) && !holdsImmovable(equation)
const immovable = new Set(['remat2', 'pure_callback', 'custom_lin'])
function holdsImmovable({ params }: Equation): boolean {
  let found = false
  mapPrograms(params, (inner) => {
    found ||= inner.jaxpr.equations.some((equation) => !isMovable(equation))
    return inner
  })
  return found
}

/** The equation that makes each variable of a program. */
export function definitionsOf({ equations }: Jaxpr): ReadonlyMap<Atom, Equation> {
  const found = new Map<Atom, Equation>()
  for (const equation of equations)
    for (const variable of equation.outputs) if (variable !== null) found.set(variable, equation)
  return found
}
/** What depends, through equations, on some variables. */
export function dependents({ equations }: Jaxpr, on: readonly Var[]): Set<Atom> {
  const found = new Set<Atom>(on)
  for (const { inputs, outputs } of equations) {
    if (!inputs.some((atom) => found.has(atom))) continue
    for (const variable of outputs) if (variable !== null) found.add(variable)
  }
  return found
}
/** How often each variable is read by equations and results. */
export function usesOf({ equations, outputs }: Jaxpr): ReadonlyMap<Atom, number> {
  const uses = new Map<Atom, number>()
  for (const atoms of [outputs, ...equations.map(({ inputs }) => inputs)])
    for (const atom of atoms) uses.set(atom, (uses.get(atom) ?? 0) + 1)
  return uses
}
/** The axes over which a reduction goes. */
export const axesOf = ({ params }: Equation): readonly number[] => (params as { readonly axes: readonly number[] }).axes
