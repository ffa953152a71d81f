/**
 * Masks of operands that are 0 or 1: for each row a bit for each element of a block of the inner dimension, the first lowest. One function for each way in which
 * the operand lies in memory, of addresses of the operand and of the masks, and of how many rows and inner elements there are.
 */
import type { FunctionBuilder, FunctionRef, Register } from '../../assembler/function.ts'
import type { ModuleBuilder } from '../../assembler/module.ts'
import { advance, loopWhole, parameters, registers } from '../lanes.ts'
import type { Lying } from './operand.ts'

/** The rows that are written beside those that are wanted, at most: those of vectors of bytes that lie along rows. */
export const rowsBeside = 16

interface Parts {
  readonly f: FunctionBuilder
  readonly source: Register
  readonly masks: Register
  readonly rows: Register
  readonly count: Register
}
type Writer = (parts: Parts, lying: Lying, maskRow: number) => void

export function printMasks(module: ModuleBuilder, lying: Lying, maskRow: number): FunctionRef {
  const { packed, along } = lying
  const f = module.function('masks', ['i32', 'i32', 'i32', 'i32'])
  writers[`${packed ?? 'bytes'} along ${along}`]!(
    { f, ...parameters(f, 0, 'source', 'masks', 'rows', 'count') },
    lying,
    maskRow,
  )
  return f
}

/** Sixteen bytes of one row make sixteen bits. */
const bytesAlongInner: Writer = ({ f, source, masks, rows, count }, { row: stride }, maskRow) => {
  const { row, at, from, to } = registers(f, 'row', 'at', 'from', 'to')
  const sixteen = (turn: number): void =>
    void f
      .get(from)
      .memory('v128.load', turn * 16)
      .op('i8x16.neg', 'i8x16.bitmask')
  f.i32(0).set(row)
  loopWhole(f, row, rows, 1, () => {
    f.get(source).set(from).get(masks).set(to).i32(0).set(at)
    for (const turns of [4, 1]) {
      loopWhole(f, at, count, turns * 16, () => {
        for (let turn = 0; turn < turns; turn++) {
          f.get(to)
          sixteen(turn)
          f.memory('i32.store16', turn * 2)
        }
        advance(f, from, turns * 16)
        advance(f, to, turns * 2)
      })
    }
    ifBelow(f, at, count, () => {
      f.get(to)
      sixteen(0)
      keepFirst(f, at, count)
      f.memory('i32.store16')
    })
    advance(f, source, stride)
    advance(f, masks, maskRow)
  })
}

/** Eight steps of sixteen rows, shifted into a byte for each row. */
const bytesAlongRows: Writer = (parts, { inner: stride }, maskRow) => {
  const { f, count } = parts
  const { at, from, to, turn } = registers(f, 'at', 'from', 'to', 'turn')
  const bits = f.register('v128')
  bySixteen(parts, maskRow, (source, masks) => {
    f.get(source).set(from).get(masks).set(to).i32(0).set(at)
    loopWhole(f, at, count, 8, () => {
      for (let step = 7; step >= 0; step--) {
        if (step < 7) f.get(bits).get(bits).op('i8x16.add')
        f.get(from).memory('v128.load', step * stride)
        if (step < 7) f.op('v128.or')
        f.set(bits)
      }
      scatter(f, bits, to, maskRow)
      advance(f, from, 8 * stride)
      advance(f, to, 1)
    })
    ifBelow(f, at, count, () => {
      f.v128(new Uint8Array(16)).set(bits).i32(0).set(turn)
      loopWhole(f, at, count, 1, () => {
        f.get(from).memory('v128.load').get(turn).op('i8x16.shl').get(bits).op('v128.or').set(bits)
        advance(f, from, stride)
        advance(f, turn, 1)
      })
      scatter(f, bits, to, maskRow)
    })
  })
}
/** A byte is eight steps of its row. */
const innerAlongRows: Writer = (parts, { inner: stride, big }, maskRow) => {
  const { f, count } = parts
  const { at, from, to } = registers(f, 'at', 'from', 'to')
  const bits = f.register('v128')
  bySixteen(parts, maskRow, (source, masks) => {
    f.get(source).set(from).get(masks).set(to).i32(0).set(at)
    loopWhole(f, at, count, 8, () => {
      f.get(from).memory('v128.load').set(bits)
      if (big) reverseBits(f, bits)
      scatter(f, bits, to, maskRow)
      advance(f, from, stride)
      advance(f, to, 1)
    })
  })
}
/** Of sixteen bytes each bit is one of a row's; the highest comes first, then each that doubling makes the highest. */
const rowsAlongInner: Writer = ({ f, source, masks, rows, count }, { row: stride, big }, maskRow) => {
  const { row, at, from, to } = registers(f, 'row', 'at', 'from', 'to')
  const bits = f.register('v128')
  const sixteen = (keep: () => void): void => {
    f.get(from).memory('v128.load').set(bits)
    for (let turn = 0; turn < 8; turn++) {
      if (turn > 0) f.get(bits).get(bits).op('i8x16.add').set(bits)
      f.get(to).get(bits).op('i8x16.bitmask')
      keep()
      f.memory('i32.store16', (big ? turn : 7 - turn) * maskRow)
    }
  }
  f.i32(0).set(row)
  f.block((done) => {
    f.loop((again) => {
      f.get(row).get(rows).op('i32.ge_s').brIf(done)
      f.get(source).set(from).get(masks).set(to).i32(0).set(at)
      loopWhole(f, at, count, 16, () => {
        sixteen(() => {})
        advance(f, from, 16)
        advance(f, to, 2)
      })
      ifBelow(f, at, count, () => sixteen(() => keepFirst(f, at, count)))
      advance(f, source, stride)
      advance(f, masks, 8 * maskRow)
      advance(f, row, 8)
      f.br(again)
    })
  })
}
/** The bits as they are, or in the other order in each byte. */
const innerAlongInner: Writer = ({ f, source, masks, rows, count }, { row: stride, big }, maskRow) => {
  const { row, at, from, to } = registers(f, 'row', 'at', 'from', 'to')
  const bits = f.register('v128')
  f.i32(0).set(row)
  loopWhole(f, row, rows, 1, () => {
    f.get(source).set(from).get(masks).set(to).i32(0).set(at)
    for (const bytes of [8, 1] as const) {
      loopWhole(f, at, count, bytes * 8, () => {
        f.get(from)
          .memory(bytes === 8 ? 'v128.load64_zero' : 'v128.load8_splat')
          .set(bits)
        if (big) reverseBits(f, bits)
        f.get(to)
          .get(bits)
          .memoryLane(bytes === 8 ? 'v128.store64_lane' : 'v128.store8_lane', 0)
        advance(f, from, bytes)
        advance(f, to, bytes)
      })
    }
    advance(f, source, stride)
    advance(f, masks, maskRow)
  })
}
const writers: Readonly<Record<string, Writer>> = {
  'bytes along inner': bytesAlongInner,
  'bytes along rows': bytesAlongRows,
  'inner along rows': innerAlongRows,
  'rows along inner': rowsAlongInner,
  'inner along inner': innerAlongInner,
}

/** Rows by sixteen, the last of them whole: `body` gets the addresses of their first. */
function bySixteen(
  { f, source, masks, rows }: Parts,
  maskRow: number,
  body: (source: Register, masks: Register) => void,
): void {
  const { row } = registers(f, 'row')
  f.i32(0).set(row)
  f.block((done) => {
    f.loop((again) => {
      f.get(row).get(rows).op('i32.ge_s').brIf(done)
      body(source, masks)
      advance(f, source, 16)
      advance(f, masks, 16 * maskRow)
      advance(f, row, 16)
      f.br(again)
    })
  })
}
/** A byte each to the masks of sixteen rows. */
function scatter(f: FunctionBuilder, bytes: Register, to: Register, maskRow: number): void {
  for (let lane = 0; lane < 16; lane++)
    f.get(to)
      .get(bytes)
      .memoryLane('v128.store8_lane', lane, lane * maskRow)
}
function ifBelow(f: FunctionBuilder, at: Register, count: Register, body: () => void): void {
  f.get(at).get(count).op('i32.lt_s')
  f.if(body)
}
/** Of the bits on the stack those of elements before `count`, where the first is `at`. */
function keepFirst(f: FunctionBuilder, at: Register, count: Register): void {
  f.i32(1).get(count).get(at).op('i32.sub', 'i32.shl').i32(1).op('i32.sub', 'i32.and')
}

const reversed = (nibble: number): number =>
  ((nibble & 1) << 3) | ((nibble & 2) << 1) | ((nibble & 4) >> 1) | ((nibble & 8) >> 3)
const nibbles = Uint8Array.from({ length: 16 }, (_, i) => reversed(i))
function reverseBits(f: FunctionBuilder, bytes: Register): void {
  f.v128(nibbles.map((x) => x << 4))
    .get(bytes)
    .v128(new Uint8Array(16).fill(15))
    .op('v128.and', 'i8x16.swizzle')
  f.v128(nibbles).get(bytes).i32(4).op('i8x16.shr_u', 'i8x16.swizzle', 'v128.or').set(bytes)
}
