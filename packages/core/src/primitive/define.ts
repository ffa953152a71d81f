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
  /** The meaning, on host arrays in plain TypeScript; `run` evaluates programs inside the parameters. */
  reference(args: readonly HostArray[], params: P, outs: readonly Aval[], run: Run): readonly HostArray[]

  /** Linearise at once instead of by `jvp`: what operations that hold programs need. Returns results and a map from tangents to tangents. */
  readonly linearize?: (
    primals: readonly NDArray[],
    tangents: readonly Tangent[],
    params: P,
  ) => readonly [readonly NDArray[], (tangents: readonly Tangent[]) => readonly Tangent[]]
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

/** Every primitive there is, by name. The sweep tests walk it. */
export const primitives: Map<string, AnyPrimitive> = new Map()

export function definePrimitive<P extends object>(row: Primitive<P>): Primitive<P> {
  if (primitives.has(row.name)) throw new Error(`primitive '${row.name}' is defined twice`)
  primitives.set(row.name, row as AnyPrimitive)
  return row
}
