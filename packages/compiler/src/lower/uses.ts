/**
 * Decides which values of a block get memory of their own, before anything is emitted. The rest is fused into its consumers: computed
 * there again where there are several.
 */
import { type Equation, type Jaxpr, type Literal, type ScanParams, Var, type WhileParams, sizeOf } from '@fluxion/core'
import type { Facts } from '../passes/facts/factsOf.ts'
import type { Row, Target } from './lowering.ts'
import { isPointwise, rowOf, weightOf } from './table.ts'

/** Costs in units of one arithmetic operation an element; measured on no machine, their order is what matters. */
const limits = {
  /** A chain that costs as much is not computed twice: where points run side by side memory is dearer. */
  twice: { serial: 12, parallel: 16 },
  /** Nor is it read more often than it has elements, from there on. */
  spread: 2,
  /** Nor computed where only some of its elements may be wanted. */
  partly: 8,
  /** Operands of a product are read again and again. */
  product: 3,
  /** Larger kernels gain nothing. */
  kernel: 200,
}

export interface Uses {
  readonly wanted: ReadonlySet<Var>
}

/** What changes only the order of elements. */
const rearranging = new Set(['transpose', 'reshape', 'squeeze'])
const consumersOf = (jaxpr: Jaxpr): Map<Var, Equation[]> => {
  const consumers = new Map<Var, Equation[]>()
  for (const equation of jaxpr.equations) {
    for (const atom of new Set(equation.inputs)) {
      if (!(atom instanceof Var)) continue
      const known = consumers.get(atom)
      if (known === undefined) consumers.set(atom, [equation])
      else known.push(equation)
    }
  }
  return consumers
}

export function usesOf(jaxpr: Jaxpr, { facts, target }: { readonly facts: Facts; readonly target: Target }): Uses {
  const consumers = consumersOf(jaxpr)
  const outputs = new Set<Var | Literal>(jaxpr.outputs)
  const wanted = new Set<Var>()
  const weights = new Map<Var, number>()
  /** Holds a reduction or product that is not in memory: fused only where each element is wanted once. */
  const heavy = new Set<Var>()
  /** Products that are not in memory. */
  const products = new Set<Var>()

  for (const equation of jaxpr.equations) {
    const row = rowOf(equation)
    if (row === undefined || row.kind === 'kernels') continue
    const fused = equation.inputs.filter((atom): atom is Var => atom instanceof Var && !wanted.has(atom))
    const weight =
      weightOf(equation.primitive.name) + fused.reduce((sum, variable) => sum + (weights.get(variable) ?? 0), 0)
    const holds = row.kind !== 'map' || fused.some((variable) => heavy.has(variable))
    for (const variable of equation.outputs) {
      if (variable === null) continue
      const uses = consumers.get(variable) ?? []
      const [first] = equation.inputs
      const ofProduct = rearranging.has(equation.primitive.name) && first instanceof Var && products.has(first)
      const own = {
        variable,
        weight: row.kind === 'reduce' ? 1 : weight,
        heavy: holds,
        product: ofProduct || row.kind === 'product',
        selects: !target.parallel && facts.of(variable).zeroOne,
      }
      const moved = ofProduct && !(uses.length === 1 && rearranging.has(uses[0]!.primitive.name))
      if (outputs.has(variable) || moved || mustStand(own, uses, target)) {
        wanted.add(variable)
        weights.set(variable, 0)
      } else {
        weights.set(variable, own.weight)
        if (own.heavy) heavy.add(variable)
        if (own.product) products.add(variable)
      }
    }
  }
  return { wanted }
}

/** Whether a loop takes the value only to start with: it is written to the carry at once. */
function startsLoop(variable: Var, { primitive, params, inputs }: Equation): boolean {
  const consts =
    primitive.name === 'scan'
      ? (params as ScanParams).numConsts
      : primitive.name === 'while'
        ? (params as WhileParams).condNconsts + (params as WhileParams).bodyNconsts
        : inputs.length
  const end = primitive.name === 'scan' ? consts + (params as ScanParams).numCarry : inputs.length
  return inputs.every((atom, i) => atom !== variable || (i >= consts && i < end))
}

interface Candidate {
  readonly variable: Var
  readonly weight: number
  readonly heavy: boolean
  readonly product: boolean
  /** Its elements are 0 or 1, and a product that has it as an operand computes each once, as bits. */
  readonly selects: boolean
}
function mustStand(value: Candidate, uses: readonly Equation[], { parallel }: Target): boolean {
  const { weight } = value
  if (weight > limits.kernel) return true
  if (uses.length > 1 && (weight >= limits.twice[parallel ? 'parallel' : 'serial'] || value.heavy)) return true
  // A product that is only wanted with its axes in another order is stored so.
  if (value.product && uses.length === 1 && rearranging.has(uses[0]!.primitive.name)) return false
  return uses.some((use) => {
    const row: Row | undefined = rowOf(use)
    if (row === undefined) return !startsLoop(value.variable, use)
    if (
      isPointwise(use) &&
      value.variable.aval.shape.length === use.outputs.find((out) => out !== null)?.aval.shape.length
    )
      return false
    if (value.heavy) return true
    switch (row.kind) {
      case 'product':
        return weight > limits.product || (uses.length > 1 && !(value.selects && use.primitive.name === 'dot_general'))
      case 'kernels':
        return weight > limits.partly
      case 'reduce':
        return false
      case 'map': {
        const size = sizeOf(value.variable.aval.shape)
        const out = Math.max(...use.outputs.map((to) => (to === null ? 0 : sizeOf(to.aval.shape))))
        return weight > (out > size ? limits.spread : limits.partly)
      }
    }
  })
}
