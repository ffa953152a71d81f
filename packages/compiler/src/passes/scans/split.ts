/**
 * A scan becomes several where its parts do not feed each other: a loop for each stage, and between them products of all steps at once. What
 * later loops need of earlier ones they compute again where that is cheap, and else scan as earlier loops stack it.
 */
import { type Atom, type ClosedJaxpr, type Equation, Literal, Var, closed, isEffectful } from '@fluxion/core'
import { type Environment, type Pass, type Writer, bytesOfAval, renamed, substituted } from '../rewrite.ts'
import { type Parts, partsOf } from '../rules/scan.ts'
import { choose } from './kept.ts'
import { batchedSlice, bytesOfAll, isBetween, roomFor, sliceOf } from './outside.ts'
import { definitionsOf, rewriteScans } from './rewriteScans.ts'
import { type Stage, type Stages, stagesOf } from './stages.ts'

export const splitScans: Pass = rewriteScans((scan, to) => {
  const parts = partsOf(scan)
  const { length, jaxpr } = parts.params
  if (length < 2 || parts.carryVars.length === 0 || jaxpr.jaxpr.equations.some(isEffectful)) return undefined
  const stages = stagesOf(parts)
  return stages.list.length > 1 ? new Splitter(scan, parts, stages, to).split() : undefined
})

/** What a loop reads of earlier ones, and stacks itself. */
interface Plan {
  readonly stage: Stage
  readonly stacked: Set<Var>
  reads: readonly Var[]
}
/** Something outside of loops: its program, of stacked and of constant leaves. */
interface Outside {
  readonly result: Var
  readonly leaves: readonly Var[]
  readonly program: ClosedJaxpr
}

class Splitter {
  readonly #scan: Equation
  readonly #parts: Parts
  readonly #equations: readonly Equation[]
  readonly #stages: Stages
  readonly #to: Writer
  readonly #definitions: ReadonlyMap<Atom, Equation>
  readonly #plans: readonly Plan[]
  /** Which loop makes each value, as far as is planned. */
  readonly #madeIn = new Map<Var, Plan>()
  /** Results of products between loops. */
  readonly #products: ReadonlySet<Atom>
  /** Values for all steps, in the program around. */
  readonly #values = new Map<Var, Atom>()

  constructor(scan: Equation, parts: Parts, stages: Stages, to: Writer) {
    this.#scan = scan
    this.#parts = parts
    this.#equations = parts.params.jaxpr.jaxpr.equations
    this.#stages = stages
    this.#to = to
    this.#definitions = definitionsOf(parts.params.jaxpr.jaxpr)
    this.#plans = stages.list.map((stage) => ({ stage, stacked: new Set(), reads: [] }))
    this.#products = new Set([...stages.between].map(({ outputs }) => outputs[0]!))
    for (const plan of this.#plans) for (const i of plan.stage.carries) this.#madeIn.set(parts.carryVars[i]!, plan)
    parts.constVars.forEach((variable, i) => this.#values.set(variable, parts.consts[i]!))
    parts.xVars.forEach((variable, i) => this.#values.set(variable, parts.xs[i]!))
  }

  split(): readonly Atom[] | undefined {
    const { ys, carryVars, params } = this.#parts
    const outside = ys.map((y) => this.#resultOutside(y))
    ys.forEach((y, i) => {
      if (y instanceof Var && outside[i] === undefined && !this.#products.has(y)) this.#planOf(y).stacked.add(y)
    })
    for (const { inputs } of this.#stages.between) for (const atom of inputs) this.#ask(atom)
    for (const plan of this.#plans) this.#plan(plan)
    if (!this.#fits()) return undefined
    const between = [...this.#stages.between].map((equation) => {
      const product = equation.outputs[0]!
      const level = this.#stages.levelOf(product)
      const found = this.#outsideOf(product, (one) => one === equation || isBetween(one), this.#leavesBelow(level))
      return { level, found }
    })
    if (between.some(({ found }) => found === undefined)) return undefined

    const last = new Map<number, Atom>()
    this.#plans.forEach((plan, i) => {
      const { level } = plan.stage
      if (this.#plans[i - 1]?.stage.level !== level)
        for (const product of between) if (product.level === level) this.#emitOutside(product.found!)
      this.#emit(plan).forEach((atom, k) => last.set(plan.stage.carries[k]!, atom))
    })
    for (const one of outside) if (one !== undefined) this.#emitOutside(one)
    const stack = (y: Literal): Atom => {
      const shape = [params.length, ...y.aval.shape]
      return this.#to.emit('broadcast_in_dim', [y], { shape, broadcastDimensions: [] })[0]!
    }
    return [
      ...carryVars.map((_, i) => last.get(i)!),
      ...ys.map((y) => (y instanceof Var ? this.#values.get(y)! : stack(y))),
    ]
  }

  /** Whether there is room for what loops stack for each other. */
  #fits(): boolean {
    const { params, ys } = this.#parts
    const added = this.#plans.flatMap(({ stacked }) => [...stacked]).filter((variable) => !ys.includes(variable))
    return params.length * bytesOfAll(added) <= roomFor(this.#parts)
  }
  #isGiven(variable: Var): boolean {
    return this.#values.has(variable) || this.#products.has(variable)
  }
  #isConstant(variable: Var): boolean {
    return this.#parts.constVars.includes(variable)
  }
  /** The loop that is to make a value: its own, or the first that can. */
  #planOf(atom: Atom): Plan {
    const home = this.#stages.homeOf(atom)
    const level = Math.max(0, this.#stages.levelOf(atom))
    return this.#plans.find(({ stage }) => (home === undefined ? stage.level === level : stage === home))!
  }

  /** See to it that an operand of a product can be had outside: what it is converted or spread from is stacked. */
  #ask(atom: Atom): void {
    if (atom instanceof Literal || this.#isGiven(atom)) return
    const equation = this.#definitions.get(atom)
    const isOutside = equation !== undefined && isBetween(equation) && !this.#stages.between.has(equation)
    if (isOutside && (this.#stages.homeOf(atom) === undefined || isSmaller(equation)))
      equation.inputs.forEach((input) => this.#ask(input))
    else this.#planOf(atom).stacked.add(atom)
  }
  /** Which values can be read outside once the loops below a level have run. */
  #leavesBelow(level: number): (variable: Var) => boolean {
    const below = this.#plans.filter(({ stage }) => stage.level < level)
    const stacked = new Set<Var>(below.flatMap((plan) => [...plan.stacked]))
    return (variable) => this.#isGiven(variable) || stacked.has(variable)
  }
  #outsideOf(
    result: Var,
    isAllowed: (equation: Equation) => boolean,
    isLeaf: (variable: Var) => boolean,
  ): Outside | undefined {
    const { jaxpr, length } = this.#parts.params
    const slice = sliceOf(result, jaxpr.jaxpr, (variable) => variable !== result && isLeaf(variable), isAllowed)
    const program = slice && batchedSlice(slice, length, (leaf) => !this.#isConstant(leaf))
    return slice && program && { result, leaves: slice.leaves, program }
  }
  /** A result that follows from products, without any carry of its level. */
  #resultOutside(y: Atom): Outside | undefined {
    if (y instanceof Literal || this.#products.has(y) || this.#stages.levelOf(y) < 1) return undefined
    if (this.#stages.homeOf(y) !== undefined) return undefined
    return this.#outsideOf(y, isBetween, (variable) => this.#isGiven(variable))
  }
  #emitOutside({ result, leaves, program }: Outside): void {
    const values = leaves.map((leaf) => this.#values.get(leaf)!)
    this.#values.set(result, this.#to.inline(program, values)[0]!)
  }

  /** The equations, last first, that results of a loop need, up to what it reads; and all values needed. */
  #needed(plan: Plan, stops: (equation: Equation) => boolean): { equations: Equation[]; values: Set<Atom> } {
    const { next } = this.#parts
    const values = new Set<Atom>([...plan.stage.carries.map((i) => next[i]!), ...plan.stacked])
    const read = new Set<Atom>([...plan.reads, ...this.#products])
    const equations: Equation[] = []
    for (const equation of this.#equations.toReversed()) {
      if (!equation.outputs.some((variable) => variable !== null && values.has(variable) && !read.has(variable)))
        continue
      if (stops(equation)) continue
      equations.push(equation)
      for (const atom of equation.inputs) values.add(atom)
    }
    return { equations, values }
  }
  /** Decide what a loop reads of earlier ones, which are planned. */
  #plan(plan: Plan): void {
    const { equations, values } = this.#needed(plan, ({ outputs }) =>
      outputs.some((variable) => variable !== null && this.#madeIn.has(variable)),
    )
    const earlier = [...values].filter((atom): atom is Var => {
      const made = atom instanceof Var ? this.#madeIn.get(atom) : undefined
      return made !== undefined && made !== plan
    })
    const costOf = (variable: Var): number => {
      const bytes = bytesOfAval(variable.aval)
      if (this.#isConstant(variable)) return 0
      if (this.#isGiven(variable)) return values.has(variable) ? 0 : bytes
      const made = this.#madeIn.get(variable)
      if (made === undefined || made === plan) return Infinity
      return made.stacked.has(variable) ? bytes : 2 * bytes
    }
    plan.reads = choose(earlier, this.#definitions, costOf).filter((variable) => !this.#isGiven(variable))
    for (const variable of plan.reads) this.#madeIn.get(variable)!.stacked.add(variable)
    for (const { outputs } of equations)
      for (const variable of outputs) if (variable !== null) this.#madeIn.set(variable, plan)
  }

  /** Write a loop, and give the last values of its carries. */
  #emit(plan: Plan): readonly Atom[] {
    const { params, consts, init, constVars, carryVars, xVars, next } = this.#parts
    const { carries } = plan.stage
    if (carries.length === 0 && plan.stacked.size === 0) return []
    const { equations, values } = this.#needed(plan, () => false)
    const scanned = [...xVars, ...plan.reads, ...this.#products].filter((variable): variable is Var =>
      values.has(variable),
    )
    const environment: Environment = new Map()
    const inputs = [...constVars, ...carries.map((i) => carryVars[i]!), ...scanned].map((variable) => {
      const fresh = new Var(variable.aval)
      environment.set(variable, fresh)
      return fresh
    })
    const body = equations.toReversed().map((equation) => renamed(equation, environment))
    const outputs = [...carries.map((i) => next[i]!), ...plan.stacked].map((atom) => substituted(environment, atom))
    const results = this.#to.emit(
      'scan',
      [...consts, ...carries.map((i) => init[i]!), ...scanned.map((variable) => this.#values.get(variable)!)],
      {
        ...params,
        jaxpr: closed({ constants: [], inputs, equations: body, outputs }),
        numConsts: consts.length,
        numCarry: carries.length,
      },
      this.#scan.source,
    )
    ;[...plan.stacked].forEach((variable, i) => this.#values.set(variable, results[carries.length + i]!))
    return results.slice(0, carries.length)
  }
}
/** What products read in place of its result. */
const readInPlace = new Set(['convert_element_type', 'broadcast_in_dim', 'reshape', 'squeeze', 'transpose', 'copy'])
/** Whether an equation's operand is as good as its result outside, and takes no more memory. */
function isSmaller({ primitive, inputs, outputs }: Equation): boolean {
  const [operand, result] = [inputs[0], outputs[0]]
  if (!operand || !result || !readInPlace.has(primitive.name)) return false
  return bytesOfAval(operand.aval) <= bytesOfAval(result.aval)
}
