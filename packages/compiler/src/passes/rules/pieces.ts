/** Slices of what is put together from pieces: of concatenated and padded values, and of elementwise operations on these. */
import { type Atom, Literal } from '@fluxion/core'
import { elementwise } from '../elementwise.ts'
import { sameList } from '../rewrite.ts'
import type { Rule, Simplifier } from '../simplify.ts'

export interface SliceParams {
  readonly startIndices: readonly number[]
  readonly limitIndices: readonly number[]
  readonly strides: readonly number[] | null
}

/** A slice in other words, if it lies within one piece of everything that it is made of. */
export const sliceOfPieces: Rule = ({ inputs: [x], params, source }, to) => {
  const { startIndices, limitIndices, strides } = params as SliceParams
  if (strides?.some((stride) => stride !== 1)) return undefined
  const cut = startIndices.flatMap((start, axis) =>
    start === 0 && limitIndices[axis] === x!.aval.shape[axis] ? [] : axis,
  )
  const [axis] = cut
  if (axis === undefined || cut.length > 1) return undefined
  const made = to.writer.definitionOf(x!)
  if (made === undefined || !(pieced.has(made.primitive.name) || elementwise.has(made.primitive.name))) return undefined
  const cutting = { axis, start: startIndices[axis]!, limit: limitIndices[axis]! }
  const piece = new Pieces(cutting, to, source).of(x!)
  return piece && [piece()]
}
/** The same of all parts that a value is split in. */
export const splitOfPieces: Rule = ({ inputs: [x], params, source }, to) => {
  const { axis, sizes } = params as { readonly axis: number; readonly sizes: readonly number[] }
  let at = 0
  const parts = sizes.map((size) => new Pieces({ axis, start: at, limit: (at += size) }, to, source).of(x!))
  return parts.includes(undefined) ? undefined : parts.map((part) => part!())
}
const pieced = new Set(['concatenate', 'pad'])

interface Cut {
  readonly axis: number
  readonly start: number
  readonly limit: number
}
type Making = () => Atom

/** The same part of several values. */
class Pieces {
  readonly #cut: Cut
  readonly #to: Simplifier
  readonly #source: Error | undefined
  readonly #known = new Map<Atom, Making | undefined>()

  constructor(cut: Cut, to: Simplifier, source: Error | undefined) {
    this.#cut = cut
    this.#to = to
    this.#source = source
  }
  /** How to make the part of a value from one of its pieces; nothing if it lies in none. */
  of(x: Atom): Making | undefined {
    if (this.#known.has(x)) return this.#known.get(x)
    const found = this.#find(x)
    let made: Atom | undefined
    const once = found && (() => (made ??= found()))
    this.#known.set(x, once)
    return once
  }
  #find(x: Atom): Making | undefined {
    const { axis, start, limit } = this.#cut
    const to = this.#to
    const shape = x.aval.shape.map((size, d) => (d === axis ? limit - start : size))
    const scalar = to.scalarOf(x)
    if (scalar !== undefined) return () => to.shaped(scalar, { ...scalar.aval, shape })
    const made = to.writer.definitionOf(x)
    if (made === undefined) return undefined
    const { primitive, inputs, params, source } = made
    switch (primitive.name) {
      case 'concatenate': {
        if ((params as { readonly dimension: number }).dimension !== axis) return undefined
        let at = 0
        for (const operand of inputs) {
          const found = this.#within(operand, at)
          if (found !== undefined) return found
          at += operand.aval.shape[axis]!
        }
        return undefined
      }
      case 'pad': {
        const [operand, value] = inputs
        const { paddingConfig } = params as { readonly paddingConfig: readonly (readonly number[])[] }
        const [low, , interior] = paddingConfig[axis]!
        const isOther = paddingConfig.every((amounts, d) => d === axis || sameList(amounts, [0, 0, 0]))
        if (!isOther || interior !== 0) return undefined
        const isOutside = limit <= low! || start >= low! + operand!.aval.shape[axis]!
        return isOutside ? () => to.shaped(value!, { ...value!.aval, shape }) : this.#within(operand!, low!)
      }
      default: {
        if (!elementwise.has(primitive.name)) return undefined
        const parts: Making[] = []
        for (const operand of inputs) {
          const isWhole = operand instanceof Literal || operand.aval.shape.length === 0
          const part = isWhole ? () => operand : this.of(operand)
          if (part === undefined) return undefined
          parts.push(part)
        }
        const operands = (): Atom[] => parts.map((part) => part())
        return () => to.make(primitive.name, operands(), params, source)
      }
    }
  }
  /** A part of an operand that begins `by` further on, if it lies in it. */
  #within(operand: Atom, by: number): Making | undefined {
    const { axis, start, limit } = this.#cut
    const { shape } = operand.aval
    if (start < by || limit > by + shape[axis]!) return undefined
    const startIndices = shape.map((_, d) => (d === axis ? start - by : 0))
    const limitIndices = shape.map((size, d) => (d === axis ? limit - by : size))
    return () => this.#to.make('slice', [operand], { startIndices, limitIndices, strides: null }, this.#source)
  }
}
