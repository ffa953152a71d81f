/** Scalar operations: operands are on the stack, the result takes their place. */
import type { BinaryOp, Combine, CompareOp, ScalarType, UnaryOp } from '@fluxion/compiler'
import type { FunctionBuilder, ValueType } from '../assembler/function.ts'
import type { PlainOp } from '../assembler/instructions.ts'

export type Emit = (f: FunctionBuilder) => void
const ops =
  (...names: readonly PlainOp[]): Emit =>
  (f) =>
    f.op(...names)

/** WebAssembly's type for a machine type; bool is an i32 that is 0 or 1. */
export const valueType = (type: ScalarType): ValueType => (type === 'u32' || type === 'bool' ? 'i32' : type)

/** The one of two integers for which the comparison holds. */
const chosen =
  (compare: PlainOp): Emit =>
  (f) => {
    const [x, y] = [f.temporary('i32'), f.temporary('i32')]
    f.set(y).tee(x).get(y).get(x).get(y).op(compare, 'select')
    f.release(x)
    f.release(y)
  }
/** −x − 1 < 0 exactly where x is not negative: with it ⌊x/d⌋ of a negative x is ~(~x/d). */
function floorDivision(rest: boolean): Emit {
  return (f) => {
    const [x, d, sign] = [f.temporary('i32'), f.temporary('i32'), f.temporary('i32')]
    f.set(d).set(x)
    if (rest) f.get(x)
    f.get(x).get(x).i32(31).op('i32.shr_s').tee(sign).op('i32.xor').get(d).op('i32.div_u').get(sign).op('i32.xor')
    if (rest) f.get(d).op('i32.mul', 'i32.sub')
    for (const register of [x, d, sign]) f.release(register)
  }
}

const unaries: Readonly<Record<string, Emit>> = {
  'neg.f32': ops('f32.neg'),
  'neg.f64': ops('f64.neg'),
  'neg.i32': (f) => f.i32(-1).op('i32.mul'),
  'abs.f32': ops('f32.abs'),
  'abs.f64': ops('f64.abs'),
  'abs.i32': (f) => {
    const [x, sign] = [f.temporary('i32'), f.temporary('i32')]
    f.tee(x).get(x).i32(31).op('i32.shr_s').tee(sign).op('i32.xor').get(sign).op('i32.sub')
    f.release(x)
    f.release(sign)
  },
  'not.i32': (f) => f.i32(-1).op('i32.xor'),
  'not.u32': (f) => f.i32(-1).op('i32.xor'),
  'not.bool': ops('i32.eqz'),
  'popcount.u32': ops('i32.popcnt'),
  'clz.u32': ops('i32.clz'),
}
const rounding: Readonly<Partial<Record<UnaryOp, readonly [PlainOp, PlainOp]>>> = {
  sqrt: ['f32.sqrt', 'f64.sqrt'],
  floor: ['f32.floor', 'f64.floor'],
  ceil: ['f32.ceil', 'f64.ceil'],
  trunc: ['f32.trunc', 'f64.trunc'],
  nearest: ['f32.nearest', 'f64.nearest'],
}
/** The code of a unary operation. */
export function unaryCode(fn: UnaryOp, type: ScalarType): Emit {
  const pair = rounding[fn]
  if (pair !== undefined && (type === 'f32' || type === 'f64')) return ops(type === 'f32' ? pair[0] : pair[1])
  return known(unaries[`${fn}.${type}`], fn, type)
}
function known<T>(code: T | undefined, fn: string, type: ScalarType): T {
  if (code === undefined) throw new TypeError(`wasm: there is no ${fn} of ${type}`)
  return code
}

const signed: Readonly<Record<BinaryOp, Emit>> = {
  add: ops('i32.add'),
  sub: ops('i32.sub'),
  mul: ops('i32.mul'),
  div: ops('i32.div_s'),
  rem: ops('i32.rem_s'),
  floorDiv: floorDivision(false),
  floorMod: floorDivision(true),
  min: chosen('i32.lt_s'),
  max: chosen('i32.gt_s'),
  and: ops('i32.and'),
  or: ops('i32.or'),
  xor: ops('i32.xor'),
  shl: ops('i32.shl'),
  shr: ops('i32.shr_s'),
}
const unsigned: Readonly<Record<BinaryOp, Emit>> = {
  ...signed,
  div: ops('i32.div_u'),
  rem: ops('i32.rem_u'),
  floorDiv: ops('i32.div_u'),
  floorMod: ops('i32.rem_u'),
  min: chosen('i32.lt_u'),
  max: chosen('i32.gt_u'),
  shr: ops('i32.shr_u'),
}
const binaries: Readonly<Record<ScalarType, Readonly<Partial<Record<BinaryOp, Emit>>>>> = {
  i32: signed,
  u32: unsigned,
  bool: { and: ops('i32.and'), or: ops('i32.or'), xor: ops('i32.xor') },
  f32: {
    add: ops('f32.add'),
    sub: ops('f32.sub'),
    mul: ops('f32.mul'),
    div: ops('f32.div'),
    min: ops('f32.min'),
    max: ops('f32.max'),
  },
  f64: {
    add: ops('f64.add'),
    sub: ops('f64.sub'),
    mul: ops('f64.mul'),
    div: ops('f64.div'),
    min: ops('f64.min'),
    max: ops('f64.max'),
  },
}
/** The code of a binary operation, also of a combination. */
export const binaryCode = (fn: BinaryOp | Combine, type: ScalarType): Emit => known(binaries[type][fn], fn, type)

const comparisons: Readonly<
  Record<CompareOp, readonly [signed: PlainOp, unsigned: PlainOp, f32: PlainOp, f64: PlainOp]>
> = {
  eq: ['i32.eq', 'i32.eq', 'f32.eq', 'f64.eq'],
  ne: ['i32.ne', 'i32.ne', 'f32.ne', 'f64.ne'],
  lt: ['i32.lt_s', 'i32.lt_u', 'f32.lt', 'f64.lt'],
  le: ['i32.le_s', 'i32.le_u', 'f32.le', 'f64.le'],
  gt: ['i32.gt_s', 'i32.gt_u', 'f32.gt', 'f64.gt'],
  ge: ['i32.ge_s', 'i32.ge_u', 'f32.ge', 'f64.ge'],
}
/** The code of a comparison of operands of this type. */
export function compareCode(fn: CompareOp, type: ScalarType): Emit {
  return ops(comparisons[fn][type === 'i32' ? 0 : type === 'f32' ? 2 : type === 'f64' ? 3 : 1])
}

const conversions: Readonly<Record<string, Emit>> = {
  'f32.f64': ops('f64.promote_f32'),
  'f32.i32': ops('i32.trunc_sat_f32_s'),
  'f32.u32': ops('i32.trunc_sat_f32_u'),
  'f32.bool': (f) => f.f32(0).op('f32.ne'),
  'f64.f32': ops('f32.demote_f64'),
  'f64.i32': ops('i32.trunc_sat_f64_s'),
  'f64.u32': ops('i32.trunc_sat_f64_u'),
  'f64.bool': (f) => f.f64(0).op('f64.ne'),
  'i32.f32': ops('f32.convert_i32_s'),
  'i32.f64': ops('f64.convert_i32_s'),
  'i32.u32': () => {},
  'i32.bool': (f) => f.i32(0).op('i32.ne'),
  'u32.f32': ops('f32.convert_i32_u'),
  'u32.f64': ops('f64.convert_i32_u'),
  'u32.i32': () => {},
  'u32.bool': (f) => f.i32(0).op('i32.ne'),
  'bool.f32': ops('f32.convert_i32_u'),
  'bool.f64': ops('f64.convert_i32_u'),
  'bool.i32': () => {},
  'bool.u32': () => {},
}
/** The code of a conversion between different machine types. */
export const convertCode = (from: ScalarType, to: ScalarType): Emit => conversions[`${from}.${to}`] ?? (() => {})

/** The code that reads a value's bits as another type. */
export function bitcastCode(from: ScalarType, to: ScalarType): Emit {
  if (from === 'f32') return to === 'f32' ? () => {} : ops('i32.reinterpret_f32')
  return to === 'f32' ? ops('f32.reinterpret_i32') : () => {}
}
/** Push a constant. */
export function pushConstant(f: FunctionBuilder, type: ScalarType, value: number): void {
  if (type === 'f32') f.f32(value)
  else if (type === 'f64') f.f64(value)
  else f.i32(value)
}
