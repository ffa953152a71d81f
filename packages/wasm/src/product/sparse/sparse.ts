/**
 * Products whose left operand is 0 or 1, as sums of the rows of the right one that it selects. Whether that is worth it shows when the kernel runs: for each group of
 * rows masks are made, their bits are counted, and where too many are set the dense kernel does the group, as it does where the right operand is not
 * finite: 0 · ∞ is NaN.
 */
import { Buffer, indexAdd, indexMul, local, store, variable } from '@fluxion/compiler'
import type { Register, ValueType } from '../../assembler/function.ts'
import { emitIndex } from '../address.ts'
import { asPrinted, loopBatches, nestCaller, printFinish } from '../calls.ts'
import { destinationOf, type Form } from '../form.ts'
import { dtypeOf, printGemm, usable } from '../gemm.ts'
import { type SumType, lanesOf, least, loopWhole, parameters, registers } from '../lanes.ts'
import { rightPacking } from '../pack.ts'
import type { PrintedProduct, ProductContext } from '../print.ts'
import { printFinite } from './finite.ts'
import { printCount, printLists, together } from './lists.ts'
import { printMasks, rowsBeside } from './masks.ts'
import { type Lying, lyingOf } from './operand.ts'
import { printSums } from './sums.ts'
import { tileOf, tilePrinter } from './tile.ts'

/** Lists of a chunk of rows take at most so many bytes. */
const listBytes = 128 * 1024
/** Masks of a group of rows do, and sums that are still to be finished. */
const maskBytes = 128 * 1024
const sumBytes = 512 * 1024
/** From so many ones of a hundred elements on multiplying all takes less. */
const densest = { fused: 58, plain: 70 }

export function printSparse(context: ProductContext, form: Form): PrintedProduct {
  const { module, relaxed } = context
  const type = form.type as SumType
  const { bytes, count: lanes, fused } = lanesOf[type]
  const dtype = dtypeOf[type]
  const [rows, columns, inner] = [form.rows.extent, form.columns.extent, form.inner.extent]
  const destination = destinationOf(form)
  const sumRow = destination === undefined ? Math.ceil(columns / lanes) * lanes : destination.row
  const dense = denseOf(context, form, sumRow)
  const { rowsPerBlock, innerBlock: block } = dense.printed
  const once = block >= inner

  const plain = usable(form.right.plain, form)
  const direct = plain?.outer === 1 ? plain : undefined
  const rightRow = (direct?.inner ?? columns) * bytes
  const maskRow = Math.ceil(Math.min(block, inner) / 64) * 8
  const percent = relaxed && fused !== undefined ? densest.fused : densest.plain
  const chunk = wholeBlocks(rows, rowsPerBlock, (listBytes * 100) / percent / 4 / Math.min(block, inner))
  const sumsInScratch = destination === undefined && once ? sumRow * bytes : 0
  const group = wholeBlocks(rows, rowsPerBlock, Math.min(maskBytes / maskRow, sumBytes / sumsInScratch))
  const lying = usableLying(lyingOf(form), once ? inner : block)
  const tiled = lying === undefined ? tileOf(form, block) : undefined
  const read: Lying = lying ?? tiled!.lying

  // Scratch: packed right, tile of bytes, masks, lists, their ends, sums; then what the dense kernel takes.
  let scratchBytes = 0
  const room = (size: number): number => {
    const at = scratchBytes
    scratchBytes += Math.ceil(size / 64) * 64
    return at
  }
  const rightOffset = room(direct === undefined ? Math.min(block, inner) * columns * bytes + 64 : 0)
  const tileOffset = room(tiled === undefined ? 0 : tiled.bytes(chunk) + 64)
  const maskOffset = room((group + 8 + rowsBeside) * maskRow)
  const listOffset = room(Math.floor((chunk * Math.min(block, inner) * percent) / 100) * 4 + 4 * together)
  const endOffset = room(chunk * 4)
  const sumOffset = room(destination === undefined ? (once ? group : rows) * sumRow * bytes + 64 : 0)

  const { params } = form.product
  const f = module.function(form.product.name, new Array<ValueType>(params.length + 3).fill('i32'))
  const { begin, end, scratch } = parameters(f, params.length, 'begin', 'end', 'scratch')
  const names = [
    'batch',
    'first',
    'last',
    'k',
    'count',
    'row',
    'rowEnd',
    'part',
    'partEnd',
    'rightAt',
    'maskAt',
    'sparse',
  ] as const
  const { batch, first, last, k, count, row, rowEnd, part, partEnd, rightAt, maskAt, sparse } = registers(f, ...names)
  const rowBlocks = Math.ceil(rows / rowsPerBlock)
  const at = (offset: number): void => void f.get(scratch).i32(offset).op('i32.add')
  const callNest = nestCaller(f, params)
  const rowCount = (): void => void f.get(rowEnd).get(row).op('i32.sub')

  const right = rightOf()
  const tile =
    tiled === undefined
      ? () => {}
      : tilePrinter(context, f, form, tiled, block, { batch, k, count, part, partEnd }, () => at(tileOffset))
  const finite = finiteOf()
  const masks = printMasks(module, read, maskRow)
  const counter = printCount(module)
  const lists = printLists(module, maskRow, rightRow)
  const sums = printSums(module, { type, columns, outRow: sumRow * bytes })
  const finish =
    destination === undefined
      ? printFinish(context, f, form, { dtype, sumRow, bytes, chunked: once, batch, sums: () => at(sumOffset) })
      : () => {}

  loopBatches(f, { begin, end, batch, first, last }, { rows, rowsPerBlock }, () => {
    f.i32(0).set(k)
    const innerEnd = f.temporary('i32')
    f.i32(inner + block - 1).set(innerEnd)
    loopWhole(f, k, innerEnd, block, () => {
      f.i32(block).set(count)
      least(f, count, () => f.i32(inner).get(k).op('i32.sub'))
      right()
      finite()
      f.set(sparse)
      loopGroups()
    })
    f.release(innerEnd)
    if (!once) finish(first, last)
  })
  return {
    callee: f,
    blocks: form.batch.extent * rowBlocks,
    blocksPerCall: form.batch.extent * rowBlocks,
    scratchBytes: scratchBytes + dense.printed.scratchBytes,
  }

  /** Ranges of so many rows from a register to another. */
  function loopRows(
    size: number,
    [from, to]: readonly [Register, Register],
    [at, until]: readonly [Register, Register],
    body: () => void,
  ): void {
    f.get(from).set(at)
    f.block((done) => {
      f.loop((again) => {
        f.get(at).get(to).op('i32.ge_s').brIf(done)
        f.get(at).i32(size).op('i32.add').set(until)
        least(f, until, () => f.get(to))
        body()
        f.get(until).set(at).br(again)
      })
    })
  }
  function loopGroups(): void {
    loopRows(group, [first, last], [row, rowEnd], () => {
      f.get(sparse)
      f.if(makeMasks, () => f.i32(0), 'i32')
      f.if(() => loopRows(chunk, [row, rowEnd], [part, partEnd], addSelected), multiply)
      if (once) finish(row, rowEnd)
    })
  }
  function addSelected(): void {
    const count = (): void => void f.get(partEnd).get(part).op('i32.sub')
    maskOf(part)
    at(listOffset)
    at(endOffset)
    count()
    f.call(lists)
    at(listOffset)
    at(endOffset)
    f.get(rightAt)
    outAddress(part)
    count()
    if (destination?.adds === true) f.i32(1)
    else f.get(k)
    f.call(sums)
  }
  /** Pushes where the mask of a row of the group is. */
  function maskOf(of: Register): void {
    f.get(maskAt).get(of).get(row).op('i32.sub').i32(maskRow).op('i32.mul', 'i32.add')
  }
  /** Pushes whether the block of the right operand is finite. */
  function finiteOf(): () => void {
    const known = form.product.finite
    // 0 and 1 are, as integers are.
    if (form.product.zeroOne === 'both' || (type !== 'f32' && type !== 'f64')) return () => f.i32(1)
    if (known !== undefined) {
      return () => {
        f.get(f.param(params.indexOf(known.buffer)))
        emitIndex(f, known.index, batch)
        f.op('i32.add').memory('i32.load8_u')
      }
    }
    const look = printFinite(module, type, columns, rightRow, relaxed)
    return () => f.get(rightAt).get(count).call(look)
  }
  /** Pushes where the sums of a row of the group go. */
  function outAddress(of: Register): void {
    if (destination === undefined) {
      at(sumOffset)
      f.get(of)
      if (once) f.get(row).op('i32.sub')
      f.i32(sumRow * bytes).op('i32.mul', 'i32.add')
    } else {
      f.get(f.param(params.indexOf(destination.buffer)))
      emitIndex(f, destination.base, batch)
      f.get(of).i32(sumRow).op('i32.mul', 'i32.add').i32(bytes).op('i32.mul', 'i32.add')
    }
  }
  /** Leaves whether few enough bits are set. */
  function makeMasks(): void {
    at(maskOffset)
    f.set(maskAt)
    // Bits behind the last element of a block that is not whole are none.
    if (maskRow * 8 !== block || (!once && inner % block !== 0)) {
      f.get(maskAt).i32(0)
      rowCount()
      f.i32(rowsBeside).op('i32.add').i32(maskRow).op('i32.mul').memoryFill()
    }
    if (tiled === undefined) readMasks()
    else if (read.along === 'rows') {
      // The first group computes what all read.
      f.get(row).get(first).op('i32.eq')
      f.if(tile)
      at(tileOffset)
      f.get(row).op('i32.add').get(maskAt)
      rowCount()
      f.get(count).call(masks)
    } else {
      loopRows(chunk, [row, rowEnd], [part, partEnd], () => {
        tile()
        at(tileOffset)
        maskOf(part)
        f.get(partEnd).get(part).op('i32.sub').get(count).call(masks)
      })
    }
    f.get(maskAt)
    rowCount()
    f.i32(maskRow).op('i32.mul').call(counter)
    // In 64 bits: groups of many rows have many elements.
    f.op('i64.extend_i32_u').i64(100n).op('i64.mul')
    rowCount()
    f.get(count).op('i32.mul', 'i64.extend_i32_u').i64(BigInt(percent)).op('i64.mul', 'i64.le_u')
  }
  /** Masks of an operand as it lies. */
  function readMasks(): void {
    // Rows that are packed by eight begin with a whole eight.
    const eights = read.packed === 'rows'
    const start = eights ? f.temporary('i32') : row
    if (eights) f.get(row).i32(-8).op('i32.and').set(start)
    f.get(f.param(params.indexOf(read.buffer)))
    emitIndex(f, read.base, batch, (buffer) => f.param(params.indexOf(buffer)))
    f.op('i32.add').get(start)
    if (eights) f.i32(3).op('i32.shr_u')
    f.i32(read.row).op('i32.mul', 'i32.add').get(k)
    if (read.packed === 'inner') f.i32(3).op('i32.shr_u')
    f.i32(read.inner).op('i32.mul', 'i32.add')
    f.get(maskAt).get(rowEnd).get(start).op('i32.sub').get(count).call(masks)
    if (!eights) return
    f.get(maskAt).get(row).get(start).op('i32.sub').i32(maskRow).op('i32.mul', 'i32.add').set(maskAt)
    f.release(start)
  }
  function multiply(): void {
    for (const buffer of dense.params) {
      if (buffer !== dense.sums) f.get(f.param(params.indexOf(buffer)))
      else {
        // The sums of a batch's first row would lie there.
        outAddress(row)
        f.get(row)
          .i32(sumRow * bytes)
          .op('i32.mul', 'i32.sub')
      }
    }
    const blockOf = (at: Register, round: number): void => {
      f.get(batch).i32(rowBlocks).op('i32.mul').get(at)
      if (round > 0) f.i32(round).op('i32.add')
      f.i32(rowsPerBlock).op('i32.div_u', 'i32.add')
    }
    blockOf(row, 0)
    blockOf(rowEnd, rowsPerBlock - 1)
    at(scratchBytes)
    f.get(k).get(k).get(count).op('i32.add').call(dense.printed.callee)
  }
  /** Puts the block of the right operand where its columns lie side by side, if it is not there. */
  function rightOf(): () => void {
    if (direct !== undefined) {
      return () => {
        f.get(f.param(params.indexOf(direct.buffer)))
        emitIndex(f, direct.base, batch)
        f.get(k).i32(direct.inner).op('i32.mul', 'i32.add').i32(bytes).op('i32.mul', 'i32.add').set(rightAt)
      }
    }
    const packing = rightPacking(form, dtype, columns, block)[0]!
    const nest = asPrinted(context, packing.nest)
    const from = (): void => void f.get(batch).i32(inner).op('i32.mul').get(k).op('i32.add')
    return () => {
      at(rightOffset)
      f.set(rightAt)
      const to = (): void => {
        f.get(rightAt)
        from()
        f.i32(rightRow).op('i32.mul', 'i32.sub')
      }
      callNest(nest, packing.target, to, from, () => (from(), f.get(count).op('i32.add')))
    }
  }
}

/** About so many rows, in whole blocks of the dense kernel's. */
const wholeBlocks = (rows: number, rowsPerBlock: number, wanted: number): number =>
  Math.max(1, Math.min(Math.ceil(rows / rowsPerBlock), Math.floor(wanted / rowsPerBlock))) * rowsPerBlock

/** The product as it is, a range of the inner dimension at a time, with its sums at the destination, or at a buffer for them. */
function denseOf(context: ProductContext, form: Form, sumRow: number) {
  const name = `${form.product.name}_dense`
  const stored = destinationOf(form) !== undefined
  const sums = stored ? undefined : new Buffer('sums', dtypeOf[form.type as SumType], 0)
  const params = sums === undefined ? form.product.params : [...form.product.params, sums]
  const body =
    sums === undefined
      ? form.body
      : [store(sums, indexAdd(indexMul(variable(form.rows), sumRow), variable(form.columns)), local(form.sum))]
  const printed = printGemm(context, { ...form, body, product: { ...form.product, name, params, body } }, true)
  return { printed, params, sums }
}

/** Eights along the inner dimension begin with its blocks. */
const usableLying = (lying: Lying | undefined, block: number): Lying | undefined =>
  lying?.packed === 'inner' && block % 8 !== 0 ? undefined : lying
