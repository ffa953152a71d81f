/**
 * Accumulations: a carry that each step only adds to leaves the loop. A product becomes one contraction over the steps too, of operands
 * that the loop stacks; a sum over axes becomes one over the steps too, if its terms follow from what is stacked anyway.
 * Sums are rounded in another order, and start from +0.
 */
import { type Atom, type ClosedJaxpr, type Equation, type Jaxpr, Literal, type Var, closed } from '@fluxion/core'
import { type Environment, type Pass, type Writer, budget, bytesOfAval, substituted } from '../rewrite.ts'
import type { DotParams } from '../rules/products.ts'
import { type Parts, partsOf } from '../rules/scan.ts'
import { batchedSlice, fits, isBetween, sliceOf } from './outside.ts'
import { definitionsOf, rewriteScans } from './rewriteScans.ts'

/** A value for all steps at once, as a program of stacked and of constant leaves. */
interface Outside {
  readonly leaves: readonly Var[]
  readonly program: ClosedJaxpr | undefined
}
/** A carry that only sums up `term`: `sum` is the equation that adds. */
interface Accumulation {
  readonly index: number
  readonly sum: Equation
  /** Operations that are linear in the term, from the term to what is added. */
  readonly after: readonly Equation[]
  readonly term: Equation
}

export const moveAccumulations: Pass = rewriteScans((scan, to) => new Mover(scan, to).move())

/** How often each variable is read by equations and results. */
function usesOf({ equations, outputs }: Jaxpr): ReadonlyMap<Atom, number> {
  const uses = new Map<Atom, number>()
  for (const atoms of [outputs, ...equations.map(({ inputs }) => inputs)])
    for (const atom of atoms) uses.set(atom, (uses.get(atom) ?? 0) + 1)
  return uses
}

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
    const { params, consts, init, xs, ys, carryVars, next } = this.#parts
    if (params.length < 2) return undefined
    const found = next.map((_, index) => this.#accumulation(index)).filter((one) => one !== undefined)
    if (found.length === 0) return undefined

    const already = this.#stacked.length
    const products = found.filter(({ term }) => term.primitive.name === 'dot_general')
    // What the operands of products need decides what else is stacked; sums follow from that or stay.
    const operands = new Map(products.map((one) => [one, one.term.inputs.map((atom) => this.#stackable(atom as Var))]))
    const sums = found.filter(({ term }) => term.primitive.name === 'reduce_sum')
    const terms = new Map(sums.map((one) => [one, this.#outsideOf(one.term.inputs[0]!)]))
    const moved = [...products, ...sums.filter((one) => terms.get(one) !== undefined)]
    const added = this.#stacked.slice(already)
    if (moved.length === 0 || !this.#fits(added)) return undefined

    const dropped = new Set(moved.map(({ index }) => index))
    const kept = carryVars.filter((_, i) => !dropped.has(i))
    const inputs = [...this.#parts.constVars, ...kept, ...this.#parts.xVars]
    const lists = [next.filter((_, i) => !dropped.has(i)), ys, added] as const
    const gone = new Set(moved.map(({ sum }) => sum))
    const equations = this.#jaxpr.equations.filter((equation) => !gone.has(equation))
    const results = this.#to.emit(
      'scan',
      [...consts, ...init.filter((_, i) => !dropped.has(i)), ...xs],
      { ...params, jaxpr: closed({ ...this.#jaxpr, inputs, equations, outputs: lists.flat() }), numCarry: kept.length },
      this.#scan.source,
    )
    const stackedAt = (variable: Var): Atom => {
      const y = ys.indexOf(variable)
      return results[kept.length + (y >= 0 ? y : ys.length + added.indexOf(variable))]!
    }
    const outside = ({ leaves, program }: Outside): Atom => {
      const values = leaves.map((leaf) => this.#leafValue(leaf, stackedAt))
      return program === undefined ? values[0]! : this.#to.inline(program, values)[0]!
    }
    const totals = new Map<number, Atom>()
    for (const one of moved) {
      const total =
        one.term.primitive.name === 'dot_general'
          ? this.#contraction(one.term, operands.get(one)!.map(outside))
          : this.#sum(one.term, outside(terms.get(one)!))
      totals.set(one.index, this.#finish(one, total))
    }
    let at = 0
    const last = next.map((_, i) => totals.get(i) ?? results[at++]!)
    return [...last, ...results.slice(kept.length, kept.length + ys.length)]
  }

  #accumulation(index: number): Accumulation | undefined {
    const { next, carryVars } = this.#parts
    const [carry, result] = [carryVars[index]!, next[index]!]
    const sum = this.#definitions.get(result)
    if (sum === undefined || (sum.primitive.name !== 'add_any' && sum.primitive.name !== 'add')) return undefined
    if (!sum.inputs.includes(carry) || this.#uses.get(carry) !== 1 || this.#uses.get(result) !== 1) return undefined
    const after: Equation[] = []
    let value = sum.inputs.find((atom) => atom !== carry)
    for (;;) {
      const term = value === undefined ? undefined : this.#definitions.get(value)
      if (term === undefined || value === undefined) return undefined
      if (value.aval.shape.length !== sum.outputs[0]!.aval.shape.length && after.length === 0) return undefined
      if (term.primitive.name === 'dot_general' || term.primitive.name === 'reduce_sum')
        return this.#isProper(term) ? { index, sum, after: after.reverse(), term } : undefined
      const operand = this.#linearOperand(term)
      if (operand === undefined) return undefined
      after.push(term)
      value = operand
    }
  }
  /** Both operands of a product vary with the steps. */
  #isProper(term: Equation): boolean {
    return term.inputs.every((atom) => !(atom instanceof Literal) && !this.#invariant.has(atom))
  }
  /** The operand that an operation is linear in, all its others being the same for every step. */
  #linearOperand({ primitive: { name }, inputs }: Equation): Atom | undefined {
    const isFixed = (atom: Atom): boolean => atom instanceof Literal || this.#invariant.has(atom)
    const [x, y] = inputs
    switch (name) {
      case 'neg':
      case 'reshape':
      case 'transpose':
      case 'squeeze':
        return x
      case 'div':
        return isFixed(y!) ? x : undefined
      case 'mul':
        return isFixed(y!) ? x : isFixed(x!) ? y : undefined
      case 'select_n': {
        const [which, ...cases] = inputs
        const varying = cases.filter((atom) => !(atom instanceof Literal && atom.value === 0))
        return isFixed(which!) && varying.length === 1 ? varying[0] : undefined
      }
      default:
        return undefined
    }
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
  /** Stacking needs no more memory than the loop is given, beyond the budget. */
  #fits(added: readonly Var[]): boolean {
    const { xs, params } = this.#parts
    const given = xs.reduce((sum, { aval }) => sum + bytesOfAval(aval), 0)
    return added.reduce((sum, { aval }) => sum + bytesOfAval(aval) * params.length, 0) <= given + budget
  }
  #leafValue(leaf: Var, stackedAt: (variable: Var) => Atom): Atom {
    const { consts, constVars, xs, xVars } = this.#parts
    return consts[constVars.indexOf(leaf)] ?? xs[xVars.indexOf(leaf)] ?? stackedAt(leaf)
  }

  /** Σₜ a(t)·b(t): the axis of steps, in front of both, is contracted with the others. */
  #contraction({ params, source }: Equation, [a, b]: readonly Atom[]): Atom {
    const { dimensionNumbers, preferredElementType } = params as DotParams
    const [contracted, batch] = dimensionNumbers.map((pair) => pair.map((axes) => axes.map((axis) => axis + 1)))
    const numbers = [contracted!.map((axes) => [0, ...axes]), batch]
    return this.#to.emit('dot_general', [a!, b!], { dimensionNumbers: numbers, preferredElementType }, source)[0]!
  }
  #sum({ params, source }: Equation, terms: Atom): Atom {
    const { axes } = params as { readonly axes: readonly number[] }
    return this.#to.emit('reduce_sum', [terms], { axes: [0, ...axes.map((axis) => axis + 1)] }, source)[0]!
  }
  /** What a step would do with its term is done with the total; the start is added. */
  #finish({ index, after, term, sum }: Accumulation, total: Atom): Atom {
    const { consts, constVars, init } = this.#parts
    const environment: Environment = new Map()
    constVars.forEach((variable, i) => environment.set(variable, consts[i]!))
    environment.set(term.outputs[0]!, total)
    for (const { primitive, inputs, params, outputs, source } of after) {
      const operands = inputs.map((atom) => substituted(environment, atom))
      environment.set(outputs[0]!, this.#to.emit(primitive.name, operands, params, source)[0]!)
    }
    const result = substituted(environment, after.at(-1)?.outputs[0] ?? term.outputs[0]!)
    if (isZero(init[index]!, this.#to)) return result
    return this.#to.emit(sum.primitive.name, [init[index]!, result], {}, sum.source)[0]!
  }
}
function isZero(atom: Atom, to: Writer): boolean {
  if (atom instanceof Literal) return atom.value === 0
  const spreading = to.definitionOf(atom)
  return spreading?.primitive.name === 'broadcast_in_dim' && isZero(spreading.inputs[0]!, to)
}
