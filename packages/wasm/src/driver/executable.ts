/** Runs a printed program: pins its inputs, gives room to its results and temporaries, fills the frame, calls. */
import { type Program, type Slot, hostFunctions, planMemory, reuseDonated } from '@fluxion/compiler'
import {
  type Backend,
  type Buffer,
  ConcreteArray,
  DeviceError,
  type Executable,
  type HostArray,
  type Primitive,
  type Recording,
  invariant,
  mainTrack,
  recording,
} from '@fluxion/core'
import { WasmBuffer } from '../buffer.ts'
import { aligned } from '../heap/allocator.ts'
import { readElements, writeElements } from '../heap/elements.ts'
import { type Heap, Resident } from '../heap/heap.ts'
import type { Threads } from '../threads/threads.ts'
import { type PrintedProgram, printDriver } from './driver.ts'
import { Jobs } from './jobs.ts'
import { Log, clock } from './log.ts'

export interface Machine {
  readonly backend: Backend
  readonly heap: Heap
  readonly relaxed: boolean
  readonly threads: Threads
  /** Threads share kernels that take so many nanoseconds, if that is not as usual. */
  readonly shareFrom?: number | undefined
  /** Evaluates programs among the parameters of what is called back. */
  readonly run: Parameters<Primitive['reference']>[3]
}

/** A function that `host` expressions name: a lowering's own, or one of JavaScript's. */
function hostFunction(name: string): (...args: number[]) => number {
  const found = hostFunctions[name]
  invariant(found !== undefined, () => `there is no function '${name}' of the host`)
  return found
}

/** The module of a program, for reading. */
export const printProgram = (
  program: Program,
  { relaxed, heap, shareFrom }: Pick<Machine, 'relaxed' | 'heap' | 'shareFrom'>,
): PrintedProgram => printDriver(program, planMemory(program), { relaxed, shared: heap.shared, shareFrom })

/** A program's module, ready to be called, and how the memory that a call needs is laid out. */
interface Loaded {
  readonly run: (frame: number, arena: number) => void
  readonly jobs: Jobs
  readonly framed: readonly Slot[]
  readonly frameAt: number
  readonly runnersAt: number
  /** Hand on, after a call that was given this arena, what was noted of it. */
  readonly noted: ((arena: number, to: Recording) => void) | undefined
  /** Get an arena ready for notes. */
  readonly begin: ((arena: number) => void) | undefined
}
/** @param profiled whether launches are noted, with when they began and ended */
function loadProgram(machine: Machine, program: Program, profiled: boolean): Loaded {
  const { heap } = machine
  const plan = planMemory(program)
  const printed = printDriver(program, plan, {
    relaxed: machine.relaxed,
    shared: heap.shared,
    shareFrom: machine.shareFrom,
    profiled,
  })
  const { module, framed, frameWords, log } = printed
  const frameAt = aligned(plan.bytes + printed.scratchBytes + (log === undefined ? 0 : Log.bytes))
  const runnersAt = aligned(frameAt + 4 * frameWords)
  const host: Record<string, (...args: number[]) => number> = {}
  for (const { module: from, name } of module.imports) {
    if (from === 'host') host[name] = hostFunction(name)
  }
  const bytes = module.encode()
  // Workers have no other functions of the host than JavaScript's own.
  const anywhere = Object.entries(host).every(([name, f]) => f === Reflect.get(Math, name))
  const { jobs: list, runnerBytes } = printed
  const jobs = new Jobs(heap, machine.threads, bytes, { jobs: list, runnerBytes, anywhere })
  const parallel = (job: number, at: number, arena: number): void => jobs.run(job, at, arena, arena + runnersAt)
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory: heap.memory, callback: callbackOf(machine, printed), parallel, clock },
    host,
  })
  jobs.attach(exports)
  const run = exports['run'] as Loaded['run']
  /** The logs of a call: the caller's, and those that its runners have of jobs. */
  const logs = (arena: number): { readonly address: number; readonly thread: string }[] => [
    { address: arena + frameAt - Log.bytes, thread: mainTrack.thread },
    ...Array.from({ length: jobs.runners }, (_, runner) => ({
      address: log!.runnerLog(arena + runnersAt, runnerBytes, runner),
      thread: runner === 0 ? mainTrack.thread : `worker ${runner}`,
    })),
  ]
  const begin = (arena: number): void => logs(arena).forEach(({ address }) => log!.clear(heap.memory, address))
  const noted = (arena: number, to: Recording): void => {
    for (const { address, thread } of logs(arena)) log!.read(heap.memory, address, to, { ...mainTrack, thread })
  }
  return {
    run,
    jobs,
    framed,
    frameAt,
    runnersAt,
    ...(log === undefined ? { begin: undefined, noted: undefined } : { begin, noted }),
  }
}

/** @param donated inputs, by number, whose memory results may take */
export function makeExecutable(machine: Machine, program: Program, donated: readonly number[] = []): Executable {
  const { backend, heap } = machine
  const loaded = loadProgram(machine, program, false)
  const { framed } = loaded
  /** The same with notes of its launches, made when a trace first wants them. */
  let profiled: Loaded | undefined

  const captured = program.captured.map(({ value }) => {
    if (!(value instanceof ConcreteArray))
      throw new DeviceError('a program that runs has captured an array without a value')
    // A handle of the program's own: the array may be disposed of.
    return new WasmBuffer(backend, heap, wasmBuffer(backend, heap, value.buffer, value.aval.dtype).value)
  })
  const { inputs: inputSlots } = program
  const entry = new Map<Slot, number>(framed.map((slot, i) => [slot, i]))
  const inputEntries = inputSlots.map((slot) => entry.get(slot)!)
  const given = inputSlots.length
  // Entries of the frame are inputs first, then captured arrays, then results that are neither.
  const fresh = framed.slice(given + captured.length)
  const outputEntries = program.outputs.map((slot) => entry.get(slot)!)
  const reused = donated.length === 0 ? undefined : reuseDonated(program, donated)
  /** For each fresh entry, that of the donated input whose memory it takes. */
  const taken = fresh.map((slot) => {
    const from = reused?.get(slot)
    return from === undefined ? undefined : entry.get(from)!
  })

  return (inputs) => {
    const values = new Array<Resident>(framed.length)
    for (let i = 0; i < given; i++)
      values[inputEntries[i]!] = wasmBuffer(backend, heap, inputs[i]!, inputSlots[i]!.dtype).value
    for (let i = 0; i < captured.length; i++) values[given + i] = captured[i]!.value
    const addresses = new Array<number>(framed.length)
    const trace = recording()
    const { run, jobs, frameAt, runnersAt, begin, noted } =
      trace === undefined ? loaded : (profiled ??= loadProgram(machine, program, true))
    let pinned = 0
    try {
      const arenaBytes = runnersAt + jobs.prepare()
      for (; pinned < given + captured.length; pinned++) addresses[pinned] = heap.pin(values[pinned]!)
      for (let i = 0; i < fresh.length; i++, pinned++) {
        const made = new Resident(fresh[i]!.dtype, fresh[i]!.length)
        const at = taken[i]
        const from = at === undefined ? undefined : values[at]!
        // Others may hold the same value, or the call may name it twice.
        if (from !== undefined && from.owners === 1 && from.pins === 1) addresses[pinned] = heap.takeOver(made, from)
        else addresses[pinned] = heap.settle(made)
        values[pinned] = made
      }
      const arena = heap.takeTemporary(arenaBytes)
      try {
        const frame = arena.address + frameAt
        const { words } = heap
        for (let i = 0; i < values.length; i++) words[(frame >>> 2) + i] = addresses[i]!
        begin?.(arena.address)
        run(frame, arena.address)
        if (trace !== undefined) noted?.(arena.address, trace)
      } finally {
        heap.give(arena)
      }
    } catch (error) {
      for (let i = 0; i < pinned; i++) {
        if (i >= given + captured.length) heap.dispose(values[i]!)
        heap.unpin(values[i]!)
      }
      throw error
    }
    for (let i = 0; i < pinned; i++) heap.unpin(values[i]!)
    return outputEntries.map((at) => new WasmBuffer(backend, heap, values[at]!))
  }
}

/** The buffer itself, or if it belongs to another back end one with the same elements. */
function wasmBuffer(backend: Backend, heap: Heap, buffer: Buffer, dtype: HostArray['dtype']): WasmBuffer {
  if (buffer instanceof WasmBuffer && buffer.heap === heap) return buffer
  const data = buffer.read()
  return new WasmBuffer(backend, heap, new Resident(dtype, data.length, data))
}

/** What a program's `callback` calls: arrays are read at the addresses in the frame, results written to theirs. */
function callbackOf({ heap, run }: Machine, printed: PrintedProgram): (id: number, frame: number) => void {
  return (id, frame) => {
    const { primitive, params, inputs, outputs } = printed.callbacks[id]!
    const at = (frame >>> 2) + printed.framed.length
    const args = inputs.map(({ aval, place }, i): HostArray => {
      const length = aval.shape.reduce((a, b) => a * b, 1)
      const data = readElements(heap.memory.buffer, heap.words[at + i]! >>> 0, place.slot.dtype, length)
      return { shape: aval.shape, dtype: aval.dtype, data }
    })
    const results = primitive.reference(
      args,
      params,
      outputs.map(({ aval }) => aval),
      run,
    )
    // The callback may have made the memory grow: its views are taken anew.
    outputs.forEach(({ place }, i) => {
      writeElements(heap.memory.buffer, heap.words[at + inputs.length + i]! >>> 0, place.slot.dtype, results[i]!.data)
    })
  }
}
