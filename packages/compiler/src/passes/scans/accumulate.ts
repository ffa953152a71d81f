/**
 * Accumulations: a carry that each step only adds to leaves the loop. A product becomes one contraction over the steps too, of operands
 * that the loop stacks; a sum over axes becomes one over the steps too, if its terms follow from what is stacked anyway. Of pointwise loops, and of
 * those that multiply what they carry, other sums become carries of the terms, element by element, which are summed over axes after the loop.
 * Sums are rounded in another order, and start from +0.
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
import { type Environment, type Pass, type Writer, sameList, substituted } from '../rewrite.ts'
import { type Parts, partsOf } from '../rules/scan.ts'
import { contraction, isProduct } from './contraction.ts'
import { batchedSlice, bytesOfAll, fits, isBetween, roomFor, sliceOf } from './outside.ts'
import { isPointwise, multipliesCarries } from './pointwise.ts'
import { axesOf, definitionsOf, rewriteScans, usesOf } from './rewriteScans.ts'
import { type SumCarry, sumCarry, totalOf, zerosFor } from './sumCarry.ts'

/** A value for all steps at once, as a program of stacked and of constant leaves. */
interface Outside {
  readonly leaves: readonly Var[]
  readonly program: ClosedJaxpr | undefined
}
/** A carry that only sums up what is linear in some terms: `sum` is the equation that adds. */
interface Accumulation {
  readonly index: number
  readonly sum: Equation
  /** Products and sums. */
  readonly terms: readonly Equation[]
  /** Linear operations from the terms to what is added, in order. */
  readonly after: readonly Equation[]
  readonly added: Atom
}
export const moveAccumulations: Pass = rewriteScans((scan, to) => new Mover(scan, to).move())

class Mover {
  readonly #scan: Equation
  readonly #to: Writer
  readonly #parts: Parts
  readonly #jaxpr: Jaxpr
  readonly #definitions: ReadonlyMap<Atom, Equation>
  readonly #uses: ReadonlyMap<Atom, number>
  readonly #invariant: ReadonlySet<Atom>
  /** Values that the loop stacks, or is to stack. */
  readonly #stacked: Var[]

  constructor(scan: Equation, to: Writer) {
    this.#scan = scan
    this.#to = to
    this.#parts = partsOf(scan)
    this.#jaxpr = this.#parts.params.jaxpr.jaxpr
    this.#definitions = definitionsOf(this.#jaxpr)
    this.#uses = usesOf(this.#jaxpr)
    this.#invariant = new Set(this.#parts.constVars)
    this.#stacked = this.#parts.ys.filter((y): y is Var => !(y instanceof Literal))
  }

  move(): readonly Atom[] | undefined {
    const { params, consts, init, xs, ys, constVars, carryVars, xVars, next } = this.#parts
    if (params.length < 2) return undefined
    const found = next.map((_, index) => this.#accumulation(index)).filter((one) => one !== undefined)
    if (found.length === 0) return undefined

    const already = this.#stacked.length
    // What the operands of products need decides what else is stacked; sums follow from that, are widened, or stay.
    const operands = new Map<Equation, readonly Outside[]>()
    const stackOperands = (one: Accumulation): void => {
      for (const term of one.terms)
        if (isProduct(term))
          operands.set(
            term,
            term.inputs.map((atom) => this.#stackable(atom as Var)),
          )
    }
    const moved = found.filter(({ terms }) => terms.every(isProduct))
    moved.forEach(stackOperands)
    const outside = new Map<Equation, Outside>()
    const rest = found.filter((one) => !moved.includes(one))
    for (const term of rest.flatMap(({ terms }) => terms)) {
      const known = isProduct(term) ? undefined : this.#outsideOf(term.inputs[0]!)
      if (known !== undefined) outside.set(term, known)
    }
    const easy = rest.filter(({ terms }) => terms.every((term) => isProduct(term) || outside.has(term)))
    easy.forEach(stackOperands)
    moved.push(...easy)
    const widened = this.#widened(
      rest.filter((one) => !easy.includes(one)),
      moved,
      outside,
    )
    if (widened.size > 0)
      for (const one of rest) {
        if (easy.includes(one) || !one.terms.every((term) => widened.has(term) || outside.has(term))) continue
        moved.push(one)
      }
    const added = this.#stacked.slice(already)
    if (moved.length === 0 || params.length * bytesOfAll(added) > roomFor(this.#parts)) return undefined

    const dropped = new Set(moved.map(({ index }) => index))
    const kept = carryVars.filter((_, i) => !dropped.has(i))
    const wide = [...widened.values()]
    const carries = [...kept, ...wide.map(({ carry }) => carry)]
    const gone = new Set(moved.map(({ sum }) => sum))
    const equations = [
      ...this.#jaxpr.equations.filter((one) => !gone.has(one)),
      ...wide.flatMap((one) => one.equations),
    ]
    const keptNext = [...next.filter((_, i) => !dropped.has(i)), ...wide.map((one) => one.next)]
    const zeros = wide.map((one) => zerosFor(one, this.#to))
    const results = this.#to.emit(
      'scan',
      [...consts, ...init.filter((_, i) => !dropped.has(i)), ...zeros, ...xs],
      {
        ...params,
        jaxpr: closed({
          ...this.#jaxpr,
          inputs: [...constVars, ...carries, ...xVars],
          equations,
          outputs: [...keptNext, ...ys, ...added],
        }),
        numCarry: carries.length,
      },
      this.#scan.source,
    )
    const stacks = results.slice(carries.length)
    const stackedAt = (variable: Var): Atom => {
      const y = ys.indexOf(variable)
      return stacks[y >= 0 ? y : ys.length + added.indexOf(variable)]!
    }
    const evaluate = ({ leaves, program }: Outside): Atom => {
      const values = leaves.map((leaf) => this.#leafValue(leaf, stackedAt))
      return program === undefined ? values[0]! : this.#to.inline(program, values)[0]!
    }
    const wides = new Map([...widened.keys()].map((term, i) => [term, results[kept.length + i]!]))
    const totalFor = (term: Equation): Atom => {
      if (isProduct(term)) {
        const [a, b] = operands.get(term)!.map(evaluate)
        return contraction(term, a!, b!, this.#to)
      }
      const wide = wides.get(term)
      if (wide !== undefined) return totalOf(wide, axesOf(term), term, this.#to)
      return this.#sum(term, evaluate(outside.get(term)!))
    }
    const totals = new Map(moved.map((one) => [one.index, this.#finish(one, totalFor)]))
    let at = 0
    const last = next.map((_, i) => totals.get(i) ?? results[at++]!)
    return [...last, ...stacks.slice(0, ys.length)]
  }

  #accumulation(index: number): Accumulation | undefined {
    const { next, carryVars } = this.#parts
    const [carry, result] = [carryVars[index]!, next[index]!]
    const sum = this.#definitions.get(result)
    if (sum === undefined || (sum.primitive.name !== 'add_any' && sum.primitive.name !== 'add')) return undefined
    if (!sum.inputs.includes(carry) || this.#uses.get(carry) !== 1 || this.#uses.get(result) !== 1) return undefined
    const added = sum.inputs.find((atom) => atom !== carry)
    if (added === undefined || added.aval.shape.length !== carry.aval.shape.length) return undefined
    const [terms, after] = [new Set<Equation>(), new Set<Equation>()]
    const isLinear = (value: Atom): boolean => {
      const made = this.#definitions.get(value)
      if (made === undefined) return false
      if (terms.has(made) || after.has(made)) return true
      if (isProduct(made) || made.primitive.name === 'reduce_sum') {
        terms.add(made)
        return this.#isProper(made)
      }
      after.add(made)
      return this.#linearOperands(made)?.every(isLinear) ?? false
    }
    if (!isLinear(added)) return undefined
    const inOrder = this.#jaxpr.equations.filter((equation) => after.has(equation))
    return { index, sum, terms: [...terms], after: inOrder, added }
  }
  /** Both operands of a product vary with the steps. */
  #isProper(term: Equation): boolean {
    return term.inputs.every((atom) => !(atom instanceof Literal) && !this.#invariant.has(atom))
  }
  /** The operands that an operation is linear in together, all its others being the same for every step. */
  #linearOperands({ primitive: { name }, inputs }: Equation): readonly Atom[] | undefined {
    const isFixed = (atom: Atom): boolean => atom instanceof Literal || this.#invariant.has(atom)
    const [x, y] = inputs as [Atom, Atom]
    switch (name) {
      case 'neg':
      case 'reshape':
      case 'transpose':
      case 'squeeze':
        return [x]
      case 'add':
      case 'add_any':
      case 'sub':
        return [x, y]
      case 'div':
        return isFixed(y) ? [x] : undefined
      case 'mul':
        return isFixed(y) ? [x] : isFixed(x) ? [y] : undefined
      case 'select_n': {
        const [which, ...cases] = inputs
        const varying = cases.filter((atom) => !(atom instanceof Literal && atom.value === 0))
        return isFixed(which!) && varying.length === 1 ? varying : undefined
      }
      default:
        return undefined
    }
  }
  /** Sums that neither follow from what is stacked nor are needed in the loop, as carries of their terms, if these make it pointwise, or may go along with a product. */
  #widened(
    candidates: readonly Accumulation[],
    moved: readonly Accumulation[],
    outside: ReadonlyMap<Equation, Outside>,
  ): ReadonlyMap<Equation, SumCarry> {
    const terms = new Set(candidates.flatMap((one) => one.terms).filter((term) => !outside.has(term)))
    const widened = new Map<Equation, SumCarry>()
    for (const term of terms) {
      if (isProduct(term)) return new Map()
      widened.set(term, sumCarry(term.inputs[0]!, term.source))
    }
    if (widened.size === 0) return widened
    const { constVars, carryVars, xVars, next, ys } = this.#parts
    const dropped = new Set([...moved, ...candidates].map(({ index }) => index))
    const wide = [...widened.values()]
    const kept = carryVars.filter((_, i) => !dropped.has(i))
    const carries = [...kept, ...wide.map(({ carry }) => carry)]
    const outputs = [...next.filter((_, i) => !dropped.has(i)), ...wide.map((one) => one.next), ...ys]
    const equations = needed([...this.#jaxpr.equations, ...wide.flatMap((one) => one.equations)], outputs)
    const body = { ...this.#jaxpr, inputs: [...constVars, ...carries, ...xVars], equations, outputs }
    if (isPointwise(body, constVars.length, carries.length)) return widened
    const isShaped = ({ carry }: SumCarry): boolean => kept.some(({ aval }) => sameList(aval.shape, carry.aval.shape))
    return wide.every(isShaped) && multipliesCarries(body, constVars.length, carries.length) ? widened : new Map()
  }

  #isLeaf(variable: Var): boolean {
    return this.#parts.xVars.includes(variable) || this.#invariant.has(variable) || this.#stacked.includes(variable)
  }
  #outsideOf(atom: Atom): Outside | undefined {
    if (atom instanceof Literal) return undefined
    if (this.#isLeaf(atom)) return this.#invariant.has(atom) ? undefined : { leaves: [atom], program: undefined }
    const { length } = this.#parts.params
    const slice = sliceOf(atom, this.#jaxpr, (variable) => this.#isLeaf(variable), isBetween)
    if (slice === undefined || !fits(slice, length)) return undefined
    const program = batchedSlice(slice, length, (leaf) => !this.#invariant.has(leaf))
    return program && { leaves: slice.leaves, program }
  }
  /** An operand outside: computed from what is stacked, or else stacked itself. */
  #stackable(variable: Var): Outside {
    const found = this.#outsideOf(variable)
    if (found !== undefined) return found
    this.#stacked.push(variable)
    return { leaves: [variable], program: undefined }
  }
  #leafValue(leaf: Var, stackedAt: (variable: Var) => Atom): Atom {
    const { consts, constVars, xs, xVars } = this.#parts
    return consts[constVars.indexOf(leaf)] ?? xs[xVars.indexOf(leaf)] ?? stackedAt(leaf)
  }

  #sum(term: Equation, terms: Atom): Atom {
    const axes = [0, ...axesOf(term).map((axis) => axis + 1)]
    return this.#to.emit('reduce_sum', [terms], { axes }, term.source)[0]!
  }
  /** What a step would do with its terms is done with their totals; the start is added. */
  #finish({ index, after, terms, added, sum }: Accumulation, totalFor: (term: Equation) => Atom): Atom {
    const { consts, constVars, init } = this.#parts
    const environment: Environment = new Map()
    constVars.forEach((variable, i) => environment.set(variable, consts[i]!))
    for (const term of terms) environment.set(term.outputs[0]!, totalFor(term))
    for (const { primitive, inputs, params, outputs, source } of after) {
      const operands = inputs.map((atom) => substituted(environment, atom))
      environment.set(outputs[0]!, this.#to.emit(primitive.name, operands, params, source)[0]!)
    }
    const result = substituted(environment, added)
    if (isZero(init[index]!, this.#to)) return result
    return this.#to.emit(sum.primitive.name, [init[index]!, result], {}, sum.source)[0]!
  }
}
/** The equations that some values need. */
function needed(equations: readonly Equation[], outputs: readonly Atom[]): Equation[] {
  const live = new Set<Atom>(outputs)
  return equations
    .toReversed()
    .filter((equation) => {
      if (!isEffectful(equation) && !equation.outputs.some((variable) => variable !== null && live.has(variable)))
        return false
      for (const atom of equation.inputs) live.add(atom)
      return true
    })
    .reverse()
}
function isZero(atom: Atom, to: Writer): boolean {
  if (atom instanceof Literal) return atom.value === 0
  const spreading = to.definitionOf(atom)
  return spreading?.primitive.name === 'broadcast_in_dim' && isZero(spreading.inputs[0]!, to)
}
