/** What the operations of the loop IR do to numbers of each machine type. */
import { type DType, invariant, roundBfloat, roundHalf } from '@fluxion/core'
import type { BinaryOp, Combine, CompareOp, ScalarType, UnaryOp } from './ir.ts'

type Op1 = (x: number) => number
type Op2 = (x: number, y: number) => number

const same: Op1 = (x) => x
/** How the result of an exact operation becomes one of the type: floats round, integers wrap. */
const results: Readonly<Record<ScalarType, Op1>> = {
  f32: Math.fround,
  f64: same,
  i32: (x) => x | 0,
  u32: (x) => x >>> 0,
  bool: (x) => x & 1,
}

function nearest(x: number): number {
  if (!(Math.abs(x) < 2 ** 52)) return x
  // Numbers from 2^52 on are whole, so that adding and subtracting it rounds, ties to even.
  const rounded = Math.abs(x) + 2 ** 52 - 2 ** 52
  return x < 0 || Object.is(x, -0) ? -rounded : rounded
}
function popcount(x: number): number {
  let count = 0
  for (let rest = x >>> 0; rest !== 0; rest &= rest - 1) count++
  return count
}
const unary: Readonly<Record<UnaryOp, Op1>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  nearest,
  not: (x) => ~x,
  popcount,
  clz: Math.clz32,
}
export function unaryOp(fn: UnaryOp, type: ScalarType): Op1 {
  const [f, result] = [unary[fn], results[type]]
  return (x) => result(f(x))
}

/** Divisors and shift amounts that the IR does not allow are bugs of whoever made the kernel. */
const nonzero = (y: number): number => {
  invariant(y !== 0, 'loops: an integer is divided by 0')
  return y
}
function quotient(x: number, y: number): number {
  invariant(x !== -(2 ** 31) || y !== -1, 'loops: the least integer is divided by -1')
  return Math.trunc(x / nonzero(y))
}
const amount = (y: number): number => {
  invariant(y >= 0 && y < 32, () => `loops: expected a shift by less than 32, got one by ${y}`)
  return y
}
const positive = (y: number): number => {
  invariant(y > 0, () => `loops: expected a positive divisor, got ${y}`)
  return y
}
const floats: Partial<Readonly<Record<BinaryOp, Op2>>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  rem: (x, y) => x % y,
  min: Math.min,
  max: Math.max,
}
const integers: Readonly<Record<BinaryOp, Op2>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: Math.imul,
  div: quotient,
  rem: (x, y) => x % nonzero(y),
  floorDiv: (x, y) => Math.floor(x / positive(y)),
  floorMod: (x, y) => x - y * Math.floor(x / positive(y)),
  min: Math.min,
  max: Math.max,
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  shl: (x, y) => x << amount(y),
  shr: (x, y) => x >> amount(y),
}
const logicalRight: Op2 = (x, y) => x >>> amount(y)

export function binaryOps(fn: BinaryOp, type: ScalarType): Op2 {
  const float = type === 'f32' || type === 'f64'
  const f = float ? floats[fn] : type === 'u32' && fn === 'shr' ? logicalRight : integers[fn]
  invariant(f !== undefined, () => `loops: ${fn} is not defined for ${type}`)
  const result = results[type]
  return (x, y) => result(f(x, y))
}
export const combineOps = (combine: Combine, type: ScalarType): Op2 => binaryOps(combine, type)

export const compareOps: Readonly<Record<CompareOp, (x: number, y: number) => boolean>> = {
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt: (x, y) => x < y,
  le: (x, y) => x <= y,
  gt: (x, y) => x > y,
  ge: (x, y) => x >= y,
}

/** Truncated, and the nearest end of the range if outside of it; 0 of NaN. */
const saturated =
  (low: number, high: number): Op1 =>
  (x) =>
    Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(x))) + 0
const saturating: Partial<Readonly<Record<ScalarType, Op1>>> = {
  i32: saturated(-(2 ** 31), 2 ** 31 - 1),
  u32: saturated(0, 2 ** 32 - 1),
}
export function conversion(from: ScalarType, to: ScalarType): Op1 {
  if (to === 'bool') return (x) => (x === 0 ? 0 : 1)
  const float = from === 'f32' || from === 'f64'
  return (float ? saturating[to] : undefined) ?? results[to]
}

const words = new DataView(new ArrayBuffer(4))
const writers: Partial<Readonly<Record<ScalarType, (x: number) => void>>> = {
  f32: (x) => words.setFloat32(0, x),
  i32: (x) => words.setInt32(0, x),
  u32: (x) => words.setUint32(0, x),
}
const readers: Partial<Readonly<Record<ScalarType, () => number>>> = {
  f32: () => words.getFloat32(0),
  i32: () => words.getInt32(0),
  u32: () => words.getUint32(0),
}
/** The same bits as another type; of NaNs there is one in JavaScript, whose other bits are not kept. */
export function bitcasts(from: ScalarType, to: ScalarType): Op1 {
  const [write, read] = [writers[from], readers[to]]
  invariant(write !== undefined && read !== undefined, () => `loops: ${from} has not the bits of a ${to}`)
  return (x) => {
    write(x)
    return read()
  }
}

const narrowings: Partial<Readonly<Record<DType, Op1>>> = {
  uint8: (x) => x & 0xff,
  int8: (x) => (x << 24) >> 24,
  uint16: (x) => x & 0xffff,
  int16: (x) => (x << 16) >> 16,
  float16: roundHalf,
  bfloat16: roundBfloat,
}
/** From the machine type of a dtype to what the dtype can hold. */
export const narrowing = (dtype: DType): Op1 => narrowings[dtype] ?? same
