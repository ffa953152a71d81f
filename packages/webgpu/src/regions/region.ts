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
  type Slot,
  type Step,
  type Stmt,
  accessOf,
  and,
  buffersOf,
  costOfKernel,
  forLoop,
  gridOf,
  indexAdd,
  indexMul,
  load,
  mapStatement,
  mul,
  offsetsOf,
  pointsOf,
  rewriting,
  store,
  substituting,
  variable,
  walkSteps,
} from '@fluxion/compiler'
import { bytesOf } from '@fluxion/core'
import type { Traits } from '../print/traits.ts'
import { type Cut, beginning, cutLaunches } from './cut.ts'

/** A kernel of a loop's body, run for the tile's places of the axis: a variable among its loops. Its buffers are whole slots. */
export interface Phase {
  readonly op: 'phase'
  readonly kernel: Kernel
  readonly axis: LoopVar
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

/** A tile has as many places of the axis at most: their sums share what is read of a matrix. */
const mostRows = 8
/** With fewer tiles than this a device is not busy. */
const fewTiles = 32
/** Bytes of matrices that the tiles read in a step, from caches: beyond that, products by tiles of their own read less. */
const mostTraffic = 2 ** 26
/** Operations of a step that one invocation for each place of the axis may take, where these do not work together. */
const mostAlone = 2 ** 21

/** A program in which loops are kernels wherever that can be and pays. */
export function withRegions(program: Program, traits: Traits, most: number): Program {
  const inside = (steps: readonly Step[], around: readonly Counter[]): Step[] =>
    steps.map((step): Step => {
      switch (step.op) {
        case 'loop':
          return (
            regionOf(program, step, around, traits, most) ?? {
              ...step,
              body: inside(step.body, [...around, step.counter]),
            }
          )
        case 'while':
          return { ...step, test: inside(step.test, around), body: inside(step.body, around) }
        case 'switch':
          return { ...step, branches: step.branches.map((branch) => inside(branch, around)) }
        default:
          return step
      }
    })
  return { ...program, steps: inside(program.steps, []) }
}

/** A copy as a kernel, which any axis can cut. */
function asLaunch({ from, to, length }: Copy): Launch {
  const [x, out] = [new Buffer('x', from.slot.dtype, length), new Buffer('out', to.slot.dtype, length)]
  const i = new LoopVar('i', length)
  const body = [store(out, variable(i), load(x, variable(i)))]
  return { op: 'launch', kernel: { kind: 'nest', name: 'copy', params: [x, out], grid: [i], body }, args: [from, to] }
}
type Body = readonly (Launch | { readonly op: 'loop'; readonly counter: Counter; readonly body: Body })[]
/** The steps of a loop, if they are kernels, copies and loops of those. */
function bodyOf(steps: readonly Step[]): Body | undefined {
  const body: Body[number][] = []
  for (const step of steps) {
    if (step.op === 'launch') body.push(step)
    else if (step.op === 'copy') {
      if (step.length > 0) body.push(asLaunch(step))
    } else if (step.op === 'loop') {
      const inner = bodyOf(step.body)
      if (inner === undefined) return undefined
      body.push({ op: 'loop', counter: step.counter, body: inner })
    } else return undefined
  }
  return body
}
const launchesIn = (body: Body): Launch[] =>
  body.flatMap((step) => (step.op === 'launch' ? [step] : launchesIn(step.body)))
const countersIn = (body: Body): Counter[] =>
  body.flatMap((step) => (step.op === 'launch' ? [] : [step.counter, ...countersIn(step.body)]))

function regionOf(
  program: Program,
  loop: Loop,
  around: readonly Counter[],
  traits: Traits,
  most: number,
): Launch | undefined {
  const body = bodyOf(loop.body)
  if (body === undefined || loop.counter.length < 2) return undefined
  const launches = launchesIn(body)
  const slots = new Set(launches.flatMap(({ args }) => args.map(({ slot }) => slot)))
  const fits = [...slots].every(({ dtype, length }) => dtype !== 'float64' && length * bytesOf(dtype) <= most)
  if (!fits || launches.length === 0) return undefined
  const own = [loop.counter, ...countersIn(body)]
  const counts = new Map(own.map((counter) => [counter, new LoopVar('t', counter.length)] as const))
  const outer = new Map(around.map((counter) => [counter, new LoopVar('o', counter.length)] as const))
  const cut = cutLaunches(launches, new Map([...counts, ...outer]))
  if (cut === undefined) return undefined
  const rows = traits.shared ? rowsOf(cut.extent) : 1
  return pays(launches, cut, rows, traits) ? new Maker(program, loop, body, counts, cut, rows).launch() : undefined
}
/** The largest part of the axis that leaves enough tiles, and no rest. */
function rowsOf(extent: number): number {
  for (let rows = mostRows; rows > 1; rows--) if (extent % rows === 0 && extent / rows >= fewTiles) return rows
  return 1
}
function pays(launches: readonly Launch[], { extent, choices }: Cut, rows: number, { shared }: Traits): boolean {
  if (!shared) {
    // One invocation goes through all that is no axis; a device that is not one for that needs many to be busy.
    const flops = launches.reduce((sum, { kernel }) => sum + costOfKernel(kernel).flops, 0)
    return flops <= mostAlone
  }
  const traffic = launches.reduce((sum, launch) => {
    const { kernel } = launch
    if (kernel.kind !== 'product' || !kernel.rows.includes(choices.get(launch)!.loop)) return sum
    return sum + 4 * pointsOf([...kernel.batch, ...kernel.inner, ...kernel.columns])
  }, 0)
  return (traffic * extent) / rows <= mostTraffic
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

  constructor(program: Program, loop: Loop, body: Body, counts: ReadonlyMap<Counter, LoopVar>, cut: Cut, rows: number) {
    this.#loop = loop
    this.#body = body
    this.#counts = counts
    this.#cut = cut
    this.#rows = rows
    this.#tile = new LoopVar('tile', cut.extent / rows)
    this.#outside = slotsOutside(program, loop)
  }
  launch(): Launch {
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
    const kept = new Map(
      params.map((buffer) => {
        const { slot } = places.get(buffer)!
        // What is seen through several parameters stays where it is.
        const stride = this.#slots.get(slot) === 1 ? this.#cut.strides.get(slot) : undefined
        return [buffer, { slot, stride, outside: this.#outside.has(slot) }] as const
      }),
    )
    const region: Region = { ...kernel, params, tile: this.#tile, rows: this.#rows, turns, kept }
    return { op: 'launch', kernel: region, args: params.map((buffer) => places.get(buffer)!) }
  }
  /** The parameter for a place's slot, from where the loops around say, and an index that is the place's beginning in it. */
  #bufferOf(place: Place): { readonly buffer: Buffer; readonly start: Expr } {
    const { slot, moves } = place
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
  /** A launch over whole slots, with the axis among its loops. */
  #phase(launch: Launch): Phase {
    const { kernel, args } = launch
    const { loop, axis, loops, place } = this.#cut.choices.get(launch)!
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
      variables.flatMap((each) => (each === loop ? loops : [each]))
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
    const inTile = substituting(new Map([[axis, place]]))
    const body = pointBody(kernel).map((statement) => mapStatement(statement, inTile))
    const loops = [row, ...gridOf(kernel).filter((each) => each !== axis)].filter(({ extent }) => extent !== 1)
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
