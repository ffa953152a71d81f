/** Prints a loop nest as a function of its buffers' addresses and of the range of its outermost loop. */
import type { Nest } from '@fluxion/compiler'
import type { FunctionRef, Register } from '../assembler/function.ts'
import type { ModuleBuilder } from '../assembler/module.ts'
import { Emitter } from './emitter.ts'
import type { Vector } from './placing.ts'
import type { PrintOptions } from './scalarEmitter.ts'
import { planNest } from './plan.ts'
import { changesOf } from './scope.ts'
import { emitBody, emitStatements, functionOf } from './statements.ts'

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
  emitGrid(e, nest, 0, begin, end, planNest(nest))
  return f
}

function emitGrid(
  e: Emitter,
  nest: Nest,
  at: number,
  start: number | Register,
  end: number | Register,
  vector: Vector | undefined,
): void {
  const { grid, body } = nest
  const variable = grid[at]!
  const changes = changesOf(body)
  if (at < grid.length - 1) {
    e.loop(variable, { start, end, step: 1, runs: true }, changes, () =>
      emitGrid(e, nest, at + 1, 0, grid[at + 1]!.extent, vector),
    )
  } else if (vector === undefined) {
    e.loop(variable, { start, end, step: 1, runs: true }, changes, () => emitBody(e, body))
  } else emitLanes(e, nest, start, end, vector)
}
/** The innermost loop: several vectors a turn, single vectors, single elements. */
function emitLanes(e: Emitter, { body }: Nest, start: number | Register, end: number | Register, vector: Vector): void {
  const { f } = e
  const { variable, lanes, copies } = vector
  const changes = changesOf(body)
  const counter = f.register('i32')
  e.bindVariable(variable, counter)
  /** Turns of `step` elements as long as they fit. */
  const turns = (first: boolean, step: number, of: Vector | undefined): void => {
    let range: { readonly start: number | Register; readonly end: number | Register; readonly runs: boolean }
    if (typeof end === 'number') {
      const from = first ? 0 : step === 1 ? end - (end % lanes) : end - (end % (lanes * copies))
      range = { start: from, end: end - (end % step), runs: true }
      if (range.start === range.end) return
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
}
