/** Estimates of what equations cost: operations, and bytes that have to lie in memory between them. */
import { type Atom, type Equation, Literal, type ScanParams, type Var, subprograms } from '@fluxion/core'
import { elementwise, rearranging } from '../elementwise.ts'
import { bytesOfAval } from '../rewrite.ts'
import { products } from '../scans/stages.ts'
import { elementsOf, workBy } from '../work.ts'

const loops: ReadonlySet<string> = new Set(['scan', 'while'])
export const isLoop = ({ primitive }: Equation): boolean => loops.has(primitive.name)

/** Whether an equation holds a loop, at any depth, or is one. */
export const hasLoop = (equation: Equation): boolean =>
  isLoop(equation) || subprograms(equation.params).some(({ jaxpr }) => jaxpr.equations.some(hasLoop))
/** Whether kernels take an equation in as an expression: its results need no memory of their own. */
export const isExpression = ({ primitive: { name } }: Equation): boolean =>
  elementwise.has(name) || rearranging.has(name) || name === 'iota'

/** About how many operations on numbers an equation takes. */
export const workOf: (equation: Equation) => number = workBy(
  ({ primitive, inputs, outputs }) =>
    elementsOf(outputs) + (primitive.name.startsWith('reduce_') ? elementsOf(inputs) : 0),
)

/** Bytes of products in the body of a loop, which would lie in memory for all steps if they were computed at once. */
function productBytes({ params, primitive }: Equation): number {
  if (primitive.name !== 'scan') return 0
  const { jaxpr, length } = params as ScanParams
  return jaxpr.jaxpr.equations.reduce((sum, equation) => {
    if (!products.has(equation.primitive.name)) return sum
    return sum + length * equation.outputs.reduce((bytes, v) => bytes + (v === null ? 0 : bytesOfAval(v.aval)), 0)
  }, 0)
}
/** Bytes of the values that lie in memory between some equations, if they are run one after the other. */
export function bytesBetween(equations: readonly Equation[], isSplit: (v: Var) => boolean): number {
  const made = new Set<Atom>(equations.flatMap(({ outputs }) => outputs.filter((v) => v !== null)))
  const kept = new Set<Var>()
  const keep = (atom: Atom | null): void => {
    if (atom !== null && !(atom instanceof Literal) && made.has(atom) && isSplit(atom)) kept.add(atom)
  }
  let bytes = 0
  for (const equation of equations) {
    if (isExpression(equation) || equation.primitive.name.startsWith('reduce_')) continue
    equation.outputs.forEach(keep)
    if (isLoop(equation)) equation.inputs.forEach(keep)
    bytes += productBytes(equation)
  }
  for (const { aval } of kept) bytes += bytesOfAval(aval)
  return bytes
}

/** Bytes of what some equations take or give and no part has a piece of: every part reads it, or adds to it. */
export function wholeBytes(equations: readonly Equation[], isSplit: (v: Var) => boolean): number {
  const found = new Set<Var>()
  for (const { inputs, outputs } of equations)
    for (const atom of [...inputs, ...outputs])
      if (atom !== null && !(atom instanceof Literal) && !isSplit(atom)) found.add(atom)
  return [...found].reduce((sum, { aval }) => sum + bytesOfAval(aval), 0)
}

/** Whether a loop multiplies, at every step, by something that depends on what it multiplied the step before. */
export function hasProductInCycle(equation: Equation): boolean {
  if (!isLoop(equation))
    return subprograms(equation.params).some(({ jaxpr }) => jaxpr.equations.some(hasProductInCycle))
  if (equation.primitive.name === 'while')
    return subprograms(equation.params).some(({ jaxpr }) =>
      jaxpr.equations.some((inner) => products.has(inner.primitive.name) || hasProductInCycle(inner)),
    )
  const {
    jaxpr: { jaxpr },
    numConsts,
    numCarry,
  } = equation.params as ScanParams
  if (jaxpr.equations.some(hasProductInCycle)) return true
  const carries = jaxpr.inputs.slice(numConsts, numConsts + numCarry)
  // From which carries each value follows, and each product.
  const from = new Map<Atom, Set<number>>(carries.map((v, i) => [v, new Set([i])]))
  const sources = (atoms: readonly Atom[]): Set<number> => new Set(atoms.flatMap((atom) => [...(from.get(atom) ?? [])]))
  const through = new Map<Atom, Set<Equation>>()
  for (const inner of jaxpr.equations) {
    const [given, passed] = [
      sources(inner.inputs),
      new Set(inner.inputs.flatMap((atom) => [...(through.get(atom) ?? [])])),
    ]
    if (products.has(inner.primitive.name) && given.size > 0) passed.add(inner)
    for (const v of inner.outputs) {
      if (v === null) continue
      from.set(v, given)
      through.set(v, passed)
    }
  }
  const next = jaxpr.outputs.slice(0, numCarry)
  /** The carries that a carry reaches in any number of steps. */
  const reached = (start: number): Set<number> => {
    const found = new Set<number>([start])
    for (let size = 0; size < found.size;) {
      size = found.size
      next.forEach((atom, i) => {
        for (const source of from.get(atom) ?? []) if (found.has(source)) found.add(i)
      })
    }
    return found
  }
  return next.some((atom, i) => {
    const passed = through.get(atom)
    if (passed === undefined || passed.size === 0) return false
    const later = reached(i)
    return [...passed].some((product) => [...sources(product.inputs)].some((source) => later.has(source)))
  })
}
