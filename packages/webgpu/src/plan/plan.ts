/** Plans a program for a device: which kernels run under which layouts, where in memory their parameters lie, and what depends on which condition. */
import {
  type Callback,
  type Copy,
  type Counter,
  type Kernel,
  type Place,
  type Program,
  type Slot,
  type Step,
  type Switch,
  type WhileStep,
  offsetsOf,
  planMemory,
} from '@fluxion/compiler'
import { type Aval, type DType, DeviceError, InvariantError, bytesOf } from '@fluxion/core'
import { stageForBindings } from './bindings.ts'
import { copyKernel } from './copies.ts'
import type { Device } from '../device/device.ts'
import { bytesFor } from '../memory/elements.ts'
import type { Pipeline, Pipelines } from '../run/pipelines.ts'
import { decisionSource, decisionWritable, modes } from './predicate.ts'
import { type Layout, isWritten, perPiece, perWord } from '../print/access.ts'
import { printKernel } from '../print/kernel.ts'
import { groupsPerRow } from '../print/nest.ts'
import { withRegions } from '../regions/region.ts'
import { spread } from './spread.ts'
import { type Window, type Windowed, splitByWindows } from './windows.ts'

/** A range of one of a call's buffers, in bytes. */
export interface Range {
  /** By number: slots with a buffer of their own, then the arena, then the words of conditions. */
  readonly buffer: number
  readonly offset: number
  readonly size: number
}
/** A bind group and what was bound: kept for the next call, which often binds the same. */
interface Bound {
  readonly buffers: readonly GPUBuffer[]
  readonly group: GPUBindGroup
}
export interface Dispatch {
  readonly op: 'dispatch'
  readonly kernel: Kernel
  readonly pipeline: Pipeline
  readonly bindings: readonly Range[]
  /** Where parameters begin: an element of their binding, moved by counters in steps of their own elements. */
  readonly params: readonly Pick<Place, 'offset' | 'moves'>[]
  readonly moves: boolean
  readonly groups: readonly [x: number, y: number]
  readonly condition: Condition | undefined
  /** Its number among the dispatches that depend on conditions. */
  number: number
  bound?: Bound
  /** The submission that holds its numbers, and where. */
  block?: { readonly submission: number; readonly at: number }
}
/** What is inside of one branch or one `while`. */
export interface Condition {
  readonly number: number
  readonly around: Condition | undefined
  readonly dispatches: Dispatch[]
}
export interface Decide {
  readonly op: 'decide'
  readonly pipeline: Pipeline
  readonly bindings: readonly Range[]
  /** Where the number or the flag lies, in elements of its binding. */
  readonly at: Pick<Place, 'offset' | 'moves'>
  readonly dtype: DType
  readonly mode: number
  readonly branch: number
  readonly lastBranch: number
  readonly condition: Condition
  bound?: Bound
}
/** Elements of a place, for the host: in its buffer, from a byte on that counters move. */
export interface HostPlace {
  readonly aval: Aval
  readonly range: Range
  readonly at: Pick<Place, 'offset' | 'moves'>
}
export type Node =
  | Dispatch
  | Decide
  | { readonly op: 'copy'; readonly from: Range; readonly to: Range }
  | { readonly op: 'loop'; readonly counter: Counter; readonly body: readonly Node[] }
  | {
      readonly op: 'while'
      readonly condition: Condition
      readonly before: readonly Node[]
      readonly turn: readonly Node[]
    }
  | {
      readonly op: 'callback'
      readonly step: Callback
      readonly inputs: readonly HostPlace[]
      readonly outputs: readonly HostPlace[]
      readonly condition: Condition | undefined
    }
export interface Plan {
  readonly program: Program
  readonly nodes: readonly Node[]
  readonly ready: Promise<unknown>
  readonly arenaBytes: number
  /** Slots with a buffer of their own: inputs, captured arrays, results, each once. */
  readonly own: readonly Slot[]
  readonly conditions: readonly Condition[]
  /** Words of conditions and counts as they are at first; none if there are no conditions. */
  readonly words: Uint32Array<ArrayBuffer> | undefined
  readonly countsAt: number
  readonly tableAt: number
  readonly kernels: readonly { readonly name: string; readonly source: string }[]
}
const alignment = 256

/** What a device is to the shape of programs. */
export type Shaping = Pick<Device, 'traits' | 'limits'>
/** The program that a device runs: a compiled one with its loops, reductions and launches as suit the device. */
export function programFor(original: Program, device: Shaping): Program {
  const { maxStorageBuffersPerShaderStage: limit } = device.limits
  // A window begins where a binding may, which is up to an alignment before its first element.
  const most = pieceBytes(device) - alignment
  const split = splitByWindows(spread(withRegions(original, device.traits, most), device.traits), most)
  return stageForBindings(split, limit, (bytes) => piecesOf(bytes, device))
}
export const planProgram = (original: Program, device: Device, pipelines: Pipelines): Plan =>
  new Planner(programFor(original, device), device, pipelines).plan()
/** A piece of an array that is larger than a binding: each begins where a binding may. */
const pieceBytes = ({ limits }: Shaping): number =>
  Math.floor(limits.maxStorageBufferBindingSize / alignment) * alignment
const piecesOf = (bytes: number, device: Shaping): number => Math.max(1, Math.ceil(bytes / pieceBytes(device)))

class Planner {
  readonly #program: Program
  readonly #device: Device
  readonly #pipelines: Pipelines
  readonly #own: readonly Slot[]
  readonly #numbers: ReadonlyMap<Slot, number>
  readonly #offsets: ReadonlyMap<Slot, number>
  readonly #arenaBytes: number
  readonly #conditions: Condition[] = []
  readonly #used = new Map<Pipeline, { readonly name: string; readonly source: string }>()

  constructor(program: Program, device: Device, pipelines: Pipelines) {
    this.#program = program
    this.#device = device
    this.#pipelines = pipelines
    this.#own = [...new Set([...program.inputs, ...program.captured.map(({ slot }) => slot), ...program.outputs])]
    this.#numbers = new Map(this.#own.map((slot, at) => [slot, at]))
    if (this.#own.some(({ dtype }) => dtype === 'float64')) throw this.#noDoubles()
    const { offsets, bytes } = planMemory(program, alignment)
    this.#offsets = offsets
    this.#arenaBytes = bytes
    const most = device.limits.maxBufferSize
    if (bytes > most) {
      throw new DeviceError(
        `webgpu: '${program.name}' needs ${bytes} bytes for what it computes in between, and buffers of this GPU have ${most} at most\nhint: use smaller batches, or keep less with checkpoint`,
      )
    }
  }

  plan(): Plan {
    const nodes = this.#steps(this.#program.steps, undefined)
    const dispatches = this.#conditions.flatMap((condition) => condition.dispatches)
    dispatches.forEach((dispatch, number) => (dispatch.number = number))
    const countsAt = 4 * Math.ceil(this.#conditions.length / 4)
    const tableAt = countsAt + 4 * dispatches.length
    const words = new Uint32Array(Math.max(4, tableAt + 4 * dispatches.length))
    dispatches.forEach(({ groups }, number) => words.set([...groups, 1], tableAt + 4 * number))
    const ready = Promise.all([...this.#used.keys()].map((pipeline) => pipeline.ready))
    ready.catch(() => {})
    return {
      program: this.#program,
      nodes,
      ready,
      arenaBytes: this.#arenaBytes,
      own: this.#own,
      conditions: this.#conditions,
      words: this.#conditions.length === 0 ? undefined : words,
      countsAt,
      tableAt,
      kernels: [...this.#used.values()],
    }
  }

  #steps(steps: readonly Step[], condition: Condition | undefined): Node[] {
    return steps.flatMap((step) => this.#step(step, condition))
  }
  #step(step: Step, condition: Condition | undefined): Node[] {
    switch (step.op) {
      case 'launch':
        return [this.#dispatch(step, condition)]
      case 'copy':
        return step.length === 0 ? [] : [this.#wholeCopy(step, condition) ?? this.#copy(step, condition)]
      case 'loop':
        return [{ op: 'loop', counter: step.counter, body: this.#steps(step.body, condition) }]
      case 'parallel':
        throw new InvariantError(
          'programs for a GPU have no parallel steps: lowering makes none for targets whose grids are',
        )
      case 'while':
        return [this.#while(step, condition)]
      case 'switch':
        return this.#switch(step, condition)
      case 'callback':
        return [
          {
            op: 'callback',
            step,
            inputs: step.inputs.map((each) => this.#hostPlace(each)),
            outputs: step.outputs.map((each) => this.#hostPlace(each)),
            condition,
          },
        ]
    }
  }
  #condition(around: Condition | undefined): Condition {
    const condition = { number: this.#conditions.length, around, dispatches: [] }
    this.#conditions.push(condition)
    return condition
  }
  #while({ test, flag, body }: WhileStep, around: Condition | undefined): Node {
    const condition = this.#condition(around)
    const before = [...this.#steps(test, around), this.#decide(flag, condition, modes.begin)]
    const turn = [...this.#steps(body, condition), ...this.#steps(test, condition)]
    return { op: 'while', condition, before, turn: [...turn, this.#decide(flag, condition, modes.again)] }
  }
  #switch({ index, branches }: Switch, around: Condition | undefined): Node[] {
    const conditions = branches.map(() => this.#condition(around))
    const last = branches.length - 1
    const decisions = conditions.map((condition, at) => this.#decide(index, condition, modes.branch, at, last))
    return [...decisions, ...branches.flatMap((branch, at) => this.#steps(branch, conditions[at]))]
  }
  #decide(place: Place, condition: Condition, mode: number, branch = 0, lastBranch = 0): Decide {
    const pipeline = this.#pipelines.get('decide', decisionSource, decisionWritable)
    this.#used.set(pipeline, { name: 'decide', source: decisionSource })
    const words = { buffer: this.#own.length + 1, offset: 0, size: 0 }
    // Of an array of flags only those that this one can be are bound.
    const [first, last] = offsetsOf(place)
    const range = this.#windowOf(place.slot, [first, last + 1])
    const before = (range.offset - this.#rangeOf(place.slot).offset) / bytesOf(place.slot.dtype)
    return {
      op: 'decide',
      pipeline,
      bindings: [range, words],
      at: { offset: place.offset - before, moves: place.moves },
      dtype: place.slot.dtype,
      mode,
      branch,
      lastBranch,
      condition,
    }
  }
  #hostPlace({ aval, place }: { readonly aval: Aval; readonly place: Place }): HostPlace {
    return { aval, range: this.#rangeOf(place.slot), at: place }
  }

  #noDoubles(): DeviceError {
    return new DeviceError(
      `webgpu: '${this.#program.name}' has float64 values, which GPUs have not\nhint: use float32, or run this on the CPU: jit(f, { device: 'wasm' })`,
    )
  }
  #rangeOf(slot: Slot): Range {
    if (slot.dtype === 'float64') throw this.#noDoubles()
    const size = Math.max(4, bytesFor(slot.dtype, slot.length))
    const most = this.#device.limits.maxBufferSize
    if (size > most) {
      throw new DeviceError(
        `webgpu: '${this.#program.name}' has an array of ${slot.dtype}[${slot.length}], ${size} bytes; buffers of this GPU have ${most} at most\nhint: use smaller batches, or a narrower dtype`,
      )
    }
    const own = this.#numbers.get(slot)
    if (own !== undefined) return { buffer: own, offset: 0, size }
    return { buffer: this.#own.length, offset: this.#offsets.get(slot)!, size }
  }
  /** A copy of a whole array between buffers, which needs no kernel. */
  #wholeCopy({ from, to, length }: Copy, condition: Condition | undefined): Node | undefined {
    const whole = ({ slot, offset, moves }: Place): boolean =>
      slot.length === length && offset === 0 && moves.length === 0
    const [source, target] = [this.#rangeOf(from.slot), this.#rangeOf(to.slot)]
    if (condition !== undefined || !whole(from) || !whole(to) || source.buffer === target.buffer) return undefined
    return { op: 'copy', from: source, to: target }
  }
  /** A window of a slot's range. */
  #windowOf(slot: Slot, window: Window | undefined): Range {
    const range = this.#rangeOf(slot)
    if (window === undefined) return range
    const [from, to] = window.map((element) => element * bytesOf(slot.dtype)) as [number, number]
    const start = Math.floor(from / alignment) * alignment
    return {
      buffer: range.buffer,
      offset: range.offset + start,
      size: Math.max(4, Math.min(range.size, Math.ceil(to / 4) * 4) - start),
    }
  }
  #copy({ from, to, length }: Copy, condition: Condition | undefined): Dispatch {
    const { kernel, scale } = copyKernel(from, to, length)
    return this.#dispatch({ op: 'launch', kernel, args: [from, to] }, condition, scale)
  }

  /** @param scale elements of a parameter for one of its slot's: below 1 where a kernel sees whole words */
  #dispatch({ kernel, args, windows }: Windowed, condition: Condition | undefined, scale = 1): Dispatch {
    const { bindings, bindingOf } = this.#bindings(args, windows)
    const params = args.map(({ slot, offset, moves }, at) => {
      const before = this.#rangeOf(slot).offset - bindings[bindingOf[at]!]!.offset
      return {
        offset: scale * (offset + before / bytesOf(slot.dtype)),
        moves: moves.map((move) => ({ ...move, stride: scale * move.stride })),
      }
    })
    const written = new Set(
      kernel.params.flatMap((_, at) => (isWritten(kernel, at) ? [bindings[bindingOf[at]!]!.buffer] : [])),
    )
    const layout: Layout = {
      bindingOf,
      aligned: params.map(({ offset, moves }, at) => {
        const lanes = perWord(kernel.params[at]!.dtype)
        return offset % lanes === 0 && moves.every(({ stride }) => stride % lanes === 0)
      }),
      vectors: params.map(({ offset, moves }, at) => {
        const binding = bindingOf[at]!
        const { size } = bindings[binding]!
        const alone = bindingOf.filter((other) => other === binding).length === 1
        const whole = offset % 4 === 0 && moves.every(({ stride }) => stride % 4 === 0)
        return alone && whole && size % 16 === 0 && piecesOf(size, this.#device) === 1
      }),
      writable: bindings.map(({ buffer }) => written.has(buffer)),
      pieces: bindings.map(({ size }) => piecesOf(size, this.#device)),
      pieceWords: pieceBytes(this.#device) / 4,
    }
    const { source, groups } = printKernel(kernel, layout, this.#device.traits)
    const pipeline = this.#pipelines.get(kernel.name, source, perPiece(layout, layout.writable))
    this.#used.set(pipeline, { name: kernel.name, source })
    const dispatch: Dispatch = {
      op: 'dispatch',
      kernel,
      pipeline,
      bindings: bindings.flatMap((range) => this.#pieces(range)),
      params,
      moves: params.some(({ moves }) => moves.some(({ stride }) => stride !== 0)),
      groups: [Math.min(groups, groupsPerRow), Math.ceil(groups / groupsPerRow)],
      condition,
      number: -1,
    }
    condition?.dispatches.push(dispatch)
    return dispatch
  }
  /** A range as those that are bound. */
  #pieces({ buffer, offset, size }: Range): Range[] {
    const step = pieceBytes(this.#device)
    return Array.from({ length: piecesOf(size, this.#device) }, (_, piece) => ({
      buffer,
      offset: offset + piece * step,
      size: Math.min(step, size - piece * step),
    }))
  }
  /** A binding for each slot; one for all of the arena's where there would be too many. */
  #bindings(args: readonly Place[], windows: Windowed['windows']): { bindings: Range[]; bindingOf: number[] } {
    const all = [...new Set(args.map(({ slot }) => slot))]
    // Values without elements take no room in the arena: what is bound for them does not matter, but must not be bound twice.
    const empty = (slot: Slot): boolean => slot.length === 0 && !this.#numbers.has(slot)
    const slots = all.every(empty) ? all.slice(0, 1) : all.filter((slot) => !empty(slot))
    const seen = new Map(args.map(({ slot }, at) => [slot, windows?.[at]]))
    const ranges = slots.map((slot) => this.#windowOf(slot, seen.get(slot)))
    const arena = ranges.filter(({ buffer }) => buffer === this.#own.length)
    let bindings = ranges
    const most = this.#device.limits.maxStorageBuffersPerShaderStage
    const count = (all: readonly Range[]): number =>
      all.reduce((sum, { size }) => sum + piecesOf(size, this.#device), 0)
    if (count(ranges) > most) {
      const start = Math.min(...arena.map(({ offset }) => offset))
      const end = Math.max(...arena.map(({ offset, size }) => offset + size))
      const together = { buffer: this.#own.length, offset: start, size: end - start }
      if (arena.length > 0) bindings = [...ranges.filter(({ buffer }) => buffer !== this.#own.length), together]
      if (count(bindings) > most) {
        const bytes = bindings.reduce((sum, { size }) => sum + size, 0)
        throw new DeviceError(
          `webgpu: a kernel of '${this.#program.name}' needs ${slots.length} arrays in ${bytes} bytes, more than this GPU binds at once: ${most} times ${this.#device.limits.maxStorageBufferBindingSize}\nhint: use smaller batches`,
        )
      }
    }
    const bindingOf = args.map(({ slot }) => {
      const range = ranges[Math.max(0, slots.indexOf(slot))]!
      const own = bindings.indexOf(range)
      return own >= 0 ? own : bindings.length - 1
    })
    return { bindings, bindingOf }
  }
}
