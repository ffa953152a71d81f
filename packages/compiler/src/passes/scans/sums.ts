/**
 * Sums over steps of what a scan stacks, or is given, become carries of it: the terms, elementwise expressions, are in its registers at each step, and need not be
 * written, nor read again. That is so of pointwise scans, and of those that multiply what they carry, for terms of a carry's shape. Sums are rounded in another order.
 */
import {
  type Atom,
  type ClosedJaxpr,
  type Equation,
  type Jaxpr,
  Literal,
  type ScanParams,
  Var,
  closed,
} from '@fluxion/core'
import { elementwise } from '../elementwise.ts'
import {
  type Environment,
  type Pass,
  Writer,
  equationOf,
  mapPrograms,
  primitiveNamed,
  remembered,
  sameList,
  substituted,
  substitutedAll,
} from '../rewrite.ts'
import type { BroadcastParams } from '../rules/movement.ts'
import { type Parts, partsOf } from '../rules/scan.ts'
import { isCheap } from './kept.ts'
import { isPointwiseScan, multipliesCarries } from './pointwise.ts'
import { axesOf, definitionsOf, isMovable, usesOf } from './rewriteScans.ts'
import { type SumCarry, sumCarry, totalOf, zerosFor } from './sumCarry.ts'

/** A sum over steps, and the elementwise equations of its terms, in order. */
interface Sum {
  readonly equation: Equation
  readonly terms: Atom
  readonly equations: readonly Equation[]
  /** What the terms need that comes after the scan, and does not depend on it. */
  readonly before: readonly Equation[]
}

export const takeSums: Pass = remembered((program: ClosedJaxpr) => {
  const { jaxpr, consts } = program
  const sums = sumsOf(jaxpr)
  const into = new Map([...sums.values()].flat().map((sum) => [sum.equation, sum]))
  const writer = new Writer()
  const environment: Environment = new Map()
  let changed = false
  const done = new Set<Equation>()
  const write = (given: Equation): void => {
    if (done.has(given)) return
    done.add(given)
    const taken = sums.get(given)
    for (const { before } of taken ?? []) before.forEach(write)
    const inputs = substitutedAll(environment, given.inputs)
    const params = mapPrograms(given.params, takeSums)
    const equation = inputs === given.inputs && params === given.params ? given : { ...given, inputs, params }
    if (equation !== given) changed = true
    const sum = into.get(given)
    if (taken !== undefined) {
      changed = true
      writer.add(withSums(equation, taken, environment, writer))
    } else if (sum !== undefined) environment.set(given.outputs[0]!, finished(sum, environment, writer))
    else writer.add(equation)
  }
  jaxpr.equations.forEach(write)
  if (!changed) return program
  const outputs = substitutedAll(environment, jaxpr.outputs)
  return closed({ ...jaxpr, equations: writer.equations, outputs }, consts)
})

/** The sums that each scan can take in. */
function sumsOf(jaxpr: Jaxpr): ReadonlyMap<Equation, readonly Sum[]> {
  const found = new Map<Equation, Sum[]>()
  const scans = jaxpr.equations.filter((equation) => equation.primitive.name === 'scan')
  const takers = new Set(scans.filter(takesSums))
  if (takers.size === 0) return found
  const definitions = definitionsOf(jaxpr)
  const position = new Map(jaxpr.equations.map((equation, i) => [equation, i]))
  const taken = new Set<Equation>()
  const uses = usesOf(jaxpr)

  for (const equation of jaxpr.equations) {
    const terms = equation.inputs[0]
    if (equation.primitive.name !== 'reduce_sum' || terms === undefined || !axesOf(equation).includes(0)) continue
    const isTerm = (made: Equation, variable: Atom): boolean =>
      elementwise.has(made.primitive.name) && (isCheap(made) || uses.get(variable) === 1)
    const { equations, leaves, spread } = expression(terms, definitions, isTerm)
    // The last scan that stacks a leaf is to take the sum, if all the others are there before.
    const makers = leaves.map((leaf) => definitions.get(leaf)).filter((made) => made !== undefined && takers.has(made))
    const maker = makers.reduce((a, b) => (a === undefined || position.get(b!)! > position.get(a)! ? b : a), undefined)
    if (maker === undefined || !fitsScan(maker, terms)) continue
    const at = position.get(maker)!
    const stacked = new Set<Atom | null>(maker.outputs.slice((maker.params as ScanParams).numCarry))
    const before = new Set<Equation>()
    /** Whether a value is there before the scan, or can be. */
    const isThere = (atom: Atom): boolean => {
      const made = definitions.get(atom)
      if (made === undefined || position.get(made)! < at || before.has(made)) return true
      if (made.primitive.name === 'scan' || !isMovable(made) || taken.has(made)) return false
      before.add(made)
      return made.inputs.every(isThere)
    }
    if (!leaves.every((leaf) => stacked.has(leaf) || isThere(leaf)) || !spread.every(isThere)) continue
    const ordered = (set: Iterable<Equation>): Equation[] =>
      [...set].sort((a, b) => position.get(a)! - position.get(b)!)
    const list = found.get(maker) ?? []
    list.push({ equation, terms, equations: ordered(equations), before: ordered(before) })
    found.set(maker, list)
    taken.add(equation)
  }
  return found
}
function takesSums(scan: Equation): boolean {
  const { jaxpr, length, numConsts, numCarry } = scan.params as ScanParams
  return length > 1 && (isPointwiseScan(scan) || multipliesCarries(jaxpr.jaxpr, numConsts, numCarry))
}
/** The scan runs over the first axis of the terms, and a carry has the shape of the others. */
function fitsScan(scan: Equation, terms: Atom): boolean {
  const { params, carryVars } = partsOf(scan)
  return carryVars.some(({ aval }) => sameList(terms.aval.shape, [params.length, ...aval.shape]))
}

/** The equations between a value and what it is computed from, of its shape or none; what is spread over the shape is apart. */
function expression(
  value: Atom,
  definitions: ReadonlyMap<Atom, Equation>,
  isTerm: (made: Equation, variable: Atom) => boolean,
): { readonly equations: ReadonlySet<Equation>; readonly leaves: readonly Atom[]; readonly spread: readonly Atom[] } {
  const equations = new Set<Equation>()
  const [leaves, spread] = [new Set<Atom>(), new Set<Atom>()]
  const { shape } = value.aval
  const visit = (atom: Atom): void => {
    if (atom instanceof Literal) return
    const made = definitions.get(atom)
    const isSpread = made?.primitive.name === 'broadcast_in_dim' && isAlike(made)
    if (made === undefined || !(isSpread || (sameList(atom.aval.shape, shape) && isTerm(made, atom)))) {
      leaves.add(atom)
      return
    }
    if (equations.has(made)) return
    equations.add(made)
    if (isSpread) spread.add(made.inputs[0]!)
    else made.inputs.forEach(visit)
  }
  visit(value)
  return { equations, leaves: [...leaves], spread: [...spread] }
}
/** Whether what is spread has an element for each step, or none has one of its own. */
function isAlike({ inputs: [x], params }: Equation): boolean {
  const { broadcastDimensions, shape } = params as BroadcastParams
  return broadcastDimensions[0] !== 0 || x!.aval.shape[0] === shape[0]
}

/** A scan with sums as further carries, the last ones. */
function withSums(scan: Equation, sums: readonly Sum[], environment: Environment, to: Writer): Equation {
  const parts = partsOf(scan)
  const body = new Body(scan, parts, environment)
  const carries = sums.map((sum) => body.sum(sum))
  const init = carries.map((one) => zerosFor(one, to))
  const totals = sums.map(({ equation: { outputs } }, i) => {
    const variable = new Var(carries[i]!.carry.aval)
    environment.set(outputs[0]!, variable)
    return variable
  })
  return body.scan(carries, init, totals)
}
/** What is left to sum once the loop has run. */
function finished({ equation }: Sum, environment: Environment, to: Writer): Atom {
  const sum = substituted(environment, equation.outputs[0]!)
  const rest = axesOf(equation).flatMap((axis) => (axis > 0 ? axis - 1 : []))
  return totalOf(sum, rest, equation, to)
}

/** The body of a scan that grows. */
class Body {
  readonly #scan: Equation
  readonly #parts: Parts
  readonly #environment: Environment
  readonly #equations: Equation[]
  readonly #consts = new Map<Atom, Var>()
  readonly #xs = new Map<Atom, Atom>()
  readonly #inside = new Map<Atom, Atom>()

  constructor(scan: Equation, parts: Parts, environment: Environment) {
    this.#scan = scan
    this.#parts = parts
    this.#environment = environment
    this.#equations = [...parts.params.jaxpr.jaxpr.equations]
    parts.xs.forEach((operand, i) => this.#xs.set(operand, parts.xVars[i]!))
    parts.consts.forEach((operand, i) => this.#consts.set(operand, parts.constVars[i]!))
    scan.outputs.forEach((variable, i) => {
      if (variable !== null && i >= parts.next.length) this.#xs.set(variable, parts.ys[i - parts.next.length]!)
    })
  }
  /** A step's element of what is stacked around the loop, or a value that all steps share. */
  #element(atom: Atom, isStacked: boolean): Atom {
    if (atom instanceof Literal) return atom
    const operand = substituted(this.#environment, atom)
    if (operand instanceof Literal) return operand
    const known = isStacked ? this.#xs : this.#consts
    const found = known.get(operand)
    if (found !== undefined) return found
    const { aval } = operand
    const variable = new Var(isStacked ? { ...aval, shape: aval.shape.slice(1) } : aval)
    known.set(operand, variable as Var & Atom)
    return variable
  }
  #write(equation: Equation & { readonly outputs: readonly Var[] }): Atom {
    this.#equations.push(equation)
    return equation.outputs[0]!
  }
  #spread({ inputs: [x], params, source }: Equation, shape: readonly number[]): Atom {
    const { broadcastDimensions } = params as BroadcastParams
    const isStacked = broadcastDimensions[0] === 0
    const element = this.#element(x!, isStacked)
    if (shape.length === 0) return element
    const dimensions = broadcastDimensions.slice(isStacked ? 1 : 0).map((axis) => axis - 1)
    const next = { ...params, shape, broadcastDimensions: dimensions }
    return this.#write(equationOf(primitiveNamed('broadcast_in_dim'), [element], next, source))
  }
  /** Add a sum's terms up. */
  sum({ terms, equations, equation: { source } }: Sum): SumCarry {
    const inside = (atom: Atom): Atom => this.#inside.get(atom) ?? this.#element(atom, atom.aval.shape.length > 0)
    for (const equation of equations) {
      const [result] = equation.outputs
      if (this.#inside.has(result!)) continue
      const { primitive, params } = equation
      const value =
        primitive.name === 'broadcast_in_dim'
          ? this.#spread(equation, terms.aval.shape.slice(1))
          : this.#write(equationOf(primitive, equation.inputs.map(inside), params, equation.source))
      this.#inside.set(result!, value)
    }
    const carry = sumCarry(inside(terms), source)
    this.#equations.push(...carry.equations)
    return carry
  }
  /** The scan, with more carries. */
  scan(carries: readonly SumCarry[], init: readonly Atom[], totals: readonly Var[]): Equation {
    const { params, consts, constVars, xs, xVars, ys } = this.#parts
    const numCarry = this.#parts.next.length
    const outside = [...this.#xs].filter(([, variable]) => !xVars.includes(variable as Var) && !ys.includes(variable))
    const moreConsts = [...this.#consts].filter(([, variable]) => !constVars.includes(variable))
    const { outputs } = this.#scan
    return {
      ...this.#scan,
      inputs: [
        ...consts,
        ...moreConsts.map(([operand]) => operand),
        ...this.#parts.init,
        ...init,
        ...xs,
        ...outside.map(([operand]) => operand),
      ],
      outputs: [...outputs.slice(0, numCarry), ...totals, ...outputs.slice(numCarry)],
      params: {
        ...params,
        numConsts: consts.length + moreConsts.length,
        numCarry: numCarry + carries.length,
        jaxpr: closed({
          ...params.jaxpr.jaxpr,
          inputs: [
            ...constVars,
            ...moreConsts.map(([, variable]) => variable),
            ...this.#parts.carryVars,
            ...carries.map(({ carry }) => carry),
            ...xVars,
            ...outside.map(([, variable]) => variable as Var),
          ],
          equations: this.#equations,
          outputs: [...this.#parts.next, ...carries.map(({ next }) => next), ...ys],
        }),
      },
    }
  }
}
