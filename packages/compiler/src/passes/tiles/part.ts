/** The equations of a region as the program of a part: on whole values, with what says how each is cut. */
import {
  type Atom,
  type Combination,
  type DType,
  type Equation,
  type Factor,
  Literal,
  Var,
  bytesOf,
  isFloat,
} from '@fluxion/core'
import type { Choice } from '../axes/cut.ts'
import { equationOf, primitiveNamed } from '../rewrite.ts'
import type { Placement } from './schedule.ts'

export interface Region {
  readonly equations: readonly Equation[]
  readonly placements: ReadonlyMap<Equation, Placement>
  /** The equations that make values elsewhere in the program. */
  readonly definitions: ReadonlyMap<Atom, Equation>
  /** Results that something else reads. */
  readonly isRead: (v: Var) => boolean
}
/** A result of the region: the value it stands for, how parts give it, and the variable for it in the program of a part. */
export interface Result {
  readonly of: Var
  readonly entry: number | Combination | null
  readonly inside: Var
}

/** Narrow floats are gathered in float32 and rounded once, as by the operations that sum them up. */
const gathered = (dtype: DType, entry: Combination): DType =>
  (entry === 'sum' || entry === 'product') && isFloat(dtype) && bytesOf(dtype) < 4 ? 'float32' : dtype

/** Collects them, with the values that they are given and those that something else reads. */
export class Part {
  readonly equations: Equation[] = []
  readonly choices: Map<Equation, Choice> = new Map()
  readonly consts: Set<Var> = new Set()
  readonly splits: { readonly of: Var; readonly dim: number; readonly inside: Var }[] = []
  readonly results: Result[] = []
  readonly #region: Region
  readonly #inside = new Map<Var, Var>()
  readonly #made = new Map<Var, Var>()

  constructor(region: Region) {
    this.#region = region
  }

  add(equation: Equation): void {
    const { factor } = this.#region.placements.get(equation)!
    const wide = this.#widened(equation, factor!)
    const outputs = equation.outputs.map((v, k) => v && new Var(wide.types[k] ?? v.aval))
    this.#push({ ...equation, ...wide.equation, outputs }, factor!)
    equation.outputs.forEach((v, k) => {
      if (v === null) return
      let inside = outputs[k]!
      this.#inside.set(v, inside)
      if (!this.#region.isRead(v)) return
      const entry = factor!.results[k]!
      if (typeof entry === 'string') {
        const dtype = gathered(inside.aval.dtype, entry)
        if (dtype !== inside.aval.dtype) inside = this.#converted(inside, dtype, entry)
      }
      this.results.push({ of: v, entry, inside })
    })
  }
  #push(equation: Equation, factor: Factor): void {
    this.equations.push(equation)
    this.choices.set(equation, { factor, whole: equation.inputs.map(() => false) })
  }

  /** An operand: made inside, or given, as a whole or as a piece. */
  #operand(atom: Atom, entry: number | Combination | null): Atom {
    if (atom instanceof Literal) return atom
    const inside = this.#inside.get(atom)
    if (inside !== undefined) return inside
    if (typeof entry !== 'number') {
      this.consts.add(atom)
      return atom
    }
    const { definitions, placements } = this.#region
    const definition = definitions.get(atom)
    const placement = definition && placements.get(definition)
    if (placement?.kind === 'made' && placement.factor!.results[0] === entry)
      return this.#make(definition!, placement.factor!)
    let found = this.splits.find(({ of, dim }) => of === atom && dim === entry)
    if (found === undefined) this.splits.push((found = { of: atom, dim: entry, inside: new Var(atom.aval) }))
    return found.inside
  }
  /** What costs nothing is made by each part. */
  #make(definition: Equation, factor: Factor): Var {
    const v = definition.outputs[0]!
    let made = this.#made.get(v)
    if (made === undefined) {
      const inputs = definition.inputs.map((atom, i) => this.#operand(atom, factor.operands[i]!))
      this.#made.set(v, (made = new Var(v.aval)))
      this.#push({ ...definition, inputs, outputs: [made] }, factor)
    }
    return made
  }

  /** What gives a partial sum gives it unrounded where it can. */
  #widened(equation: Equation, factor: Factor): { equation: Partial<Equation>; types: (Var['aval'] | undefined)[] } {
    const inputs = equation.inputs.map((atom, i) => this.#operand(atom, factor.operands[i]!))
    const [entry, v] = [factor.results[0], equation.outputs[0]]
    const plain = { equation: { inputs }, types: [] }
    if (entry !== 'sum' || v === null || v === undefined) return plain
    const dtype = gathered(v.aval.dtype, entry)
    if (dtype === v.aval.dtype) return plain
    const types = [{ ...v.aval, dtype }]
    switch (equation.primitive.name) {
      case 'dot_general':
      case 'conv_general_dilated':
        return { equation: { inputs, params: { ...equation.params, preferredElementType: dtype } }, types }
      case 'reduce_sum': {
        const dim = factor.operands[0] as number
        return { equation: { inputs: [this.#converted(inputs[0]!, dtype, dim)] }, types }
      }
      default:
        return plain
    }
  }
  #converted(atom: Atom, newDtype: DType, entry: number | Combination): Var {
    const params = { newDtype, weakType: false }
    const equation = equationOf(primitiveNamed('convert_element_type'), [atom], params)
    this.#push(equation, { operands: [entry], results: [entry] })
    return equation.outputs[0]!
  }
}
