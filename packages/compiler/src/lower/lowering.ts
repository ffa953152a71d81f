/** What it takes to turn a primitive into loops: one row for each, of one of four kinds. `rows/` holds them, `table.ts` lists them. */
import type { Aval, DType } from '@fluxion/core'
import type { TileLimits } from '../passes/tiles/size.ts'
import type { Buffer, Combine, Expr, LoopVar, Nest, Stmt } from '../loops/ir.ts'

/** A value's element at coordinates, in the dtype's machine type; coordinates must be in bounds, even where the element is not used in the end. */
export type At = (index: readonly Expr[]) => Expr
export interface Operand {
  readonly aval: Aval
  readonly at: At
  /** Whether every element is known to be 0 or 1. */
  readonly zeroOne?: boolean
}
/** What a back end can do, where lowerings differ. */
export interface Target {
  readonly name: 'wasm' | 'webgpu'
  /** Points of a grid run by the thousand: sequential loops over long axes are to be avoided. */
  readonly parallel: boolean
  /** Has f64, and functions of the host. */
  readonly host: boolean
  /** From where on stretches of programs run tile by tile, if points do not run side by side and this is not as usual. */
  readonly tiles?: TileLimits
  /** From how many operations on iterations go in groups that may run side by side, if that is not as usual. */
  readonly groups?: { readonly work: number }
}

/** Each element of a result is an expression of elements of operands: fused into whatever uses it. */
export interface MapRow<P extends object> {
  readonly kind: 'map'
  /** The element of result number `result` at `index`, as a value that its dtype can hold. */
  at(
    operands: readonly Operand[],
    params: P,
    outs: readonly Aval[],
    index: readonly Expr[],
    result: number,
    target: Target,
  ): Expr
}
/** Elements along axes of the one operand are combined in any order; the result has the other axes. */
export interface ReduceRow<P extends object> {
  readonly kind: 'reduce'
  axes(params: P): readonly number[]
  readonly combine: Combine
}
/** A sum of products: see `Product`. The result's element at `index` is the sum, narrowed to its dtype. */
export interface ProductLoops {
  readonly batch: readonly LoopVar[]
  readonly rows: readonly LoopVar[]
  readonly columns: readonly LoopVar[]
  readonly inner: readonly LoopVar[]
  readonly left: Expr
  readonly right: Expr
  readonly zeroOne?: 'left' | 'right' | 'both' | undefined
  /** Coordinates of the result, over batch, rows and columns: each element once. */
  readonly index: readonly Expr[]
}
export interface ProductRow<P extends object> {
  readonly kind: 'product'
  loops(operands: readonly Operand[], params: P, outs: readonly Aval[]): ProductLoops
}
/** Anything else: kernels, one after the other. */
export interface KernelRow<P extends object> {
  readonly kind: 'kernels'
  /** Emit nests that fill `outs`, row-major buffers that hold anything before. */
  emit(
    build: KernelBuilder,
    operands: readonly Operand[],
    params: P,
    outs: readonly Buffer[],
    outAvals: readonly Aval[],
  ): void
}
export interface KernelBuilder {
  readonly target: Target
  /** Memory for values in between, which holds anything before. */
  temporary(dtype: DType, length: number): Buffer
  /** An operand's elements in memory, row-major: for what reads them in any order or more than once. */
  buffer(operand: Operand): Buffer
  /** Run a loop nest. Its points may not depend on each other: what must see all of one nest's stores goes into the next. */
  nest(name: string, grid: readonly LoopVar[], body: readonly Stmt[]): Nest
}
export type Row<P extends object = never> = MapRow<P> | ReduceRow<P> | ProductRow<P> | KernelRow<P>
/** Rows by the name of their primitive. */
export type Rows = Readonly<Record<string, Row>>
