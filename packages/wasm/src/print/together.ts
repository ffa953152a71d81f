/** Narrow elements of several vectors side by side, moved by one access: truth values by bytes, half floats by pairs. */
import type { DType } from '@fluxion/core'
import type { Register } from '../assembler/function.ts'
import { toBits } from './storage.ts'
import type { VectorSink } from './vector.ts'

/** How many of so many vectors, four lanes each, one store takes. */
export function storedTogether(dtype: DType, copies: number): 1 | 2 | 4 {
  if (dtype === 'bool' && copies % 4 === 0) return 4
  return copies % 2 === 0 && (dtype === 'bool' || dtype === 'float16' || dtype === 'bfloat16') ? 2 : 1
}
/**
 * Takes an address; stores vectors that `push` leaves on the stack.
 *
 * @param truths whether they are truth values, which half floats store as 0 and 1
 */
export function storeTogether(
  sink: VectorSink,
  dtype: DType,
  count: 2 | 4,
  truths: boolean,
  push: (copy: number) => void,
  offset: number,
): void {
  const { f } = sink
  /** Two vectors as lanes of 16 bits: of truth values all ones or zeros. */
  const pair = (first: number): void => {
    for (const copy of [first, first + 1]) {
      push(copy)
      if (!truths) toBits(sink, dtype)
    }
    f.op(truths ? 'i16x8.narrow_i32x4_s' : 'i16x8.narrow_i32x4_u')
  }
  pair(0)
  if (dtype !== 'bool') {
    if (truths) {
      sink.lanesOf('i32', dtype === 'float16' ? 0x3c003c00 : 0x3f803f80)
      f.op('v128.and')
    }
    f.memory('v128.store', offset)
    return
  }
  let low: Register | undefined
  if (count === 4) pair(2)
  else {
    low = f.temporary('v128')
    f.tee(low).get(low)
    f.release(low)
  }
  f.op('i8x16.narrow_i16x8_s', 'i8x16.neg')
  if (count === 4) f.memory('v128.store', offset)
  else f.memoryLane('v128.store64_lane', 0, offset)
}

/** Masks of bytes for the truth values at the address on the stack: of 16, or of 8. */
export function loadTruths({ f }: VectorSink, count: 2 | 4, offset: number): void {
  f.memory(count === 4 ? 'v128.load' : 'v128.load64_zero', offset).op('i8x16.neg')
}
/** Masks of one vector out of those of bytes, in two steps: lanes of 16 bits for two vectors, then its own. */
export const halfOfTruths = ({ f }: VectorSink, copy: number): void =>
  void f.op(copy < 2 ? 'i16x8.extend_low_i8x16_s' : 'i16x8.extend_high_i8x16_s')
export const quarterOfTruths = ({ f }: VectorSink, copy: number): void =>
  void f.op(copy % 2 === 0 ? 'i32x4.extend_low_i16x8_s' : 'i32x4.extend_high_i16x8_s')
