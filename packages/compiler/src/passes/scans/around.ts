/**
 * A scan whose carries go through pointwise operations only becomes a pointwise scan: what else its steps compute, reductions over features, windows,
 * products, runs for all steps at once, before it from what is scanned or after it from what it stacks.
 */
import {
  type Atom,
  type ClosedJaxpr,
  type Equation,
  type Jaxpr,
  Literal,
  type Var,
  closed,
  isEffectful,
} from '@fluxion/core'
import { elementwise } from '../elementwise.ts'
import { type Pass, type Writer, sameList } from '../rewrite.ts'
import { type Parts, partsOf } from '../rules/scan.ts'
import { batchedSlice, bytesOfAll, fits, roomFor, sliceOf } from './outside.ts'
import { isPointwise, placing } from './pointwise.ts'
import { dependents, isMovable, rewriteScans } from './rewriteScans.ts'

export const moveAround: Pass = rewriteScans((scan, to) => {
  const parts = partsOf(scan)
  const { params, constVars, carryVars } = parts
  const { jaxpr } = params.jaxpr
  if (params.length < 2 || jaxpr.equations.some(isEffectful)) return undefined
  if (isPointwise(jaxpr, constVars.length, carryVars.length)) return undefined
  const shape = carryVars[0]?.aval.shape
  if (shape === undefined || !carryVars.every(({ aval }) => sameList(aval.shape, shape))) return undefined
  return new Around(scan, parts, shape, to).move()
})

/** Loops and branches stay where they are, like all that may not run elsewhere. */
const control = new Set(['scan', 'while', 'cond'])
const isOutside = (equation: Equation): boolean => isMovable(equation) && !control.has(equation.primitive.name)

/** A value outside of the loop: its program, of stacked and of constant leaves. */
interface Outside {
  readonly leaves: readonly Var[]
  readonly program: ClosedJaxpr
}

class Around {
  readonly #scan: Equation
  readonly #parts: Parts
  readonly #jaxpr: Jaxpr
  readonly #to: Writer
  /** Values that depend on carries. */
  readonly #carried: ReadonlySet<Atom>
  /** Of these, those that pointwise operations give. */
  readonly #pointwise: ReadonlySet<Atom>
  /** Values for all steps, in the program around. */
  readonly #values = new Map<Var, Atom>()

  constructor(scan: Equation, parts: Parts, shape: readonly number[], to: Writer) {
    this.#scan = scan
    this.#parts = parts
    this.#jaxpr = parts.params.jaxpr.jaxpr
    this.#to = to
    this.#carried = dependents(this.#jaxpr, parts.carryVars)
    const pointwise = new Set<Atom>(parts.carryVars)
    for (const { primitive, inputs, outputs } of this.#jaxpr.equations) {
      const [result] = outputs
      if (!result || !this.#carried.has(result) || !elementwise.has(primitive.name)) continue
      const isInside = (atom: Atom): boolean => pointwise.has(atom) || !this.#carried.has(atom)
      if (sameList(result.aval.shape, shape) && inputs.every(isInside)) pointwise.add(result)
    }
    this.#pointwise = pointwise
    parts.constVars.forEach((variable, i) => this.#values.set(variable, parts.consts[i]!))
    parts.xVars.forEach((variable, i) => this.#values.set(variable, parts.xs[i]!))
  }

  move(): readonly Atom[] | undefined {
    const { params, consts, init, xs, constVars, carryVars, xVars, next, ys } = this.#parts
    if (!next.every((atom) => this.#pointwise.has(atom) || !this.#carried.has(atom))) return undefined
    const stays = (atom: Atom): boolean => this.#pointwise.has(atom)
    const later = ys.map((y) => (stays(y) || y instanceof Literal ? undefined : this.#outsideOf(y, (v) => stays(v))))
    if (ys.some((y, i) => !stays(y) && later[i] === undefined)) return undefined

    // What is stacked, and what the loop needs for it.
    const leaves = later.flatMap((one) => one?.leaves ?? []).filter(stays)
    const stacked = [...new Set<Var>([...(ys.filter(stays) as Var[]), ...leaves])]
    const { equations, early } = this.#inside([...next, ...stacked])
    const before = early.map((variable) => this.#outsideOf(variable, (v) => early.includes(v)))
    if (before.includes(undefined)) return undefined
    if (params.length * bytesOfAll([...stacked, ...early]) > roomFor(this.#parts)) return undefined
    const body = {
      ...this.#jaxpr,
      inputs: [...constVars, ...carryVars, ...xVars, ...early],
      equations,
      outputs: [...next, ...stacked],
    }
    if (!isPointwise(body, constVars.length, carryVars.length)) return undefined

    early.forEach((variable, i) => this.#values.set(variable, this.#evaluate(before[i]!)))
    const operands = [...consts, ...init, ...xs, ...early.map((variable) => this.#values.get(variable)!)]
    const results = this.#to.emit('scan', operands, { ...params, jaxpr: closed(body) }, this.#scan.source)
    stacked.forEach((variable, i) => this.#values.set(variable, results[next.length + i]!))
    const last = results.slice(0, next.length)
    return [
      ...last,
      ...ys.map((y, i) => (later[i] === undefined ? this.#values.get(y as Var)! : this.#evaluate(later[i]))),
    ]
  }

  /** The equations that stay for some values, and what they read that others make, which are to run before the loop. */
  #inside(wanted: readonly Atom[]): { readonly equations: Equation[]; readonly early: Var[] } {
    const needed = new Set<Atom>(wanted)
    const equations: Equation[] = []
    const early: Var[] = []
    for (const equation of this.#jaxpr.equations.toReversed()) {
      const results = equation.outputs.filter((variable) => variable !== null && needed.has(variable)) as Var[]
      if (results.length === 0) continue
      if (placing.has(equation.primitive.name)) {
        equations.push(equation)
        for (const atom of equation.inputs) needed.add(atom)
      } else early.push(...results)
    }
    return { equations: equations.reverse(), early: early.reverse() }
  }
  #outsideOf(result: Atom, isLeaf: (variable: Var) => boolean): Outside | undefined {
    if (result instanceof Literal) return undefined
    const { length } = this.#parts.params
    const { constVars } = this.#parts
    const isGiven = (variable: Var): boolean => variable !== result && (this.#values.has(variable) || isLeaf(variable))
    const slice = sliceOf(result, this.#jaxpr, isGiven, isOutside)
    if (slice === undefined || !fits(slice, length)) return undefined
    const program = batchedSlice(slice, length, (leaf) => !constVars.includes(leaf))
    return program && { leaves: slice.leaves, program }
  }
  #evaluate({ leaves, program }: Outside): Atom {
    const values = leaves.map((leaf) => this.#values.get(leaf)!)
    return this.#to.inline(program, values)[0]!
  }
}
