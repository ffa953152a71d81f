/** What functions of products are made of, around their kernels: loops over batches, and calls of loop nests. */
import type { Buffer, Nest } from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import type { FunctionBuilder, FunctionRef, Register } from '../assembler/function.ts'
import type { Form } from './form.ts'
import { least } from './lanes.ts'
import { epilogue } from './pack.ts'
import type { ProductContext } from './print.ts'

export interface PrintedNest {
  readonly params: readonly Buffer[]
  readonly callee: FunctionRef
}
export const asPrinted = (context: ProductContext, nest: Nest): PrintedNest => ({
  params: nest.params,
  callee: context.printNest(nest),
})

/** What calls a nest: `to` pushes the address of the buffer that is no parameter of the function, `from` and `until` the range of the outermost variable. */
type Caller = (nest: PrintedNest, target: Buffer, to: () => void, from: () => void, until: () => void) => void
export const nestCaller =
  (f: FunctionBuilder, params: readonly Buffer[]): Caller =>
  (nest, target, to, from, until) => {
    for (const buffer of nest.params) {
      if (buffer === target) to()
      else f.get(f.param(params.indexOf(buffer)))
    }
    from()
    until()
    f.call(nest.callee)
  }

/** Blocks of batch · rows from `begin` to `end`, by batches: `body` runs for rows `first` to below `last` of each. */
export function loopBatches(
  f: FunctionBuilder,
  { begin, end, batch, first, last }: Readonly<Record<'begin' | 'end' | 'batch' | 'first' | 'last', Register>>,
  { rows, rowsPerBlock }: { readonly rows: number; readonly rowsPerBlock: number },
  body: () => void,
): void {
  const rowBlocks = Math.ceil(rows / rowsPerBlock)
  f.block((done) => {
    f.loop((again) => {
      f.get(begin).get(end).op('i32.ge_s').brIf(done)
      f.get(begin).i32(rowBlocks).op('i32.div_u').set(batch)
      f.get(begin).i32(rowBlocks).op('i32.rem_u').set(first)
      f.get(first).get(end).op('i32.add').get(begin).op('i32.sub').set(last)
      least(f, last, () => f.i32(rowBlocks))
      f.get(begin).get(last).op('i32.add').get(first).op('i32.sub').set(begin)
      f.get(first).i32(rowsPerBlock).op('i32.mul').set(first)
      f.get(last).i32(rowsPerBlock).op('i32.mul').set(last)
      least(f, last, () => f.i32(rows))
      body()
      f.br(again)
    })
  })
}

/**
 * Calls what is done with sums, for rows of a batch. Those of whole batches lie by row from `sums` on; `chunked`, those of the rows that are
 * finished from the first of them on.
 */
export function printFinish(
  context: ProductContext,
  f: FunctionBuilder,
  form: Form,
  at: {
    readonly dtype: DType
    readonly sumRow: number
    readonly bytes: number
    readonly chunked: boolean
    readonly batch: Register
    readonly sums: () => void
  },
): (from: Register, to: Register) => void {
  const { nest, sums } = epilogue(form, at.dtype, at.sumRow)
  const finish = asPrinted(context, nest)
  const callNest = nestCaller(f, form.product.params)
  const rows = form.rows.extent
  return (from, to) => {
    const t = (row: Register) => (): void => void f.get(at.batch).i32(rows).op('i32.mul').get(row).op('i32.add')
    // The nest counts from the first row of the first batch.
    const base = (): void => {
      at.sums()
      f.get(at.batch).i32(rows).op('i32.mul')
      if (at.chunked) f.get(from).op('i32.add')
      f.i32(at.sumRow * at.bytes).op('i32.mul', 'i32.sub')
    }
    callNest(finish, sums, base, t(from), t(to))
  }
}
