/** A region as loops over tiles of its axis. */
import {
  type Atom,
  type Aval,
  type Combination,
  type DType,
  type Equation,
  Literal,
  Var,
  allBits,
  closed,
  highest,
  lowest,
} from '@fluxion/core'
import { cutProgram } from '../axes/cut.ts'
import { type Pass, type Writer, equationOf, primitiveNamed, range, spread } from '../rewrite.ts'
import { Part, type Region, type Result } from './part.ts'

/** Tiles of one size that follow each other, in units of the axis. */
export interface Chunk {
  readonly from: number
  readonly size: number
  readonly tiles: number
}

/** How partial values combine: the operation, and what it starts from. */
const combining: Readonly<Record<Combination, readonly [name: string, start: (dtype: DType) => number]>> = {
  sum: ['add', () => 0],
  product: ['mul', () => 1],
  max: ['max', lowest],
  min: ['min', highest],
  and: ['and', allBits],
  or: ['or', () => 0],
  xor: ['xor', () => 0],
}
const scalarOf = (dtype: DType): Aval => ({ shape: [], dtype, weakType: false })

const isPartial = ({ entry }: Result): boolean => typeof entry === 'string'
const startOf = ({ entry, inside: { aval } }: Result, writer: Writer): Atom => {
  const start = new Literal(combining[entry as Combination][1](aval.dtype), scalarOf(aval.dtype))
  return spread(writer, start, aval.shape)
}

/**
 * Write a loop for each chunk, and return what they give in place of each result of the region.
 *
 * @param units how many the axis has
 * @param current what stands for a variable of the program by now
 */
export function writeRegion(
  region: Region,
  chunks: readonly Chunk[],
  units: number,
  writer: Writer,
  optimise: Pass,
  current: (v: Var) => Atom,
): ReadonlyMap<Var, Atom> {
  const part = new Part(region)
  for (const equation of region.equations) part.add(equation)
  const { results } = part
  const found: Atom[][] = []
  for (const chunk of chunks) {
    const start = results.flatMap((result, i) =>
      isPartial(result) ? [found.at(-1)?.[i] ?? startOf(result, writer)] : [],
    )
    found.push(new Loop(part, chunk, units, writer, current).write(start, optimise))
  }
  return new Map(
    results.map((result, i) => {
      const { of, entry } = result
      const pieces = found.map((values) => values[i]!)
      if (typeof entry !== 'number') return [of, converted(pieces.at(-1)!, of.aval.dtype, writer)]
      return [of, pieces.length === 1 ? pieces[0]! : writer.emit('concatenate', pieces, { dimension: entry })[0]!]
    }),
  )
}
const converted = (atom: Atom, newDtype: DType, writer: Writer): Atom =>
  atom.aval.dtype === newDtype ? atom : writer.emit('convert_element_type', [atom], { newDtype, weakType: false })[0]!

/** The loop over the tiles of a chunk. */
class Loop {
  readonly #part: Part
  readonly #chunk: Chunk
  readonly #units: number
  readonly #writer: Writer
  readonly #current: (v: Var) => Atom
  readonly #counter: Var = new Var(scalarOf('int32'))
  /** What the body is given as a whole: values of the program, and the body's variables for them. */
  readonly #consts = new Map<Var, Var>()
  /** Before the equations of the part: where its pieces are, and those that do not lie one after the other. */
  readonly #start: Equation[] = []
  readonly #starts = new Map<number, Var>()

  constructor(part: Part, chunk: Chunk, units: number, writer: Writer, current: (v: Var) => Atom) {
    this.#part = part
    this.#chunk = chunk
    this.#units = units
    this.#writer = writer
    this.#current = current
  }

  /** The results of the region for the chunk: sums from what they start from, and pieces. */
  write(start: readonly Atom[], optimise: Pass): Atom[] {
    const { consts, splits, results, equations, choices } = this.#part
    const dims = new Map(splits.map(({ inside, dim }) => [inside, dim]))
    const inputs = [...consts, ...splits.map(({ inside }) => inside)]
    const outputs = results.map(({ inside }) => inside)
    const cut = cutProgram(
      closed({ constants: [], inputs, equations, outputs }),
      choices,
      (v) => dims.get(v) ?? null,
      [],
      (size) => [0, this.#elements(size, this.#chunk.size)],
    ).jaxpr
    ;[...consts].forEach((v, i) => this.#consts.set(v, cut.inputs[i]!))
    // Pieces along a leading dimension lie one after the other; others are read where they lie.
    const pieces = cut.inputs.slice(consts.size)
    const scanned = splits.flatMap(({ of, dim }, i) => (dim === 0 ? [{ of, piece: pieces[i]! }] : []))
    splits.forEach(({ of, dim }, i) => dim > 0 && this.#slice(of, dim, pieces[i]!))

    const partial = results.flatMap((result, i) => (isPartial(result) ? [{ result, value: cut.outputs[i]! }] : []))
    const stacked = results.flatMap((result, i) => (isPartial(result) ? [] : [cut.outputs[i]!]))
    const carries = partial.map(({ value }) => new Var(value.aval))
    const sums = partial.map(({ result: { entry }, value }, i) => {
      const [name] = combining[entry as Combination]
      return equationOf(primitiveNamed(name), [carries[i]!, value], {})
    })
    const body = optimise(
      closed({
        constants: [],
        inputs: [...this.#consts.values(), ...carries, this.#counter, ...scanned.map(({ piece }) => piece)],
        equations: [...this.#start, ...cut.equations, ...sums],
        outputs: [...sums.map(({ outputs: [sum] }) => sum!), ...stacked],
      }),
    )
    const { tiles } = this.#chunk
    const xs = [
      this.#writer.emit('iota', [], { dtype: 'int32', shape: [tiles], dimension: 0 })[0]!,
      ...scanned.map(({ of, piece }) => this.#rows(of, piece.aval)),
    ]
    const params = {
      jaxpr: body,
      length: tiles,
      reverse: false,
      numConsts: this.#consts.size,
      numCarry: carries.length,
      unroll: 1,
    }
    const operands = [...[...this.#consts.keys()].map(this.#current), ...start, ...xs]
    const all = this.#writer.emit('scan', operands, params)
    let [sum, piece] = [0, carries.length]
    return results.map((result) => (isPartial(result) ? all[sum++]! : this.#together(all[piece++]!, result)))
  }

  /** How many elements of a dimension so many units are. */
  #elements(size: number, units: number): number {
    return (size / this.#units) * units
  }
  /** The pieces of a leading dimension, stacked. */
  #rows(of: Var, piece: Aval): Atom {
    const { from, size, tiles } = this.#chunk
    const { shape } = of.aval
    const [first, end] = [from, from + size * tiles].map((at) => this.#elements(shape[0]!, at)) as [number, number]
    const rows =
      end - first === shape[0]
        ? this.#current(of)
        : this.#writer.emit('slice', [this.#current(of)], {
            startIndices: shape.map((_, axis) => (axis === 0 ? first : 0)),
            limitIndices: shape.map((whole, axis) => (axis === 0 ? end : whole)),
            strides: null,
          })[0]!
    return this.#writer.emit('reshape', [rows], { newSizes: [tiles, ...piece.shape] })[0]!
  }
  #slice(of: Var, dim: number, piece: Var): void {
    let whole = this.#consts.get(of)
    if (whole === undefined) this.#consts.set(of, (whole = new Var(of.aval)))
    const at = this.#startAt(of.aval.shape[dim]!)
    const starts = of.aval.shape.map((_, axis) => (axis === dim ? at : new Literal(0, at.aval)))
    const params = { sliceSizes: piece.aval.shape }
    const primitive = primitiveNamed('dynamic_slice')
    this.#start.push({ primitive, inputs: [whole, ...starts], params, outputs: [piece], source: undefined })
  }
  /** The first element of the tile along a dimension. */
  #startAt(size: number): Var {
    let found = this.#starts.get(size)
    if (found === undefined) {
      const number = (units: number): Literal => new Literal(this.#elements(size, units), this.#counter.aval)
      const steps = equationOf(primitiveNamed('mul'), [this.#counter, number(this.#chunk.size)], {})
      const at = equationOf(primitiveNamed('add'), [steps.outputs[0]!, number(this.#chunk.from)], {})
      this.#start.push(steps, at)
      this.#starts.set(size, (found = at.outputs[0]!))
    }
    return found
  }
  /** A value of its stacked pieces, or of what every tile found alike. */
  #together(stack: Var, { of, entry }: Result): Atom {
    const { shape } = of.aval
    const rank = shape.length
    if (typeof entry !== 'number') {
      const first = this.#writer.emit('slice', [stack], {
        startIndices: range(rank + 1).map(() => 0),
        limitIndices: [1, ...shape],
        strides: null,
      })
      return this.#writer.emit('reshape', first, { newSizes: shape })[0]!
    }
    const permutation = [...range(entry, 1), 0, ...range(rank - entry, entry + 1)]
    const moved = entry === 0 ? [stack] : this.#writer.emit('transpose', [stack], { permutation })
    const { size, tiles } = this.#chunk
    const newSizes = shape.map((all, axis) => (axis === entry ? this.#elements(all, size * tiles) : all))
    return this.#writer.emit('reshape', moved, { newSizes })[0]!
  }
}
