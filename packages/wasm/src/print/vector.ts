/**
 * Operations on vectors: four lanes of f32, i32, u32 or of bool as masks; two lanes of f64, beside which the other types use their first two
 * lanes. Operands are on the stack, the result takes their place.
 */
import type { BinaryOp, Combine, CompareOp, ScalarType, UnaryOp } from '@fluxion/compiler'
import type { FunctionBuilder } from '../assembler/function.ts'
import type { LaneOp, PlainOp } from '../assembler/instructions.ts'

/** Where vector code goes: constants are kept in registers outside of loops, since V8 makes them anew wherever they stand. */
export interface VectorSink {
  readonly f: FunctionBuilder
  readonly relaxed: boolean
  /** Push a vector of equal lanes. */
  lanesOf(type: 'i32' | 'f32' | 'f64', value: number): void
}
export type EmitVector = (sink: VectorSink) => void
const ops =
  (...names: readonly PlainOp[]): EmitVector =>
  ({ f }) =>
    f.op(...names)

/** Choose by a mask whose lanes are all ones or all zeros: takes x, y and the mask. */
export function choose({ f, relaxed }: VectorSink): void {
  f.op(relaxed ? 'i32x4.relaxed_laneselect' : 'v128.bitselect')
}
/** The first two lanes of 32 bits as lanes of 64, with their sign. */
export const widenMask: EmitVector = ops('i64x2.extend_low_i32x4_s')
/** Lanes of 64 bits that are all ones or zeros as the first two lanes of 32. */
export const shrinkMask: EmitVector = ({ f }) => {
  const mask = f.temporary('v128')
  f.tee(mask).get(mask).shuffle([0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11])
  f.release(mask)
}

const unaries: Readonly<Record<string, EmitVector>> = {
  'neg.f32': ops('f32x4.neg'),
  'neg.f64': ops('f64x2.neg'),
  'neg.i32': ops('i32x4.neg'),
  'abs.f32': ops('f32x4.abs'),
  'abs.f64': ops('f64x2.abs'),
  'abs.i32': ops('i32x4.abs'),
  'sqrt.f32': ops('f32x4.sqrt'),
  'sqrt.f64': ops('f64x2.sqrt'),
  'floor.f32': ops('f32x4.floor'),
  'floor.f64': ops('f64x2.floor'),
  'ceil.f32': ops('f32x4.ceil'),
  'ceil.f64': ops('f64x2.ceil'),
  'trunc.f32': ops('f32x4.trunc'),
  'trunc.f64': ops('f64x2.trunc'),
  'nearest.f32': ops('f32x4.nearest'),
  'nearest.f64': ops('f64x2.nearest'),
  'not.i32': ops('v128.not'),
  'not.u32': ops('v128.not'),
  'not.bool': ops('v128.not'),
  'popcount.u32': ops('i8x16.popcnt', 'i16x8.extadd_pairwise_i8x16_u', 'i32x4.extadd_pairwise_i16x8_u'),
}
/** The code of a unary operation, or `undefined`: then it goes lane by lane. */
export const unaryVector = (fn: UnaryOp, type: ScalarType): EmitVector | undefined => unaries[`${fn}.${type}`]

const bits = { and: ops('v128.and'), or: ops('v128.or'), xor: ops('v128.xor') }
const whole = { ...bits, add: ops('i32x4.add'), sub: ops('i32x4.sub'), mul: ops('i32x4.mul') }
const binaries: Readonly<Record<ScalarType, Readonly<Partial<Record<BinaryOp, EmitVector>>>>> = {
  bool: bits,
  i32: { ...whole, min: ops('i32x4.min_s'), max: ops('i32x4.max_s') },
  u32: { ...whole, min: ops('i32x4.min_u'), max: ops('i32x4.max_u') },
  f32: {
    add: ops('f32x4.add'),
    sub: ops('f32x4.sub'),
    mul: ops('f32x4.mul'),
    div: ops('f32x4.div'),
    min: ops('f32x4.min'),
    max: ops('f32x4.max'),
  },
  f64: {
    add: ops('f64x2.add'),
    sub: ops('f64x2.sub'),
    mul: ops('f64x2.mul'),
    div: ops('f64x2.div'),
    min: ops('f64x2.min'),
    max: ops('f64x2.max'),
  },
}
/** The code of a binary operation or a combination, or `undefined`: then it goes lane by lane. */
export const binaryVector = (fn: BinaryOp | Combine, type: ScalarType): EmitVector | undefined => binaries[type][fn]

/** ⌊x / d⌋ or what is left over, of i32s by a positive constant. */
export function divideVector(sink: VectorSink, fn: 'floorDiv' | 'floorMod', by: number): void {
  const { f } = sink
  const log = Math.log2(by)
  if (Number.isInteger(log)) {
    if (fn === 'floorDiv') f.i32(log).op('i32x4.shr_s')
    else {
      sink.lanesOf('i32', by - 1)
      f.op('v128.and')
    }
    return
  }
  // of y ≥ 0: y·m >> 31 + k, with m = ⌊2^(31+k) / d⌋ + 1 < 2³² and 2^k ≥ d, is ⌊y/d⌋; of a negative x, ~(~x / d)
  const k = Math.ceil(log)
  const factor = Math.floor(2 ** (31 + k) / by) + 1
  const [x, sign, y] = [f.temporary('v128'), f.temporary('v128'), f.temporary('v128')]
  f.tee(x).get(x).i32(31).op('i32x4.shr_s').tee(sign).op('v128.xor').tee(y)
  sink.lanesOf('i32', factor)
  f.op('i64x2.extmul_low_i32x4_u')
    .i32(31 + k)
    .op('i64x2.shr_u')
    .get(y)
  sink.lanesOf('i32', factor)
  f.op('i64x2.extmul_high_i32x4_u')
    .i32(31 + k)
    .op('i64x2.shr_u')
  f.shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]).get(sign).op('v128.xor')
  if (fn === 'floorMod') {
    const quotient = y
    f.set(quotient).get(x).get(quotient)
    sink.lanesOf('i32', by)
    f.op('i32x4.mul', 'i32x4.sub')
  }
  for (const register of [x, sign, y]) f.release(register)
}

const comparisons: Readonly<
  Record<CompareOp, readonly [signed: PlainOp, unsigned: PlainOp, f32: PlainOp, f64: PlainOp]>
> = {
  eq: ['i32x4.eq', 'i32x4.eq', 'f32x4.eq', 'f64x2.eq'],
  ne: ['i32x4.ne', 'i32x4.ne', 'f32x4.ne', 'f64x2.ne'],
  lt: ['i32x4.lt_s', 'i32x4.lt_u', 'f32x4.lt', 'f64x2.lt'],
  le: ['i32x4.le_s', 'i32x4.le_u', 'f32x4.le', 'f64x2.le'],
  gt: ['i32x4.gt_s', 'i32x4.gt_u', 'f32x4.gt', 'f64x2.gt'],
  ge: ['i32x4.ge_s', 'i32x4.ge_u', 'f32x4.ge', 'f64x2.ge'],
}
/** The code of a comparison of operands of this type. */
export function compareVector(fn: CompareOp, type: ScalarType): EmitVector {
  const op = comparisons[fn][type === 'i32' ? 0 : type === 'f32' ? 2 : type === 'f64' ? 3 : 1]
  return (sink) => {
    sink.f.op(op)
    if (type === 'f64') shrinkMask(sink)
  }
}

const masked =
  (type: 'i32' | 'f32', value: number): EmitVector =>
  (sink) => {
    sink.lanesOf(type, value)
    sink.f.op('v128.and')
  }
const unequal =
  (type: 'i32' | 'f32' | 'f64'): EmitVector =>
  (sink) => {
    sink.lanesOf(type, 0)
    compareVector('ne', type)(sink)
  }
const conversions: Readonly<Record<string, EmitVector>> = {
  'f32.f64': ops('f64x2.promote_low_f32x4'),
  'f32.i32': ops('i32x4.trunc_sat_f32x4_s'),
  'f32.u32': ops('i32x4.trunc_sat_f32x4_u'),
  'f32.bool': unequal('f32'),
  'f64.f32': ops('f32x4.demote_f64x2_zero'),
  'f64.i32': ops('i32x4.trunc_sat_f64x2_s_zero'),
  'f64.u32': ops('i32x4.trunc_sat_f64x2_u_zero'),
  'f64.bool': unequal('f64'),
  'i32.f32': ops('f32x4.convert_i32x4_s'),
  'i32.f64': ops('f64x2.convert_low_i32x4_s'),
  'i32.bool': unequal('i32'),
  'u32.f32': ops('f32x4.convert_i32x4_u'),
  'u32.f64': ops('f64x2.convert_low_i32x4_u'),
  'u32.bool': unequal('i32'),
  'bool.f32': masked('f32', 1),
  'bool.f64': (sink) => {
    widenMask(sink)
    sink.lanesOf('f64', 1)
    sink.f.op('v128.and')
  },
  'bool.i32': masked('i32', 1),
  'bool.u32': masked('i32', 1),
}
/** The code of a conversion between different machine types. */
export const convertVector = (from: ScalarType, to: ScalarType): EmitVector =>
  conversions[`${from}.${to}`] ?? (() => {})

/** Make all lanes the scalar on the stack. */
export function splat({ f }: VectorSink, type: ScalarType): void {
  if (type === 'f32') f.op('f32x4.splat')
  else if (type === 'f64') f.op('f64x2.splat')
  else if (type === 'bool') f.i32(-1).op('i32.mul', 'i32x4.splat')
  else f.op('i32x4.splat')
}
const words = (...lanes: readonly number[]): number[] =>
  lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3])
const reversed = { wide: words(2, 3, 0, 1), two: words(1, 0, 1, 0), four: words(3, 2, 1, 0) }
/** Lanes in reverse: two of 64 bits, or the first two or four of 32. */
export function reverseLanes({ f }: VectorSink, wide: boolean, lanes: 2 | 4): void {
  const vector = f.temporary('v128')
  f.tee(vector)
    .get(vector)
    .shuffle(wide ? reversed.wide : lanes === 2 ? reversed.two : reversed.four)
  f.release(vector)
}
/** A lane as a scalar. */
export function extractLane({ f }: VectorSink, type: ScalarType, lane: number): void {
  const op: LaneOp =
    type === 'f32' ? 'f32x4.extract_lane' : type === 'f64' ? 'f64x2.extract_lane' : 'i32x4.extract_lane'
  f.lane(op, lane)
  if (type === 'bool') f.i32(1).op('i32.and')
}
/** Takes a vector and a scalar for one of its lanes. */
export function replaceLane({ f }: VectorSink, type: ScalarType, lane: number): void {
  if (type === 'bool') f.i32(-1).op('i32.mul')
  const op: LaneOp =
    type === 'f32' ? 'f32x4.replace_lane' : type === 'f64' ? 'f64x2.replace_lane' : 'i32x4.replace_lane'
  f.lane(op, lane)
}
