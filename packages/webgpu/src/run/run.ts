/** Runs a planned program once: records its dispatches, waits for flags and callbacks where it must. */
import { type Counter, offsetAt } from '@fluxion/compiler'
import { type HostArray, InvariantError, type TypedArray, bytesOf, sizeOf } from '@fluxion/core'
import type { Device } from '../device/device.ts'
import type { Work } from './driver.ts'
import { decode, encode } from '../memory/elements.ts'
import type { Condition, Decide, Dispatch, HostPlace, Node, Plan, Range } from '../plan/plan.ts'
import type { Pool } from '../memory/pool.ts'
import { decisionWords, none } from '../plan/predicate.ts'
import { specialWords } from '../print/launch.ts'
import type { Recorder } from './recorder.ts'
import type { Call, Launched } from './timestamps.ts'

/** What programs run on. */
export interface Machine {
  readonly device: Device
  readonly pool: Pool
  readonly recorder: Recorder
  /** Read bytes of a buffer as they are when what is recorded so far has run. */
  readonly readBack: (buffer: GPUBuffer, offset: number, bytes: number) => Promise<ArrayBuffer>
  /** Run a function of the host, whose arrays can be read at once. */
  readonly onHost: <T>(f: () => T) => T
}
/** As many turns of a `while` are recorded before its flag is read: few at first, since most of them may be in vain. */
const mostTurns = 64

export class Run {
  readonly #machine: Machine
  readonly #plan: Plan
  readonly #buffers: readonly GPUBuffer[]
  readonly #counts = new Map<Counter, number>()
  readonly #call: Call
  /** Callbacks without results, which nothing waits for but the end of the call. */
  #told: Promise<unknown> = Promise.resolve()

  constructor(machine: Machine, plan: Plan, buffers: readonly GPUBuffer[]) {
    this.#machine = machine
    this.#plan = plan
    this.#buffers = buffers
    this.#call = { program: plan.program.name }
  }
  *run(): Work<Promise<unknown>> {
    yield* this.#nodes(this.#plan.nodes)
    return this.#told
  }
  *#nodes(nodes: readonly Node[]): Work {
    for (const node of nodes) {
      switch (node.op) {
        case 'dispatch':
          this.#dispatch(node)
          if (this.#machine.recorder.overflows) yield* this.#drain()
          break
        case 'decide':
          this.#decide(node)
          if (this.#machine.recorder.overflows) yield* this.#drain()
          break
        case 'copy':
          this.#copy(node)
          break
        case 'loop':
          for (let count = 0; count < node.counter.length; count++) {
            this.#counts.set(node.counter, count)
            yield* this.#nodes(node.body)
          }
          this.#counts.delete(node.counter)
          break
        case 'while':
          yield* this.#nodes(node.before)
          for (let turns = 1; ; turns = Math.min(2 * turns, mostTurns)) {
            for (let turn = 0; turn < turns; turn++) yield* this.#nodes(node.turn)
            if (!(yield* this.#holds(node.condition))) break
          }
          break
        case 'callback':
          yield* this.#callback(node)
      }
    }
  }
  /** Submit, and wait until the device is at most one submission behind. */
  *#drain(): Work {
    const { recorder } = this.#machine
    recorder.flush()
    while (recorder.full !== undefined) yield recorder.full
  }
  *#holds({ number }: Condition): Work<boolean> {
    const words = yield* this.#await(this.#machine.readBack(this.#words, 4 * number, 4))
    return new Uint32Array(words)[0] !== 0
  }
  *#await<T>(promise: Promise<T>): Work<T> {
    return (yield promise) as T
  }
  get #words(): GPUBuffer {
    return this.#buffers.at(-1)!
  }

  #dispatch(node: Dispatch): void {
    const { recorder } = this.#machine
    const { condition, pipeline, params, kernel } = node
    let at = node.block?.submission === recorder.submission ? node.block.at : -1
    if (at < 0 || node.moves) {
      const words = [...specialWords]
      for (const param of params) words.push(offsetAt(param, this.#counts))
      at = recorder.block(words)
      node.block = { submission: recorder.submission, at }
    }
    const groups =
      condition === undefined
        ? node.groups
        : { buffer: this.#words, offset: 4 * (this.#plan.countsAt + 4 * node.number) }
    const workgroups = condition === undefined ? node.groups[0] * node.groups[1] : undefined
    const launched: Launched = { name: kernel.name, call: this.#call, kernel, workgroups }
    recorder.dispatch(pipeline, this.#group(node), at, specialWords.length + params.length, groups, launched)
  }
  #copy({ from, to }: Extract<Node, { op: 'copy' }>): void {
    const [source, target] = [this.#buffers[from.buffer]!, this.#buffers[to.buffer]!]
    this.#machine.recorder.copy(source, from.offset, target, to.offset, from.size)
  }
  #decide(node: Decide): void {
    const { recorder } = this.#machine
    const { countsAt, tableAt } = this.#plan
    const { condition, dtype, mode, branch, lastBranch } = node
    const first = condition.dispatches[0]?.number ?? 0
    const words = decisionWords({
      at: offsetAt(node.at, this.#counts) * bytesOf(dtype),
      bool: dtype === 'bool',
      mode,
      branch,
      lastBranch,
      around: condition.around?.number ?? none,
      own: condition.number,
      table: tableAt + 4 * first,
      counts: countsAt + 4 * first,
      length: condition.dispatches.length,
    })
    const launched: Launched = { name: 'decide', call: this.#call, kernel: undefined, workgroups: 1 }
    recorder.dispatch(node.pipeline, this.#group(node), recorder.block(words), words.length, [1, 1], launched)
  }
  #group(node: Dispatch | Decide): GPUBindGroup {
    const buffers = node.bindings.map(({ buffer }) => this.#buffers[buffer]!)
    const { bound } = node
    if (bound !== undefined && buffers.every((buffer, at) => buffer === bound.buffers[at])) return bound.group
    const resource = ({ buffer, offset, size }: Range): GPUBufferBinding =>
      size === 0 ? { buffer: this.#buffers[buffer]! } : { buffer: this.#buffers[buffer]!, offset, size }
    const group = this.#machine.device.gpu.createBindGroup({
      layout: node.pipeline.storage,
      entries: node.bindings.map((range, binding) => ({ binding, resource: resource(range) })),
    })
    node.bound = { buffers, group }
    return group
  }

  /** Where the elements lie now, in bytes. */
  #bytes({ aval, range, at }: HostPlace): { buffer: GPUBuffer; offset: number; bytes: number; length: number } {
    const length = sizeOf(aval.shape)
    const offset = range.offset + offsetAt(at, this.#counts) * bytesOf(aval.dtype)
    return { buffer: this.#buffers[range.buffer]!, offset, bytes: bytesOf(aval.dtype) * length, length }
  }
  *#callback({ step, inputs, outputs, condition }: Extract<Node, { op: 'callback' }>): Work {
    const { readBack, onHost, recorder } = this.#machine
    const wanted = condition === undefined ? undefined : readBack(this.#words, 4 * condition.number, 4)
    const reads = inputs.map(async (input): Promise<HostArray> => {
      const { buffer, offset, bytes, length } = this.#bytes(input)
      const { shape, dtype } = input.aval
      if (length === 0) return { shape, dtype, data: decode(dtype, new ArrayBuffer(0), 0) }
      // Copies begin and end at whole words.
      const start = Math.floor(offset / 4) * 4
      const data = await readBack(buffer, start, Math.ceil((offset + bytes - start) / 4) * 4)
      return { shape, dtype, data: decode(dtype, data.slice(offset - start, offset - start + bytes), length) }
    })
    for (const read of [wanted, ...reads]) read?.catch(() => {})
    const avals = outputs.map(({ aval }) => aval)
    const call = async (before: Promise<unknown>): Promise<readonly HostArray[] | undefined> => {
      const args = await Promise.all(reads)
      await before
      if (wanted !== undefined && new Uint32Array(await wanted)[0] === 0) return undefined
      return onHost(() => step.primitive.reference(args, step.params, avals, refuse))
    }
    if (outputs.length === 0) {
      // The device goes on; callbacks come in order all the same.
      const told = call(this.#told)
      told.catch(() => {})
      this.#told = told
      return
    }
    const results = yield* this.#await(call(this.#told))
    if (results === undefined) return
    recorder.flush()
    for (const [at, output] of outputs.entries()) yield* this.#write(output, results[at]!.data)
  }
  *#write(to: HostPlace, data: TypedArray): Work {
    const { buffer, offset, bytes, length } = this.#bytes(to)
    if (length === 0) return
    const { device, readBack } = this.#machine
    const { queue } = device.gpu
    // All that is recorded is submitted: what is written now comes after it.
    const elements = encode(to.aval.dtype, data).subarray(0, bytes)
    const start = Math.floor(offset / 4) * 4
    const whole = Math.ceil((offset + bytes - start) / 4) * 4
    if (whole === bytes) {
      queue.writeBuffer(buffer, offset, elements)
      return
    }
    // Whole words are written: with what lies beside the elements.
    const around = new Uint8Array(yield* this.#await(readBack(buffer, start, whole)))
    around.set(elements, offset - start)
    queue.writeBuffer(buffer, start, around)
  }
}
const refuse = (): never => {
  throw new InvariantError('a callback has no programs to run')
}
