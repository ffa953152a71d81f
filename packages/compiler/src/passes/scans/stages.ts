/**
 * In which of several loops, one after the other, the parts of a scan's body can run. What a product of the carries makes, and none of them
 * needs again, is a level later than its operands: all its steps may be done at once between two loops. Carries of one level that have
 * nothing to do with each other are in loops of their own if their shapes differ.
 */
import { type Atom, type Equation, Literal, type Var } from '@fluxion/core'
import { bytesOfAval } from '../rewrite.ts'
import type { Parts } from '../rules/scan.ts'
import { roomFor } from './outside.ts'
import { dependents, isMovable } from './rewriteScans.ts'

/** Operations that are worth doing for all steps at once. */
export const products: ReadonlySet<string> = new Set(['dot_general', 'conv_general_dilated'])

/** A loop to be: carries by their indices, possibly none. */
export interface Stage {
  readonly level: number
  readonly carries: readonly number[]
}
export interface Stages {
  /** In the order in which they run. Each level has one at least. */
  readonly list: readonly Stage[]
  /** Products that run between loops. */
  readonly between: ReadonlySet<Equation>
  /** The first level at which a value can be had; −1 if it needs no carry. */
  levelOf(atom: Atom): number
  /** The one loop that can make a value, if it depends on a carry of its level. */
  homeOf(atom: Atom): Stage | undefined
}

export function stagesOf(parts: Parts): Stages {
  const between = productsBetween(parts)
  const levels = levelsOf(parts, between)
  const levelOf = (atom: Atom): number => levels.get(atom) ?? -1
  const homes = homesOf(parts, between, levelOf)
  const most = Math.max(0, ...levels.values())
  const list = Array.from({ length: most + 1 }, (_, level) => {
    const found = [...new Set(homes.stages)].filter((stage) => stage.level === level)
    return found.length > 0 ? found : [{ level, carries: [] }]
  })
  return { list: list.flat(), between, levelOf, homeOf: homes.of }
}

/** Products of values that depend on carries, with others that are the same at every step, which no carry needs that they depend on; as many as fit. */
function productsBetween(parts: Parts): ReadonlySet<Equation> {
  const { params, xVars, carryVars, next } = parts
  const { jaxpr } = params.jaxpr
  const found = new Set<Equation>()
  const read = reads(jaxpr.equations, carryVars)
  const varying = dependents(jaxpr, [...carryVars, ...xVars])
  const candidates = jaxpr.equations.filter((equation) => {
    if (!products.has(equation.primitive.name) || !isMovable(equation)) return false
    const [operand, another] = equation.inputs.filter((atom) => varying.has(atom))
    return operand !== undefined && another === undefined && read.has(operand)
  })
  if (candidates.length === 0) return found

  // Which carries each carry depends on, itself included, over any number of steps.
  const reach = carryVars.map((_, i) => (read.get(next[i]!) ?? 0n) | (1n << BigInt(i)))
  reach.forEach((_, k) =>
    reach.forEach((bits, i) => {
      if ((bits >> BigInt(k)) & 1n) reach[i] = bits | reach[k]!
    }),
  )
  const feeds = new Map<Atom, bigint>()
  const feed = (atom: Atom, bits: bigint): void => {
    if (!(atom instanceof Literal) && bits !== 0n) feeds.set(atom, (feeds.get(atom) ?? 0n) | bits)
  }
  next.forEach((atom, i) => feed(atom, 1n << BigInt(i)))
  for (const { inputs, outputs } of jaxpr.equations.toReversed()) {
    const bits = outputs.reduce((sum, variable) => sum | ((variable && feeds.get(variable)) ?? 0n), 0n)
    for (const atom of inputs) feed(atom, bits)
  }
  const most = roomFor(parts)
  let room = most
  for (const equation of candidates) {
    const product = equation.outputs[0]
    if (product === null || product === undefined) continue
    const reading = read.get(product) ?? 0n
    const needed = reach.reduce((sum, bits, i) => ((reading >> BigInt(i)) & 1n ? sum | bits : sum), 0n)
    const size = bytesOfAval(product.aval) * params.length
    const operand = equation.inputs.find((atom) => read.has(atom))!
    if ((needed & (feeds.get(product) ?? 0n)) !== 0n || size > room) continue
    // Nor may its operand, which may have to be stacked.
    if (bytesOfAval(operand.aval) * params.length > most) continue
    room -= size
    found.add(equation)
  }
  return found
}

/** The carries that each value depends on within a step, as sets of bits. */
function reads(equations: readonly Equation[], carryVars: readonly Var[]): ReadonlyMap<Atom, bigint> {
  const found = new Map<Atom, bigint>(carryVars.map((variable, i) => [variable, 1n << BigInt(i)]))
  for (const { inputs, outputs } of equations) {
    const bits = inputs.reduce((sum, atom) => sum | (found.get(atom) ?? 0n), 0n)
    if (bits === 0n) continue
    for (const variable of outputs) if (variable !== null) found.set(variable, bits)
  }
  return found
}

function levelsOf({ params, carryVars, next }: Parts, between: ReadonlySet<Equation>): ReadonlyMap<Atom, number> {
  const levels = new Map<Atom, number>(carryVars.map((variable) => [variable, 0]))
  const levelOf = (atom: Atom): number => levels.get(atom) ?? -1
  // A carry is at the level of what it becomes. No product between is in a cycle, so this comes to an end.
  for (let changed = true; changed;) {
    changed = false
    for (const equation of params.jaxpr.jaxpr.equations) {
      const operands = equation.inputs.reduce((most, atom) => Math.max(most, levelOf(atom)), -1)
      if (operands < 0) continue
      for (const variable of equation.outputs)
        if (variable !== null) levels.set(variable, between.has(equation) ? operands + 1 : operands)
    }
    next.forEach((atom, i) => {
      if (levelOf(atom) <= levelOf(carryVars[i]!)) return
      levels.set(carryVars[i]!, levelOf(atom))
      changed = true
    })
  }
  return levels
}

/** The loops with carries, one for each carry, and which of them values belong to. */
function homesOf(
  { params, carryVars, next }: Parts,
  between: ReadonlySet<Equation>,
  levelOf: (atom: Atom) => number,
): { readonly stages: readonly Stage[]; of(atom: Atom): Stage | undefined } {
  // Carries that something is computed from together have the same root.
  const parent = carryVars.map((_, i) => i)
  const root = (i: number): number => (parent[i] === i ? i : (parent[i] = root(parent[i]!)))
  const homes = new Map<Atom, number>(carryVars.map((variable, i) => [variable, i]))
  const join = (atoms: readonly Atom[], level: number): number | undefined => {
    const found = atoms.flatMap((atom) => (levelOf(atom) === level ? (homes.get(atom) ?? []) : []))
    for (const i of found) parent[root(i)] = root(found[0]!)
    return found[0]
  }
  for (const equation of params.jaxpr.jaxpr.equations) {
    if (between.has(equation)) continue
    const level = equation.inputs.reduce((most, atom) => Math.max(most, levelOf(atom)), -1)
    const home = level < 0 ? undefined : join(equation.inputs, level)
    if (home === undefined) continue
    for (const variable of equation.outputs) if (variable !== null) homes.set(variable, home)
  }
  next.forEach((atom, i) => join([carryVars[i]!, atom], levelOf(carryVars[i]!)))

  // Parts with carries of the same shapes share a loop.
  const shapes = carryVars.map(() => new Set<string>())
  carryVars.forEach(({ aval }, i) => shapes[root(i)]!.add(aval.shape.join()))
  const keys = carryVars.map((variable, i) => `${levelOf(variable)}:${[...shapes[root(i)]!].sort().join(';')}`)
  const stages = new Map<string, Stage>()
  keys.forEach((key, i) => {
    if (stages.has(key)) return
    const carries = keys.flatMap((other, k) => (other === key ? k : []))
    stages.set(key, { level: levelOf(carryVars[i]!), carries })
  })
  const list = keys.map((key) => stages.get(key)!)
  return {
    stages: list,
    of(atom) {
      const home = homes.get(atom)
      return home === undefined ? undefined : list[home]
    },
  }
}
