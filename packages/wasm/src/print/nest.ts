/** Prints a loop nest as a function of its buffers' addresses and of the range of its outermost loop. */
import { LoopVar, type Nest } from '@fluxion/compiler'
import type { FunctionRef, Register } from '../assembler/function.ts'
import type { ModuleBuilder } from '../assembler/module.ts'
import { Emitter } from './emitter.ts'
import { noteHalves } from './halves.ts'
import type { Vector } from './placing.ts'
import type { PrintOptions } from './scalarEmitter.ts'
import { planNest } from './plan.ts'
import { changesOf } from './scope.ts'
import { type Split, splitNest } from './split.ts'
import { type Tiling, tileLines, tilingOf } from './tile.ts'
import { emitBody, emitStatements, functionOf } from './statements.ts'
import { noteZeros } from './zeros.ts'

/**
 * Add a function that runs a nest: parameters are a byte address for each of the nest's, and the range `begin`, `end` of the outermost loop
 * of the grid, which a nest without one ignores. Any cut of the whole range gives the same bits, unless points update the same elements.
 */
export function printNest(module: ModuleBuilder, nest: Nest, options: PrintOptions): FunctionRef {
  const { params, grid, body, name } = nest
  const f = module.function(
    name,
    [...params, 'begin', 'end'].map(() => 'i32' as const),
  )
  const e = new Emitter(f, module, options, functionOf)
  noteHalves(body)
  noteZeros(nest)
  params.forEach((buffer, i) => e.bindBuffer(buffer, f.param(i)))
  if (grid.some(({ extent }) => extent === 0)) return f
  if (grid.length === 0) {
    emitStatements(e, body)
    return f
  }
  const [begin, end] = [f.param(params.length), f.param(params.length + 1)]
  f.get(begin)
    .get(end)
    .op('i32.ge_s')
    .if(() => f.op('return'))
  const split = splitNest(nest)
  const tiling = split === undefined ? tilingOf(nest) : undefined
  // where the innermost loop has one turn in lanes, no code but this gives its variable a value
  if (grid.length > 1 || split !== undefined) f.i32(0).set(e.counterOf(split?.inner ?? tiling?.inner ?? grid.at(-1)!))
  emitGrid(e, { nest, vector: planNest(nest), split, tiling }, 0, begin, end)
  return f
}

interface Planned {
  readonly nest: Nest
  readonly vector: Vector | undefined
  readonly split: Split | undefined
  readonly tiling: Tiling | undefined
}
function emitGrid(e: Emitter, planned: Planned, at: number, start: number | Register, end: number | Register): void {
  const { nest, vector, split, tiling } = planned
  const { grid, body } = nest
  const variable = grid[at]!
  const changes = changesOf(body)
  if (tiling !== undefined && variable === tiling.line) emitTiles(e, planned, tiling, at, start, end)
  else if (at < grid.length - 1) {
    e.loop(variable, { start, end, step: 1, runs: true }, changes, () =>
      emitGrid(e, planned, at + 1, 0, grid[at + 1]!.extent),
    )
  } else if (split !== undefined) emitSplit(e, nest, split, start, end)
  else if (vector === undefined) {
    e.loop(variable, { start, end, step: 1, runs: true }, changes, () => emitBody(e, body))
  } else emitLanes(e, nest, start, end, vector)
}
/**
 * The loop along which the lines of a load lie, in turns of a tile each: inside of all other loops but that of the tile's columns, it comes back to
 * the same lines while they are in the first cache.
 */
function emitTiles(
  e: Emitter,
  { nest }: Planned,
  { line, outer, inner, tiled, rest }: Tiling,
  at: number,
  start: number | Register,
  end: number | Register,
): void {
  const { f } = e
  const changes = changesOf(nest.body)
  const from = new LoopVar(`${line.name}0`, line.extent)
  const [first, last] = [e.counterOf(from), f.register('i32')]
  const push = (value: number | Register): void => void (typeof value === 'number' ? f.i32(value) : f.get(value))
  const lines = (body: () => void): void =>
    e.loop(line, { start: first, end: last, step: 1, runs: true }, changes, body)
  const vector = planNest(tiled)
  const turns = (): void => {
    if (vector === undefined)
      e.loop(inner, { start: 0, end: inner.extent, step: 1, runs: true }, changes, () => emitBody(e, tiled.body))
    else emitLanes(e, tiled, 0, inner.extent, vector)
  }
  const others = (next: number): void => {
    const variable = nest.grid[next]!
    if (next < nest.grid.length - 1) {
      e.loop(variable, { start: 0, end: variable.extent, step: 1, runs: true }, changes, () => others(next + 1))
      return
    }
    e.loop(outer, { start: 0, end: outer.extent, step: 1, runs: true }, changes, () => lines(turns))
    if (rest === variable.extent) return
    const left = { start: rest, end: variable.extent, step: 1, runs: true }
    lines(() => e.loop(variable, left, changes, () => emitBody(e, nest.body)))
  }
  e.loop(from, { start, end, step: tileLines, runs: true }, changes, () => {
    f.get(first).i32(tileLines).op('i32.add').set(last)
    f.get(last)
    push(end)
    f.get(last)
    push(end)
    f.op('i32.lt_s', 'select').set(last)
    others(at + 1)
  })
}
/** A split innermost loop: whole turns of the outer one, and what a range has before and after them one by one. */
function emitSplit(e: Emitter, nest: Nest, split: Split, start: number | Register, end: number | Register): void {
  const { f } = e
  const { outer, inner } = split
  const by = inner.extent
  const variable = nest.grid.at(-1)!
  const changes = changesOf(split.nest.body)
  const vector = planNest(split.nest)
  const turn = (): void => {
    if (vector === undefined) {
      e.loop(inner, { start: 0, end: by, step: 1, runs: true }, changes, () => emitBody(e, split.nest.body))
    } else emitLanes(e, split.nest, 0, by, vector)
  }
  if (typeof start === 'number' || typeof end === 'number') {
    e.loop(outer, { start: 0, end: outer.extent, step: 1, runs: true }, changes, turn)
    return
  }
  const [first, last, before, after] = [f.register('i32'), f.register('i32'), f.register('i32'), f.register('i32')]
  f.get(start)
    .i32(by - 1)
    .op('i32.add')
    .i32(by)
    .op('i32.div_u')
    .set(first)
  f.get(end).i32(by).op('i32.div_u').set(last)
  // a range within one turn of the outer loop ends before the next one's begin
  f.get(first).i32(by).op('i32.mul').set(before)
  f.get(before).get(end).get(before).get(end).op('i32.lt_s', 'select').set(before)
  f.get(last).i32(by).op('i32.mul').set(after)
  f.get(after).get(before).get(after).get(before).op('i32.gt_s', 'select').set(after)
  const single = (from: Register, to: Register): void =>
    e.loop(variable, { start: from, end: to, step: 1, runs: false, safe: true }, changesOf(nest.body), () =>
      emitBody(e, nest.body),
    )
  single(start, before)
  e.loop(outer, { start: first, end: last, step: 1, runs: false, safe: true }, changes, turn)
  single(after, end)
}
/** The innermost loop: several vectors a turn, single vectors, single elements. */
function emitLanes(e: Emitter, { body }: Nest, start: number | Register, end: number | Register, vector: Vector): void {
  const { f } = e
  const { variable, lanes, copies } = vector
  const changes = changesOf(body)
  const counter = e.counterOf(variable)
  let single = false
  /** Turns of `step` elements as long as they fit. */
  const turns = (first: boolean, step: number, of: Vector | undefined): void => {
    let range: { readonly start: number | Register; readonly end: number | Register; readonly runs: boolean }
    if (typeof end === 'number') {
      const from = first ? 0 : step === 1 ? end - (end % lanes) : end - (end % (lanes * copies))
      range = { start: from, end: end - (end % step), runs: true }
      if (range.start === range.end) return
      if (range.end === step) {
        // the only turn: what depends on the variable alone is a constant
        single = true
        e.withVector(of, () => emitBody(e, body))
        return
      }
    } else {
      let limit = end
      if (step > 1) {
        limit = f.register('i32')
        f.get(end)
          .i32(step - 1)
          .op('i32.sub')
          .set(limit)
      }
      range = { start: first ? start : counter, end: limit, runs: false }
    }
    e.withVector(of, () => e.loop(variable, { ...range, step, safe: true }, changes, () => emitBody(e, body)))
  }
  e.group(changes, () => {
    turns(true, lanes * copies, vector)
    if (copies > 1) turns(false, lanes, { ...vector, copies: 1 })
    turns(false, 1, undefined)
  })
  // The only turn counts on the variable being 0 also the next time, after turns without lanes.
  if (single) f.i32(0).set(counter)
}
