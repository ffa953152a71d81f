// Loops that no axis goes through as a whole, in two that each have one.
import {
  Buffer,
  Counter,
  type Launch,
  Local,
  LoopVar,
  type Place,
  type Program,
  Slot,
  type Stmt,
  type Unlisted,
  add,
  buffersOf,
  f32,
  flatIndex,
  interpretProgram,
  load,
  local,
  max,
  mul,
  placeOf,
  printProgram,
  store,
  variable,
  walkSteps,
} from '@fluxion/compiler'
import { expect, test } from 'vitest'
import { gpuTraits } from '../testing.testing.ts'
import { isRegion, withRegions } from './region.ts'

const [steps, batch, units] = [5, 64, 48]
/** A launch whose buffers lie at places. */
function launch(kernel: Unlisted, places: ReadonlyMap<Buffer, Place>): Launch {
  const params = buffersOf(kernel)
  return {
    op: 'launch',
    kernel: kernel.kind === 'nest' ? { ...kernel, params } : { ...kernel, params },
    args: params.map((buffer) => places.get(buffer)!),
  }
}
/**
 * h = 0.5 · h·w + x, of which the largest sums over the batch are carried along: of h as it was before the step, or as it is after it, where it was
 * stacked. A third loop variable keeps all sums.
 */
function program(reads: 'carry' | 'stacked' | 'later'): Program {
  const size = batch * units
  const counter = new Counter(steps)
  const [w, xs, h, top, ys] = [units * units, steps * size, 2 * size, 2 * units, steps * size].map(
    (length) => new Slot('float32', length),
  ) as [Slot, Slot, Slot, Slot, Slot]
  const half = (slot: Slot, length: number, next: boolean): Place => ({
    slot,
    offset: next ? length : 0,
    moves: [{ counter, stride: next ? -length : length, alternate: true }],
  })
  const stepping = (slot: Slot): Place => ({ slot, offset: 0, moves: [{ counter, stride: size }] })
  const recurrence = (): Launch => {
    const [m, n, k] = [new LoopVar('m', batch), new LoopVar('n', units), new LoopVar('k', units)]
    const [from, matrix, x, to, y] = [size, units * units, size, size, size].map(
      (length) => new Buffer('b', 'float32', length),
    ) as [Buffer, Buffer, Buffer, Buffer, Buffer]
    const at = flatIndex([m, n].map(variable), [batch, units])
    const sum = new Local('sum', 'f32')
    const value = add(mul(local(sum), f32(0.5)), load(x, at))
    const places = new Map([
      [from, half(h, size, false)],
      [matrix, placeOf(w)],
      [x, stepping(xs)],
      [to, half(h, size, true)],
      [y, stepping(ys)],
    ])
    const left = load(from, flatIndex([m, k].map(variable), [batch, units]))
    const right = load(matrix, flatIndex([k, n].map(variable), [units, units]))
    const body = [store(to, at, value), store(y, at, value)]
    const loops = { batch: [], rows: [m], columns: [n], inner: [k] }
    return launch({ kind: 'product', name: 'recurrence', ...loops, left, right, sum, body }, places)
  }
  const extremes = (from: Place): Launch => {
    const [j, r] = [new LoopVar('j', units), new LoopVar('r', batch)]
    const [x, before, after] = [size, units, units].map((length) => new Buffer('b', 'float32', length)) as [
      Buffer,
      Buffer,
      Buffer,
    ]
    const total = new Local('total', 'f32')
    const value = load(x, flatIndex([r, j].map(variable), [batch, units]))
    const body: Stmt[] = [
      { op: 'reduce', variables: [r], accumulators: [{ into: total, combine: 'add', value }] },
      store(after, variable(j), max(load(before, variable(j)), local(total))),
    ]
    const places = new Map([
      [x, from],
      [before, half(top, units, false)],
      [after, half(top, units, true)],
    ])
    return launch({ kind: 'nest', name: 'extremes', grid: [j], body }, places)
  }
  const sink = extremes(reads === 'carry' ? half(h, size, false) : stepping(ys))
  // Before the recurrence, the stacked ones are those of before.
  const body = reads === 'later' ? [sink, recurrence()] : [recurrence(), sink]
  return {
    name: 'f',
    inputs: [w, xs, h, top, ys],
    captured: [],
    outputs: [ys, top, h],
    steps: [{ op: 'loop', counter, body }],
  }
}

test.each(['carry', 'stacked', 'later'] as const)('sums over the batch run in a loop of their own (%s)', (reads) => {
  const whole = program(reads)
  const merged = withRegions(whole, gpuTraits, 2 ** 27)
  const tiles: number[] = []
  let kept = 0
  walkSteps(merged.steps, (step) => {
    expect(step.op, printProgram(merged)).toBe('launch')
    if (step.op !== 'launch' || !isRegion(step.kernel)) return
    tiles.push(step.kernel.tile.extent)
    kept += step.args.filter(({ slot }) => !whole.inputs.includes(slot)).length
  })
  // a tile of two of the batch, then of one of the sums
  expect(tiles).toEqual([32, 48])
  // what a step writes over before the sums could read it is copied, and read from there
  expect(kept).toBe(reads === 'stacked' ? 0 : 2)
  const numbers = (length: number, by: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => (((i * by) % 7) - 3) / 4)
  const inputs = whole.inputs.map(({ length }, i) => {
    // few weights are not 0, so that all sums are exact
    const data = numbers(length, 3 + 2 * i).map((x, at) => (i === 0 && at % 5 > 0 ? 0 : x))
    return { shape: [length], dtype: 'float32' as const, data }
  })
  expect(interpretProgram(merged, inputs)).toEqual(interpretProgram(whole, inputs))
})
