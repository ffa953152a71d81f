/** Lines of elements that are sorted. */
import type { DType } from '@fluxion/core'
import { load, store, variable } from '../../../loops/build.ts'
import { flatIndex } from '../../../loops/indices.ts'
import { type Buffer, type Expr, type LoopVar, type Stmt } from '../../../loops/ir.ts'
import { pointsOf } from '../../../loops/visit.ts'
import type { KernelBuilder } from '../../lowering.ts'
import type { After } from './order.ts'

/** One of the arrays that are sorted along with each other. */
export interface Column {
  readonly dtype: DType
  /** The value of an element by its number in the line. */
  readonly read: (number: Expr) => Expr
  readonly out: Buffer
}
export interface Lines {
  readonly name: string
  /** Loops over the lines. */
  readonly grid: readonly LoopVar[]
  readonly length: number
  /** So many elements of each line are wanted, the first ones. */
  readonly kept: number
  readonly columns: readonly Column[]
  readonly after: After
  /** Where the element that comes to a number goes, in all results. */
  readonly place: (number: Expr) => Expr
  /** Whether that is where it lies in an array of lines, one after the other. */
  readonly isContiguous: boolean
}

/** The number of a line. */
export const lineOf = ({ grid }: Lines): Expr =>
  flatIndex(
    grid.map(variable),
    grid.map(({ extent }) => extent),
  )
/** Memory for all lines, one after the other, for each column. */
export function linesOf(build: KernelBuilder, { grid, length, columns }: Lines): Buffer[] {
  const size = length * pointsOf(grid)
  return columns.map(({ dtype }) => build.temporary(dtype, size))
}
export const loads = (buffers: readonly Buffer[], at: Expr): Expr[] => buffers.map((buffer) => load(buffer, at))
export const stores = (buffers: readonly Buffer[], at: Expr, values: readonly Expr[]): Stmt[] =>
  buffers.map((buffer, i) => store(buffer, at, values[i]!))
