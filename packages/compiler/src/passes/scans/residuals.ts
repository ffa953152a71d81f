/**
 * Residuals: what a scan stacks so that a later one can read it, most often the transposed scan of a gradient. Of each pair of scans it is
 * chosen anew what is stacked and read, and what the later scan computes again from it.
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
import {
  type Environment,
  type Pass,
  bytesOfAval,
  mapPrograms,
  remembered,
  renamed,
  substituted,
  substitutedAll,
} from '../rewrite.ts'
import { partsOf } from '../rules/scan.ts'
import { choose } from './kept.ts'
import { definitionsOf } from './rewriteScans.ts'

export const chooseResiduals: Pass = remembered((program: ClosedJaxpr) => {
  const { jaxpr, consts } = program
  let changed = false
  const equations = jaxpr.equations.map((given) => {
    const params = mapPrograms(given.params, chooseResiduals)
    if (params === given.params) return given
    changed = true
    return { ...given, params }
  })
  const pairs = new Pairs(jaxpr, equations)
  equations.forEach((_, later) => {
    for (const earlier of pairs.makersFor(later)) if (pairs.revise(earlier, later)) changed = true
  })
  return changed ? closed({ ...jaxpr, equations }, consts) : program
})

const isLoop = ({ primitive, params }: Equation): boolean =>
  primitive.name === 'scan' && (params as ScanParams).length > 1

class Pairs {
  /** The equations, changed in place. */
  readonly #equations: Equation[]
  /** Of what a scan stacks, which. */
  readonly #makers = new Map<Atom, number>()
  /** Equations that read a value, and −1 for results. */
  readonly #readers = new Map<Atom, Set<number>>()

  constructor({ outputs }: Jaxpr, equations: Equation[]) {
    this.#equations = equations
    const read = (atom: Atom, reader: number): void => {
      const readers = this.#readers.get(atom)
      if (readers === undefined) this.#readers.set(atom, new Set([reader]))
      else readers.add(reader)
    }
    for (const atom of outputs) read(atom, -1)
    equations.forEach((equation, i) => {
      for (const atom of equation.inputs) read(atom, i)
      if (!isLoop(equation)) return
      for (const variable of equation.outputs.slice((equation.params as ScanParams).numCarry))
        if (variable !== null) this.#makers.set(variable, i)
    })
  }
  /** The scans that stack what a scan reads step by step. */
  makersFor(later: number): readonly number[] {
    const equation = this.#equations[later]!
    if (!isLoop(equation)) return []
    const { xs, params } = partsOf(equation)
    const makers = new Set(xs.flatMap((operand) => this.#makers.get(operand) ?? []))
    return [...makers].filter((i) => (this.#equations[i]!.params as ScanParams).length === params.length)
  }

  /** Choose what one scan stacks for another; whether that is anything new. */
  revise(earlier: number, later: number): boolean {
    const [maker, reader] = [this.#equations[earlier]!, this.#equations[later]!]
    const [from, into] = [partsOf(maker), partsOf(reader)]
    const body = from.params.jaxpr.jaxpr
    /** What is stacked of each value of the maker's body. */
    const stacks = new Map<Var, Var>()
    from.ys.forEach((y, i) => {
      const stack = maker.outputs[from.next.length + i]
      if (y instanceof Var && stack) stacks.set(y, stack)
    })
    const wanted = [...stacks].flatMap(([y, stack]) => (into.xs.includes(stack) ? y : []))
    const definitions = definitionsOf(body)
    const isRead = (operand: Atom): boolean => into.xs.includes(operand)
    const givenAs = (variable: Var): Atom | undefined => from.xs[from.xVars.indexOf(variable)]
    const isConstant = (variable: Var): boolean => from.constVars.includes(variable)
    const kept = choose(wanted, definitions, (variable) => {
      const bytes = bytesOfAval(variable.aval)
      if (isConstant(variable)) return 0
      const given = givenAs(variable)
      if (given !== undefined) return isRead(given) ? 0 : bytes
      const stack = stacks.get(variable)
      // Written for others anyway, or written and read.
      return stack !== undefined && this.#isReadElsewhere(stack, later, reader) ? bytes : 2 * bytes
    })
    if (wanted.every((y) => kept.includes(y))) return false

    const growing = new Growing(reader)
    const environment: Environment = new Map()
    const added: [inside: Var, stack: Var][] = []
    for (const variable of kept) {
      const given = givenAs(variable)
      if (isConstant(variable)) {
        environment.set(variable, growing.constant(from.consts[from.constVars.indexOf(variable)]!))
        continue
      }
      const stack =
        given ??
        stacks.get(variable) ??
        new Var({ ...variable.aval, shape: [from.params.length, ...variable.aval.shape] })
      if (given === undefined && !stacks.has(variable)) added.push([variable, stack as Var])
      environment.set(variable, growing.scanned(stack))
    }
    const again = equationsFor(body, wanted, kept).map((equation) => renamed(equation, environment))
    const replaced: Environment = new Map()
    for (const y of wanted) {
      const stack = stacks.get(y)!
      into.xs.forEach((operand, i) => operand === stack && replaced.set(into.xVars[i]!, environment.get(y)!))
      if (!kept.includes(y)) this.#readers.get(stack)!.delete(later)
    }
    this.#equations[later] = growing.grown(again, replaced)
    if (added.length > 0) this.#equations[earlier] = stacking(maker, added)
    for (const [, stack] of added) {
      this.#makers.set(stack, earlier)
      this.#readers.set(stack, new Set([later]))
    }
    return true
  }
  #isReadElsewhere(stack: Var, later: number, { inputs, params }: Equation): boolean {
    const { numConsts, numCarry } = params as ScanParams
    const readers = this.#readers.get(stack)!
    return readers.size > 1 || !readers.has(later) || inputs.slice(0, numConsts + numCarry).includes(stack)
  }
}

/** The equations of a body that compute some values from others. */
function equationsFor({ equations }: Jaxpr, wanted: readonly Var[], kept: readonly Var[]): Equation[] {
  const had = new Set<Atom>(kept)
  const needed = new Set<Atom>(wanted)
  return equations
    .toReversed()
    .filter(({ inputs, outputs }) => {
      if (!outputs.some((variable) => variable !== null && needed.has(variable) && !had.has(variable))) return false
      for (const atom of inputs) needed.add(atom)
      return true
    })
    .reverse()
}

/** A scan that stacks more. */
function stacking(scan: Equation, added: readonly (readonly [inside: Var, stack: Var])[]): Equation {
  const params = scan.params as ScanParams
  const { jaxpr, consts } = params.jaxpr
  const outputs = [...jaxpr.outputs, ...added.map(([inside]) => inside)]
  return {
    ...scan,
    outputs: [...scan.outputs, ...added.map(([, stack]) => stack)],
    params: { ...params, jaxpr: closed({ ...jaxpr, outputs }, consts) },
  }
}

/** A scan that is given more constants and scanned operands. */
class Growing {
  readonly #scan: Equation
  readonly #consts: [operand: Atom, inside: Var][]
  readonly #xs: [operand: Atom, inside: Var][]

  constructor(scan: Equation) {
    const { consts, constVars, xs, xVars } = partsOf(scan)
    this.#scan = scan
    this.#consts = consts.map((operand, i) => [operand, constVars[i]!])
    this.#xs = xs.map((operand, i) => [operand, xVars[i]!])
  }
  /** What stands inside for a value from outside. */
  constant(operand: Atom): Atom {
    return operand instanceof Literal ? operand : insideOf(this.#consts, operand, operand.aval)
  }
  /** What stands inside for a step's element of a value from outside. */
  scanned(operand: Atom): Atom {
    return insideOf(this.#xs, operand, { ...operand.aval, shape: operand.aval.shape.slice(1) })
  }
  /** The scan with equations before its others, and inputs replaced. */
  grown(start: readonly Equation[], replaced: Environment): Equation {
    const { params, init, carryVars } = partsOf(this.#scan)
    const { jaxpr, consts } = params.jaxpr
    const equations = jaxpr.equations.map((equation) => ({
      ...equation,
      inputs: substitutedAll(replaced, equation.inputs),
    }))
    const inside = (list: readonly (readonly [Atom, Var])[]): Var[] => list.map(([, variable]) => variable)
    return {
      ...this.#scan,
      inputs: [...this.#consts.map(([operand]) => operand), ...init, ...this.#xs.map(([operand]) => operand)],
      params: {
        ...params,
        numConsts: this.#consts.length,
        jaxpr: closed(
          {
            ...jaxpr,
            inputs: [...inside(this.#consts), ...carryVars, ...inside(this.#xs)],
            equations: [...start, ...equations],
            outputs: jaxpr.outputs.map((atom) => substituted(replaced, atom)),
          },
          consts,
        ),
      },
    }
  }
}
function insideOf(list: [operand: Atom, inside: Var][], operand: Atom, aval: Atom['aval']): Var {
  const known = list.find(([other]) => other === operand)
  if (known !== undefined) return known[1]
  const variable = new Var(aval)
  list.push([operand, variable])
  return variable
}
