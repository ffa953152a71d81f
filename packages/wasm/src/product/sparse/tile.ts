/** Operands of 0s and 1s that are no bytes or bits in memory, computed as bytes by loop nests: by inner rows where they lie along rows, else by rows. */
import { Buffer, convert, indexMul, variable } from '@fluxion/compiler'
import type { FunctionBuilder, Register } from '../../assembler/function.ts'
import { asPrinted, nestCaller } from '../calls.ts'
import type { Form } from '../form.ts'
import { liesAlong } from '../order.ts'
import { leftColumns, leftPacking, type Packing } from '../pack.ts'
import type { ProductContext } from '../print.ts'
import type { Lying, Side } from './operand.ts'

/** What is computed for all rows at once may take so many bytes. */
const mostColumnBytes = 256 * 1024

export interface Tile {
  readonly lying: Lying
  /** What it takes, computed for so many rows at once. */
  bytes(chunk: number): number
  /** Inner rows of all rows, or rows of whole blocks of the inner dimension and of the rest. */
  readonly columns?: Packing
  readonly whole?: Packing | undefined
  readonly rest?: Packing | undefined
}

export function tileOf(form: Form, block: number): Tile {
  const { left, rows, groups } = form
  const truths: Form = { ...form, left: { ...left, grouped: convert('bool', left.grouped) } }
  const lying = (along: Side, row: number, inner: number): Lying => ({
    packed: undefined,
    big: false,
    along,
    buffer: new Buffer('tile', 'bool', 0),
    base: indexMul(variable(form.batch), 0),
    row,
    inner,
  })
  if (rows.extent * block <= mostColumnBytes && liesAlong(left.grouped, groups.rows, groups.inner)) {
    return {
      lying: lying('rows', 1, rows.extent),
      bytes: () => block * rows.extent,
      columns: leftColumns(truths, 'bool', rows.extent),
    }
  }
  return { lying: lying('inner', block, 1), bytes: (chunk) => chunk * block, ...leftPacking(truths, 'bool', block) }
}

interface Registers {
  readonly batch: Register
  readonly k: Register
  readonly count: Register
  readonly part: Register
  readonly partEnd: Register
}
/** What computes a tile's inner elements k to k + count, of all rows or of those from `part` to `partEnd`; `at` pushes where it lies. */
export function tilePrinter(
  context: ProductContext,
  f: FunctionBuilder,
  form: Form,
  { columns, whole, rest }: Tile,
  block: number,
  { batch, k, count, part, partEnd }: Registers,
  at: () => void,
): () => void {
  const [rows, inner] = [form.rows.extent, form.inner.extent]
  const callNest = nestCaller(f, form.product.params)
  /** The nest's first row would lie so many rows before the tile. */
  const before = (from: () => void, row: number) => (): void => {
    at()
    from()
    f.i32(row).op('i32.mul', 'i32.sub')
  }
  if (columns !== undefined) {
    const nest = asPrinted(context, columns.nest)
    const from = (): void => void f.get(batch).i32(inner).op('i32.mul').get(k).op('i32.add')
    const until = (): void => (from(), void f.get(count).op('i32.add'))
    return () => callNest(nest, columns.target, before(from, rows), from, until)
  }
  const printer = (packing: Packing | undefined, blocks: number): (() => void) | undefined => {
    if (packing === undefined) return undefined
    const nest = asPrinted(context, packing.nest)
    // The outermost variable is (batch · blocks + block) · rows + row.
    const from = (row: Register) => (): void => {
      f.get(batch).i32(blocks).op('i32.mul')
      if (blocks > 1) f.get(k).i32(block).op('i32.div_u', 'i32.add')
      f.i32(rows).op('i32.mul').get(row).op('i32.add')
    }
    return () => callNest(nest, packing.target, before(from(part), block), from(part), from(partEnd))
  }
  const [wholes, last] = [printer(whole, Math.floor(inner / block)), printer(rest, 1)]
  if (wholes === undefined || last === undefined) return wholes ?? last ?? (() => {})
  return () => {
    f.get(count).i32(block).op('i32.eq')
    f.if(wholes, last)
  }
}
