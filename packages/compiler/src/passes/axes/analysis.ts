/**
 * Axes of programs. From the axis rules of its operations follows which dimensions of a program's values are cut together, and what a part
 * of each value then is: a piece along a dimension, all of it, or something that has to be combined with what the other parts have.
 */
import {
  type Atom,
  type Aval,
  type ClosedJaxpr,
  type Derive,
  type Equation,
  type Factor,
  type Jaxpr,
  Literal,
  type Primitive,
  type Var,
  isEffectful,
} from '@fluxion/core'
import { type Labelling, factorAlong } from './along.ts'
import type { Choice } from './cut.ts'
import { type Entry, type Label, labelOf, replicated, split, whole } from './labels.ts'
import { Axes, unitsOf } from './sets.ts'

/** For every dimension of a value its axis; none yet where a value is made of nothing that has one, and could be made a piece at a time. */
type Bound = Map<Var, (number | undefined)[]>

// Factors hold programs and closures: they are derived once for each equation.
const factorsOfEquation = new WeakMap<Equation, readonly Factor[]>()
/** All ways to run an equation by parts. */
export function factorsOf(equation: Equation): readonly Factor[] {
  let known = factorsOfEquation.get(equation)
  if (known === undefined) {
    const { primitive, inputs, params } = equation
    const row = primitive as Primitive
    const args = inputs.map(({ aval }) => aval)
    // the row's types, since results that are not used have none of their own
    known = row.axes(args, params, row.type(args, params), derive)
    factorsOfEquation.set(equation, known)
  }
  return known
}
const unitsAt = (factor: Factor, { inputs, outputs }: Equation): number =>
  unitsOf(
    factor,
    inputs.map(({ aval }) => aval),
    outputs.map((variable) => variable?.aval),
  )

/** Whether an operand that a part has so is what a factor asks for: what is there as a whole can be cut, and zero is a partial sum of zero. */
export function fits(label: Label, entry: Entry, zero: boolean): boolean {
  switch (label.kind) {
    case 'replicated':
      return entry === null || typeof entry === 'number' || (entry === 'sum' && zero)
    case 'split':
      return label.dim === entry
    case 'partial':
      return label.combination === entry
    case 'whole':
      return false
  }
}
/** Whether an operation is linear in operands that are all zero. */
export const staysZero = (entries: readonly Entry[], zeros: readonly boolean[]): boolean =>
  entries.includes('sum') && entries.every((entry, i) => entry === null || (entry === 'sum' && zeros[i]))

/**
 * The analysis of one program: its dimensions' axes, then, for one axis, labels. Where a dimension of a result follows from nothing that
 * has an axis, it may begin one of its own (`begins`), or be whatever its uses make of it.
 */
export class Analysis {
  readonly #axes: Axes
  readonly #jaxpr: Jaxpr
  readonly #begins: boolean
  readonly #bound: Bound = new Map()
  /** Dimensions that had no axis when their value was made, and take that of their uses. */
  readonly #free = new Map<Var, Set<number>>()

  constructor(axes: Axes, jaxpr: Jaxpr, inputs: readonly (readonly number[])[], begins = false) {
    this.#axes = axes
    this.#begins = begins
    this.#jaxpr = jaxpr
    jaxpr.inputs.forEach((v, i) => this.#bound.set(v, [...inputs[i]!]))
    const added = (v: Var): number[] => v.aval.shape.map((size) => axes.add(size))
    for (const v of jaxpr.constants) this.#bound.set(v, added(v))
    jaxpr.equations.forEach((equation) => this.#bind(equation))
  }

  #axisOf(atom: Atom | null | undefined, dim: number): number | undefined {
    return atom === null || atom === undefined || atom instanceof Literal ? undefined : this.#bound.get(atom)![dim]
  }

  /** Join the axes of operands, and hand them on to results. */
  #bind(equation: Equation): void {
    const { inputs, outputs } = equation
    const dims = outputs.map((v) =>
      v === null ? [] : v.aval.shape.map((size) => this.#axes.add(size) as number | undefined),
    )
    for (const factor of factorsOf(equation)) {
      let axis: number | undefined
      factor.operands.forEach((dim, i) => {
        const found = typeof dim === 'number' ? this.#axisOf(inputs[i], dim) : undefined
        if (found !== undefined) axis = axis === undefined ? found : this.#axes.join(axis, found)
      })
      if (axis !== undefined) this.#axes.limit(axis, unitsAt(factor, equation))
      factor.results.forEach((dim, k) => {
        if (typeof dim === 'number' && outputs[k] !== null) dims[k]![dim] = axis
      })
    }
    outputs.forEach((v, k) => {
      if (v === null) return
      // what no part can make alone
      const isMade = (dim: number): boolean =>
        factorsOf(equation).some(({ results, offset, placed }) => results[k] === dim && !offset && !placed)
      if (this.#begins)
        v.aval.shape.forEach((size, dim) => {
          if (dims[k]![dim] === undefined && !isMade(dim)) dims[k]![dim] = this.#axes.add(size)
        })
      this.#bound.set(v, dims[k]!)
      this.#free.set(v, new Set(dims[k]!.flatMap((axis, dim) => (axis === undefined ? [dim] : []))))
    })
  }

  /** A use of a value has this axis along a dimension: it is that of the dimension, if others do not say otherwise. */
  demand(atom: Atom, dim: number, axis: number): void {
    if (atom instanceof Literal) return
    const dims = this.#bound.get(atom)!
    const known = dims[dim]
    if (known === undefined) dims[dim] = axis
    else if (this.#free.get(atom)?.has(dim) !== true) this.#axes.join(known, axis)
    // cut in two ways: it is made whole, and cut where it is used
    else if (this.#axes.find(known) !== this.#axes.find(axis)) dims[dim] = this.#axes.add(atom.aval.shape[dim]!)
  }
  /** Let values that are made of nothing follow their uses. */
  settle(): void {
    for (const equation of this.#jaxpr.equations.toReversed()) {
      const { inputs, outputs } = equation
      for (const factor of factorsOf(equation)) {
        const found = [
          ...factor.results.map((dim, k) => (typeof dim === 'number' ? this.#axisOf(outputs[k], dim) : undefined)),
          ...factor.operands.map((dim, i) => (typeof dim === 'number' ? this.#axisOf(inputs[i], dim) : undefined)),
        ].find((axis) => axis !== undefined)
        if (found === undefined) continue
        this.#axes.limit(found, unitsAt(factor, equation))
        factor.operands.forEach((dim, i) => {
          const input = inputs[i]
          if (typeof dim !== 'number' || input === undefined || input instanceof Literal) return
          if (this.#free.get(input)?.has(dim) === true) this.demand(input, dim, found)
        })
      }
    }
  }

  /** The axes along which an equation can be cut. */
  axesOf(equation: Equation): ReadonlySet<number> {
    const { inputs, outputs } = equation
    const found = new Set<number>()
    for (const { operands, results, offset, placed } of factorsOf(equation)) {
      if (offset === true || placed === true) continue
      const axes = [
        ...operands.map((dim, i) => (typeof dim === 'number' ? this.#axisOf(inputs[i], dim) : undefined)),
        ...results.map((dim, k) => (typeof dim === 'number' ? this.#axisOf(outputs[k], dim) : undefined)),
      ]
      for (const axis of axes) if (axis !== undefined) found.add(this.#axes.find(axis))
    }
    return found
  }
  /** Which dimensions of a value lie on an axis. */
  dimsOn(v: Var, axis: number): readonly number[] {
    return this.#bound.get(v)!.flatMap((one, dim) => (one !== undefined && this.#axes.find(one) === axis ? [dim] : []))
  }

  /** What parts along an axis have of every value, when they have this of the inputs. */
  label(axis: number, inputs: readonly (Label | undefined)[] = []): Labelling {
    const root = this.#axes.find(axis)
    const labels = new Map<Var, Label>()
    const choices = new Map<Equation, Choice>()
    const zeros = new Set<Var>()
    let clean = true
    const read = (atom: Atom): Label => (atom instanceof Literal ? replicated : labels.get(atom)!)
    const isZero = (atom: Atom): boolean => (atom instanceof Literal ? atom.value === 0 : zeros.has(atom))
    const lying = (v: Var): Label => {
      const dims = this.dimsOn(v, root)
      return dims.length === 0 ? replicated : dims.length === 1 ? split(dims[0]!) : whole
    }
    this.#jaxpr.inputs.forEach((v, i) => labels.set(v, inputs[i] ?? lying(v)))
    for (const v of this.#jaxpr.constants) labels.set(v, lying(v))

    for (const equation of this.#jaxpr.equations) {
      const operands = equation.inputs.map(read)
      const takes = (factor: Factor): boolean =>
        factor.operands.every((entry, i) => fits(operands[i]!, entry, isZero(equation.inputs[i]!)))
      const demanded = ({ results }: Factor): boolean =>
        equation.outputs.some((v, k) => v !== null && this.dimsOn(v, root).some((dim) => dim === results[k]))
      const untouched = operands.every(({ kind }) => kind === 'replicated')
      const factors = factorsOf(equation)
      const once = isEffectful(equation)
      const factor = once ? undefined : factors.find((one) => takes(one) && (!untouched || demanded(one)))
      const missing = untouched && !once ? replicated : whole
      if (factor !== undefined)
        choices.set(equation, { factor, whole: operands.map(({ kind }) => kind === 'replicated') })
      else if (missing === whole) clean = false
      const zero = factors.some(({ operands: entries }) => staysZero(entries, equation.inputs.map(isZero)))
      equation.outputs.forEach((v, k) => {
        if (v === null) return
        const entry = factor?.results[k]
        const label = factor === undefined ? missing : labelOf(entry ?? null)
        // along two of its dimensions at once
        const twice = label.kind === 'split' && this.dimsOn(v, root).length > 1
        if (twice || label.kind === 'whole') clean = false
        labels.set(v, twice ? whole : label)
        if (zero) zeros.add(v)
      })
    }
    return { labels, choices, clean, outputs: this.#jaxpr.outputs.map(read) }
  }
}

export interface Propagated {
  /** For every value that a variable of the program itself names. */
  readonly labels: ReadonlyMap<Var, Label>
  /** By which factor an equation is run by parts; the others are run whole. */
  readonly choices: ReadonlyMap<Equation, Choice>
  readonly outputs: readonly Label[]
  /** Into how many pieces the axis can be cut. */
  readonly units: number
}
/**
 * Label every value of a program along the axis on which some inputs' dimensions lie.
 *
 * @param dims for each input the dimension that is cut, `null` to let it follow from the others
 * @example
 * The rows of x, in `{ lambda ; x:f32[8,3] w:f32[3,2]. let y = dot_general x w; s = reduce_sum[axes=(0,)] y in (y, s) }`,
 * are split with those of y; `w` is replicated, and `s` is a partial sum.
 */
export function propagate({ jaxpr }: ClosedJaxpr, dims: readonly (number | null)[]): Propagated {
  const axes = new Axes()
  const inputs = jaxpr.inputs.map(({ aval }) => aval.shape.map((size) => axes.add(size)))
  const chosen = dims.flatMap((dim, i) => (dim === null ? [] : [inputs[i]![dim]!]))
  const axis = chosen.reduce((all, one) => axes.join(all, one), chosen[0] ?? axes.add(0))
  const analysis = new Analysis(axes, jaxpr, inputs)
  analysis.settle()
  const { labels, choices, outputs } = analysis.label(axis)
  return { labels, choices, outputs, units: axes.unitsOf(axis) }
}

/** The factors of an operation from those of the programs inside: every axis on which they can be run by parts from beginning to end. */
export const derive: Derive = (operands, results, inner, carries = []) => {
  const axes = new Axes()
  const dimsOf = (avals: readonly Aval[]): number[][] => avals.map(({ shape }) => shape.map((size) => axes.add(size)))
  const [ins, outs] = [dimsOf(operands), dimsOf(results)]
  for (const [operand, result] of carries) ins[operand]!.forEach((axis, dim) => axes.join(axis, outs[result]![dim]!))
  // A dimension that a program goes along step by step is none of its own, and cannot be cut.
  const steps: number[] = []
  const seen = (dims: readonly number[], { shape }: Aval): readonly number[] => {
    if (dims.length > shape.length) steps.push(dims[0]!)
    return dims.slice(dims.length - shape.length)
  }
  const programs = inner.map(({ program: { jaxpr }, inputs, outputs }) => {
    const analysis = new Analysis(
      axes,
      jaxpr,
      jaxpr.inputs.map(({ aval }, i) => seen(ins[inputs[i]!]!, aval)),
    )
    jaxpr.outputs.forEach((atom, k) => {
      const result = outputs[k] ?? null
      if (result !== null) seen(outs[result]!, atom.aval).forEach((axis, dim) => analysis.demand(atom, dim, axis))
    })
    return analysis
  })
  for (const program of programs) program.settle()

  const roots = new Set([...ins, ...outs].flat().map((axis) => axes.find(axis)))
  for (const step of steps) roots.delete(axes.find(step))
  const dimsAlong = (list: readonly (readonly number[])[], root: number): number[][] =>
    list.map((dims) => dims.flatMap((axis, dim) => (axes.find(axis) === root ? [dim] : [])))
  return [...roots].flatMap((root) => {
    const [operandDims, resultDims] = [dimsAlong(ins, root), dimsAlong(outs, root)]
    if ([...operandDims, ...resultDims].some((dims) => dims.length > 1)) return []
    const entriesOf = (dims: readonly number[][]): Entry[] => dims.map(([dim]) => dim ?? null)
    const label = (program: number, labels: readonly Label[]): Labelling => programs[program]!.label(root, labels)
    const along = { operands: entriesOf(operandDims), results: entriesOf(resultDims), units: axes.unitsOf(root) }
    const factor = factorAlong(along, { operands, results, inner, carries }, label)
    return factor === undefined ? [] : [factor]
  })
}
