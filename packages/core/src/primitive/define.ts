/** What a primitive is: one record with all its rules side by side. Adding a primitive is adding one. */
import type { NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import type { Aval } from '../ir/aval.ts'
import type { ClosedJaxpr } from '../ir/jaxpr.ts'

/** A tangent or cotangent that is known to be zero, and is never computed with. */
export class Zero {
  /** Tells it from an array in types, which are compared by structure. */
  readonly kind: 'zero' = 'zero'
  readonly aval: Aval
  constructor(aval: Aval) {
    this.aval = aval
  }
}
export type Tangent = NDArray | Zero
/** Stands, in a transpose rule, for an operand that the operation is linear in. */
export class Linear {
  readonly kind: 'linear' = 'linear'
  readonly aval: Aval
  constructor(aval: Aval) {
    this.aval = aval
  }
}
/** The batch axis of a value; `null` for a value that does not depend on the batch. */
export type BatchDim = number | null
export interface BatchAxis {
  readonly size: number
  readonly name: string | undefined
}
export type Run = (program: ClosedJaxpr, args: readonly HostArray[]) => readonly HostArray[]

/** What makes a whole of partial arrays of one shape. */
export type Combination = 'sum' | 'product' | 'max' | 'min' | 'and' | 'or' | 'xor'
/** Where a part lies along a dimension of the given size: its first element, and how many there are. */
export type Span = (size: number) => readonly [start: number, size: number]
/**
 * One way to run an operation by parts, as one letter of an einsum does: in `(i k, k j) -> (i j), k sum` the factor `i` is
 * `{ operands: [0, null], results: [0] }`, and `k` is `{ operands: [1, 0], results: ['sum'] }`. A dimension in no factor cannot be split.
 */
export interface Factor {
  /** For each operand the dimension that is split; a combination where each part is given a partial operand; `null` where it is given all. */
  readonly operands: readonly (number | Combination | null)[]
  /** For each result the dimension that is split; how partial results combine; `null` where every part gives the whole result. */
  readonly results: readonly (number | Combination | null)[]
  /** Into how many pieces the dimensions can be cut: the greatest common divisor of their sizes, if not said otherwise. */
  readonly units?: number
  /** What the operation gives depends on where the part starts: a part is run whole, and cut out of the result. */
  readonly offset?: true
  /** The parameters of a part depend on where it starts, not only on how long it is. */
  readonly placed?: true
  /** The parameters of a part, where they are not those of the whole. */
  part?(span: Span): object
}
/** A program inside an operation: which operand each input is, and which result each output. */
export interface Inner {
  readonly program: ClosedJaxpr
  /** An operand of one more dimension than the input is seen one element of its first dimension at a time; results likewise. */
  readonly inputs: readonly number[]
  /** `null` for an output that decides what happens next: every part has to find the same. */
  readonly outputs: readonly (number | null)[]
}
export interface InnerFactor extends Omit<Factor, 'part' | 'offset' | 'units'> {
  readonly units: number
  /** The programs of a part, in order. */
  parts(span: Span): readonly ClosedJaxpr[]
}
/** Derive factors from those of the programs inside; `carries` pairs an operand with the result that takes its place in the next step. */
export type Derive = (
  operands: readonly Aval[],
  results: readonly Aval[],
  inner: readonly Inner[],
  carries?: readonly (readonly [operand: number, result: number])[],
) => readonly InnerFactor[]

/**
 * Arrays are positional, everything static is in `params`, results are always a list. JVP, transpose and batch rules run under the
 * trace that their results belong to, so they simply call operations.
 */
export interface Primitive<P extends object = object> {
  readonly name: string
  /** Abstract evaluation: the results' types; throws on operands that do not fit. */
  type(args: readonly Aval[], params: P): readonly Aval[]
  /** Push tangents forward. A tangent that is zero stays a `Zero`; not called when all are. */
  readonly jvp?: (
    primals: readonly NDArray[],
    tangents: readonly Tangent[],
    params: P,
  ) => readonly [readonly NDArray[], readonly Tangent[]]
  /** Pull cotangents of the results back to the operands that are `Linear`; `null` for the other operands. Not called when all are zero. */
  readonly transpose?: (
    cts: readonly Tangent[],
    args: readonly (NDArray | Linear)[],
    params: P,
  ) => readonly (Tangent | null)[]
  /** Operands with a batch axis each, or none: the same results as a loop. Not called when no operand has one. */
  readonly batch?: (
    args: readonly NDArray[],
    dims: readonly BatchDim[],
    params: P,
    axis: BatchAxis,
  ) => readonly [readonly NDArray[], readonly BatchDim[]]
  /** How axes relate: all ways to run the operation by parts of its operands. */
  axes(args: readonly Aval[], params: P, outs: readonly Aval[], derive: Derive): readonly Factor[]
  /** The meaning, on host arrays in plain TypeScript; `run` evaluates programs inside the parameters. */
  reference(args: readonly HostArray[], params: P, outs: readonly Aval[], run: Run): readonly HostArray[]

  /** Linearise at once instead of by `jvp`: what operations that hold programs need. Returns results and a map from tangents to tangents. */
  readonly linearize?: (
    primals: readonly NDArray[],
    tangents: readonly Tangent[],
    params: P,
  ) => readonly [readonly NDArray[], (tangents: readonly Tangent[]) => readonly Tangent[]]
  /** Known only by its transpose: in a linear program without a tangent among its operands it is zero, and is not computed. */
  readonly onlyTransposed?: true
  /** Make parameters that are functions into programs when the operation is staged out. */
  readonly stage?: (params: P, args: readonly NDArray[]) => readonly [object, readonly NDArray[]]
  /** Run at top level by calling functions among the parameters, which see values there. */
  readonly direct?: (args: readonly NDArray[], params: P) => readonly NDArray[] | undefined
  /** Names of batch axes that the operation communicates over, other than through its operands. */
  readonly axisNames?: (params: P) => readonly string[]
  /** The operation is kept, in order, even if its results are not used. */
  readonly effectful?: true
  /** Parameters as printed programs show them, if not as they are; programs among them are the same objects every time. */
  readonly show?: (params: P, operands: readonly Aval[]) => object
}
// The table holds primitives of all parameter types; methods are bivariant, so a row of a narrower type is one of these.
export type AnyPrimitive = Primitive<never>
/** A row of the table as one that takes any parameters: what runs programs hands each row the parameters of its own equation. */
export const runnable = (primitive: AnyPrimitive): Primitive => primitive as unknown as Primitive

/** Every primitive there is, by name. The sweep tests walk it. */
export const primitives: Map<string, AnyPrimitive> = new Map()

export function definePrimitive<P extends object>(row: Primitive<P>): Primitive<P> {
  if (primitives.has(row.name)) throw new Error(`primitive '${row.name}' is defined twice`)
  primitives.set(row.name, row as AnyPrimitive)
  return row
}
