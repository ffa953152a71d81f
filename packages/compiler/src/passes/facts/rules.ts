/** How facts travel through operations. A rule gives what is known of each result; of an operation without one, nothing is. */
import { type Atom, type Aval, type Equation, Literal, dtypes, isFloat, sizeOf } from '@fluxion/core'
import { elementwise } from '../elementwise.ts'
import { type Fact, type Range, fact, join, limitsOf } from './fact.ts'

type Known = Partial<Fact>
/** Facts of the operands, the operands, parameters, and the result's type, to facts of the result. */
type FactRule = (facts: readonly Fact[], equation: Equation, out: Aval) => Known

const bounds = (f: Fact, { dtype }: Aval): Range => f.range ?? limitsOf(dtype) ?? [-Infinity, Infinity]
/** A range from the ranges of operands that are integers. */
const ranged =
  (f: (a: Range, b: Range) => Range): FactRule =>
  ([a, b], { inputs: [x, y] }) =>
    isFloat(x!.aval.dtype) ? {} : { range: f(bounds(a!, x!.aval), bounds(b!, y!.aval)) }
const corners = (f: (a: number, b: number) => number, a: Range, b: Range): Range => {
  const all = a.flatMap((x) => b.map((y) => f(x, y)))
  return [Math.min(...all), Math.max(...all)]
}
/** 0 or 1 from operands that all are; besides, a rule for ranges. */
const logical =
  (range: FactRule = () => ({})): FactRule =>
  (facts, equation, out) => ({ ...range(facts, equation, out), zeroOne: facts.every((f) => f.zeroOne) })

/** What becomes of the elements is a choice among those of the operands, given by position. */
const choice =
  (from: (count: number) => readonly number[]): FactRule =>
  (facts, _, out) => {
    const chosen = from(facts.length).map((i) => facts[i]!)
    const joined = chosen.reduce((a, b) => join(out, a, b))
    return { ...joined, constant: chosen.length === 1 && joined.constant }
  }
const allOperands = choice((count) => Array.from({ length: count }, (_, i) => i))
const first: FactRule = ([x]) => x!
const flag: FactRule = () => ({ zeroOne: true })

const add = ranged((a, b) => [a[0] + b[0], a[1] + b[1]])
const mul: FactRule = logical(ranged((a, b) => corners((x, y) => x * y, a, b)))
/** 1 − x is 0 or 1 as x is. */
const sub: FactRule = (facts, equation, out) => ({
  ...ranged((a, b) => [a[0] - b[1], a[1] - b[0]])(facts, equation, out),
  ...(isOne(equation.inputs[0]!) && facts[1]!.zeroOne && { zeroOne: true }),
})
const isOne = (atom: Atom): boolean => atom instanceof Literal && atom.value === 1
const max: FactRule = logical(ranged((a, b) => [Math.max(a[0], b[0]), Math.max(a[1], b[1])]))
const min: FactRule = logical(ranged((a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1])]))
/** The bits of either operand, none of which is a sign, bound the result. */
const and: FactRule = ([a, b], { inputs: [x] }) => {
  const highs = [a!, b!].map((f) => bounds(f, x!.aval)).filter(([low]) => low >= 0)
  return highs.length === 0 ? {} : { range: [0, Math.min(...highs.map(([, high]) => high))] }
}
/** Of integers that are not negative: no bit above the highest of both. */
const either: FactRule = ranged((a, b) => {
  if (a[0] < 0 || b[0] < 0) return [-Infinity, Infinity]
  return [0, 2 ** (Math.floor(Math.log2(Math.max(a[1], b[1], 1))) + 1) - 1]
})
const shiftRight: FactRule = ([a, b], { inputs: [x, y] }) => {
  const [low, high] = bounds(a!, x!.aval)
  const [least] = bounds(b!, y!.aval)
  return low < 0 ? {} : { range: [0, Math.floor(high / 2 ** Math.max(0, Math.min(least, 31)))] }
}
const div: FactRule = ranged((a, b) => (b[0] < 1 ? [-Infinity, Infinity] : corners((x, y) => Math.trunc(x / y), a, b)))
/** The remainder has the sign of the dividend, and is no larger. */
const rem: FactRule = ranged((a, b) => {
  if (b[0] < 1) return [-Infinity, Infinity]
  return [a[0] < 0 ? Math.max(a[0], 1 - b[1]) : 0, a[1] > 0 ? Math.min(a[1], b[1] - 1) : 0]
})
const clamp: FactRule = ([lo, x, hi], { inputs: [, of] }) => {
  if (isFloat(of!.aval.dtype)) return { zeroOne: [lo, x, hi].every((f) => f!.zeroOne) }
  const [a, b, c] = [lo!, x!, hi!].map((f) => bounds(f, of!.aval)) as [Range, Range, Range]
  return { range: [Math.min(Math.max(b[0], a[0]), c[0]), Math.min(Math.max(b[1], a[1]), c[1])] }
}
const convert: FactRule = ([x], { inputs: [from] }, out) => {
  if (out.dtype === 'bool') return { zeroOne: true }
  const [limits, range] = [limitsOf(out.dtype), x!.range]
  const fits = limits !== undefined && range !== undefined && range[0] >= limits[0] && range[1] <= limits[1]
  return { zeroOne: x!.zeroOne || from!.aval.dtype === 'bool', ...(fits && { range }) }
}
/** The complement of an integer; that of a bool is 0 or 1 as every bool. */
const not: FactRule = ([x], { inputs: [from] }) =>
  from!.aval.dtype === 'bool' || x!.range === undefined ? {} : { range: [-1 - x!.range[1], -1 - x!.range[0]] }
const power: FactRule = ([x], { params }) => ({
  zeroOne: x!.zeroOne && ((params as { readonly y?: number }).y ?? 2) > 0,
})

const counted: FactRule = (_, { inputs: [x] }) => ({ range: [0, dtypes[x!.aval.dtype].bits] })
const iota: FactRule = (_, { params }) => {
  const { shape, dimension } = params as { readonly shape: readonly number[]; readonly dimension: number }
  return { range: [0, Math.max(0, shape[dimension]! - 1)], zeroOne: shape[dimension]! <= 2 }
}
/** The position along the axes that are reduced. */
const position: FactRule = (_, { inputs: [x], params }) => {
  const [axis] = (params as { readonly axes: readonly number[] }).axes
  return { range: [0, x!.aval.shape[axis!]! - 1] }
}
/** An extreme of elements is one of them, if there are any. */
const extreme: FactRule = ([x], { inputs: [of] }) => (sizeOf(of!.aval.shape) === 0 ? {} : x!)
const sum: FactRule = ([x], { inputs: [of] }, out) => {
  const count = sizeOf(of!.aval.shape) / Math.max(1, sizeOf(out.shape))
  return {
    constant: x!.constant,
    ...(x!.range && { range: [Math.min(0, count * x!.range[0]), Math.max(0, count * x!.range[1])] as const }),
  }
}
/** Windows outside of the operand are filled with what stands in the parameters. */
const gather: FactRule = ([x], { params }) => {
  const { mode, fillValue } = params as { readonly mode: string; readonly fillValue: number | null }
  if (mode !== 'fill' && mode !== 'drop') return x!
  if (fillValue === null) return {}
  const range = x!.range && ([Math.min(x!.range[0], fillValue), Math.max(x!.range[1], fillValue)] as const)
  return { zeroOne: x!.zeroOne && (Object.is(fillValue, 0) || fillValue === 1), ...(range && { range }) }
}
const running: FactRule = ([x]) => ({ ...x!, constant: false })

const rows: Readonly<Record<string, FactRule>> = {
  ...Object.fromEntries(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'is_finite', 'unpackbits'].map((name) => [name, flag])),
  ...Object.fromEntries(
    (
      'copy stop_gradient name floor ceil round broadcast_in_dim reshape transpose squeeze rev slice dynamic_slice ' +
      'split'
    )
      .split(' ')
      .map((name) => [name, first]),
  ),
  abs: ([x]) => ({ zeroOne: x!.zeroOne }),
  sign: ([x]) => ({ zeroOne: x!.zeroOne }),
  add,
  add_any: add,
  sub,
  mul,
  max,
  min,
  and,
  or: logical(either),
  xor: logical(either),
  not,
  div,
  rem,
  clamp,
  neg: ([x]) => (x!.range === undefined ? {} : { range: [0 - x!.range[1], 0 - x!.range[0]] }),
  square: power,
  integer_pow: power,
  shift_right_logical: shiftRight,
  shift_right_arithmetic: shiftRight,
  population_count: counted,
  clz: counted,
  convert_element_type: convert,
  select_n: choice((count) => Array.from({ length: count - 1 }, (_, i) => i + 1)),
  concatenate: allOperands,
  pad: choice(() => [0, 1]),
  dynamic_update_slice: choice(() => [0, 1]),
  gather,
  iota,
  argmax: position,
  argmin: position,
  reduce_max: extreme,
  reduce_min: extreme,
  reduce_and: (facts, equation, out) => ({ zeroOne: extreme(facts, equation, out).zeroOne === true }),
  reduce_or: ([x]) => ({ zeroOne: x!.zeroOne }),
  reduce_sum: sum,
  cummax: running,
  cummin: running,
  sort: first,
}

/** What is known of each result of an operation that holds no program. */
export function factsOfResults(equation: Equation, facts: readonly Fact[]): Fact[] {
  const { primitive, outputs } = equation
  const rule = rows[primitive.name]
  // Equal operands give equal elements, place by place.
  const spread = elementwise.has(primitive.name) && facts.every((f) => f.constant)
  return outputs.map((variable, i) => {
    const out = variable?.aval ?? { shape: [], dtype: 'float32', weakType: false }
    if (rule === undefined || variable === null) return fact(out, { constant: spread })
    const known = rule(primitive.name === 'sort' ? [facts[i]!] : facts, equation, out)
    return fact(out, { ...known, constant: spread || (known.constant === true && !elementwise.has(primitive.name)) })
  })
}
