/** Loop invariants: what each step of a scan would compute alike is computed once, before it. */
import { type Atom, type Equation, Literal, type Var, bytesOf, closed, sizeOf } from '@fluxion/core'
import { type Environment, type Pass, budget, bytesOfAval, renamed, substituted, typesOf } from '../rewrite.ts'
import { partsOf } from '../rules/scan.ts'
import { isMovable, rewriteScans } from './rewriteScans.ts'

/** What costs less to make again than to keep in memory. */
const remade = new Set(['broadcast_in_dim', 'iota', 'reshape', 'squeeze', 'unpackbits'])
/** Bits and bytes as wider numbers too, which products take as they are. */
const isRemade = ({ primitive, inputs }: Equation): boolean =>
  remade.has(primitive.name) || (primitive.name === 'convert_element_type' && bytesOf(inputs[0]!.aval.dtype) === 1)

/** Whether an equation's results are larger than its operands by more than the budget. */
function exceedsBudget({ primitive, inputs, params }: Equation): boolean {
  const bytes = (avals: readonly { readonly aval: Atom['aval'] }[]): number =>
    avals.reduce((sum, { aval }) => sum + bytesOfAval(aval), 0)
  const results = typesOf(primitive, inputs, params).map((aval) => ({ aval }))
  return bytes(results) > bytes(inputs) + budget
}

export const hoistInvariants: Pass = rewriteScans((scan, to) => {
  const parts = partsOf(scan)
  const { params, consts, constVars, carryVars, xVars } = parts
  const { jaxpr } = params.jaxpr
  if (params.length < 2) return undefined

  const invariant = new Set<Atom>(constVars)
  const candidates = new Set<Equation>()
  for (const equation of jaxpr.equations) {
    const fixed = equation.inputs.every((atom) => atom instanceof Literal || invariant.has(atom))
    if (!fixed || !isMovable(equation) || exceedsBudget(equation)) continue
    candidates.add(equation)
    for (const variable of equation.outputs) if (variable !== null) invariant.add(variable)
  }
  if (candidates.size === 0) return undefined

  // From the end: of what the steps need, the cheap stays with them, and they need its operands instead.
  const needed = new Set<Atom>(jaxpr.outputs)
  const inside: Equation[] = []
  const hoisted = new Set<Var>()
  for (const equation of jaxpr.equations.toReversed()) {
    const wanted = equation.outputs.filter((variable) => variable !== null && needed.has(variable)) as Var[]
    const isCheap = isRemade(equation) || (equation.inputs.length === 0 && isSmallest(equation))
    if (candidates.has(equation) && !isCheap) for (const variable of wanted) hoisted.add(variable)
    else if (!candidates.has(equation) || wanted.length > 0) {
      inside.push(equation)
      for (const atom of equation.inputs) needed.add(atom)
    }
  }
  if (hoisted.size === 0) return undefined

  const environment: Environment = new Map()
  constVars.forEach((variable, i) => environment.set(variable, consts[i]!))
  for (const equation of jaxpr.equations) if (candidates.has(equation)) to.add(renamed(equation, environment))
  const more = [...hoisted]
  const inputs = [...constVars, ...more, ...carryVars, ...xVars]
  return to.emit(
    'scan',
    [...consts, ...more.map((variable) => substituted(environment, variable)), ...parts.init, ...parts.xs],
    {
      ...params,
      jaxpr: closed({ ...jaxpr, inputs, equations: inside.reverse() }),
      numConsts: consts.length + more.length,
    },
    scan.source,
  )
})
const isSmallest = ({ outputs }: Equation): boolean =>
  outputs.every((variable) => variable === null || sizeOf(variable.aval.shape) <= 1)
