/**
 * Simplification: rewrites equations one by one, in order, by tables of rules. Every rule keeps every element's bits, NaN, infinities and the
 * sign of zero included (of a NaN, that it is one).
 */
import {
  type Atom,
  type Aval,
  type ClosedJaxpr,
  type Equation,
  type Jaxpr,
  Literal,
  type Var,
  closed,
} from '@fluxion/core'
import { elementwise } from './elementwise.ts'
import { foldLiterals } from './fold.ts'
import {
  type Environment,
  Writer,
  equationOf,
  mapPrograms,
  primitiveNamed,
  remembered,
  renamed,
  sameList,
  spread,
  substituted,
  substitutedAll,
} from './rewrite.ts'
import { algebraRules } from './rules/algebra.ts'
import { controlRules } from './rules/control.ts'
import { elementwiseRule } from './rules/elementwise.ts'
import { movementRules } from './rules/movement.ts'
import { productRules } from './rules/products.ts'

/** An equation's results in other words, or nothing if the rule does not apply. */
export type Rule = (equation: Equation, to: Simplifier) => readonly Atom[] | undefined
export type Rules = Readonly<Record<string, readonly Rule[]>>

const joined = (...tables: readonly Rules[]): ReadonlyMap<string, readonly Rule[]> => {
  const all = new Map<string, readonly Rule[]>()
  for (const table of tables)
    for (const [name, rules] of Object.entries(table)) all.set(name, [...(all.get(name) ?? []), ...rules])
  return all
}
const table = joined(algebraRules, movementRules, productRules, controlRules)

/** The equations of one program as they are rewritten, and what rules ask of them. */
export class Simplifier {
  readonly writer: Writer = new Writer()
  readonly #uses = new Map<Atom, number>()

  constructor({ equations, outputs }: Jaxpr) {
    for (const atoms of [outputs, ...equations.map(({ inputs }) => inputs)])
      for (const atom of atoms) this.#uses.set(atom, (this.#uses.get(atom) ?? 0) + 1)
  }
  /** Whether nothing else reads a value, as far as is known. */
  readOnce(atom: Atom): boolean {
    return (this.#uses.get(atom) ?? 1) <= 1
  }

  /** Results of an operation, simplified as it is written. */
  all(name: string, inputs: readonly Atom[], params: object = {}, source?: Error): readonly Atom[] {
    const equation = equationOf(primitiveNamed(name), inputs, params, source)
    return this.rewrite(equation) ?? this.keep(equation)
  }
  make(name: string, inputs: readonly Atom[], params: object = {}, source?: Error): Atom {
    return this.all(name, inputs, params, source)[0]!
  }
  keep(equation: Equation): readonly Var[] {
    this.writer.add(equation)
    return equation.outputs as readonly Var[]
  }
  rewrite(equation: Equation): readonly Atom[] | undefined {
    const { name } = equation.primitive
    if (elementwise.has(name)) {
      const found = foldLiterals(equation) ?? elementwiseRule(equation, this)
      if (found !== undefined) return found
    }
    for (const rule of table.get(name) ?? []) {
      const found = rule(equation, this)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The results of a program, its equations simplified as they are written in place of a call. */
  call({ jaxpr }: ClosedJaxpr, args: readonly Atom[]): readonly Atom[] {
    const environment: Environment = new Map()
    jaxpr.inputs.forEach((variable, i) => environment.set(variable, args[i]!))
    for (const given of jaxpr.equations) {
      const equation = renamed(given, environment)
      const results = this.rewrite(equation)
      if (results === undefined) this.keep(equation)
      else given.outputs.forEach((variable, i) => variable !== null && environment.set(variable, results[i]!))
    }
    return jaxpr.outputs.map((atom) => substituted(environment, atom))
  }

  /** The equation that made a value, if it is of this primitive. */
  made(atom: Atom, name: string): Equation | undefined {
    const equation = this.writer.definitionOf(atom)
    return equation?.primitive.name === name ? equation : undefined
  }
  /** The scalar that all elements equal, if that is known. */
  scalarOf(atom: Atom): Atom | undefined {
    if (atom.aval.shape.length === 0) return atom
    const spreading = this.made(atom, 'broadcast_in_dim')
    return spreading?.inputs[0]!.aval.shape.length === 0 ? spreading.inputs[0] : undefined
  }
  /** The number that all elements are, if that is known. */
  numberOf(atom: Atom): number | undefined {
    const scalar = this.scalarOf(atom)
    return scalar instanceof Literal ? scalar.value : undefined
  }
  spread(scalar: Atom, shape: readonly number[]): Atom {
    return spread(this.writer, scalar, shape)
  }
  /** `atom` as a value of this shape: itself, or a scalar spread. */
  shaped(atom: Atom, { shape }: Aval): Atom {
    return sameList(atom.aval.shape, shape) ? atom : this.spread(atom, shape)
  }
  number(value: number, { shape, dtype }: Aval): Atom {
    return this.spread(new Literal(value, { shape: [], dtype, weakType: false }), shape)
  }
}

/** Simplify a program and those inside it. */
export const simplify: (program: ClosedJaxpr) => ClosedJaxpr = remembered((program) => {
  const { jaxpr, consts } = program
  const simplifier = new Simplifier(jaxpr)
  const environment: Environment = new Map()
  let changed = false
  for (const given of jaxpr.equations) {
    const inputs = substitutedAll(environment, given.inputs)
    const params = mapPrograms(given.params, simplify)
    const equation = inputs === given.inputs && params === given.params ? given : { ...given, inputs, params }
    const results = simplifier.rewrite(equation)
    if (equation !== given || results !== undefined) changed = true
    if (results === undefined) simplifier.keep(equation)
    else equation.outputs.forEach((variable, i) => variable !== null && environment.set(variable, results[i]!))
  }
  if (!changed) return program
  const outputs = substitutedAll(environment, jaxpr.outputs)
  return closed({ ...jaxpr, equations: simplifier.writer.equations, outputs }, consts)
})
