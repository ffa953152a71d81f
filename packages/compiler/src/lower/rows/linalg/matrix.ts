/** What lowerings of matrix operations share: batches of matrices in working memory, and loops over parts of them. */
import { type DType, type Shape, sizeOf } from '@fluxion/core'
import {
  add,
  assign,
  constant,
  eq,
  forLoop,
  i32,
  load,
  local,
  scalarType,
  select,
  store,
  variable,
} from '../../../loops/build.ts'
import { flatIndex, indexAdd, indexMul, indexRange } from '../../../loops/indices.ts'
import { type Buffer, type Expr, type Local, LoopVar, type Stmt } from '../../../loops/ir.ts'
import type { KernelBuilder, Operand, Target } from '../../lowering.ts'
import { converted } from '../elementwise/convert.ts'

/** What matrices are computed in: as the reference in float64, where there is one. */
export const workDtype = ({ host }: Target): 'float64' | 'float32' => (host ? 'float64' : 'float32')
export const precision = ({ host }: Target): number => (host ? 2 ** -52 : 2 ** -23)
/** Loops over the matrices of a batch. */
export interface Batch {
  readonly grid: readonly LoopVar[]
  /** Coordinates of the matrix that the loops are at. */
  readonly index: readonly Expr[]
  /** Its number. */
  readonly number: Expr
  readonly count: number
}
export function batchOf(shape: Shape): Batch {
  const leading = shape.slice(0, -2)
  const grid = leading.map((size, axis) => new LoopVar(`b${axis}`, size))
  const index = grid.map(variable)
  return { grid, index, number: flatIndex(index, leading), count: sizeOf(leading) }
}

/** Matrices of `rows` × `columns` one after the other, seen from the loops of a batch. */
export interface Matrices {
  readonly buffer: Buffer
  readonly rows: number
  readonly columns: number
  /** Where an element lies. */
  at(row: Expr, column: Expr): Expr
  get(row: Expr, column: Expr): Expr
  set(row: Expr, column: Expr, value: Expr): Stmt
}
export function matricesIn(buffer: Buffer, { number }: Batch, rows: number, columns: number): Matrices {
  const base = indexMul(number, rows * columns)
  const at = (row: Expr, column: Expr): Expr => indexAdd(base, indexMul(row, columns), column)
  return {
    buffer,
    rows,
    columns,
    at,
    get: (row, column) => load(buffer, at(row, column)),
    set: (row, column, value) => store(buffer, at(row, column), value),
  }
}
export const workMatrices = (build: KernelBuilder, batch: Batch, rows: number, columns: number): Matrices =>
  matricesIn(build.temporary(workDtype(build.target), batch.count * rows * columns), batch, rows, columns)

/** Give each element of matrices a value. */
export function fillMatrices(
  build: KernelBuilder,
  name: string,
  { grid }: Batch,
  to: Matrices,
  value: (row: Expr, column: Expr) => Expr,
): void {
  const [row, column] = [new LoopVar('i', to.rows), new LoopVar('j', to.columns)]
  const [i, j] = [variable(row), variable(column)]
  build.nest(name, [...grid, row, column], [to.set(i, j, value(i, j))])
}
/** An operand's element in the dtype of work. */
export const workElement = ({ target }: KernelBuilder, { aval, at }: Operand, index: readonly Expr[]): Expr =>
  converted(at(index), aval.dtype, workDtype(target))
/** A value of the dtype of work in the dtype of a result. */
export const resultElement = ({ target }: KernelBuilder, value: Expr, dtype: DType): Expr =>
  converted(value, workDtype(target), dtype)
/** An element of the identity matrix. */
export const identityElement = (row: Expr, column: Expr, dtype: DType): Expr =>
  select(eq(row, column), constant(scalarType(dtype), 1), constant(scalarType(dtype), 0))

/** Run a body for each number from `start` to below `end`, both made of constants and loops' variables. */
export function loopFrom(
  name: string,
  start: Expr | number,
  end: Expr | number,
  body: (number: Expr) => readonly Stmt[],
): Stmt {
  const from = typeof start === 'number' ? i32(start) : start
  const extent = indexAdd(end, indexMul(from, -1))
  const loop = new LoopVar(name, Math.max(0, indexRange(extent)[1]))
  return forLoop(loop, body(indexAdd(from, variable(loop))), extent)
}
/** Add up a value over the numbers from `start` to below `end`. */
export function sumFrom(
  into: Local,
  first: Expr,
  start: Expr | number,
  end: Expr | number,
  value: (number: Expr) => Expr,
): readonly Stmt[] {
  return [assign(into, first), loopFrom('k', start, end, (k) => [assign(into, add(local(into), value(k)))])]
}
