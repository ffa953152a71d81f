/** Which values of a loop's steps a later loop reads from memory, and which it computes again: a minimum cut between what there is and what is wanted. */
import { type Atom, type Equation, Literal, type Var, sizeOf } from '@fluxion/core'
import { elementwise } from '../elementwise.ts'
import { Network, sink, source } from './minimumCut.ts'

/** What it costs to compute an element again, in bytes moved that take as long; of operations not named here, `cheap`. */
const cheap = 0.5
const dear = new Map<string, number>([
  ...entries('broadcast_in_dim reshape squeeze iota copy', 0.1),
  ...entries('div rem sqrt rsqrt integer_pow cbrt', 2),
  ...entries('exp exp2 log expm1 log1p logistic sin cos tan tanh sinh cosh pow atan2', 16),
  ...entries('asin acos atan asinh acosh atanh erf erfc erf_inv', 24),
  ...entries('lgamma digamma polygamma zeta igamma igammac igamma_grad_a random_gamma_grad', 256),
  ...entries('regularized_incomplete_beta bessel_i0e bessel_i1e', 256),
])
function entries(names: string, cost: number): (readonly [string, number])[] {
  return names.split(' ').map((name) => [name, cost] as const)
}
/** More than anything costs that can be had. */
const never = 1e18

/** What an element of an equation's result costs to compute again in another loop, or `never`. */
function costOfElement({ primitive: { name }, outputs: [result] }: Equation): number {
  if (result === undefined || result === null) return never
  const known = dear.get(name)
  if (known === undefined && !elementwise.has(name)) return never
  const { dtype } = result.aval
  // Each result of a half float is rounded, which targets without such numbers do by hand.
  const rounding = dtype === 'float16' || dtype === 'bfloat16' ? 2 : 0
  return (known ?? cheap) + rounding
}
/** Whether what an equation gives may be computed in several places. */
export const isCheap = (equation: Equation): boolean => costOfElement(equation) <= 2.5

/** The values to read from memory, of which the wanted ones follow by equations that are cheap to compute again. */
export function choose(
  wanted: readonly Var[],
  definitions: ReadonlyMap<Atom, Equation>,
  /** What it costs to have a value in memory and read it; 0 of what is at hand. */
  costOfKeeping: (variable: Var) => number,
): Var[] {
  const network = new Network()
  const nodes = new Map<Var, readonly [computed: number, had: number]>()
  const visit = (variable: Var): number => {
    const known = nodes.get(variable)
    if (known !== undefined) return known[1]
    const [computed, had] = [network.node(), network.node()]
    nodes.set(variable, [computed, had])
    const kept = costOfKeeping(variable)
    network.edge(computed, had, Math.min(kept, never))
    if (kept === 0) return had
    const equation = definitions.get(variable)
    const cost = equation === undefined ? never : costOfElement(equation) * sizeOf(variable.aval.shape)
    network.edge(source, computed, cost)
    // To compute a value is to have its operands.
    if (equation !== undefined && cost < never)
      for (const atom of equation.inputs) if (!(atom instanceof Literal)) network.edge(visit(atom), computed, never)
    return had
  }
  for (const variable of wanted) network.edge(visit(variable), sink, never)
  const isLater = network.sinkSide()
  return [...nodes].filter(([, [computed, had]]) => isLater[had] && !isLater[computed]).map(([variable]) => variable)
}
