/** Programs as data: equations over variables, in the order in which they run. */
import type { NDArray } from '../array.ts'
import type { AnyPrimitive } from '../primitive/define.ts'
import type { Aval } from './aval.ts'

/** A variable, told apart by identity. */
export class Var {
  readonly aval: Aval
  constructor(aval: Aval) {
    this.aval = aval
  }
}
/** A scalar written into the program. */
export class Literal {
  readonly aval: Aval
  readonly value: number
  constructor(value: number, aval: Aval) {
    this.value = value
    this.aval = aval
  }
}
export type Atom = Var | Literal

export interface Equation {
  readonly primitive: AnyPrimitive
  readonly inputs: readonly Atom[]
  readonly params: object
  /** `null` for a result that nobody uses. */
  readonly outputs: readonly (Var | null)[]
  /** Holds the stack of the call that made the equation. */
  readonly source: Error | undefined
}

export interface Jaxpr {
  /** Inputs that stand for constants; `ClosedJaxpr` holds their values. */
  readonly constants: readonly Var[]
  readonly inputs: readonly Var[]
  readonly equations: readonly Equation[]
  readonly outputs: readonly Atom[]
}

/** A program with the values of its constants, which may be tracers of an enclosing trace. */
export interface ClosedJaxpr {
  readonly jaxpr: Jaxpr
  readonly consts: readonly NDArray[]
}

export const inAvals = ({ jaxpr }: ClosedJaxpr): Aval[] => jaxpr.inputs.map((v) => v.aval)
export const outAvals = ({ jaxpr }: ClosedJaxpr): Aval[] => jaxpr.outputs.map((atom) => atom.aval)
export const closed = (jaxpr: Jaxpr, consts: readonly NDArray[] = []): ClosedJaxpr => ({ jaxpr, consts })

const none: readonly ClosedJaxpr[] = []
const programsOf = new WeakMap<object, readonly ClosedJaxpr[]>()
/** The programs inside an equation's parameters: a loop's body, the branches of a condition. Passes ask again and again, and parameters stay what they are. */
export function subprograms(params: object): readonly ClosedJaxpr[] {
  let found = programsOf.get(params)
  if (found === undefined) {
    const all = Object.values(params).flatMap((value) => (Array.isArray(value) ? value : [value]).filter(isClosedJaxpr))
    programsOf.set(params, (found = all.length === 0 ? none : all))
  }
  return found
}
export const isClosedJaxpr = (value: unknown): value is ClosedJaxpr =>
  typeof value === 'object' && value !== null && 'jaxpr' in value && 'consts' in value

const effects = new WeakMap<Jaxpr, boolean>()
/** Whether a program does something besides computing its results. */
export function hasEffects({ jaxpr }: ClosedJaxpr): boolean {
  let found = effects.get(jaxpr)
  if (found === undefined) effects.set(jaxpr, (found = jaxpr.equations.some(isEffectful)))
  return found
}
export const isEffectful = (equation: Equation): boolean =>
  equation.primitive.effectful === true || subprograms(equation.params).some(hasEffects)
