/**
 * Loops as one kernel each: a point of its grid, a tile, goes through all steps with some places of an axis along which nothing depends on its
 * neighbours (`cut.ts`). As a nest it says what it means; a device whose invocations work together prints its phases (`print.ts`).
 */
import {
  Buffer,
  type Copy,
  type Counter,
  type Expr,
  type Kernel,
  type Launch,
  type Loop,
  LoopVar,
  type Move,
  type Nest,
  type Place,
  type Program,
  Slot,
  type Step,
  type Stmt,
  accessOf,
  and,
  buffersOf,
  forLoop,
  gridOf,
  indexAdd,
  indexMul,
  load,
  mapStatement,
  mul,
  offsetsOf,
  placeOf,
  rewriting,
  store,
  substituting,
  variable,
  walkSteps,
} from '@fluxion/compiler'
import { bytesOf } from '@fluxion/core'
import type { Traits } from '../print/traits.ts'
import { type Body, bodyOf, countersIn, launchesIn } from './body.ts'
import { type Choice, type Cut, beginning, cutLaunches, uncut } from './cut.ts'
import { splitsOf } from './fission.ts'
import { pays, rowsOf } from './pays.ts'

/** A kernel of a loop's body, run for the tile's places of the axis: a variable among its loops. Its buffers are whole slots. */
export interface Phase {
  readonly op: 'phase'
  readonly kernel: Kernel
  /** None of what has no axis, which each tile repeats. */
  readonly axis: LoopVar | undefined
}
export interface Turns {
  readonly op: 'turns'
  readonly variable: LoopVar
  readonly body: readonly (Phase | Turns)[]
}
/** What a buffer is to the places of the axis. */
export interface Kept {
  readonly slot: Slot
  /** Elements between neighbours on the axis; none for what the loop only reads. */
  readonly stride: number | undefined
  /** Of what each tile computes for itself: how many elements each has, one after the other. */
  readonly each: number | undefined
  /** Whether this is all that shows the slot's elements. */
  readonly alone: boolean
  /** Whether what is there before the loop matters, or what is there after it. */
  readonly outside: boolean
}
export interface Region extends Nest {
  readonly tile: LoopVar
  /** Places of the axis in a tile. */
  readonly rows: number
  readonly turns: Turns
  readonly kept: ReadonlyMap<Buffer, Kept>
}
export const isRegion = (kernel: Kernel): kernel is Region => 'turns' in kernel

/** A program in which loops are kernels wherever that can be and pays. */
export function withRegions(program: Program, traits: Traits, most: number): Program {
  const inside = (steps: readonly Step[], around: readonly Counter[]): Step[] =>
    steps.flatMap((step): readonly Step[] => {
      switch (step.op) {
        case 'loop':
          return (
            regionsOf(step, slotsOutside(program, step), around, traits, most) ?? [
              { ...step, body: inside(step.body, [...around, step.counter]) },
            ]
          )
        case 'while':
          return [{ ...step, test: inside(step.test, around), body: inside(step.body, around) }]
        case 'switch':
          return [{ ...step, branches: step.branches.map((branch) => inside(branch, around)) }]
        default:
          return [step]
      }
    })
  return { ...program, steps: inside(program.steps, []) }
}

/** A loop as one kernel, or as two of what it can be split into. */
function regionsOf(
  loop: Loop,
  outside: ReadonlySet<Slot>,
  around: readonly Counter[],
  traits: Traits,
  most: number,
): readonly Step[] | undefined {
  const whole = regionOf(loop, outside, around, traits, most)
  const body = bodyOf(loop.body)
  if (whole !== undefined || body === undefined || body.some(({ op }) => op === 'loop')) return whole
  for (const { first, second } of splitsOf(loop, launchesIn(body))) {
    const parts = [first, second].map((part, at) => {
      const others = slotsOf(at === 0 ? second : first)
      return regionOf(part, new Set([...outside, ...others]), around, traits, most)
    })
    if (parts.every((part) => part !== undefined)) return parts.flat()
  }
  return undefined
}
function regionOf(
  loop: Loop,
  outside: ReadonlySet<Slot>,
  around: readonly Counter[],
  traits: Traits,
  most: number,
): readonly Step[] | undefined {
  const body = bodyOf(loop.body)
  if (body === undefined || loop.counter.length < 2) return undefined
  const launches = launchesIn(body)
  const slots = new Set(launches.flatMap(({ args }) => args.map(({ slot }) => slot)))
  const fits = [...slots].every(({ dtype, length }) => dtype !== 'float64' && length * bytesOf(dtype) <= most)
  if (!fits || launches.length === 0) return undefined
  const own = [loop.counter, ...countersIn(body)]
  const counts = new Map(own.map((counter) => [counter, new LoopVar('t', counter.length)] as const))
  const outer = new Map(around.map((counter) => [counter, new LoopVar('o', counter.length)] as const))
  const found = cutLaunches(launches, new Map([...counts, ...outer]))
  // Each tile's own would have to move with the loops around.
  const moving = launches.some(({ args }) =>
    args.some(
      ({ slot, moves }) => found?.repeated.has(slot) === true && moves.some(({ counter }) => outer.has(counter)),
    ),
  )
  const cut = found === undefined || moving ? uncut : found
  const rows = traits.shared ? rowsOf(cut.extent) : 1
  if (!pays({ body, turns: loop.counter.length, cut, rows }, traits)) return undefined
  return new Maker(outside, loop, body, counts, cut, rows).steps()
}
class Maker {
  readonly #loop: Loop
  readonly #body: Body
  readonly #counts: ReadonlyMap<Counter, LoopVar>
  readonly #cut: Cut
  readonly #rows: number
  readonly #tile: LoopVar
  readonly #outside: ReadonlySet<Slot>
  readonly #buffers = new Map<string, { readonly buffer: Buffer; readonly place: Place }>()
  readonly #slots = new Map<Slot, number>()
  /** Where each tile's own of repeated slots lie. */
  readonly #own = new Map<Slot, Slot>()

  constructor(
    outside: ReadonlySet<Slot>,
    loop: Loop,
    body: Body,
    counts: ReadonlyMap<Counter, LoopVar>,
    cut: Cut,
    rows: number,
  ) {
    this.#loop = loop
    this.#body = body
    this.#counts = counts
    this.#cut = cut
    this.#rows = rows
    this.#tile = new LoopVar('tile', cut.extent / rows)
    this.#outside = outside
  }
  /** The region, between the steps that give each tile its own of what is repeated, and take it back from one of them. */
  steps(): readonly Step[] {
    const launch = this.#launch()
    const shared = [...this.#own].filter(([slot]) => this.#outside.has(slot))
    return [
      ...shared.map(([slot, own]) => this.#spread(slot, own)),
      launch,
      ...shared.map(([slot, own]): Copy => ({
        op: 'copy',
        from: placeOf(own),
        to: placeOf(slot),
        length: slot.length,
      })),
    ]
  }
  #spread(slot: Slot, own: Slot): Launch {
    const [x, out] = [new Buffer('x', slot.dtype, slot.length), new Buffer('out', slot.dtype, own.length)]
    const grid = [new LoopVar('tile', this.#tile.extent), new LoopVar('i', slot.length)] as const
    const [tile, i] = grid.map(variable) as [Expr, Expr]
    const body = [store(out, indexAdd(indexMul(tile, slot.length), i), load(x, i))]
    const kernel: Nest = { kind: 'nest', name: 'repeat', params: [x, out], grid, body }
    return { op: 'launch', kernel, args: [placeOf(slot), placeOf(own)] }
  }
  #launch(): Launch {
    const variableOf = (counter: Counter): LoopVar => this.#counts.get(counter)!
    const phases = (body: Body): (Phase | Turns)[] =>
      body.map((step) =>
        step.op === 'launch'
          ? this.#phase(step)
          : { op: 'turns', variable: variableOf(step.counter), body: phases(step.body) },
      )
    const turns: Turns = { op: 'turns', variable: variableOf(this.#loop.counter), body: phases(this.#body) }
    const body = this.#statements(turns)
    const kernel: Omit<Nest, 'params'> = { kind: 'nest', name: nameOf(turns), grid: [this.#tile], body }
    const params = buffersOf(kernel)
    const places = new Map([...this.#buffers.values()].map(({ buffer, place }) => [buffer, place] as const))
    const original = new Map([...this.#own].map(([slot, own]) => [own, slot] as const))
    const kept = new Map(
      params.map((buffer): readonly [Buffer, Kept] => {
        const { slot } = places.get(buffer)!
        const repeated = original.get(slot)
        const outside = this.#outside.has(repeated ?? slot)
        const alone = repeated !== undefined || this.#slots.get(slot) === 1
        // One tile has all of what it writes.
        const each = repeated?.length ?? (this.#tile.extent === 1 ? buffer.length : undefined)
        return [buffer, { slot, stride: this.#cut.strides.get(slot), each, alone, outside }]
      }),
    )
    const region: Region = { ...kernel, params, tile: this.#tile, rows: this.#rows, turns, kept }
    return { op: 'launch', kernel: region, args: params.map((buffer) => places.get(buffer)!) }
  }
  /** The parameter for a place's slot, from where the loops around say, and an index that is the place's beginning in it. */
  #bufferOf(place: Place): { readonly buffer: Buffer; readonly start: Expr } {
    const { slot, moves } = place
    if (this.#cut.repeated.has(slot)) return this.#ownBufferOf(place)
    const around = moves.filter(({ counter }) => !this.#counts.has(counter))
    const key = `${idOf(slot)}:${around.map(showMove).join()}`
    let found = this.#buffers.get(key)
    if (found === undefined) {
      const [low, high] = offsetsOf({ slot, offset: 0, moves: around })
      const buffer = new Buffer('x', slot.dtype, slot.length - (high - low))
      this.#buffers.set(key, (found = { buffer, place: { slot, offset: -low, moves: around } }))
      this.#slots.set(slot, (this.#slots.get(slot) ?? 0) + 1)
    }
    const { buffer, place: whole } = found
    return { buffer, start: indexAdd(beginning(place, this.#counts), -whole.offset) }
  }
  #ownBufferOf(place: Place): { readonly buffer: Buffer; readonly start: Expr } {
    const { slot } = place
    const key = `own ${idOf(slot)}`
    let found = this.#buffers.get(key)
    if (found === undefined) {
      const own = new Slot(slot.dtype, slot.length * this.#tile.extent)
      this.#own.set(slot, own)
      this.#buffers.set(key, (found = { buffer: new Buffer('own', own.dtype, own.length), place: placeOf(own) }))
    }
    const start = indexAdd(beginning(place, this.#counts), indexMul(variable(this.#tile), slot.length))
    return { buffer: found.buffer, start }
  }
  /** A launch over whole slots, with the axis among its loops. */
  #phase(launch: Launch): Phase {
    const { kernel, args } = launch
    const { loop, axis, loops, place }: Partial<Choice> = this.#cut.choices.get(launch) ?? {}
    const moved = new Map(kernel.params.map((param, at) => [param, this.#bufferOf(args[at]!)] as const))
    const rewrite = rewriting((x) => {
      if (x.op === 'var') return x.variable === loop ? place : undefined
      if (x.op !== 'load') return undefined
      const { buffer, start } = moved.get(x.buffer)!
      return { ...x, buffer, index: indexAdd(rewrite(x.index), start) }
    })
    const statements = (body: readonly Stmt[]): Stmt[] =>
      body.map((statement): Stmt => {
        switch (statement.op) {
          case 'store':
          case 'update': {
            const { buffer, start } = moved.get(statement.buffer)!
            const mapped = mapStatement(statement, rewrite) as typeof statement
            return { ...mapped, buffer, index: indexAdd(mapped.index, start) }
          }
          case 'for':
            return { ...statement, extent: rewrite(statement.extent), body: statements(statement.body) }
          case 'while':
            return { ...statement, condition: rewrite(statement.condition), body: statements(statement.body) }
          case 'if': {
            const [yes, no] = [statements(statement.yes), statements(statement.no)]
            return { ...statement, condition: rewrite(statement.condition), yes, no }
          }
          case 'assign':
          case 'reduce':
            return mapStatement(statement, rewrite)
        }
      })
    const over = (variables: readonly LoopVar[]): LoopVar[] =>
      variables.flatMap((each) => (each === loop ? loops! : [each]))
    const body = statements(kernel.body)
    if (kernel.kind === 'nest') return { op: 'phase', kernel: { ...kernel, grid: over(kernel.grid), body }, axis }
    const [left, right] = [rewrite(kernel.left), rewrite(kernel.right)]
    const [batch, rows, columns] = [over(kernel.batch), over(kernel.rows), over(kernel.columns)]
    return { op: 'phase', kernel: { ...kernel, batch, rows, columns, left, right, body }, axis }
  }
  /** What one tile does, one thing after the other. */
  #statements(step: Phase | Turns): readonly Stmt[] {
    if (step.op === 'turns')
      return [
        forLoop(
          step.variable,
          step.body.flatMap((inner) => this.#statements(inner)),
        ),
      ]
    const { kernel, axis } = step
    const row = new LoopVar('row', this.#rows)
    const place = indexAdd(indexMul(variable(this.#tile), this.#rows), variable(row))
    const inTile = substituting(axis === undefined ? new Map() : new Map([[axis, place]]))
    const body = pointBody(kernel).map((statement) => mapStatement(statement, inTile))
    const loops = [...(axis === undefined ? [] : [row]), ...gridOf(kernel).filter((each) => each !== axis)].filter(
      ({ extent }) => extent !== 1,
    )
    return loops.reduceRight<readonly Stmt[]>((inner, each) => [forLoop(each, inner)], body)
  }
}
/** What is done at one point of a kernel's grid. */
export function pointBody(kernel: Kernel): readonly Stmt[] {
  if (kernel.kind === 'nest') return kernel.body
  const { inner, left, right, sum, body } = kernel
  const truth = sum.type === 'bool'
  const accumulators = [
    { into: sum, combine: truth ? 'or' : 'add', value: truth ? and(left, right) : mul(left, right) },
  ] as const
  return [{ op: 'reduce', variables: inner, accumulators }, ...body]
}

const ids = new WeakMap<Slot, number>()
let nextId = 0
function idOf(slot: Slot): number {
  let id = ids.get(slot)
  if (id === undefined) ids.set(slot, (id = nextId++))
  return id
}
const counterIds = new WeakMap<Counter, number>()
function showMove({ counter, stride, alternate }: Move): string {
  let id = counterIds.get(counter)
  if (id === undefined) counterIds.set(counter, (id = nextId++))
  return `${id}*${stride}${alternate === true ? '%2' : ''}`
}
/** Slots that a loop of launches names. */
const slotsOf = ({ body }: Loop): Slot[] =>
  body.flatMap((step) => (step.op === 'launch' ? step.args.map(({ slot }) => slot) : []))
/** Slots that something else than a loop names. */
function slotsOutside(program: Program, loop: Loop): Set<Slot> {
  const found = new Set([...program.inputs, ...program.captured.map(({ slot }) => slot), ...program.outputs])
  const inside = new Set<Step>()
  walkSteps([loop], (step) => inside.add(step))
  walkSteps(program.steps, (step) => {
    if (inside.has(step)) return
    const { reads, writes } = accessOf(step)
    for (const { slot } of [...reads, ...writes]) found.add(slot)
  })
  return found
}
/** A name that says what a region does most of. */
function nameOf(turns: Turns): string {
  const phases: Phase[] = []
  const visit = (step: Phase | Turns): void => void (step.op === 'phase' ? phases.push(step) : step.body.forEach(visit))
  visit(turns)
  const main = phases.find(({ kernel }) => kernel.kind === 'product') ?? phases[0]!
  return `loop_${turns.variable.extent}_${main.kernel.name}${phases.length === 1 ? '' : `_and_${phases.length - 1}`}`
}
