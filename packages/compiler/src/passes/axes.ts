/**
 * Axes of programs. From the axis rules of its operations follows which dimensions of a program's values are cut together, and what a part
 * of each value then is: a piece along a dimension, all of it, or something that has to be combined with what the other parts have.
 */
import {
  type Atom,
  type Aval,
  type ClosedJaxpr,
  type Combination,
  type Derive,
  type Equation,
  type Factor,
  type Jaxpr,
  Literal,
  type Primitive,
  type Var,
  isEffectful,
} from '@fluxion/core'
import { type Choice, type Entry, cutProgram } from './cut.ts'

/** What a part of the program has of a value. */
export type Label =
  | { readonly kind: 'split'; readonly dim: number }
  /** All of it, the same in every part. */
  | { readonly kind: 'replicated' }
  /** A value of its own; all parts' together make the value. */
  | { readonly kind: 'partial'; readonly combination: Combination }
  /** Nothing: it can be computed only after the parts have been put together. */
  | { readonly kind: 'whole' }
const replicated: Label = { kind: 'replicated' }
const whole: Label = { kind: 'whole' }
const split = (dim: number): Label => ({ kind: 'split', dim })
const partial = (combination: Combination): Label => ({ kind: 'partial', combination })
export const sameLabel = (a: Label, b: Label): boolean =>
  a.kind === b.kind &&
  (a.kind !== 'split' || a.dim === (b as typeof a).dim) &&
  (a.kind !== 'partial' || a.combination === (b as typeof a).combination)

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))

/** Sets of dimensions that are cut together, each with the number of pieces that all of them can be cut into. */
class Axes {
  readonly #parents: number[] = []
  readonly #units: number[] = []
  add(size: number): number {
    this.#units.push(size)
    return this.#parents.push(this.#parents.length) - 1
  }
  find(axis: number): number {
    let at = axis
    while (this.#parents[at] !== at) at = this.#parents[at]!
    return at
  }
  join(a: number, b: number): number {
    const [into, from] = [this.find(a), this.find(b)]
    if (into === from) return into
    this.limit(into, this.#units[from]!)
    this.#parents[from] = into
    return into
  }
  limit(axis: number, units: number): void {
    const at = this.find(axis)
    this.#units[at] = divisor(this.#units[at]!, units)
  }
  unitsOf(axis: number): number {
    return this.#units[this.find(axis)]!
  }
}

/** For every dimension of a value its axis; none yet where a value is made of nothing that has one, and could be made a piece at a time. */
type Bound = Map<Var, (number | undefined)[]>

// Factors hold programs and closures: they are derived once for each equation.
const factorsOfEquation = new WeakMap<Equation, readonly Factor[]>()
export function factorsOf(equation: Equation): readonly Factor[] {
  let known = factorsOfEquation.get(equation)
  if (known === undefined) {
    const { primitive, inputs, params } = equation
    const row = primitive as Primitive
    const args = inputs.map(({ aval }) => aval)
    // results that are not used have no type of their own
    known = row.axes(args, params, row.type(args, params), derive)
    factorsOfEquation.set(equation, known)
  }
  return known
}
/** Into how many pieces a factor can be cut. */
export function unitsOf(factor: Factor, args: readonly Aval[], outs: readonly (Aval | undefined)[]): number {
  if (factor.units !== undefined) return factor.units
  const sizes = (dims: Factor['operands'], avals: readonly (Aval | undefined)[]): number[] =>
    dims.flatMap((dim, i) => (typeof dim === 'number' && avals[i] !== undefined ? [avals[i].shape[dim]!] : []))
  return [...sizes(factor.operands, args), ...sizes(factor.results, outs)].reduce(divisor, 0)
}
const unitsAt = (factor: Factor, { inputs, outputs }: Equation): number =>
  unitsOf(
    factor,
    inputs.map(({ aval }) => aval),
    outputs.map((variable) => variable?.aval),
  )

/** The analysis of one program: its dimensions' axes, then, for one axis, labels. */
class Analysis {
  readonly #axes: Axes
  readonly #jaxpr: Jaxpr
  readonly #bound: Bound = new Map()
  /** Dimensions that had no axis when their value was made, and take that of their uses. */
  readonly #free = new Map<Var, Set<number>>()

  constructor(axes: Axes, jaxpr: Jaxpr, inputs: readonly (readonly number[])[]) {
    this.#axes = axes
    this.#jaxpr = jaxpr
    jaxpr.inputs.forEach((v, i) => this.#bound.set(v, [...inputs[i]!]))
    for (const v of jaxpr.constants)
      this.#bound.set(
        v,
        v.aval.shape.map((size) => axes.add(size)),
      )
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

  /** Which dimensions of a value lie on an axis. */
  #dimsOn(v: Var, axis: number): number[] {
    return this.#bound.get(v)!.flatMap((one, dim) => (one !== undefined && this.#axes.find(one) === axis ? [dim] : []))
  }

  /** What parts along an axis have of every value, when they have this of the inputs. */
  label(axis: number, inputs: readonly (Label | undefined)[] = []): Labelling {
    const root = this.#axes.find(axis)
    const labels = new Map<Var, Label>()
    const choices = new Map<Equation, Choice>()
    const zeros = new Set<Var>()
    let clean = true
    const labelOf = (atom: Atom): Label => (atom instanceof Literal ? replicated : labels.get(atom)!)
    const isZero = (atom: Atom): boolean => (atom instanceof Literal ? atom.value === 0 : zeros.has(atom))
    const lying = (v: Var): Label => {
      const dims = this.#dimsOn(v, root)
      return dims.length === 0 ? replicated : dims.length === 1 ? split(dims[0]!) : whole
    }
    this.#jaxpr.inputs.forEach((v, i) => labels.set(v, inputs[i] ?? lying(v)))
    for (const v of this.#jaxpr.constants) labels.set(v, lying(v))

    for (const equation of this.#jaxpr.equations) {
      const operands = equation.inputs.map(labelOf)
      const fits = (factor: Factor): boolean => {
        let concerned = false
        const all = factor.operands.every((entry, i) => {
          const label = operands[i]!
          if (label.kind !== 'replicated') concerned = true
          // what is there as a whole can be cut, and a zero is a partial sum of itself
          if (label.kind === 'replicated')
            return entry === null || typeof entry === 'number' || (entry === 'sum' && isZero(equation.inputs[i]!))
          return label.kind === 'split' ? label.dim === entry : label.kind === 'partial' && label.combination === entry
        })
        const demanded = factor.results.some((entry, k) => {
          const v = equation.outputs[k]
          return typeof entry === 'number' && v !== null && v !== undefined && this.#dimsOn(v, root).includes(entry)
        })
        return all && (concerned || demanded)
      }
      const factors = factorsOf(equation)
      const factor = isEffectful(equation) ? undefined : factors.find(fits)
      const missing = operands.every(({ kind }) => kind === 'replicated') && !isEffectful(equation) ? replicated : whole
      if (factor !== undefined)
        choices.set(equation, { factor, whole: operands.map(({ kind }) => kind === 'replicated') })
      else if (missing === whole) clean = false
      const zero = factors.some(
        ({ operands: entries }) =>
          entries.includes('sum') && entries.every((entry, i) => entry !== 'sum' || isZero(equation.inputs[i]!)),
      )
      equation.outputs.forEach((v, k) => {
        if (v === null) return
        const entry = factor?.results[k]
        const label =
          factor === undefined
            ? missing
            : typeof entry === 'number'
              ? this.#dimsOn(v, root).length > 1
                ? whole
                : split(entry)
              : entry === null || entry === undefined
                ? replicated
                : partial(entry)
        if (label.kind === 'whole') clean = false
        labels.set(v, label)
        if (zero) zeros.add(v)
      })
    }
    return { labels, choices, clean, outputs: this.#jaxpr.outputs.map(labelOf) }
  }
}
interface Labelling {
  readonly labels: ReadonlyMap<Var, Label>
  /** By which factor an equation is run by parts; the others are run whole. */
  readonly choices: ReadonlyMap<Equation, Choice>
  readonly outputs: readonly Label[]
  /** Nothing has to wait for the parts to be put together. */
  readonly clean: boolean
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

const dimOf = (label: Label): number | null => (label.kind === 'split' ? label.dim : null)

/** The factors of an operation from those of the programs inside: every axis on which they can be run by parts from beginning to end. */
export const derive: Derive = (operands, results, inner, carries = []) => {
  const axes = new Axes()
  const dimsOf = (avals: readonly Aval[]): number[][] => avals.map(({ shape }) => shape.map((size) => axes.add(size)))
  const [ins, outs] = [dimsOf(operands), dimsOf(results)]
  for (const [operand, result] of carries) ins[operand]!.forEach((axis, dim) => axes.join(axis, outs[result]![dim]!))
  /** The axes of an operand as a program sees it: without a dimension that it goes along step by step. */
  const seen = (list: readonly number[], rank: number): number[] => list.slice(list.length - rank)
  const programs = inner.map(({ program: { jaxpr }, inputs, outputs }) => {
    const analysis = new Analysis(
      axes,
      jaxpr,
      jaxpr.inputs.map(({ aval }, i) => seen(ins[inputs[i]!]!, aval.shape.length)),
    )
    jaxpr.outputs.forEach((atom, k) => {
      const result = outputs[k] ?? null
      if (result === null) return
      seen(outs[result]!, atom.aval.shape.length).forEach((axis, dim) => analysis.demand(atom, dim, axis))
    })
    return analysis
  })
  for (const program of programs) program.settle()

  const roots = new Set([...ins, ...outs].flat().map((axis) => axes.find(axis)))
  const steps = new Set<number>()
  for (const { program, inputs, outputs } of inner) {
    const note = (atoms: readonly Atom[], at: readonly (number | null)[], all: readonly number[][]): void =>
      atoms.forEach(({ aval }, i) => {
        const dims = at[i] === null ? [] : all[at[i]!]!
        if (dims.length > aval.shape.length) steps.add(axes.find(dims[0]!))
      })
    note(program.jaxpr.inputs, inputs, ins)
    note(program.jaxpr.outputs, outputs, outs)
  }

  return [...roots].flatMap((root) => {
    if (steps.has(root)) return []
    const placed = (dims: readonly number[]): number[] =>
      dims.flatMap((axis, dim) => (axes.find(axis) === root ? [dim] : []))
    const [operandDims, resultDims] = [ins.map(placed), outs.map(placed)]
    if ([...operandDims, ...resultDims].some((dims) => dims.length > 1)) return []
    const entries: Entry[] = operandDims.map(([dim]) => dim ?? null)
    for (;;) {
      const labellings = inner.map(({ program: { jaxpr }, inputs }, i) =>
        programs[i]!.label(
          root,
          jaxpr.inputs.map(({ aval }, k) => {
            const entry = entries[inputs[k]!]!
            if (entry === null) return replicated
            if (typeof entry !== 'number') return partial(entry)
            return split(entry - (operands[inputs[k]!]!.shape.length - aval.shape.length))
          }),
        ),
      )
      // A result of several programs has to be the same kind of part in all.
      const found = results.map(() => ({ entry: null as Entry, seen: false, agrees: true }))
      let fixed = true
      inner.forEach(({ program: { jaxpr }, outputs }, i) => {
        labellings[i]!.outputs.forEach((label, k) => {
          const result = outputs[k] ?? null
          if (result === null) {
            if (label.kind !== 'replicated') fixed = false
            return
          }
          const shift = results[result]!.shape.length - jaxpr.outputs[k]!.aval.shape.length
          const entry =
            label.kind === 'split'
              ? label.dim + shift
              : label.kind === 'partial'
                ? label.combination
                : label.kind === 'replicated'
                  ? (resultDims[result]![0] ?? null)
                  : undefined
          const at = found[result]!
          if (entry === undefined || (at.seen && at.entry !== entry)) at.agrees = false
          else Object.assign(at, { entry, seen: true })
        })
      })
      // What a carry gathers over all parts is a partial sum from the start.
      const gathering = carries.filter(
        ([operand, result]) => entries[operand] === null && (!found[result]!.agrees || found[result]!.entry !== null),
      )
      if (gathering.length > 0) {
        for (const [operand] of gathering) entries[operand] = 'sum'
        continue
      }
      const kept = carries.every(([operand, result]) => found[result]!.entry === entries[operand])
      if (!fixed || !kept || !found.every(({ agrees }) => agrees) || !labellings.every(({ clean }) => clean)) return []
      // A result that comes from no operand is a part by itself only if it is made by parts.
      const made = labellings.some(({ outputs }) => outputs.some(({ kind }) => kind === 'split'))
      if (!made && !entries.some((entry) => entry !== null)) return []
      return [
        {
          operands: entries,
          results: found.map(({ entry }) => entry),
          units: axes.unitsOf(root),
          parts: (span) =>
            inner.map(({ program, outputs }, i) => {
              const { labels, choices } = labellings[i]!
              const ends = program.jaxpr.outputs.map(({ aval }, k) => {
                const result = outputs[k] ?? null
                const entry = result === null ? null : found[result]!.entry
                return typeof entry === 'number' ? entry - (results[result!]!.shape.length - aval.shape.length) : null
              })
              return cutProgram(program, choices, (v) => dimOf(labels.get(v)!), ends, span)
            }),
        },
      ]
    }
  })
}
