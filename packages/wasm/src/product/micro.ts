/**
 * Micro-kernels: a few rows by a few vectors of sums, held in registers while the inner dimension runs. V8 has fifteen vector registers to give and does
 * not reorder: vectors of the right operand are loaded first, then each row's number is spread and multiplied.
 */
import type { FunctionBuilder, FunctionRef, Register } from '../assembler/function.ts'
import type { ModuleBuilder } from '../assembler/module.ts'
import { type Lanes, type SumType, advance, lanesOf, loopWhole, parameters } from './lanes.ts'

/** All strides in bytes. */
export interface MicroShape {
  readonly type: SumType
  readonly rows: number
  /** The last vector may be partial: it is read whole and stored in part. */
  readonly columns: number
  readonly leftRow: number
  readonly leftInner: number
  readonly rightInner: number
  readonly outRow: number
  readonly relaxed: boolean
}
/** Turns of the inner loop that are written out: their offsets are constants in the instructions. */
const unroll = 4

/** A function of addresses left, right, out, of how many products to sum, and of whether to add the sums to what is at `out`. */
export function microKernel(module: ModuleBuilder, shape: MicroShape): FunctionRef {
  const { type, rows, columns, leftRow, leftInner, rightInner, outRow, relaxed } = shape
  const lanes = lanesOf[type]
  const vectors = Math.ceil(columns / lanes.count)
  const f = module.function(`micro${rows}x${columns}`, ['i32', 'i32', 'i32', 'i32', 'i32'])
  const { left, right, out, count, more } = parameters(f, 0, 'left', 'right', 'out', 'count', 'more')
  const sums = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => f.register('v128')))
  const step = (turn: number): void => {
    const rightAt = (v: number): void => void f.get(right).memory('v128.load', turn * rightInner + v * 16)
    const leftAt = (row: number): void => void f.get(left).memory(lanes.splat, row * leftRow + turn * leftInner)
    if (vectors > 2) {
      const spread = sums.map(() => f.temporary('v128'))
      spread.forEach((register, row) => (leftAt(row), f.set(register)))
      const vector = f.temporary('v128')
      for (let v = 0; v < vectors; v++) {
        rightAt(v)
        f.set(vector)
        sums.forEach((row, r) => multiplyAdd(f, lanes, relaxed, spread[r]!, vector, row[v]!))
      }
      for (const register of [...spread, vector]) f.release(register)
      return
    }
    const loaded = Array.from({ length: vectors }, () => f.temporary('v128'))
    loaded.forEach((register, v) => (rightAt(v), f.set(register)))
    const spread = f.temporary('v128')
    sums.forEach((row, r) => {
      leftAt(r)
      f.set(spread)
      row.forEach((sum, v) => multiplyAdd(f, lanes, relaxed, spread, loaded[v]!, sum))
    })
    for (const register of [...loaded, spread]) f.release(register)
  }
  const at = f.register('i32')
  f.i32(0).set(at)
  loopWhole(f, at, count, unroll, () => {
    for (let turn = 0; turn < unroll; turn++) step(turn)
    advance(f, left, unroll * leftInner)
    advance(f, right, unroll * rightInner)
  })
  loopWhole(f, at, count, 1, () => {
    step(0)
    advance(f, left, leftInner)
    advance(f, right, rightInner)
  })
  f.get(more).if(() => {
    sums.forEach((row, r) =>
      row.forEach((sum, v) => {
        f.get(sum)
          .get(out)
          .memory('v128.load', r * outRow + v * 16)
          .op(lanes.add)
          .set(sum)
      }),
    )
  })
  sums.forEach((row, r) =>
    row.forEach((sum, v) => storeLanes(f, lanes, out, r * outRow + v * 16, sum, columns - v * lanes.count)),
  )
  return f
}

/** sum += x · y */
export function multiplyAdd(
  f: FunctionBuilder,
  lanes: Lanes,
  relaxed: boolean,
  x: Register,
  y: Register,
  sum: Register,
): void {
  f.get(x).get(y)
  if (relaxed && lanes.fused !== undefined) f.get(sum).op(lanes.fused)
  else f.op(lanes.multiply).get(sum).op(lanes.add)
  f.set(sum)
}
/** Store a vector, or as many of its first lanes as there are columns left. */
export function storeLanes(
  f: FunctionBuilder,
  lanes: Lanes,
  out: Register,
  offset: number,
  vector: Register,
  left: number,
): void {
  if (left >= lanes.count) {
    f.get(out).get(vector).memory('v128.store', offset)
    return
  }
  const bytes = left * lanes.bytes
  if (bytes >= 8) f.get(out).get(vector).memoryLane('v128.store64_lane', 0, offset)
  if (bytes % 8 === 4)
    f.get(out)
      .get(vector)
      .memoryLane('v128.store32_lane', (bytes - 4) / 4, offset + bytes - 4)
}
