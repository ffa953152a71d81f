/** Writes the programs of calls where the calls are: lowering knows no others than loops and conditions. */
import { type Atom, type ClosedJaxpr, type Equation, type Jaxpr, Var } from '@fluxion/core'

const calls = new Set(['jit', 'custom_jvp_call', 'custom_vjp_call', 'remat2'])
interface CallParams {
  readonly jaxpr: ClosedJaxpr
}

export function withoutCalls({ jaxpr, consts }: ClosedJaxpr): ClosedJaxpr {
  if (!jaxpr.equations.some(({ primitive }) => calls.has(primitive.name))) return { jaxpr, consts }
  const known = new Map<Var, Atom>()
  const read = (atom: Atom): Atom => (atom instanceof Var ? (known.get(atom) ?? atom) : atom)
  const equations: Equation[] = []
  const constants = [...jaxpr.constants]
  const values = [...consts]
  const write = (body: Jaxpr): void => {
    for (const equation of body.equations) {
      const inputs = equation.inputs.map(read)
      if (!calls.has(equation.primitive.name)) {
        equations.push({ ...equation, inputs, outputs: equation.outputs.map((v) => v && fresh(v)) })
        continue
      }
      const { jaxpr: inner } = equation.params as CallParams
      inner.jaxpr.inputs.forEach((v, i) => known.set(v, inputs[i]!))
      inner.jaxpr.constants.forEach((v, i) => {
        const constant = new Var(v.aval)
        known.set(v, constant)
        constants.push(constant)
        values.push(inner.consts[i]!)
      })
      write(inner.jaxpr)
      equation.outputs.forEach((v, i) => v && known.set(v, read(inner.jaxpr.outputs[i]!)))
    }
  }
  // A program that is called twice has its variables twice.
  const fresh = (v: Var): Var => {
    const renamed = new Var(v.aval)
    known.set(v, renamed)
    return renamed
  }
  write(jaxpr)
  return { jaxpr: { constants, inputs: jaxpr.inputs, equations, outputs: jaxpr.outputs.map(read) }, consts: values }
}
