/** Makes expressions and statements, folding constants on the way. */
import type { DType } from '@fluxion/core'
import {
  type Binary,
  type BinaryOp,
  type Buffer,
  type Combine,
  type CompareOp,
  type Const,
  type Expr,
  type For,
  type Load,
  type Local,
  LoopVar,
  type ScalarType,
  type Stmt,
  type UnaryOp,
} from './ir.ts'

/** The machine type that computes with a dtype. */
export function scalarType(dtype: DType): ScalarType {
  switch (dtype) {
    case 'bool':
      return 'bool'
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return 'u32'
    case 'int8':
    case 'int16':
    case 'int32':
      return 'i32'
    case 'float16':
    case 'bfloat16':
    case 'float32':
      return 'f32'
    case 'float64':
      return 'f64'
  }
}
/** Whether the dtype holds fewer values than its machine type, so that results must be narrowed. */
export const isNarrow = (dtype: DType): boolean => !['bool', 'uint32', 'int32', 'float32', 'float64'].includes(dtype)

export const constant = (type: ScalarType, value: number): Const => ({ op: 'const', type, value })
/** The nearest f32. */
export const f32 = (value: number): Const => constant('f32', Math.fround(value))
export const i32 = (value: number): Const => constant('i32', value)
export const u32 = (value: number): Const => constant('u32', value)
export const truth = (value: boolean): Const => constant('bool', value ? 1 : 0)
export const isConst = (x: Expr, value?: number): x is Const =>
  x.op === 'const' && (value === undefined || Object.is(x.value, value))

const variables = new WeakMap<LoopVar, Expr>()
/** A variable's value; one object for each. */
export function variable(v: LoopVar): Expr {
  let known = variables.get(v)
  if (known === undefined) {
    known = v.extent === 1 ? i32(0) : { op: 'var', type: 'i32', variable: v }
    variables.set(v, known)
  }
  return known
}
/** Loops over the elements of a shape. */
export const gridOver = (shape: readonly number[]): LoopVar[] =>
  shape.map((size, axis) => new LoopVar('ijklmn'[axis] ?? `i${axis}`, size))
export const local = (of: Local): Expr => ({ op: 'local', type: of.type, local: of })
export const load = (buffer: Buffer, index: Expr): Load => ({
  op: 'load',
  type: scalarType(buffer.dtype),
  buffer,
  index,
})

export const unary = (fn: UnaryOp, x: Expr): Expr => ({ op: 'unary', fn, type: x.type, x })
/** Both operands of one type, which is the result's. What floats give is never guessed: only what holds of every operand is simplified. */
export function binary(fn: BinaryOp, x: Expr, y: Expr): Expr {
  const whole = x.type === 'i32' || x.type === 'u32'
  if (whole && (fn === 'add' || fn === 'or' || fn === 'xor') && isConst(x, 0)) return y
  if (whole && ['add', 'sub', 'or', 'xor', 'shl', 'shr'].includes(fn) && isConst(y, 0)) return x
  if (whole && fn === 'mul' && (isConst(x, 0) || isConst(y, 1))) return x
  if (whole && fn === 'mul' && (isConst(y, 0) || isConst(x, 1))) return y
  if (x.type === 'bool' && fn === 'and' && (isConst(x, 1) || isConst(y, 0))) return y
  if (x.type === 'bool' && fn === 'and' && (isConst(y, 1) || isConst(x, 0))) return x
  if (x.type === 'bool' && fn === 'or' && (isConst(x, 0) || isConst(y, 1))) return y
  if (x.type === 'bool' && fn === 'or' && (isConst(y, 0) || isConst(x, 1))) return x
  if (whole && isConst(x) && isConst(y)) {
    const value = folded(fn, x.type === 'i32', x.value, y.value)
    if (value !== undefined) return constant(x.type, value)
  }
  return { op: 'binary', fn, type: x.type, x, y } satisfies Binary
}
function folded(fn: BinaryOp, signed: boolean, x: number, y: number): number | undefined {
  const wrap = (value: number): number => (signed ? value | 0 : value >>> 0)
  switch (fn) {
    case 'add':
      return wrap(x + y)
    case 'sub':
      return wrap(x - y)
    case 'mul':
      return wrap(Math.imul(x, y))
    case 'min':
      return Math.min(x, y)
    case 'max':
      return Math.max(x, y)
    case 'and':
      return wrap(x & y)
    case 'or':
      return wrap(x | y)
    case 'xor':
      return wrap(x ^ y)
    case 'shl':
      return wrap(x << y)
    case 'shr':
      return signed ? x >> y : x >>> y
    default:
      return undefined
  }
}
export const add = (x: Expr, y: Expr): Expr => binary('add', x, y)
export const sub = (x: Expr, y: Expr): Expr => binary('sub', x, y)
export const mul = (x: Expr, y: Expr): Expr => binary('mul', x, y)
export const div = (x: Expr, y: Expr): Expr => binary('div', x, y)
export const min = (x: Expr, y: Expr): Expr => binary('min', x, y)
export const max = (x: Expr, y: Expr): Expr => binary('max', x, y)
export const and = (x: Expr, y: Expr): Expr => binary('and', x, y)
export const or = (x: Expr, y: Expr): Expr => binary('or', x, y)
export const xor = (x: Expr, y: Expr): Expr => binary('xor', x, y)
export const shl = (x: Expr, y: Expr): Expr => binary('shl', x, y)
export const shr = (x: Expr, y: Expr): Expr => binary('shr', x, y)
export const neg = (x: Expr): Expr => unary('neg', x)
export const abs = (x: Expr): Expr => unary('abs', x)
export const not = (x: Expr): Expr => (x.type === 'bool' && isConst(x) ? truth(x.value === 0) : unary('not', x))
export const fma = (x: Expr, y: Expr, z: Expr): Expr => ({ op: 'fma', type: x.type as 'f32' | 'f64', x, y, z })

export function compare(fn: CompareOp, x: Expr, y: Expr): Expr {
  if (isConst(x) && isConst(y)) {
    const [a, b] = [x.value, y.value]
    const results = { eq: a === b, ne: a !== b, lt: a < b, le: a <= b, gt: a > b, ge: a >= b }
    return truth(results[fn])
  }
  return { op: 'compare', fn, type: 'bool', x, y }
}
export const eq = (x: Expr, y: Expr): Expr => compare('eq', x, y)
export const ne = (x: Expr, y: Expr): Expr => compare('ne', x, y)
export const lt = (x: Expr, y: Expr): Expr => compare('lt', x, y)
export const le = (x: Expr, y: Expr): Expr => compare('le', x, y)
export const gt = (x: Expr, y: Expr): Expr => compare('gt', x, y)
export const ge = (x: Expr, y: Expr): Expr => compare('ge', x, y)

export function select(condition: Expr, x: Expr, y: Expr): Expr {
  if (isConst(condition)) return condition.value === 0 ? y : x
  return x === y ? x : { op: 'select', type: x.type, condition, x, y }
}
export function convert(type: ScalarType, x: Expr): Expr {
  if (x.type === type) return x
  // Of a truth value, as a number.
  if (type === 'bool' && x.op === 'convert' && x.x.type === 'bool') return x.x
  return { op: 'convert', type, x }
}
export const bitcast = (type: 'f32' | 'i32' | 'u32', x: Expr): Expr =>
  x.type === type ? x : { op: 'bitcast', type, x }
/** `x` as a value that `dtype` can hold; `x` has the dtype's machine type. */
export const narrow = (dtype: DType, x: Expr): Expr =>
  isNarrow(dtype) ? { op: 'narrow', type: scalarType(dtype), dtype, x } : x

export const assign = (to: Local, value: Expr): Stmt => ({ op: 'assign', local: to, value })
export const store = (buffer: Buffer, index: Expr, value: Expr): Stmt => ({ op: 'store', buffer, index, value })
export const update = (buffer: Buffer, index: Expr, combine: Combine, value: Expr): Stmt => ({
  op: 'update',
  buffer,
  index,
  combine,
  value,
})
export const when = (condition: Expr, yes: readonly Stmt[], no: readonly Stmt[] = []): Stmt => ({
  op: 'if',
  condition,
  yes,
  no,
})
export const whilst = (condition: Expr, body: readonly Stmt[]): Stmt => ({ op: 'while', condition, body })
/** A sequential loop; the extent is the variable's unless it is computed. */
export const forLoop = (v: LoopVar, body: readonly Stmt[], extent: Expr = i32(v.extent)): For => ({
  op: 'for',
  variable: v,
  extent,
  body,
})
/** What a combination of no values gives. */
export function identity(combine: Combine, type: ScalarType, dtype: DType): Const {
  const float = type === 'f32' || type === 'f64'
  const { low, high } = limits(type, dtype)
  switch (combine) {
    case 'add':
    case 'xor':
    case 'or':
      return constant(type, 0)
    case 'mul':
      return constant(type, 1)
    case 'and':
      return constant(type, type === 'i32' ? -1 : high)
    case 'min':
      return constant(type, float ? Infinity : high)
    case 'max':
      return constant(type, float ? -Infinity : low)
  }
}
function limits(type: ScalarType, dtype: DType): { low: number; high: number } {
  if (type === 'bool') return { low: 0, high: 1 }
  const bits = dtype.endsWith('8') ? 8 : dtype.endsWith('16') ? 16 : 32
  return type === 'u32' ? { low: 0, high: 2 ** bits - 1 } : { low: -(2 ** (bits - 1)), high: 2 ** (bits - 1) - 1 }
}
