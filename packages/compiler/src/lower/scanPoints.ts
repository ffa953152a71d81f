/** Which scans work element by element: each element of their carries goes its own way through the steps. */
import { type Atom, type Equation, type Jaxpr, Var, sizeOf } from '@fluxion/core'
import { isAlias, isPointwise, rowOf, weightOf } from './table.ts'

/** Costs in units of one arithmetic operation an element. */
const limits = {
  /** A body that does more is better cut in several kernels. */
  body: 400,
  /** What costs more is not computed again for each of many elements that are made of it, nor where only some of its elements may be wanted. */
  picked: 16,
}

/** What one nest computes: carries and stacked results of one number of elements, by number, the carries that it needs besides. */
export interface PointGroup {
  readonly size: number
  /** Carries whose last value is a result of this group. */
  readonly own: readonly number[]
  /** Stacked results, counted without the carries. */
  readonly stacked: readonly number[]
  /** Own carries, and scalar ones that each point keeps for itself. */
  readonly carries: readonly number[]
}

/**
 * How a scan's body falls into groups that do not feed each other; `undefined` unless all that depends on carries depends on their elements at its
 * own place alone. Carries of one element may be read anywhere.
 *
 * @param jaxpr without calls
 * @param wanted which results are used
 */
export function pointGroups(
  jaxpr: Jaxpr,
  numConsts: number,
  numCarry: number,
  wanted: readonly boolean[],
): PointGroup[] | undefined {
  const carries = jaxpr.inputs.slice(numConsts, numConsts + numCarry)
  const sizes = carries.map(({ aval }) => sizeOf(aval.shape))
  const points = pointsIn(jaxpr, carries)
  if (points === undefined) return undefined
  const carryOf = new Map(carries.map((variable, i) => [variable, i]))
  /** The carries that a result of the body is made of, through the steps. */
  const needs = (results: readonly number[]): number[] => {
    const found = new Set<number>()
    const reach = (result: number): void => {
      for (const variable of reachable(jaxpr, jaxpr.outputs[result]!)) {
        const carry = carryOf.get(variable)
        if (carry === undefined || found.has(carry)) continue
        found.add(carry)
        reach(carry)
      }
    }
    results.forEach(reach)
    return [...found].sort((a, b) => a - b)
  }
  // A scalar carry that is made of elements would need all of them at each step.
  for (let i = 0; i < numCarry; i++) if (sizes[i] === 1 && points.has(jaxpr.outputs[i]! as Var)) return undefined

  const groups = new Map<number, { readonly own: number[]; readonly stacked: number[] }>()
  jaxpr.outputs.forEach(({ aval }, i) => {
    if (wanted[i] === false) return
    const size = sizeOf(aval.shape)
    let group = groups.get(size)
    if (group === undefined) groups.set(size, (group = { own: [], stacked: [] }))
    if (i < numCarry) group.own.push(i)
    else group.stacked.push(i - numCarry)
  })
  // Scalars come last: others may still start with what lies where they go.
  const ordered = [...groups].sort(([a], [b]) => b - a)
  return ordered.map(([size, { own, stacked }]) => {
    const made = needs([...own, ...stacked.map((i) => numCarry + i)])
    return { size, own, stacked, carries: [...new Set([...own, ...made])].sort((a, b) => a - b) }
  })
}

/** The variables that depend on elements of carries at their own place; `undefined` if some depend on others, or are no expressions. */
function pointsIn(jaxpr: Jaxpr, carries: readonly Var[]): Set<Var> | undefined {
  const points = new Set<Var>(carries.filter(({ aval }) => sizeOf(aval.shape) !== 1))
  const weights = new Map<Atom, number>()
  let total = 0
  for (const equation of jaxpr.equations) {
    const { primitive, inputs, outputs } = equation
    if (rowOf(equation)?.kind !== 'map') return undefined
    const pointwise = isPointwise(equation)
    const inOrder = pointwise || isAlias(equation)
    const out = outputs.find((variable) => variable !== null)
    if (out === undefined) continue
    const fromPoints = inputs.some((atom) => atom instanceof Var && points.has(atom))
    if (fromPoints && !inOrder) return undefined
    if (!inOrder && inputs.some((atom) => isDear(atom, weights.get(atom) ?? 0))) return undefined
    const own = weightOf(primitive.name)
    total += own
    const weight = own + inputs.reduce((sum, atom) => sum + (weights.get(atom) ?? 0), 0)
    for (const variable of outputs) {
      if (variable === null) continue
      weights.set(variable, weight)
      if (fromPoints) points.add(variable)
    }
  }
  return total > limits.body ? undefined : points
}
/** Whether an operand is better kept than computed where its elements are picked from. */
const isDear = ({ aval }: Atom, weight: number): boolean => aval.shape.length > 0 && weight > limits.picked

/** The variables that a value of a program is computed from, itself among them. */
function reachable({ equations }: Jaxpr, root: Atom): Set<Var> {
  const found = new Set<Var>()
  if (root instanceof Var) found.add(root)
  for (const { inputs, outputs } of [...equations].reverse() as Equation[]) {
    if (!outputs.some((variable) => variable !== null && found.has(variable))) continue
    for (const atom of inputs) if (atom instanceof Var) found.add(atom)
  }
  return found
}
