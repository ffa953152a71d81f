/** A program for one part of an axis: the same equations on pieces of their operands. */
import {
  type Atom,
  type Aval,
  type ClosedJaxpr,
  type Equation,
  type Factor,
  Literal,
  type Span,
  Var,
  closed,
  primitives,
} from '@fluxion/core'
import type { Entry } from './labels.ts'

/** By which factor an equation is run by parts, and which of its operands are there as a whole. */
export interface Choice {
  readonly factor: Factor
  readonly whole: readonly boolean[]
}

/**
 * Write the program of a part.
 *
 * @param choices for each equation that is run by parts, how
 * @param dimOf the dimension along which the part has a piece of an input, constant or variable; `null` if all of it
 * @param ends for each result the dimension of which the part has to give its piece, if it is to
 */
export function cutProgram(
  { jaxpr, consts }: ClosedJaxpr,
  choices: ReadonlyMap<Equation, Choice>,
  dimOf: (v: Var) => number | null,
  ends: readonly Entry[],
  span: Span,
): ClosedJaxpr {
  const pieces = new Map<Var, Atom>()
  const equations: Equation[] = []
  const pieceOf = (atom: Atom): Atom => (atom instanceof Literal ? atom : pieces.get(atom)!)
  /** The piece of what is there as a whole. */
  const sliced = (atom: Atom, dim: number): Var => {
    const { shape } = atom.aval
    const [start, size] = span(shape[dim]!)
    const params = {
      startIndices: shape.map((_, i) => (i === dim ? start : 0)),
      limitIndices: shape.map((all, i) => (i === dim ? start + size : all)),
      strides: null,
    }
    const piece = new Var(cutAval(atom.aval, dim, span))
    equations.push({ primitive: primitives.get('slice')!, inputs: [atom], params, outputs: [piece], source: undefined })
    return piece
  }

  const inputs = jaxpr.inputs.map((v) => new Var(cutAval(v.aval, dimOf(v), span)))
  jaxpr.inputs.forEach((v, i) => pieces.set(v, inputs[i]!))
  for (const v of jaxpr.constants) {
    const dim = dimOf(v)
    pieces.set(v, dim === null ? v : sliced(v, dim))
  }
  for (const equation of jaxpr.equations) {
    const choice = choices.get(equation)
    const given = equation.inputs.map(pieceOf)
    if (choice === undefined) {
      const outputs = equation.outputs.map((v) => (v === null ? null : new Var(v.aval)))
      equations.push({ ...equation, inputs: given, outputs })
      equation.outputs.forEach((v, k) => v && pieces.set(v, outputs[k]!))
      continue
    }
    const { factor, whole } = choice
    const operands = given.map((atom, i) => {
      const dim = factor.operands[i]
      return typeof dim === 'number' && whole[i] ? sliced(atom, dim) : atom
    })
    const dims = factor.results.map((entry) => (typeof entry === 'number' ? entry : null))
    const outputs = equation.outputs.map(
      (v, k) => v && new Var(factor.offset ? v.aval : cutAval(v.aval, dims[k]!, span)),
    )
    const params = factor.part?.(span) ?? equation.params
    equations.push({ ...equation, inputs: operands, params, outputs })
    equation.outputs.forEach((v, k) => {
      const out = outputs[k]!
      if (v) pieces.set(v, factor.offset && dims[k] !== null ? sliced(out!, dims[k]!) : out!)
    })
  }
  const outputs = jaxpr.outputs.map((atom, k) => {
    const [piece, end] = [pieceOf(atom), ends[k] ?? null]
    const isWhole = atom instanceof Literal || dimOf(atom) === null
    return typeof end === 'number' && isWhole ? sliced(piece, end) : piece
  })
  return closed({ constants: jaxpr.constants, inputs, equations, outputs }, consts)
}

const cutAval = (aval: Aval, dim: number | null, span: Span): Aval =>
  dim === null ? aval : { ...aval, shape: aval.shape.map((size, i) => (i === dim ? span(size)[1] : size)) }
