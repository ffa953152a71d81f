/** What all passes share: programs inside parameters, substitution, new equations typed by their rules, sizes in bytes. */
import {
  type AnyPrimitive,
  type Atom,
  type Aval,
  type ClosedJaxpr,
  type Equation,
  type Jaxpr,
  Literal,
  Var,
  bytesOf,
  isClosedJaxpr,
  primitives,
  sizeOf,
  subprograms,
} from '@fluxion/core'

/** From a program to one that means the same; the same object if there was nothing to do. */
export type Pass = (program: ClosedJaxpr) => ClosedJaxpr

/** No pass makes a value that is larger than its operands by more than this. */
export const budget: number = 8 * 2 ** 20

export const bytesOfAval = ({ shape, dtype }: Aval): number => sizeOf(shape) * bytesOf(dtype)
export const range = (count: number, start = 0): number[] => Array.from({ length: count }, (_, i) => start + i)
export const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])
export const withoutAt = <T>(list: readonly T[], indices: readonly number[]): T[] =>
  list.filter((_, i) => !indices.includes(i))
export const pick = <T>(list: readonly T[], kept: readonly boolean[]): T[] => list.filter((_, i) => kept[i])
/** Split a list in consecutive parts of the given lengths; the rest is the last part. */
export function split<T>(list: readonly T[], ...lengths: readonly number[]): T[][] {
  let at = 0
  return [...lengths.map((length) => list.slice(at, (at += length))), list.slice(at)]
}

/** Parameters with the programs among them mapped; the same object if none changed. */
export function mapPrograms(params: object, f: Pass): object {
  if (subprograms(params).length === 0) return params
  let changed = false
  const map = (value: unknown): unknown => {
    if (Array.isArray(value) && value.some(isClosedJaxpr)) return value.map(map)
    if (!isClosedJaxpr(value)) return value
    const next = f(value)
    if (next !== value) changed = true
    return next
  }
  const entries = Object.entries(params).map(([key, value]) => [key, map(value)] as const)
  return changed ? Object.fromEntries(entries) : params
}

/** Remember what a pass makes of a program inside parameters, which several equations may share. */
export function remembered(pass: Pass): Pass {
  const known = new WeakMap<Jaxpr, ClosedJaxpr>()
  return (program) => {
    let result = known.get(program.jaxpr)
    if (result === undefined) known.set(program.jaxpr, (result = pass(program)))
    return result
  }
}

/** What variables have been replaced by. */
export type Environment = Map<Var, Atom>
export const substituted = (environment: Environment, atom: Atom): Atom =>
  atom instanceof Literal ? atom : (environment.get(atom) ?? atom)
/** A list with variables replaced; the same list if none was. */
export function substitutedAll(environment: Environment, atoms: readonly Atom[]): readonly Atom[] {
  const next = atoms.map((atom) => substituted(environment, atom))
  return sameList(next, atoms) ? atoms : next
}

export function primitiveNamed(name: string): AnyPrimitive {
  const found = primitives.get(name)
  if (found === undefined) throw new Error(`there is no primitive '${name}'`)
  return found
}
export const typesOf = (primitive: AnyPrimitive, inputs: readonly Atom[], params: object): readonly Aval[] =>
  primitive.type(
    inputs.map(({ aval }) => aval),
    params as never,
  )
/** An equation with new variables for its results. */
export const equationOf = (
  primitive: AnyPrimitive,
  inputs: readonly Atom[],
  params: object,
  source?: Error,
): Equation & { readonly outputs: readonly Var[] } => ({
  primitive,
  inputs,
  params,
  outputs: typesOf(primitive, inputs, params).map((aval) => new Var(aval)),
  source,
})

/** Equations being written, with the one that made each variable. */
export class Writer {
  readonly equations: Equation[] = []
  readonly #definitions = new Map<Atom, Equation>()

  add(equation: Equation): void {
    this.equations.push(equation)
    for (const variable of equation.outputs) if (variable !== null) this.#definitions.set(variable, equation)
  }
  emit(name: string, inputs: readonly Atom[], params: object = {}, source?: Error): readonly Var[] {
    const equation = equationOf(primitiveNamed(name), inputs, params, source)
    this.add(equation)
    return equation.outputs
  }
  definitionOf(atom: Atom): Equation | undefined {
    return this.#definitions.get(atom)
  }
  /** Write the equations of a program without constants in place of a call of it, and return its results. */
  inline({ jaxpr }: ClosedJaxpr, args: readonly Atom[]): Atom[] {
    const environment: Environment = new Map()
    jaxpr.inputs.forEach((variable, i) => environment.set(variable, args[i]!))
    for (const equation of jaxpr.equations) this.add(renamed(equation, environment))
    return jaxpr.outputs.map((atom) => substituted(environment, atom))
  }
}
/** An equation with its operands replaced and with new variables for its results, which the environment learns of. */
export function renamed(equation: Equation, environment: Environment): Equation {
  const inputs = equation.inputs.map((atom) => substituted(environment, atom))
  const outputs = equation.outputs.map((variable) => {
    if (variable === null) return null
    const fresh = new Var(variable.aval)
    environment.set(variable, fresh)
    return fresh
  })
  return { ...equation, inputs, outputs }
}

/** A scalar spread over a shape. */
export const spread = (writer: Writer, scalar: Atom, shape: readonly number[]): Atom =>
  shape.length === 0 ? scalar : writer.emit('broadcast_in_dim', [scalar], { shape, broadcastDimensions: [] })[0]!

/** Apply a pass to a program and then, as long as it changes something, again; at most so many times. */
export function untilStable(pass: Pass, most = 8): Pass {
  return (program) => {
    let current = program
    for (let i = 0; i < most; i++) {
      const next = pass(current)
      if (next === current) break
      current = next
    }
    return current
  }
}

/** How many equations a program has, those of the programs inside it included. */
export function countEquations({ jaxpr }: ClosedJaxpr): number {
  let count = 0
  for (const { params } of jaxpr.equations) {
    count++
    mapPrograms(params, (inner) => {
      count += countEquations(inner)
      return inner
    })
  }
  return count
}
