/**
 * Values in memory and out of it: for each dtype what its bits mean. Half floats are converted by the same code for one lane and for four,
 * so that both give the same bits.
 */
import type { ScalarType } from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import type { FunctionBuilder } from '../assembler/function.ts'
import type { MemoryLaneOp, MemoryOp } from '../assembler/instructions.ts'
import type { HalfSource } from './rounding.ts'
import type { VectorSink } from './vector.ts'

interface Storage {
  readonly bytes: 1 | 2 | 4 | 8
  readonly load: MemoryOp
  readonly store: MemoryOp
  /** Bits that are not the machine type's: kept in the low part of an i32. */
  readonly kind: 'plain' | 'bool' | 'signed' | 'unsigned' | 'half' | 'bfloat'
}
const storages: Readonly<Record<DType, Storage>> = {
  bool: { bytes: 1, load: 'i32.load8_u', store: 'i32.store8', kind: 'bool' },
  int8: { bytes: 1, load: 'i32.load8_s', store: 'i32.store8', kind: 'signed' },
  uint8: { bytes: 1, load: 'i32.load8_u', store: 'i32.store8', kind: 'unsigned' },
  int16: { bytes: 2, load: 'i32.load16_s', store: 'i32.store16', kind: 'signed' },
  uint16: { bytes: 2, load: 'i32.load16_u', store: 'i32.store16', kind: 'unsigned' },
  int32: { bytes: 4, load: 'i32.load', store: 'i32.store', kind: 'plain' },
  uint32: { bytes: 4, load: 'i32.load', store: 'i32.store', kind: 'plain' },
  float16: { bytes: 2, load: 'i32.load16_u', store: 'i32.store16', kind: 'half' },
  bfloat16: { bytes: 2, load: 'i32.load16_u', store: 'i32.store16', kind: 'bfloat' },
  float32: { bytes: 4, load: 'f32.load', store: 'f32.store', kind: 'plain' },
  float64: { bytes: 8, load: 'f64.load', store: 'f64.store', kind: 'plain' },
}

/**
 * Four float16s in the low halves of i32 lanes, as f32. With 224 added to its exponent a magnitude is t, 2¹¹² times itself if it is normal, and
 * infinity or NaN if it is that; of a subnormal one 2·t − 2⁹⁸ is that instead, which is smaller than t only then. No float here is
 * subnormal: those are slow.
 */
export function expandHalf(sink: VectorSink): void {
  const { f } = sink
  const [bits, t] = [f.temporary('v128'), f.temporary('v128')]
  f.i32(16).op('i32x4.shl').tee(bits)
  sink.lanesOf('i32', 0x7fffffff)
  f.op('v128.and').i32(3).op('i32x4.shr_u')
  sink.lanesOf('i32', 224 << 23)
  f.op('i32x4.add').tee(t).get(t).get(t).op('f32x4.add')
  sink.lanesOf('f32', 2 ** 98)
  f.op('f32x4.sub', 'f32x4.pmin')
  sink.lanesOf('f32', 2 ** -112)
  f.op('f32x4.mul').get(bits)
  sink.lanesOf('i32', -0x80000000)
  f.op('v128.and', 'v128.or')
  f.release(bits)
  f.release(t)
}
/**
 * Push 2^(e+13) for each magnitude on the stack, where e is the magnitude's exponent but at least that of the smallest normal float16:
 * the neighbours of float32s of that size are as far apart as those of float16s of the magnitude, so that adding it rounds.
 */
function rounder(sink: VectorSink): void {
  const { f } = sink
  sink.lanesOf('i32', 0x7f800000)
  f.op('v128.and')
  sink.lanesOf('i32', 0x38800000)
  f.op('i32x4.max_u')
  sink.lanesOf('i32', 13 << 23)
  f.op('i32x4.add')
}
/**
 * The float16s nearest to f32s, ties to even, as f32s. With c = 1.5·2^(e+13) the sum x + c is in c's binade whatever the sign of x, so that
 * its last place is the float16's; c is kept finite, also beside infinity and NaN. From an operation on float16s it need not be: beside those
 * alone the exponent runs over, and c vanishes.
 */
export function roundHalf(sink: VectorSink, source: HalfSource = anything): void {
  const { f } = sink
  const { kind, overflows, negativeZero, finite } = source
  if (kind === 'sum' && finite) roundSplitting(sink)
  else if (kind === 'sum' && negativeZero) roundFraction(sink)
  else {
    const x = f.temporary('v128')
    f.tee(x)
    roundBeside(sink, source)
    if (overflows) overflow(sink)
    if (negativeZero) {
      // the sign of zeros
      f.get(x)
      sink.lanesOf('i32', -0x80000000)
      f.op('v128.and', 'v128.or')
    }
    f.release(x)
    return
  }
  if (overflows) overflow(sink)
}
const anything: HalfSource = { kind: undefined, overflows: true, negativeZero: true, finite: false }
/** Veltkamp's splitting: of what is 0 or no less than a float16 can be. It keeps the sign of zeros, and makes NaN of infinity. */
function roundSplitting(sink: VectorSink): void {
  const { f } = sink
  const [x, c] = [f.temporary('v128'), f.temporary('v128')]
  f.tee(x)
  sink.lanesOf('f32', 2 ** 13 + 1)
  f.op('f32x4.mul').tee(c).get(c).get(x).op('f32x4.sub', 'f32x4.sub')
  f.release(x)
  f.release(c)
}
/** All but what a float16 has of the fraction, after adding half of its last place, or a little less where that is even. */
function roundFraction(sink: VectorSink): void {
  const { f } = sink
  const x = f.temporary('v128')
  f.tee(x).i32(13).op('i32x4.shr_u')
  sink.lanesOf('i32', 1)
  f.op('v128.and').get(x).op('i32x4.add')
  sink.lanesOf('i32', 0xfff)
  f.op('i32x4.add')
  sink.lanesOf('i32', -0x2000)
  f.op('v128.and')
  f.release(x)
}
/** Add c, and take it off. */
function roundBeside(sink: VectorSink, { kind, finite }: HalfSource): void {
  const { f } = sink
  const [x, c] = [f.temporary('v128'), f.temporary('v128')]
  f.tee(x)
  sink.lanesOf('i32', 0x7f800000)
  f.op('v128.and')
  if (kind === undefined && !finite) {
    sink.lanesOf('f32', 2 ** 20)
    f.op('i32x4.min_u')
  }
  if (kind !== 'sum') {
    sink.lanesOf('f32', 2 ** -14)
    f.op('i32x4.max_u')
  }
  if (sink.relaxed && (finite || kind === undefined)) {
    // a product by 1.5·2¹³ is exact, so that it does not matter whether it is rounded before it is added
    f.tee(c)
    sink.lanesOf('f32', 1.5 * 2 ** 13)
    f.get(x).op('f32x4.relaxed_madd').set(x).get(c)
    sink.lanesOf('f32', 1.5 * 2 ** 13)
    f.get(x).op('f32x4.relaxed_nmadd')
  } else {
    sink.lanesOf('i32', (13 << 23) + 0x400000)
    f.op('i32x4.add').tee(c).get(x).op('f32x4.add').get(c).op('f32x4.sub')
  }
  f.release(x)
  f.release(c)
}
/** From 2¹⁶ on the first product is infinite; others come back exactly. */
function overflow(sink: VectorSink): void {
  sink.lanesOf('f32', 2 ** 112)
  sink.f.op('f32x4.mul')
  sink.lanesOf('f32', 2 ** -112)
  sink.f.op('f32x4.mul')
}
/**
 * f32s as the bits of the float16s nearest to them, in i32 lanes. After adding c = 2^(e+13) the mantissa holds the rounded magnitude in units
 * of 2^(e−10), the leading one included, so that it adds to the exponent below.
 */
function shrinkHalf(sink: VectorSink): void {
  const { f } = sink
  const [x, magnitude, c] = [f.temporary('v128'), f.temporary('v128'), f.temporary('v128')]
  f.tee(x).op('f32x4.abs').set(magnitude)
  // infinity is the successor of the largest; NaN becomes it here, and gets its bit below
  sink.lanesOf('f32', 65536)
  f.get(magnitude).op('f32x4.pmin').tee(magnitude).get(magnitude)
  rounder(sink)
  f.tee(c).op('f32x4.add').get(c).op('i32x4.sub')
  // c's exponent is e + 127 + 13; the half's, less the leading one, e + 14
  f.get(c).i32(13).op('i32x4.shr_u', 'i32x4.add')
  sink.lanesOf('i32', 126 << 10)
  f.op('i32x4.sub').get(x).get(x).op('f32x4.ne')
  sink.lanesOf('i32', 0x200)
  f.op('v128.and', 'v128.or').get(x).i32(16).op('i32x4.shr_u')
  sink.lanesOf('i32', 0x8000)
  f.op('v128.and', 'v128.or')
  for (const register of [x, magnitude, c]) f.release(register)
}
/** f32s as bits whose upper half is the bfloat16 nearest to them, ties to even; the lower half is anything. */
function roundBfloatBits(sink: VectorSink): void {
  const { f } = sink
  const x = f.temporary('v128')
  f.tee(x)
  sink.lanesOf('i32', 0x7fff)
  f.op('i32x4.add').get(x).i32(16).op('i32x4.shr_u')
  sink.lanesOf('i32', 1)
  f.op('v128.and', 'i32x4.add')
  sink.lanesOf('i32', 0x7fc00000)
  f.get(x).get(x).op('f32x4.eq', 'v128.bitselect')
  f.release(x)
}

/** Round the lanes on the stack to what a dtype can hold. */
export function narrowVector(sink: VectorSink, dtype: DType, source?: HalfSource): void {
  const { f } = sink
  const { kind, bytes } = storages[dtype]
  if (kind === 'half') roundHalf(sink, source)
  else if (kind === 'bfloat') {
    roundBfloatBits(sink)
    sink.lanesOf('i32', -0x10000)
    f.op('v128.and')
  } else if (kind === 'signed') signExtend(f, bytes)
  else if (kind === 'unsigned') {
    sink.lanesOf('i32', 2 ** (8 * bytes) - 1)
    f.op('v128.and')
  }
}
function signExtend(f: FunctionBuilder, bytes: number): void {
  const shift = 32 - 8 * bytes
  f.i32(shift).op('i32x4.shl').i32(shift).op('i32x4.shr_s')
}
/** Round the scalar on the stack to what a dtype can hold. */
export function narrowScalar(sink: VectorSink, dtype: DType, source?: HalfSource): void {
  const { f } = sink
  const { kind, bytes } = storages[dtype]
  if (kind === 'half' || kind === 'bfloat') {
    f.op('f32x4.splat')
    narrowVector(sink, dtype, source)
    f.lane('f32x4.extract_lane', 0)
  } else if (kind === 'signed') f.op(bytes === 1 ? 'i32.extend8_s' : 'i32.extend16_s')
  else if (kind === 'unsigned') f.i32(2 ** (8 * bytes) - 1).op('i32.and')
}

/** The value at the address on the stack. */
export function loadScalar(sink: VectorSink, dtype: DType, offset: number): void {
  const { f } = sink
  const { kind, load } = storages[dtype]
  f.memory(load, offset)
  if (kind === 'half') {
    f.op('i32x4.splat')
    expandHalf(sink)
    f.lane('f32x4.extract_lane', 0)
  } else if (kind === 'bfloat') f.i32(16).op('i32.shl', 'f32.reinterpret_i32')
}
/** Takes an address and a value; floats are rounded to the dtype. */
export function storeScalar(sink: VectorSink, dtype: DType, offset: number): void {
  const { f } = sink
  const { kind, store } = storages[dtype]
  if (kind === 'half' || kind === 'bfloat') {
    f.op('f32x4.splat')
    toBits(sink, dtype)
    f.lane('i32x4.extract_lane', 0)
  }
  f.memory(store, offset)
}
/** Copy bits: the dtype's bits at the address on the stack, as an i32, or as the float that they are. */
export const loadBits = (f: FunctionBuilder, dtype: DType, offset: number): void =>
  void f.memory(storages[dtype].load, offset)
export const storeBits = (f: FunctionBuilder, dtype: DType, offset: number): void =>
  void f.memory(storages[dtype].store, offset)

/** Elements side by side from the address on the stack on, as they are: as many as there are lanes. */
export function loadElements(f: FunctionBuilder, dtype: DType, lanes: 2 | 4, offset: number): void {
  const op = elements[storages[dtype].bytes * lanes]!
  f.memory(op.load, offset)
}
/** Takes an address and what `loadElements` gives. */
export function storeElements(f: FunctionBuilder, dtype: DType, lanes: 2 | 4, offset: number): void {
  const op = elements[storages[dtype].bytes * lanes]!
  f.memory(op.store, offset)
}
const elements: Readonly<Record<number, { readonly load: MemoryOp; readonly store: MemoryOp }>> = {
  2: { load: 'i32.load16_u', store: 'i32.store16' },
  4: { load: 'i32.load', store: 'i32.store' },
  8: { load: 'f64.load', store: 'f64.store' },
  16: { load: 'v128.load', store: 'v128.store' },
}

/** Values as bits in lanes: what 32-bit lanes store in their low bytes. */
export function toBits(sink: VectorSink, dtype: DType): void {
  const { f } = sink
  const { kind } = storages[dtype]
  if (kind === 'half') shrinkHalf(sink)
  else if (kind === 'bfloat') {
    roundBfloatBits(sink)
    f.i32(16).op('i32x4.shr_u')
  } else if (kind === 'bool') {
    sink.lanesOf('i32', 1)
    f.op('v128.and')
  }
}
/** Bits in the low bytes of 32-bit lanes, zeros above, as values. */
function fromBits(sink: VectorSink, dtype: DType, holds: DType): void {
  const { f } = sink
  const { kind, bytes } = storages[dtype]
  if (kind === 'half' && holds === 'bool') {
    // 1 as a float16 is 2⁻⁷ as the upper half of a float32
    f.i32(16).op('i32x4.shl')
    sink.lanesOf('f32', 2 ** 7)
    f.op('f32x4.mul')
  } else if (kind === 'half') expandHalf(sink)
  else if (kind === 'bfloat') f.i32(16).op('i32x4.shl')
  else if (kind === 'signed') signExtend(f, bytes)
  else if (kind === 'bool') f.op('i32x4.neg')
}

/** The values of as many elements as there are lanes, from the address on the stack on. */
export function loadVector(sink: VectorSink, dtype: DType, lanes: 2 | 4, offset: number, holds: DType = dtype): void {
  const { f } = sink
  const { bytes, kind } = storages[dtype]
  if (bytes * lanes === 16) {
    f.memory('v128.load', offset)
    return
  }
  if (bytes === 4) {
    f.memory('v128.load64_zero', offset)
    return
  }
  const signed = kind === 'signed'
  if (bytes === 2 && lanes === 4) f.memory(signed ? 'v128.load16x4_s' : 'v128.load16x4_u', offset)
  else {
    f.memory(bytes * lanes === 4 ? 'v128.load32_zero' : 'v128.load16_splat', offset)
    if (bytes === 1) f.op(signed ? 'i16x8.extend_low_i8x16_s' : 'i16x8.extend_low_i8x16_u')
    f.op(signed ? 'i32x4.extend_low_i16x8_s' : 'i32x4.extend_low_i16x8_u')
  }
  if (!signed) fromBits(sink, dtype, holds)
}
const packed = {
  1: [0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12],
  2: [0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13],
} as const
const storeLanes: Readonly<Record<number, MemoryLaneOp>> = {
  1: 'v128.store8_lane',
  2: 'v128.store16_lane',
  4: 'v128.store32_lane',
  8: 'v128.store64_lane',
}
const loadLanes: Readonly<Record<number, MemoryLaneOp>> = {
  1: 'v128.load8_lane',
  2: 'v128.load16_lane',
  4: 'v128.load32_lane',
  8: 'v128.load64_lane',
}
/** Takes an address and values; floats are rounded to the dtype, integers wrap. */
export function storeVector(sink: VectorSink, dtype: DType, lanes: 2 | 4, offset: number): void {
  toBits(sink, dtype)
  storeBitsOfLanes(sink, dtype, lanes, offset)
}
/** Takes an address and truth values, which are stored as 0 and 1. */
export function storeTruths(sink: VectorSink, dtype: 'float16' | 'bfloat16', lanes: 2 | 4, offset: number): void {
  sink.lanesOf('i32', dtype === 'float16' ? 0x3c00 : 0x3f80)
  sink.f.op('v128.and')
  storeBitsOfLanes(sink, dtype, lanes, offset)
}
function storeBitsOfLanes({ f }: VectorSink, dtype: DType, lanes: 2 | 4, offset: number): void {
  const { bytes } = storages[dtype]
  if (bytes === 1 || bytes === 2) {
    const all = f.temporary('v128')
    f.tee(all).get(all).shuffle(packed[bytes])
    f.release(all)
  }
  if (bytes * lanes === 16) f.memory('v128.store', offset)
  else f.memoryLane(storeLanes[bytes * lanes]!, 0, offset)
}
/** Lanes loaded one by one: `address` pushes a lane's address and gives the offset. */
export function gather(
  sink: VectorSink,
  dtype: DType,
  lanes: 2 | 4,
  address: (lane: number) => number,
  holds: DType = dtype,
): void {
  const { f } = sink
  const { bytes } = storages[dtype]
  const vector = f.temporary('v128')
  sink.lanesOf('i32', 0)
  f.set(vector)
  for (let lane = 0; lane < lanes; lane++) {
    const offset = address(lane)
    f.get(vector).memoryLane(loadLanes[bytes]!, laneOf(bytes, lane), offset).set(vector)
  }
  f.get(vector)
  fromBits(sink, dtype, holds)
  f.release(vector)
}
/** Takes values and stores its lanes one by one. */
export function scatter(sink: VectorSink, dtype: DType, lanes: 2 | 4, address: (lane: number) => number): void {
  const { f } = sink
  const { bytes } = storages[dtype]
  const vector = f.temporary('v128')
  toBits(sink, dtype)
  f.set(vector)
  for (let lane = 0; lane < lanes; lane++) {
    const offset = address(lane)
    f.get(vector).memoryLane(storeLanes[bytes]!, laneOf(bytes, lane), offset)
  }
  f.release(vector)
}
/** The number of the low bytes of a lane of values among lanes of the storage's size. */
const laneOf = (bytes: number, lane: number): number => (bytes >= 4 ? lane : lane * (4 / bytes))

/** Equal lanes of the value at the address on the stack. */
export function loadSplat(sink: VectorSink, type: ScalarType, dtype: DType, offset: number): void {
  const { f } = sink
  const { bytes } = storages[dtype]
  if (type === 'f64') f.memory('v128.load64_splat', offset)
  else if (bytes === 4) f.memory('v128.load32_splat', offset)
  else {
    f.memory(storages[dtype].load, offset).op('i32x4.splat')
    if (storages[dtype].kind !== 'signed') fromBits(sink, dtype, dtype)
  }
}
