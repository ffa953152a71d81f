/**
 * Products by blocks: the right operand in panels of a few columns, packed unless few rows use it; blocks of the inner dimension that let a panel stay in
 * the first cache and a block of rows in the second; the rest is micro-kernels.
 */
import { type Buffer, type LoopVar, pointsOf } from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import type { Register, ValueType } from '../assembler/function.ts'
import { computable, emitIndex } from './address.ts'
import { type PrintedNest, asPrinted, loopBatches, nestCaller, printFinish } from './calls.ts'
import { destinationOf, type Form, type Plain } from './form.ts'
import { type SumType, advance, lanesOf, least, loopWhole, parameters, registers } from './lanes.ts'
import type { MicroShape } from './micro.ts'
import { liesAlong } from './order.ts'
import { leftColumns, leftPacking, loopBlock, type Packing, panelCopy, rightPacking, transposition } from './pack.ts'
import { printPanels } from './panels.ts'
import type { PrintedProduct, ProductContext } from './print.ts'

export const dtypeOf: Readonly<Record<SumType, DType>> = { f32: 'float32', f64: 'float64', i32: 'int32', u32: 'uint32' }
/** Vectors by rows where there are only so many rows: enough sums in flight to hide the latency of adding. */
const thinVectors = [0, 8, 4, 3, 2, 2, 2]
/** Inner blocks: a panel of eight columns by this many floats takes half of a first-level cache. */
const innerBlock = 256
const longestBlock = 384
/** What rows of the left operand and sums of a block may take of the second-level cache. */
const blockBytes = 128 * 1024
/** An operand computed by inner rows may take so much scratch. */
const mostColumnBytes = 8 * 2 ** 20
/** With more rows than this packing the right operand pays: sooner where its rows lie so far apart that they fall into the same few cache lines. */
const rowsUnpacked = (rowBytes: number): number => (rowBytes < 2048 ? 24 : 12)

interface Tile {
  readonly rows: number
  readonly vectors: number
}
function tileOf(rows: number, fused: boolean): Tile {
  const most = fused ? 6 : 4
  if (rows <= most) return { rows: Math.max(1, rows), vectors: thinVectors[rows]! }
  return { rows: Math.ceil(rows / Math.ceil(rows / most)), vectors: 2 }
}
/** How many inner elements make a block; if the left operand is computed, whole loops of the inner variables at best. */
function innerBlockOf(vars: readonly LoopVar[], computed: boolean, bytes: number): number {
  const scale = 4 / bytes
  const inner = pointsOf(vars)
  if (inner <= longestBlock * scale) return inner
  const looped = computed ? loopBlock(vars, (innerBlock * scale) / 2, longestBlock * scale) : undefined
  if (looped !== undefined) return looped
  const blocks = Math.ceil(inner / (innerBlock * scale))
  return Math.ceil(inner / blocks / 4) * 4
}

export interface PrintedGemm extends PrintedProduct {
  readonly rowsPerBlock: number
  readonly innerBlock: number
}
/**
 * A product of numbers as a function of its parameters' addresses, of a range of blocks of batch · rows, and of an address for scratch. If it is `ranged`
 * it takes a range of the inner dimension too, of whole blocks, and unless that is the first one adds to the sums at the destination.
 */
export function printGemm(context: ProductContext, form: Form, ranged = false): PrintedGemm {
  const { module, relaxed } = context
  const type = form.type as SumType
  const lanes = lanesOf[type]
  const { bytes } = lanes
  const dtype = dtypeOf[type]
  const [rows, columns, inner] = [form.rows.extent, form.columns.extent, form.inner.extent]
  const tile = tileOf(rows, relaxed && lanes.fused !== undefined)
  const width = tile.vectors * lanes.count
  const left = usable(form.left.plain, form)
  const right = usable(form.right.plain, form)
  const destination = destinationOf(form)

  const direct = right?.outer === 1 && rows <= rowsUnpacked(right.inner * bytes) ? right : undefined
  const leftDirect = left !== undefined && (left.inner === 1 || columns <= 32) ? left : undefined
  const block =
    !ranged && direct !== undefined && rows <= tile.rows
      ? inner
      : innerBlockOf(form.groups.inner, left === undefined, bytes)
  const blocks = Math.ceil(inner / block)
  // Operands that lie along rows are computed by inner rows, then transposed.
  const byColumns =
    left === undefined &&
    bytes === 4 &&
    rows * block * bytes <= mostColumnBytes &&
    liesAlong(form.left.grouped, form.groups.rows, form.groups.inner)
  const sumRow = Math.ceil(columns / lanes.count) * lanes.count
  const once = blocks === 1
  const perRow =
    (leftDirect === undefined || direct === undefined ? block : 0) + (destination === undefined && once ? sumRow : 0)
  const wholeRows = Math.ceil(rows / tile.rows) * tile.rows
  const chunk = Math.min(
    wholeRows,
    tile.rows * Math.max(1, Math.floor(blockBytes / bytes / Math.max(1, perRow) / tile.rows)),
  )

  // Scratch: packed right, packed left, sums. Vectors may reach past each.
  const panel = block * width * bytes
  const rightBytes = direct === undefined ? Math.ceil(columns / width) * panel + 128 : 0
  const leftBytes = leftDirect === undefined ? (chunk + 4) * block * bytes + 128 : 0
  const columnBytes = byColumns ? block * rows * bytes + 64 : 0
  const sumBytes = destination === undefined ? (once ? chunk : wholeRows) * sumRow * bytes + 64 : 0

  const { params } = form.product
  const own = params.length + (ranged ? 5 : 3)
  const f = module.function(form.product.name, new Array<ValueType>(own).fill('i32'))
  const { begin, end, scratch } = parameters(f, params.length, 'begin', 'end', 'scratch')
  const range = ranged ? parameters(f, params.length + 3, 'from', 'to') : undefined
  const names = ['batch', 'first', 'last', 'k', 'count', 'row', 'rowEnd', 'at', 'until', 'rightAt', 'outAt'] as const
  const { batch, first, last, k, count, row, rowEnd, at, until, rightAt, outAt } = registers(f, ...names)
  const rowBlocks = Math.ceil(rows / tile.rows)
  const leftScratch = (): void => void f.get(scratch).i32(rightBytes).op('i32.add')
  const columnScratch = (): void =>
    void f
      .get(scratch)
      .i32(rightBytes + leftBytes + sumBytes)
      .op('i32.add')
  const sumScratch = (): void =>
    void f
      .get(scratch)
      .i32(rightBytes + leftBytes)
      .op('i32.add')

  const shape: MicroShape = {
    type,
    rows: tile.rows,
    columns: width,
    relaxed,
    leftRow: leftDirect === undefined ? block * bytes : leftDirect.outer * bytes,
    leftInner: leftDirect === undefined ? bytes : leftDirect.inner * bytes,
    rightInner: direct === undefined ? width * bytes : direct.inner * bytes,
    outRow: destination === undefined ? sumRow * bytes : destination.row * bytes,
  }
  const panels = printPanels(context, shape, {
    columns,
    tailRows: rows % tile.rows,
    panel: direct === undefined ? panel : width * bytes,
  })
  const address = (buffer: Buffer): Register => f.param(params.indexOf(buffer))
  const callNest = nestCaller(f, params)
  const print = ({ nest }: Pick<Packing, 'nest'>): PrintedNest => asPrinted(context, nest)

  const packRight = ((): (() => void) => {
    if (direct !== undefined) return () => {}
    const source = (plain: Plain): void => {
      f.get(address(plain.buffer))
      emitIndex(f, plain.base, batch)
      f.get(k).i32(plain.inner).op('i32.mul', 'i32.add').i32(bytes).op('i32.mul', 'i32.add')
    }
    if (right?.outer === 1) {
      const copy = panelCopy(module, lanes, { columns, width, row: right.inner * bytes, panel })
      return () => {
        source(right)
        f.get(scratch).get(count).call(copy)
      }
    }
    const turned =
      right?.inner === 1 && bytes === 4 ? transposition(module, right.outer * bytes, width * bytes) : undefined
    if (turned !== undefined && right !== undefined) {
      const whole = Math.floor(columns / width)
      return () => {
        source(right)
        f.set(rightAt).get(scratch).set(outAt)
        f.i32(0).set(at).i32(whole).set(until)
        loopWhole(f, at, until, 1, () => {
          f.get(rightAt).get(outAt).i32(width).get(count).call(turned)
          advance(f, rightAt, width * right.outer * bytes)
          advance(f, outAt, panel)
        })
        if (columns % width > 0)
          f.get(rightAt)
            .get(outAt)
            .i32(columns % width)
            .get(count)
            .call(turned)
      }
    }
    const parts = rightPacking(form, dtype, width, block).map((part) => ({ ...print(part), target: part.target }))
    const from = (): void => void f.get(batch).i32(inner).op('i32.mul').get(k).op('i32.add')
    const to = (): void => {
      f.get(scratch)
      from()
      f.i32(width * bytes).op('i32.mul', 'i32.sub')
    }
    return () => {
      for (const part of parts) callNest(part, part.target, to, from, () => (from(), f.get(count).op('i32.add')))
    }
  })()

  const packColumns = ((): (() => void) => {
    if (!byColumns) return () => {}
    const packing = leftColumns(form, dtype, rows)
    const printed = print(packing)
    const from = (): void => void f.get(batch).i32(inner).op('i32.mul').get(k).op('i32.add')
    const to = (): void => {
      columnScratch()
      from()
      f.i32(rows * bytes).op('i32.mul', 'i32.sub')
    }
    return () => callNest(printed, packing.target, to, from, () => (from(), f.get(count).op('i32.add')))
  })()

  const packLeft = ((): (() => void) => {
    if (leftDirect !== undefined) return () => {}
    if (left?.outer === 1 && bytes === 4) {
      const turned = transposition(module, left.inner * bytes, block * bytes)
      return () => {
        f.get(address(left.buffer))
        emitIndex(f, left.base, batch)
        f.get(k).i32(left.inner).op('i32.mul', 'i32.add').get(row).op('i32.add').i32(bytes).op('i32.mul', 'i32.add')
        leftScratch()
        f.get(count).get(rowEnd).get(row).op('i32.sub').call(turned)
      }
    }
    if (byColumns) {
      const turned = transposition(module, rows * bytes, block * bytes)
      return () => {
        columnScratch()
        f.get(row).i32(bytes).op('i32.mul', 'i32.add')
        leftScratch()
        f.get(count).get(rowEnd).get(row).op('i32.sub').call(turned)
      }
    }
    const { whole, rest } = leftPacking(form, dtype, block)
    const wholeBlocks = Math.floor(inner / block)
    const call = (part: Packing, printed: PrintedNest, number: number): void => {
      // t = (batch · number + block) · rows + row
      const from = (at: Register) => (): void => {
        f.get(batch).i32(number).op('i32.mul')
        if (number > 1) f.get(k).i32(block).op('i32.div_u', 'i32.add')
        f.i32(rows).op('i32.mul').get(at).op('i32.add')
      }
      const to = (): void => {
        leftScratch()
        from(row)()
        f.i32(block * bytes).op('i32.mul', 'i32.sub')
      }
      callNest(printed, part.target, to, from(row), from(rowEnd))
    }
    const printed = [whole, rest].map((part) => part && print(part))
    return () => {
      const isWhole = (): void => void f.get(count).i32(block).op('i32.eq')
      if (whole !== undefined && rest !== undefined) {
        isWhole()
        f.if(
          () => call(whole, printed[0]!, wholeBlocks),
          () => call(rest, printed[1]!, 1),
        )
      } else if (whole !== undefined) call(whole, printed[0]!, wholeBlocks)
      else if (rest !== undefined) call(rest, printed[1]!, 1)
    }
  })()

  const finish =
    destination === undefined
      ? printFinish(context, f, form, { dtype, sumRow, bytes, chunked: once, batch, sums: sumScratch })
      : () => {}

  loopBatches(f, { begin, end, batch, first, last }, { rows, rowsPerBlock: tile.rows }, () => {
    loopInner()
    if (!once) finish(first, last)
  })
  return {
    callee: f,
    blocks: form.batch.extent * rowBlocks,
    // Its hot loops are in functions of their own.
    blocksPerCall: form.batch.extent * rowBlocks,
    scratchBytes: rightBytes + leftBytes + sumBytes + columnBytes,
    rowsPerBlock: tile.rows,
    innerBlock: block,
  }

  function loopInner(): void {
    if (range === undefined) f.i32(0)
    else f.get(range.from)
    f.set(k)
    f.block((done) => {
      f.loop((again) => {
        f.get(k)
        if (range === undefined) f.i32(inner)
        else f.get(range.to)
        f.op('i32.ge_s').brIf(done)
        f.i32(block).set(count)
        least(f, count, () => f.i32(inner).get(k).op('i32.sub'))
        packRight()
        packColumns()
        loopChunks()
        advance(f, k, block)
        f.br(again)
      })
    })
  }
  function loopChunks(): void {
    f.get(first).set(row)
    f.block((done) => {
      f.loop((again) => {
        f.get(row).get(last).op('i32.ge_s').brIf(done)
        f.get(row).i32(chunk).op('i32.add').set(rowEnd)
        least(f, rowEnd, () => f.get(last))
        packLeft()
        pushLeft()
        pushRight()
        pushOut()
        f.get(rowEnd).get(row).op('i32.sub').get(count)
        if (destination?.adds === true) f.i32(1)
        else f.get(k)
        f.call(panels)
        if (once) finish(row, rowEnd)
        f.get(rowEnd).set(row).br(again)
      })
    })
  }
  function pushPlain(plain: Plain, outer: Register | undefined): void {
    f.get(address(plain.buffer))
    emitIndex(f, plain.base, batch)
    f.get(k).i32(plain.inner).op('i32.mul', 'i32.add')
    if (outer !== undefined) f.get(outer).i32(plain.outer).op('i32.mul', 'i32.add')
    f.i32(bytes).op('i32.mul', 'i32.add')
  }
  function pushLeft(): void {
    if (leftDirect === undefined) leftScratch()
    else pushPlain(leftDirect, row)
  }
  function pushRight(): void {
    if (direct === undefined) f.get(scratch)
    else pushPlain(direct, undefined)
  }
  function pushOut(): void {
    if (destination === undefined) {
      sumScratch()
      if (!once)
        f.get(row)
          .i32(sumRow * bytes)
          .op('i32.mul', 'i32.add')
      return
    }
    f.get(address(destination.buffer))
    emitIndex(f, destination.base, batch)
    f.get(row).i32(destination.row).op('i32.mul', 'i32.add').i32(bytes).op('i32.mul', 'i32.add')
  }
}
export const usable = (plain: Plain | undefined, form: Form): Plain | undefined =>
  plain !== undefined && computable(plain.base, form.batch) ? plain : undefined
