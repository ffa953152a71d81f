/** A region as one loop over tiles of its axis. */
import {
  type Atom,
  type Aval,
  type Combination,
  type DType,
  type Equation,
  type Factor,
  Literal,
  Var,
  bytesOf,
  closed,
  dtypes,
  isFloat,
} from '@fluxion/core'
import { type Choice, cutProgram } from '../axes/cut.ts'
import { type Pass, type Writer, equationOf, primitiveNamed, range, spread } from '../rewrite.ts'
import type { Placement } from './schedule.ts'

export interface Region {
  readonly equations: readonly Equation[]
  readonly placements: ReadonlyMap<Equation, Placement>
  /** The equations that make values elsewhere in the program. */
  readonly definitions: ReadonlyMap<Atom, Equation>
  /** Results that something else reads. */
  readonly isRead: (v: Var) => boolean
  readonly tiles: number
}
/** A result of the region: the value it stands for, how parts give it, and the variable for it in the program of a part. */
interface Result {
  readonly of: Var
  readonly entry: number | Combination | null
  readonly inside: Var
}

/** How partial values combine: the operation, and what it starts from. */
const combining: Readonly<Record<Combination, readonly [name: string, start: (dtype: DType) => number]>> = {
  sum: ['add', () => 0],
  product: ['mul', () => 1],
  max: ['max', (dtype) => (dtype === 'bool' ? 0 : isFloat(dtype) ? -Infinity : dtypes[dtype].min)],
  min: ['min', (dtype) => (dtype === 'bool' ? 1 : isFloat(dtype) ? Infinity : dtypes[dtype].max)],
  and: ['and', (dtype) => (dtype === 'bool' ? 1 : dtypes[dtype].min < 0 ? -1 : dtypes[dtype].max)],
  or: ['or', () => 0],
  xor: ['xor', () => 0],
}
const scalarOf = (dtype: DType): Aval => ({ shape: [], dtype, weakType: false })
/** Narrow floats are gathered in float32 and rounded once, as by the operations that sum them up. */
const gathered = (dtype: DType, entry: Combination): DType =>
  (entry === 'sum' || entry === 'product') && isFloat(dtype) && bytesOf(dtype) < 4 ? 'float32' : dtype

/**
 * Write the loop, and return what it gives in place of each result of the region.
 *
 * @param current what stands for a variable of the program by now
 */
export function writeRegion(
  region: Region,
  writer: Writer,
  optimise: Pass,
  current: (v: Var) => Atom,
): ReadonlyMap<Var, Atom> {
  const part = new Part(region)
  for (const equation of region.equations) part.add(equation)
  const { tiles } = region
  const { splits, results } = part
  const whole = [...part.consts]
  const inputs = [...whole, ...splits.map(({ inside }) => inside)]
  const dims = new Map(splits.map(({ inside, dim }) => [inside, dim]))
  const outputs = results.map(({ inside }) => inside)
  const cut = cutProgram(
    closed({ constants: [], inputs, equations: part.equations, outputs }),
    part.choices,
    (v) => dims.get(v) ?? null,
    [],
    (size) => [0, size / tiles],
  ).jaxpr

  // Pieces along a leading dimension lie one after the other; others are read where they lie.
  const pieces = cut.inputs.slice(whole.length)
  const given = splits.map(({ of, dim }, i) => ({ of, dim, piece: pieces[i]! }))
  const [scanned, sliced] = [given.filter(({ dim }) => dim === 0), given.filter(({ dim }) => dim > 0)]
  const counter = new Var(scalarOf('int32'))
  const zero = new Literal(0, counter.aval)
  const consts = new Map<Var, Var>(whole.map((v, i) => [v, cut.inputs[i]!]))
  for (const { of } of sliced) if (!consts.has(of)) consts.set(of, new Var(of.aval))
  const starts = new Map<number, Var>()
  const start: Equation[] = []
  for (const { of, dim, piece } of sliced) {
    const size = piece.aval.shape[dim]!
    if (!starts.has(size)) {
      const at = equationOf(primitiveNamed('mul'), [counter, new Literal(size, counter.aval)], {})
      start.push(at)
      starts.set(size, at.outputs[0]!)
    }
    const at = piece.aval.shape.map((_, axis) => (axis === dim ? starts.get(size)! : zero))
    const params = { sliceSizes: piece.aval.shape }
    start.push({
      primitive: primitiveNamed('dynamic_slice'),
      inputs: [consts.get(of)!, ...at],
      params,
      outputs: [piece],
      source: undefined,
    })
  }

  const isPartial = ({ entry }: Result): boolean => typeof entry === 'string'
  const partial = results.flatMap((result, i) => (isPartial(result) ? [{ ...result, value: cut.outputs[i]! }] : []))
  const stacked = results.flatMap((result, i) => (isPartial(result) ? [] : [{ ...result, value: cut.outputs[i]! }]))
  const carries = partial.map(({ value }) => new Var(value.aval))
  const sums = partial.map(({ entry, value }, i) => {
    const [name] = combining[entry as Combination]
    return equationOf(primitiveNamed(name), [carries[i]!, value], {})
  })
  const body = optimise(
    closed({
      constants: [],
      inputs: [...consts.values(), ...carries, counter, ...scanned.map(({ piece }) => piece)],
      equations: [...start, ...cut.equations, ...sums],
      outputs: [...sums.map(({ outputs: [sum] }) => sum!), ...stacked.map(({ value }) => value)],
    }),
  )

  const init = partial.map(({ entry, value: { aval: type } }) => {
    const value = new Literal(combining[entry as Combination][1](type.dtype), scalarOf(type.dtype))
    return spread(writer, value, type.shape)
  })
  const [counts] = writer.emit('iota', [], { dtype: 'int32', shape: [tiles], dimension: 0 })
  const xs = scanned.map(
    ({ of, piece }) => writer.emit('reshape', [current(of)], { newSizes: [tiles, ...piece.aval.shape] })[0]!,
  )
  const params = {
    jaxpr: body,
    length: tiles,
    reverse: false,
    numConsts: consts.size,
    numCarry: carries.length,
    unroll: 1,
  }
  const all = writer.emit('scan', [...[...consts.keys()].map(current), ...init, counts!, ...xs], params)

  const values = new Map<Var, Atom>()
  partial.forEach(({ of }, i) => {
    const total = all[i]!
    const { dtype } = of.aval
    const value =
      total.aval.dtype === dtype
        ? total
        : writer.emit('convert_element_type', [total], { newDtype: dtype, weakType: false })[0]!
    values.set(of, value)
  })
  stacked.forEach(({ of, entry }, i) => {
    values.set(of, unstacked(writer, all[carries.length + i]!, of, entry as number | null))
  })
  return values
}

/** A value of its stacked pieces, or of what every part found alike. */
function unstacked(writer: Writer, stack: Var, of: Var, dim: number | null): Atom {
  const { shape } = of.aval
  const rank = shape.length
  if (dim === null) {
    const first = writer.emit('slice', [stack], {
      startIndices: range(rank + 1).map(() => 0),
      limitIndices: [1, ...shape],
      strides: null,
    })
    return writer.emit('reshape', first, { newSizes: shape })[0]!
  }
  const permutation = [...range(dim, 1), 0, ...range(rank - dim, dim + 1)]
  const moved = dim === 0 ? [stack] : writer.emit('transpose', [stack], { permutation })
  return writer.emit('reshape', moved, { newSizes: shape })[0]!
}

/** The equations of a region as a program of whole values, of which some inputs are cut. */
class Part {
  readonly equations: Equation[] = []
  readonly choices = new Map<Equation, Choice>()
  readonly consts = new Set<Var>()
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
