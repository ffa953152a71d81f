/**
 * Reductions. Lanes are the grid's (each lane its own result), or the reduction's own innermost variable's: then several registers run side by
 * side and are combined at the end. Sums of floats run in chains of at most 16 additions, whose results are added in float64, or with their
 * rounding errors carried along: no less exact than pairwise summation.
 */
import {
  type Combine,
  type Expr,
  i32,
  identity,
  type Local,
  LoopVar,
  type Reduce,
  type ScalarType,
  substituting,
} from '@fluxion/compiler'
import type { Register } from '../assembler/function.ts'
import type { Emitter } from './emitter.ts'
import type { Vector } from './placing.ts'
import { ownLanes } from './plan.ts'
import { binaryCode, pushConstant, valueType } from './scalar.ts'
import type { Changes } from './scope.ts'
import { binaryVector, extractLane } from './vector.ts'

/** The longest chain of rounded additions. */
const chain = 16
/** Reductions of at most so many turns are written out: then places in a window are constant offsets. */
const fewTurns = 9

interface Accumulator {
  readonly into: Local
  readonly type: ScalarType
  readonly combine: Combine
  readonly value: Expr
  /** Whether lanes hold results of their own. */
  readonly wide: boolean
  /** Side by side: copies of the grid's vector, or of the reduction's own. */
  readonly registers: readonly Register[]
  /** What is left over of the reduction's own vectors. */
  readonly rest: Register | undefined
  /** Where chains are added up, if there is more than one. */
  readonly totals: readonly Total[]
  readonly restTotal: Total | undefined
}
/** A sum of chains: of f32s in f64 (two registers hold a vector's lanes), of f64s with what rounding lost. */
type Total = readonly [Register, Register]

const typeWide = (type: ScalarType): 'int32' | 'uint32' => (type === 'u32' ? 'uint32' : 'int32')
export const neutral = (combine: Combine, type: ScalarType): number => identity(combine, type, typeWide(type)).value

/** Emit a reduction. */
export function emitReduce(e: Emitter, reduce: Reduce): void {
  const { variables } = reduce
  const own = e.vector === undefined ? ownLanes(reduce) : undefined
  new Reduction(e, reduce, variables, own).emit()
}

class Reduction {
  readonly e: Emitter
  readonly variables: readonly LoopVar[]
  readonly own: Vector | undefined
  readonly accumulators: readonly Accumulator[]
  readonly changes: Changes
  /** The loop whose turns are cut into blocks of one chain each, and how many turns a block has. */
  readonly block: { readonly at: number; readonly turns: number } | undefined

  constructor(e: Emitter, reduce: Reduce, variables: readonly LoopVar[], own: Vector | undefined) {
    this.e = e
    this.variables = variables
    this.own = own
    this.changes = { locals: new Set(reduce.accumulators.map(({ into }) => into)), buffers: new Set() }
    this.block = this.#block(
      reduce.accumulators.some(
        ({ into, combine }) => combine === 'add' && (into.type === 'f32' || into.type === 'f64'),
      ),
    )
    this.accumulators = reduce.accumulators.map(({ into, combine, value }) => this.#accumulator(into, combine, value))
  }
  #block(sums: boolean): { at: number; turns: number } | undefined {
    const { variables, own } = this
    if (!sums) return undefined
    let turns = 1
    for (let at = variables.length - 1; at >= 0; at--) {
      const { extent } = variables[at]!
      const here =
        own !== undefined && at === variables.length - 1 ? Math.ceil(extent / (own.lanes * own.copies)) : extent
      if (turns * here > chain) return { at, turns: Math.max(1, Math.floor(chain / turns)) }
      turns *= here
    }
    return undefined
  }
  #accumulator(into: Local, combine: Combine, value: Expr): Accumulator {
    const { e, own, block } = this
    const { f } = e
    const { type } = into
    const wide = e.vector?.varying.has(into) === true
    const vector = wide || own !== undefined
    const copies = own?.copies ?? (wide ? e.vector!.copies : 1)
    const registers = Array.from({ length: copies }, () => f.register(vector ? 'v128' : valueType(type)))
    const leftover = own !== undefined && own.variable.extent % own.lanes > 0
    const summed = block !== undefined && combine === 'add' && (type === 'f32' || type === 'f64')
    const total = (of: 'v128' | 'f64'): Total => [f.register(of), f.register(of)]
    return {
      into,
      type,
      combine,
      value,
      wide,
      registers,
      rest: leftover ? f.register(valueType(type)) : undefined,
      totals: summed ? Array.from({ length: wide ? copies : 1 }, () => total(vector ? 'v128' : 'f64')) : [],
      restTotal: summed && leftover ? total('f64') : undefined,
    }
  }

  emit(): void {
    const { e, accumulators, variables } = this
    if (variables.some(({ extent }) => extent === 0)) {
      for (const accumulator of accumulators) {
        const { into, combine, type, wide } = accumulator
        accumulator.registers.forEach((_, copy) => {
          if (wide) this.#pushNeutral(combine, type)
          else pushConstant(e.f, type, neutral(combine, type))
          e.f.set(e.registerOf(into, copy))
        })
      }
      return
    }
    for (const accumulator of accumulators) this.#start(accumulator)
    if (this.own === undefined && variables.reduce((turns, { extent }) => turns * extent, 1) <= fewTurns)
      this.#unrolled()
    else this.#loops(0)
    for (const accumulator of accumulators) this.#finish(accumulator)
  }
  #pushNeutral(combine: Combine, type: ScalarType): void {
    const value = neutral(combine, type)
    if (type === 'f32' || type === 'f64') this.e.lanesOf(type, value)
    else this.e.lanesOf('i32', type === 'bool' ? -value : value | 0)
  }
  #start(accumulator: Accumulator): void {
    const { f } = this.e
    this.#clear(accumulator)
    for (const total of [...accumulator.totals, accumulator.restTotal]) {
      for (const register of total ?? []) {
        if (register.type === 'v128') this.e.lanesOf('i32', 0)
        else f.f64(0)
        f.set(register)
      }
    }
  }
  /** Begin a chain. */
  #clear({ combine, type, registers, rest }: Accumulator): void {
    const { f } = this.e
    for (const register of registers) {
      if (register.type === 'v128') this.#pushNeutral(combine, type)
      else pushConstant(f, type, neutral(combine, type))
      f.set(register)
    }
    if (rest === undefined) return
    pushConstant(f, type, neutral(combine, type))
    f.set(rest)
  }

  #unrolled(): void {
    let points: readonly (readonly [LoopVar, Expr])[][] = [[]]
    for (const variable of this.variables) {
      points = points.flatMap((point) =>
        Array.from({ length: variable.extent }, (_, i) => [...point, [variable, i32(i)] as const]),
      )
    }
    for (const point of points) {
      const at = substituting(new Map(point))
      this.#turn(this.accumulators.map(({ value }) => at(value)))
    }
  }
  #loops(at: number): void {
    const { e, variables, own, block, changes } = this
    const variable = variables[at]
    if (variable === undefined) {
      this.#turn()
      return
    }
    const { extent } = variable
    const innermost = own !== undefined && at === variables.length - 1
    if (block?.at !== at) {
      if (innermost) this.#ownLoop(0, extent - (extent % (own.lanes * own.copies)), true)
      else e.loop(variable, { start: 0, end: extent, step: 1, runs: true }, changes, () => this.#loops(at + 1))
      return
    }
    const size = block.turns * (innermost ? own.lanes * own.copies : 1)
    const whole = innermost ? extent - (extent % (own.lanes * own.copies)) : extent
    const start = new LoopVar(`${variable.name}0`, extent)
    const [from, end] = [e.f.register('i32'), e.f.register('i32')]
    e.bindVariable(start, from)
    e.loop(start, { start: 0, end: whole, step: size, runs: true }, changes, () => {
      const { f } = e
      f.get(from).i32(size).op('i32.add').tee(end).i32(whole).get(end).i32(whole).op('i32.lt_s', 'select').set(end)
      if (innermost) this.#ownLoop(from, end, false)
      else e.loop(variable, { start: from, end, step: 1, runs: true }, changes, () => this.#loops(at + 1))
      this.#flush()
    })
    if (innermost && whole < extent) {
      this.#ownLoop(whole, whole, true)
      this.#flush()
    }
  }
  /** The reduction's own innermost loop: several vectors a turn; then single vectors and single elements, if `rest` is wanted. */
  #ownLoop(start: number | Register, end: number | Register, rest: boolean): void {
    const { e, changes } = this
    const own = this.own!
    const { variable, lanes, copies } = own
    const { extent } = variable
    e.group(changes, () => {
      if (start !== end) {
        const range = { start, end, step: lanes * copies, runs: true }
        e.withVector(own, () => e.loop(variable, range, changes, () => this.#turn()))
      }
      if (!rest) return
      const [whole, vectors] = [extent - (extent % (lanes * copies)), extent - (extent % lanes)]
      if (whole < vectors) {
        const range = { start: whole, end: vectors, step: lanes, runs: true }
        e.withVector({ ...own, copies: 1 }, () => e.loop(variable, range, changes, () => this.#turn()))
      }
      if (vectors < extent) {
        e.loop(variable, { start: vectors, end: extent, step: 1, runs: true }, changes, () => this.#restTurn())
      }
    })
  }
  #turn(values: readonly Expr[] = this.accumulators.map(({ value }) => value)): void {
    const { e, accumulators } = this
    e.statement(values, () => {
      for (const [i, { type, combine, registers }] of accumulators.entries()) {
        const value = values[i]!
        const vector = registers[0]!.type === 'v128'
        for (let copy = 0; copy < (vector ? e.vector!.copies : 1); copy++) {
          e.f.get(registers[copy]!)
          if (vector) {
            e.lanes(value, copy)
            binaryVector(combine, type)!(e)
          } else {
            e.scalar(value)
            binaryCode(combine, type)(e.f)
          }
          e.f.set(registers[copy]!)
        }
      }
    })
  }
  #restTurn(): void {
    const { e, accumulators } = this
    e.statement(
      accumulators.map(({ value }) => value),
      () => {
        for (const { type, combine, value, rest } of accumulators) {
          e.f.get(rest!)
          e.scalar(value)
          binaryCode(combine, type)(e.f)
          e.f.set(rest!)
        }
      },
    )
  }

  /** Add the chains to the totals, and begin new ones. */
  #flush(): void {
    const { f } = this.e
    for (const accumulator of this.accumulators) {
      const { totals, registers, rest, restTotal, type, wide } = accumulator
      if (totals.length === 0) continue
      if (wide || this.own === undefined)
        totals.forEach((total, copy) => this.#addTo(total, type, () => f.get(registers[copy]!)))
      else this.#addTo(totals[0]!, type, () => this.#pushCopies(accumulator))
      if (restTotal !== undefined) this.#addTo(restTotal, type, () => f.get(rest!))
      this.#clear(accumulator)
    }
  }
  /** Push all copies combined, in pairs. */
  #pushCopies({ registers, combine, type }: Accumulator): void {
    const push = (from: number, to: number): void => {
      if (to - from === 1) {
        this.e.f.get(registers[from]!)
        return
      }
      const middle = (from + to) >> 1
      push(from, middle)
      push(middle, to)
      binaryVector(combine, type)!(this.e)
    }
    push(0, registers.length)
  }
  #addTo([first, second]: Total, type: ScalarType, push: () => void): void {
    const { f } = this.e
    if (type === 'f64') {
      push()
      this.#compensated([first, second])
      return
    }
    if (first.type === 'f64') {
      f.get(first)
      push()
      f.op('f64.promote_f32', 'f64.add').set(first)
      return
    }
    const value = f.temporary('v128')
    push()
    f.set(value)
    f.get(first).get(value).op('f64x2.promote_low_f32x4', 'f64x2.add').set(first)
    f.get(second).get(value).get(value).shuffle(upper).op('f64x2.promote_low_f32x4', 'f64x2.add').set(second)
    f.release(value)
  }
  /** Takes x: total += x, lost += what rounding took (Knuth's two-sum). */
  #compensated([total, lost]: Total): void {
    const { f } = this.e
    const [add, sub] = total.type === 'v128' ? (['f64x2.add', 'f64x2.sub'] as const) : (['f64.add', 'f64.sub'] as const)
    const [x, sum, part] = [f.temporary(total.type), f.temporary(total.type), f.temporary(total.type)]
    f.tee(x).get(total).op(add).tee(sum).get(total).op(sub).set(part)
    f.get(lost).get(total).get(sum).get(part).op(sub, sub).get(x).get(part).op(sub, add, add).set(lost)
    f.get(sum).set(total)
    for (const register of [x, sum, part]) f.release(register)
  }
  /** Push total + lost; once the sum is infinite, what was lost is not a number. */
  #pushTotal([total, lost]: Total): void {
    const { f } = this.e
    f.get(total).get(lost)
    if (total.type === 'v128') f.op('f64x2.add').get(total).get(lost).get(lost).op('f64x2.eq', 'v128.bitselect')
    else f.op('f64.add').get(total).get(lost).get(lost).op('f64.eq', 'select')
  }

  #finish(accumulator: Accumulator): void {
    const { e, own } = this
    const { f } = e
    const { into, type, combine, wide, registers, rest, totals, restTotal } = accumulator
    if (wide || own === undefined) {
      registers.forEach((register, copy) => {
        const total = totals[copy]
        if (total === undefined) f.get(register)
        else this.#pushRounded(total, type)
        f.set(e.registerOf(into, copy))
      })
      return
    }
    const total = totals[0]
    if (total === undefined) {
      this.#pushCopies(accumulator)
      this.#pushAcross(combine, type, own.lanes)
      if (rest !== undefined) {
        f.get(rest)
        binaryCode(combine, type)(f)
      }
    } else if (type === 'f32') {
      f.get(total[0]).get(total[1]).op('f64x2.add')
      this.#pushAcross('add', 'f64', 2)
      if (restTotal !== undefined) f.get(restTotal[0]).op('f64.add')
      f.op('f32.demote_f64')
    } else this.#pushLanesTotal(total, restTotal)
    f.set(e.registerOf(into))
  }
  #pushRounded(total: Total, type: ScalarType): void {
    const { f } = this.e
    if (type === 'f64') this.#pushTotal(total)
    else if (total[0].type === 'f64') f.get(total[0]).op('f32.demote_f64')
    else {
      f.get(total[0]).op('f32x4.demote_f64x2_zero').get(total[1]).op('f32x4.demote_f64x2_zero')
      f.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23])
    }
  }
  /** Combine the lanes on the stack into a scalar. */
  #pushAcross(combine: Combine, type: ScalarType, lanes: 2 | 4): void {
    const { f } = this.e
    const vector = f.temporary('v128')
    f.set(vector)
    const lane = (at: number): void => {
      f.get(vector)
      extractLane(this.e, type, at)
    }
    for (let at = 0; at < lanes; at += 2) {
      lane(at)
      lane(at + 1)
      binaryCode(combine, type)(f)
    }
    if (lanes === 4) binaryCode(combine, type)(f)
    f.release(vector)
  }
  /** Push the sum of two lanes' totals and of what was left over, each with what rounding lost. */
  #pushLanesTotal([total, lost]: Total, rest: Total | undefined): void {
    const { f } = this.e
    const sum: Total = [f.temporary('f64'), f.temporary('f64')]
    f.get(total).lane('f64x2.extract_lane', 0).set(sum[0])
    f.get(lost).lane('f64x2.extract_lane', 0).get(lost).lane('f64x2.extract_lane', 1).op('f64.add').set(sum[1])
    f.get(total).lane('f64x2.extract_lane', 1)
    this.#compensated(sum)
    if (rest !== undefined) {
      f.get(rest[0])
      this.#compensated(sum)
      f.get(sum[1]).get(rest[1]).op('f64.add').set(sum[1])
    }
    this.#pushTotal(sum)
    for (const register of sum) f.release(register)
  }
}

/** The upper two of four lanes. */
const upper = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]
