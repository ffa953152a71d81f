/**
 * The loop IR: kernels as loop nests over buffers, with scalar expressions of explicit machine types. WebAssembly and WGSL are two printers
 * of it; `interpret.ts` is its meaning.
 *
 * A kernel's grid is a nest of parallel loops; its body runs once for each point, and points do not see each other's stores. Expressions are
 * immutable and shared by identity: a printer computes a shared expression once at each place where its variables are bound.
 */
import type { DType } from '@fluxion/core'

/** What expressions compute with; dtypes are what buffers store. Narrow integers compute as 32 bits, half floats as f32. */
export type ScalarType = 'f32' | 'f64' | 'i32' | 'u32' | 'bool'

/** A buffer as a kernel knows it: one of its parameters, told apart by identity. A load turns its dtype into the machine type, a store back. */
export class Buffer {
  readonly name: string
  readonly dtype: DType
  /** In elements. */
  readonly length: number
  /** The dtype that all elements can be values of, where that is narrower than the one they are stored in; 0 and 1 are those of bool. */
  readonly holds: DType
  constructor(name: string, dtype: DType, length: number, holds: DType = dtype) {
    this.name = name
    this.dtype = dtype
    this.length = length
    this.holds = holds
  }
}
/** A loop's counter: an i32 that runs from 0 to below the extent. */
export class LoopVar {
  readonly name: string
  /** The extent; of a loop whose extent is computed, the largest that it can have. */
  readonly extent: number
  constructor(name: string, extent: number) {
    this.name = name
    this.extent = extent
  }
}
/** A scalar variable of a kernel's body. */
export class Local {
  readonly name: string
  readonly type: ScalarType
  constructor(name: string, type: ScalarType) {
    this.name = name
    this.type = type
  }
}

/** `not` flips bits, of bool the truth; `nearest` rounds ties to even; `popcount` and `clz` are of u32. */
export type UnaryOp = 'neg' | 'abs' | 'sqrt' | 'floor' | 'ceil' | 'trunc' | 'nearest' | 'not' | 'popcount' | 'clz'
/**
 * Of floats `min` and `max` give NaN if one is, and order −0 below 0. Integers wrap; `div` and `rem` of integers truncate towards zero (a
 * printer may assume a divisor that is not 0, and not −1 with the least dividend). `floorDiv` and `floorMod` are of i32 with a positive constant divisor:
 * what index arithmetic needs. `and`, `or`, `xor` are of integers and bool, shifts of i32 (`shr` arithmetic) and u32 (`shr` logical) by amounts below 32.
 */
export type BinaryOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'rem'
  | 'floorDiv'
  | 'floorMod'
  | 'min'
  | 'max'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr'
export type CompareOp = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'

export interface Const {
  readonly op: 'const'
  readonly type: ScalarType
  /** bool as 0 and 1. */
  readonly value: number
}
export interface VarRef {
  readonly op: 'var'
  readonly type: 'i32'
  readonly variable: LoopVar
}
export interface LocalRef {
  readonly op: 'local'
  readonly type: ScalarType
  readonly local: Local
}
export interface Load {
  readonly op: 'load'
  readonly type: ScalarType
  readonly buffer: Buffer
  /** An i32, in elements, in bounds. */
  readonly index: Expr
}
export interface Unary {
  readonly op: 'unary'
  readonly fn: UnaryOp
  readonly type: ScalarType
  readonly x: Expr
}
export interface Binary {
  readonly op: 'binary'
  readonly fn: BinaryOp
  readonly type: ScalarType
  readonly x: Expr
  readonly y: Expr
}
/** x·y + z, rounded once or twice as is fastest: only where either will do. */
export interface Fma {
  readonly op: 'fma'
  readonly type: 'f32' | 'f64'
  readonly x: Expr
  readonly y: Expr
  readonly z: Expr
}
export interface Compare {
  readonly op: 'compare'
  readonly fn: CompareOp
  readonly type: 'bool'
  readonly x: Expr
  readonly y: Expr
}
/** Both sides may be computed, whatever the condition: neither may load out of bounds. */
export interface Select {
  readonly op: 'select'
  readonly type: ScalarType
  readonly condition: Expr
  readonly x: Expr
  readonly y: Expr
}
/** Between machine types: floats to integers truncate and saturate, NaN becomes 0; to bool is `≠ 0`. */
export interface Convert {
  readonly op: 'convert'
  readonly type: ScalarType
  readonly x: Expr
}
/** The same 32 bits as another of f32, i32, u32. */
export interface Bitcast {
  readonly op: 'bitcast'
  readonly type: 'f32' | 'i32' | 'u32'
  readonly x: Expr
}
/** To what a narrower dtype can hold: floats round to nearest even, integers keep their low bits (signed ones extend the sign). */
export interface Narrow {
  readonly op: 'narrow'
  readonly type: ScalarType
  readonly dtype: DType
  readonly x: Expr
}
/** A scalar function of the kernel's, printed as a function of its own: for what has loops inside. */
export interface Call {
  readonly op: 'call'
  readonly type: ScalarType
  readonly callee: ScalarFunction
  readonly args: readonly Expr[]
}
/** A function of f64s that the host runs: what a CPU back end takes from JavaScript, and a GPU does not have. */
export interface Host {
  readonly op: 'host'
  readonly type: 'f64'
  readonly fn: string
  readonly args: readonly Expr[]
}
export type Expr =
  | Const
  | VarRef
  | LocalRef
  | Load
  | Unary
  | Binary
  | Fma
  | Compare
  | Select
  | Convert
  | Bitcast
  | Narrow
  | Call
  | Host

/** Pure, without buffers; locals of the body are its own. */
export interface ScalarFunction {
  readonly name: string
  readonly params: readonly Local[]
  readonly body: readonly Stmt[]
  readonly result: Expr
}

/** How values that belong together in any order are made one; of bool `and` and `or`. */
export type Combine = 'add' | 'mul' | 'min' | 'max' | 'and' | 'or' | 'xor'

export interface For {
  readonly op: 'for'
  readonly variable: LoopVar
  /** An i32 at most the variable's extent. */
  readonly extent: Expr
  readonly body: readonly Stmt[]
}
export interface While {
  readonly op: 'while'
  readonly condition: Expr
  readonly body: readonly Stmt[]
}
export interface If {
  readonly op: 'if'
  readonly condition: Expr
  readonly yes: readonly Stmt[]
  readonly no: readonly Stmt[]
}
/** Declares a local, or gives it a new value. An expression over a local means its value where the expression is *used* by a statement. */
export interface Assign {
  readonly op: 'assign'
  readonly local: Local
  readonly value: Expr
}
/** The value is one that the buffer's dtype can hold. */
export interface Store {
  readonly op: 'store'
  readonly buffer: Buffer
  readonly index: Expr
  readonly value: Expr
}
/** Combine with what is there; points of the grid may update the same element, each update whole. */
export interface Update {
  readonly op: 'update'
  readonly buffer: Buffer
  readonly index: Expr
  readonly combine: Combine
  readonly value: Expr
}
/**
 * Loops over `variables`, combining for each accumulator one value a turn, in any order. Sums of floats are as exact as pairwise summation
 * or better.
 */
export interface Reduce {
  readonly op: 'reduce'
  readonly variables: readonly LoopVar[]
  readonly accumulators: readonly { readonly into: Local; readonly combine: Combine; readonly value: Expr }[]
}
export type Stmt = For | While | If | Assign | Store | Update | Reduce

/** A loop nest: `body` runs for each point of the grid. */
export interface Nest {
  readonly kind: 'nest'
  readonly name: string
  /** Every buffer of the body, in the order of a launch's arguments. */
  readonly params: readonly Buffer[]
  readonly grid: readonly LoopVar[]
  readonly body: readonly Stmt[]
}
/**
 * Sums of products: for each point of batch × rows × columns, `sum` is the sum over `inner` of left · right, rounded from f32 or wider (integers
 * wrap, of bool the disjunction of conjunctions), then `body` runs. `left` varies with batch, rows and inner, `right` with batch, inner and columns.
 * Matrix products, and convolutions as products of windows.
 */
export interface Product {
  readonly kind: 'product'
  readonly name: string
  readonly params: readonly Buffer[]
  readonly batch: readonly LoopVar[]
  readonly rows: readonly LoopVar[]
  readonly columns: readonly LoopVar[]
  readonly inner: readonly LoopVar[]
  readonly left: Expr
  readonly right: Expr
  /** Operands that are 0 or 1 everywhere, of floats +0 or 1: where few are 1, sums of what they select take less than products. */
  readonly zeroOne?: 'left' | 'right' | 'both' | undefined
  /** A bool that says whether all elements of the other operand are finite, where that is in memory: products need not look. */
  readonly finite?: Load | undefined
  readonly sum: Local
  readonly body: readonly Stmt[]
}
export type Kernel = Nest | Product
