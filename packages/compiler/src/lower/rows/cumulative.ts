/**
 * Running sums, products, extremes and log-sum-exps along an axis. Lines run beside each other; where points run by the thousand, lines are cut
 * into blocks, whose totals are folded in the same way.
 */
import { type DType, type Shape, isFloat, sizeOf } from '@fluxion/core'
import {
  abs,
  add,
  assign,
  bitcast,
  constant,
  convert,
  div,
  eq,
  f32,
  fma,
  forLoop,
  gt,
  i32,
  identity,
  load,
  local,
  lt,
  max,
  min,
  mul,
  narrow,
  neg,
  scalarType,
  select,
  shl,
  store,
  sub,
  u32,
  unary,
  variable,
} from '../../loops/build.ts'
import { flatIndex, indexAdd, indexDiv, indexMul } from '../../loops/indices.ts'
import { type Buffer, type Expr, Local, LoopVar, type ScalarType } from '../../loops/ir.ts'
import type { KernelBuilder, KernelRow, Rows, Target } from '../lowering.ts'
import { converted } from './elementwise/convert.ts'

interface CumulativeParams {
  readonly axis: number
  readonly reverse: boolean
}
/** What sets one running fold apart. */
interface Fold {
  /** Whether its results are rounded: floats then are folded in the widest type that there is. */
  readonly rounds: boolean
  /** What a step from it leaves as it was. */
  first(type: ScalarType, dtype: DType): Expr
  step(total: Expr, x: Expr): Expr
}
const foldDtype = ({ rounds }: Fold, dtype: DType, { host }: Target): DType =>
  !rounds || !isFloat(dtype) ? dtype : host ? 'float64' : 'float32'

/** Lines longer than this are cut into blocks of so many, where points run by the thousand. */
const blockSize = 64

/** One level of folding: lines along an axis of an array of this shape. */
interface Level {
  readonly fold: Fold
  /** The dtype that is folded in. */
  readonly dtype: DType
  readonly shape: Shape
  readonly axis: number
  readonly reverse: boolean
  /** The element to fold, at coordinates. */
  readonly read: (index: readonly Expr[]) => Expr
  /** Memory of this shape for values in between: `out`, if that has their dtype. */
  readonly partials: Buffer
  readonly out: Buffer
}

function emitLevel(build: KernelBuilder, name: string, level: Level): void {
  const { fold, dtype, shape, axis, reverse, read, partials, out } = level
  const length = shape[axis]!
  const loops = shape.map((size, i) => new LoopVar(`i${i}`, size))
  /** Coordinates of an element by its number in the line. */
  const indexOf = (number: Expr): Expr[] =>
    loops.map((v, i) => (i !== axis ? variable(v) : reverse ? indexAdd(length - 1, indexMul(number, -1)) : number))
  const placeOf = (number: Expr): Expr => flatIndex(indexOf(number), shape)
  const gridWith = (v: LoopVar): LoopVar[] => loops.with(axis, v)
  const total = new Local('total', scalarType(dtype))
  const start = assign(total, fold.first(total.type, dtype))
  const stepAt = (number: Expr) => assign(total, narrow(dtype, fold.step(local(total), read(indexOf(number)))))
  const result = (value: Expr): Expr => converted(value, dtype, out.dtype)

  if (!build.target.parallel || length <= blockSize) {
    const number = new LoopVar('j', length)
    const at = variable(number)
    build.nest(
      name,
      loops.filter((_, i) => i !== axis),
      [start, forLoop(number, [stepAt(at), store(out, placeOf(at), result(local(total)))])],
    )
    return
  }
  const blocks = Math.ceil(length / blockSize)
  const ofTotals = shape.with(axis, blocks)
  const totals = build.temporary(dtype, sizeOf(ofTotals))
  const totalAt = (index: readonly Expr[]): Expr => flatIndex(index, ofTotals)
  const block = new LoopVar('block', blocks)
  const inBlock = new LoopVar('j', blockSize)
  const begin = indexMul(variable(block), blockSize)
  const number = indexAdd(begin, variable(inBlock))
  build.nest(`${name}_blocks`, gridWith(block), [
    start,
    forLoop(
      inBlock,
      [stepAt(number), store(partials, placeOf(number), local(total))],
      min(i32(blockSize), indexAdd(length, indexMul(begin, -1))),
    ),
    store(totals, totalAt(gridWith(block).map(variable)), local(total)),
  ])
  emitLevel(build, name, {
    fold,
    dtype,
    axis,
    shape: ofTotals,
    reverse: false,
    read: (index) => load(totals, totalAt(index)),
    partials: totals,
    out: totals,
  })
  // What stands in a block follows all that was folded up to the block before.
  const element = new LoopVar('j', length)
  const partial = load(partials, placeOf(variable(element)))
  const before = indexAdd(indexDiv(variable(element), blockSize), -1)
  const earlier = load(totals, totalAt(loops.map(variable).with(axis, max(before, i32(0)))))
  const folded = select(lt(before, i32(0)), partial, narrow(dtype, fold.step(earlier, partial)))
  build.nest(name, gridWith(element), [store(out, placeOf(variable(element)), result(folded))])
}

const cumulative = (name: string, fold: Fold): KernelRow<CumulativeParams> => ({
  kind: 'kernels',
  emit(build, [x], { axis, reverse }, [out]) {
    const { shape, dtype: from } = x!.aval
    if (shape.includes(0)) return
    const dtype = foldDtype(fold, from, build.target)
    emitLevel(build, name, {
      fold,
      dtype,
      shape,
      axis,
      reverse,
      read: (index) => converted(x!.at(index), from, dtype),
      partials: dtype === from || !build.target.parallel ? out! : build.temporary(dtype, out!.length),
      out: out!,
    })
  },
})

/** c₀ + c₁ x + c₂ x² + … */
const polynomial = (x: Expr, coefficients: readonly number[]): Expr =>
  coefficients
    .slice(0, -1)
    .reduceRight<Expr>((sum, c) => fma(sum, x, constant(x.type, c)), constant(x.type, coefficients.at(-1)!))
/** ln 2 as a number of few bits, whose multiples are exact, and what it lacks. */
const [ln2High, ln2Low] = [0.693359375, -2.1219444e-4]

/** log(1 + e⁻ᵈ) of an f32 that is not negative, with an error of some units in the last place of 1. */
function softened(d: Expr): Expr {
  // beyond 87 the power of two would be subnormal: 0 for all such
  const x = max(neg(d), f32(-87))
  const n = unary('nearest', mul(x, f32(Math.LOG2E)))
  const rest = fma(n, f32(-ln2Low), fma(n, f32(-ln2High), x))
  const power = bitcast('f32', shl(bitcast('u32', add(convert('i32', n), i32(127))), u32(23)))
  const e = mul(power, polynomial(rest, [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040]))
  // log(1 + e) = 2 artanh(s), s = e / (2 + e) ≤ 1/3
  const s = div(e, add(f32(2), e))
  const odd = [1, 1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11, 1 / 13, 1 / 15, 1 / 17]
  return select(gt(d, f32(87)), f32(0), mul(mul(f32(2), s), polynomial(mul(s, s), odd)))
}
const host = (fn: string, x: Expr): Expr => ({ op: 'host', type: 'f64', fn, args: [x] })

/** log(eˣ + eʸ) without overflow; of equal infinities it is that infinity. */
function logAddExp(x: Expr, y: Expr): Expr {
  const d = abs(sub(x, y))
  const more = x.type === 'f64' ? host('log1p', host('exp', neg(d))) : softened(d)
  return select(eq(x, y), add(x, constant(x.type, Math.LN2)), add(max(x, y), more))
}

export const cumulativeRows: Rows = {
  cumsum: cumulative('cumsum', {
    rounds: true,
    // −0 + x is x, also of −0
    first: (type) => constant(type, type === 'f32' || type === 'f64' ? -0 : 0),
    step: add,
  }),
  cumprod: cumulative('cumprod', { rounds: true, first: (type) => constant(type, 1), step: mul }),
  cummax: cumulative('cummax', { rounds: false, first: (type, dtype) => identity('max', type, dtype), step: max }),
  cummin: cumulative('cummin', { rounds: false, first: (type, dtype) => identity('min', type, dtype), step: min }),
  cumlogsumexp: cumulative('cumlogsumexp', {
    rounds: true,
    first: (type) => constant(type, -Infinity),
    step: logAddExp,
  }),
}
