/**
 * Prints a program as one module: its kernels, each once, and `run`, which calls them in the program's loops and branches. Where values lie stands in a
 * frame: a table of addresses that the host fills before a call. Parallel steps are jobs: functions of their own, which the host calls for each group, on any thread.
 */
import {
  type Callback,
  type Counter,
  type Kernel,
  type MemoryPlan,
  type Parallel,
  type Place,
  type Program,
  type Slot,
  type Step,
  type Switch,
  walkSteps,
} from '@fluxion/compiler'
import { bytesOf } from '@fluxion/core'
import type { FunctionBuilder, FunctionRef, Register } from '../assembler/function.ts'
import { ModuleBuilder } from '../assembler/module.ts'
import { aligned } from '../heap/allocator.ts'
import { mostPages } from '../heap/memory.ts'
import { printNest } from '../print/nest.ts'
import { noteTemporaries } from '../print/temporaries.ts'
import { planNest } from '../print/plan.ts'
import { type ProductContext, printProduct } from '../product/print.ts'
import { turnsPerCall } from './cost.ts'
import { blocksOfCall, partsOf, patienceOf, readyToCut } from './cut.ts'
import { kernelKey } from './key.ts'
import { Log } from './log.ts'

/** A kernel as it is called: with addresses, a range of its blocks, and room for scratch if it needs any. */
export interface PrintedKernel {
  readonly callee: FunctionRef
  readonly blocks: number
  readonly blocksPerCall: number
  readonly scratchBytes: number
  /** Into how many parts it is cut, for threads to share; 1 if it is not. All but the last are of whole units of so many blocks. */
  readonly parts: number
  readonly unit: number
  /** In milliseconds: a call takes less. */
  readonly patience: number
  /** Whether jobs launch it, with scratch of their runners' own. */
  readonly shared: boolean
}
export interface PrintedProgram {
  readonly module: ModuleBuilder
  /** Slots whose addresses stand in the frame, in order. */
  readonly framed: readonly Slot[]
  readonly callbacks: readonly Callback[]
  /** What can run on several threads. */
  readonly jobs: readonly Job[]
  /** Words of the frame: addresses of slots, then those of the operands and results of the callback that is called, then counters of loops around jobs. */
  readonly frameWords: number
  readonly scratchBytes: number
  /** What each runner of jobs has for itself. */
  readonly runnerBytes: number
  /** Where its launches are noted, if they are. */
  readonly log: Log | undefined
}
/** An exported function of the module, of frame, arena, memory of the runner's own, and number of a part, that runs one of so many parts of a step: they may run side by side, in any order. */
export interface Job {
  readonly name: string
  readonly parts: number
  /** A runner that does not go on for so many milliseconds is taken for dead. */
  readonly patience: number
}
/** A runner's memory begins with a word that it counts up at each kernel, for others to see that it is alive. */
const runnerHead = 64

/**
 * @param shared whether the module's memory is shared between threads
 * @param shareFrom threads share kernels that take so many nanoseconds
 * @param profiled whether launches are noted, with when they began and ended
 */
export function printDriver(
  program: Program,
  plan: MemoryPlan,
  {
    relaxed,
    shared,
    shareFrom,
    profiled = false,
  }: {
    readonly relaxed: boolean
    readonly shared: boolean
    readonly shareFrom?: number | undefined
    readonly profiled?: boolean
  },
): PrintedProgram {
  const module = new ModuleBuilder(shared ? { initial: 0, maximum: mostPages, shared } : undefined)
  const context: ProductContext = { module, relaxed, printNest: (nest) => printNest(module, nest, { relaxed }) }
  noteTemporaries(program)
  const kernels = printKernels(context, program.steps, shareFrom)
  const scratchOf = (which: (kernel: PrintedKernel) => boolean): number =>
    Math.max(0, ...[...kernels.values()].filter(which).map((kernel) => kernel.scratchBytes))
  const scratchBytes = scratchOf(({ parts }) => parts === 1)
  const framed = [...new Set([...program.inputs, ...program.captured.map(({ slot }) => slot), ...program.outputs])]
  const ownBytes = aligned(runnerHead + plan.privateBytes + scratchOf((kernel) => kernel.shared))
  const log = profiled ? new Log(module, ownBytes) : undefined
  const driver = new Driver(module, kernels, framed, plan, program.steps, log)
  driver.print(program.steps)
  const { callbacks, jobs, frameWords } = driver
  const runnerBytes = jobs.length === 0 ? 0 : ownBytes + (log === undefined ? 0 : Log.bytes)
  return { module, framed, callbacks, jobs, frameWords, scratchBytes, runnerBytes, log }
}
const operandsOf = ({ inputs, outputs }: Callback): number => inputs.length + outputs.length

/** As many elements as a loop in lanes does at once, or a multiple. */
const turnLanes = 16
/** So few points that each reduce something run one by one, and what they reduce runs in lanes; or that do not run in lanes at all. */
const fewPoints = 1024
/** Each kernel's function; kernels that are the same but for the names of things share one. */
function printKernels(
  context: ProductContext,
  steps: readonly Step[],
  shareFrom: number | undefined,
): Map<Kernel, PrintedKernel> {
  const kernels = new Map<Kernel, PrintedKernel>()
  const byKey = new Map<string, PrintedKernel>()
  // Kernels of groups, which run side by side, are not cut themselves.
  const whole = new Set<Kernel>()
  walkSteps(steps, (step) => {
    if (step.op !== 'parallel') return
    const inside = [...step.begin, ...step.body]
    walkSteps(inside, (each) => void (each.op === 'launch' && whole.add(each.kernel)))
  })
  walkSteps(steps, (step) => {
    if (step.op !== 'launch' || kernels.has(step.kernel)) return
    const cut = !whole.has(step.kernel)
    const key = `${cut ? 'cut ' : ''}${kernelKey(step.kernel)}`
    let printed = byKey.get(key)
    if (printed === undefined) byKey.set(key, (printed = printKernel(context, step.kernel, cut, shareFrom)))
    kernels.set(step.kernel, printed)
  })
  return kernels
}
function printKernel(
  context: ProductContext,
  kernel: Kernel,
  cut: boolean,
  shareFrom: number | undefined,
): PrintedKernel {
  const ready = cut ? readyToCut(kernel, shareFrom) : kernel
  if (ready.kind === 'product') {
    const printed = printProduct(context, ready)
    const { blocks } = printed
    const blocksPerCall = Math.min(printed.blocksPerCall, blocksOfCall(ready, blocks))
    const parts = cut ? partsOf(ready, blocks, shareFrom) : 1
    return {
      ...printed,
      blocksPerCall,
      parts,
      unit: 1,
      patience: patienceOf(ready, blocks, blocksPerCall),
      shared: !cut || parts > 1,
    }
  }
  const callee = context.printNest(ready)
  const blocks = ready.grid[0]?.extent ?? 1
  const turns = turnsPerCall(ready)
  // Calls that cut the loop that runs in lanes take whole turns of several vectors.
  const oneByOne = blocks < fewPoints && (ready.body.some(({ op }) => op === 'reduce') || planNest(ready) === undefined)
  const unit = ready.grid.length === 1 && !oneByOne ? turnLanes : 1
  const blocksPerCall = Math.ceil(turns / unit) * unit
  const parts = cut ? partsOf(ready, Math.floor(blocks / unit), shareFrom) : 1
  return {
    callee,
    blocks,
    blocksPerCall,
    scratchBytes: 0,
    parts,
    unit,
    patience: patienceOf(ready, blocks, blocksPerCall),
    shared: !cut || parts > 1,
  }
}

/** The function that is being printed. */
interface Site {
  readonly f: FunctionBuilder
  readonly frame: Register
  readonly arena: Register
  /** A job's memory of its own. */
  readonly own: Register | undefined
  readonly counters: Map<Counter, Register>
}
function siteOf(f: FunctionBuilder): Site {
  const own = f.params.length > 2 ? f.param(2) : undefined
  return { f, frame: f.param(0), arena: f.param(1), own, counters: new Map() }
}

class Driver {
  readonly callbacks: Callback[] = []
  readonly jobs: Job[] = []
  frameWords: number
  readonly #module: ModuleBuilder
  #site: Site
  readonly #kernels: ReadonlyMap<Kernel, PrintedKernel>
  readonly #entries: ReadonlyMap<Slot, number>
  readonly #plan: MemoryPlan
  readonly #log: Log | undefined
  /** Of the job that is being printed: its longest call. */
  #patience = 0
  /** Where in the frame counters of loops stand for the jobs in them. */
  readonly #counterWords = new Map<Counter, number>()

  constructor(
    module: ModuleBuilder,
    kernels: ReadonlyMap<Kernel, PrintedKernel>,
    framed: readonly Slot[],
    plan: MemoryPlan,
    steps: readonly Step[],
    log: Log | undefined,
  ) {
    this.#module = module
    this.#kernels = kernels
    this.#entries = new Map(framed.map((slot, i) => [slot, i]))
    this.#plan = plan
    this.#log = log
    this.frameWords = framed.length
    walkSteps(steps, (step) => {
      if (step.op === 'callback') this.frameWords = Math.max(this.frameWords, framed.length + operandsOf(step))
    })
    const run = module.function('run', ['i32', 'i32'])
    this.#site = siteOf(run)
    module.export('run', run)
  }
  print(steps: readonly Step[]): void {
    for (const step of steps) this.#step(step)
  }

  #step(step: Step): void {
    const { f } = this.#site
    switch (step.op) {
      case 'launch':
        return this.#timed(step.kernel.name, step.kernel, () =>
          this.#launch(step.kernel.name, this.#kernels.get(step.kernel)!, step.args),
        )
      case 'copy':
        if (step.length === 0) return
        this.#address(step.to)
        this.#address(step.from)
        f.i32(step.length * bytesOf(step.from.slot.dtype)).memoryCopy()
        return
      case 'loop':
        if (step.counter.length > 0) this.#loop(step.counter, 0, step.counter.length, () => this.print(step.body))
        return
      case 'parallel':
        return this.#parallel(step)
      case 'while':
        f.block((done) => {
          f.loop((again) => {
            this.print(step.test)
            this.#address(step.flag)
            f.memory('i32.load8_u').op('i32.eqz').brIf(done)
            this.print(step.body)
            f.br(again)
          })
        })
        return
      case 'switch':
        return this.#switch(step)
      case 'callback':
        return this.#callback(step)
    }
  }

  /** Run steps with a counter from a number on, or from the one in a register, as long as it is less than another; once at least. */
  #loop(counter: Counter, from: number | Register, to: number | Register, body: () => void): void {
    const { f, counters } = this.#site
    const push = (x: number | Register): FunctionBuilder => (typeof x === 'number' ? f.i32(x) : f.get(x))
    const register = f.temporary('i32')
    counters.set(counter, register)
    push(from).set(register)
    f.loop((again) => {
      body()
      f.get(register).i32(1).op('i32.add').tee(register)
      push(to).op('i32.lt_s').brIf(again)
    })
    counters.delete(counter)
    f.release(register)
  }
  /** A function for parts of a step, and the call that has the host run them all: it finds the counters of loops around in the frame. */
  #job(name: string, label: string, parts: number, print: (part: Register) => void): void {
    const around = this.#site
    const { f, frame, arena, counters } = around
    const job = this.#module.function(name, ['i32', 'i32', 'i32', 'i32'])
    const site = siteOf(job)
    for (const [counter, register] of counters) {
      let word = this.#counterWords.get(counter)
      if (word === undefined) this.#counterWords.set(counter, (word = this.frameWords++))
      f.get(frame)
        .get(register)
        .memory('i32.store', 4 * word)
      const inside = job.register('i32')
      job
        .get(site.frame)
        .memory('i32.load', 4 * word)
        .set(inside)
      site.counters.set(counter, inside)
    }
    const number = this.jobs.length
    const exported = `job${number}`
    this.#module.export(exported, job)
    const start = this.#module.import('env', 'parallel', ['i32', 'i32', 'i32'], [])
    f.i32(number).get(frame).get(arena).call(start)
    this.#site = site
    this.#patience = 0
    this.#timed(`${name} of ${label}`, undefined, () => print(job.param(3)))
    this.jobs.push({ name: exported, parts, patience: this.#patience })
    this.#site = around
  }
  /** Registers of a range: part p of all `parts` has the numbers from ⌊p·count/parts⌋ on, before ⌊(p+1)·count/parts⌋. */
  #range(part: Register, count: number, parts: number): readonly [from: Register, to: Register] {
    const { f } = this.#site
    const bound = (at: FunctionBuilder): Register => {
      const register = f.register('i32')
      at.op('i64.extend_i32_u').i64(BigInt(count)).op('i64.mul').i64(BigInt(parts)).op('i64.div_u', 'i32.wrap_i64')
      f.set(register)
      return register
    }
    return [bound(f.get(part)), bound(f.get(part).i32(1).op('i32.add'))]
  }
  #parallel({ group, counter, begin, body }: Parallel): void {
    const label = `${counter.length} iterations in ${group.length} groups`
    const run = (): void =>
      this.#job('group', label, group.length, (part) => {
        const [from, to] = this.#range(part, counter.length, group.length)
        this.#site.counters.set(group, part)
        this.print(begin)
        this.#loop(counter, from, to, () => this.print(body))
      })
    this.#timed(label, undefined, run)
  }
  /** Note when what `print` prints begins and ends, if launches are noted. */
  #timed(name: string, kernel: Kernel | undefined, print: () => void): void {
    if (this.#log === undefined) print()
    else this.#log.around(this.#site, name, kernel, print)
  }

  /** Leave the address of a place on the stack. */
  #address({ slot, offset, moves }: Place): void {
    const { f, frame, arena, own, counters } = this.#site
    const bytes = bytesOf(slot.dtype)
    const entry = this.#entries.get(slot)
    let fixed = offset * bytes
    if (entry !== undefined) f.get(frame).memory('i32.load', 4 * entry)
    else {
      const isOwn = this.#plan.privates.has(slot)
      f.get(isOwn ? own! : arena)
      fixed += this.#plan.offsets.get(slot)! + (isOwn ? runnerHead : 0)
    }
    if (fixed !== 0) f.i32(fixed).op('i32.add')
    for (const { counter, stride, alternate } of moves) {
      if (stride === 0) continue
      f.get(counters.get(counter)!)
      if (alternate === true) f.i32(1).op('i32.and')
      f.i32(stride * bytes).op('i32.mul', 'i32.add')
    }
  }
  #launch(name: string, kernel: PrintedKernel, args: readonly Place[]): void {
    const { blocks, parts, unit } = kernel
    if (blocks === 0) return
    if (parts === 1) return this.#calls(kernel, args, 0, blocks)
    this.#job('part', name, parts, (part) => {
      const { f } = this.#site
      // Ranges of whole units, the last one of what there is.
      const range = this.#range(part, Math.ceil(blocks / unit), parts)
      for (const end of range) {
        f.get(end).i32(unit).op('i32.mul').set(end)
        f.get(end).i32(blocks).get(end).i32(blocks).op('i32.lt_s', 'select').set(end)
      }
      this.#calls(kernel, args, ...range)
    })
  }
  /** Calls of a kernel for a range of its blocks: several if one would take too long. */
  #calls(
    { callee, blocks, blocksPerCall, scratchBytes, patience }: PrintedKernel,
    args: readonly Place[],
    begin: number | Register,
    end: number | Register,
  ): void {
    const { f, arena, own } = this.#site
    this.#patience = Math.max(this.#patience, patience)
    const push = (x: number | Register): FunctionBuilder => (typeof x === 'number' ? f.i32(x) : f.get(x))
    const scratch = callee.params.length > args.length + 2
    const scratchAt = own === undefined ? this.#plan.bytes : runnerHead + this.#plan.privateBytes
    const finish = (): void => {
      if (own !== undefined) f.get(own).get(own).memory('i32.load').i32(1).op('i32.add').memory('i32.store')
      if (scratch) {
        f.get(own ?? arena)
        if (scratchBytes > 0) f.i32(scratchAt).op('i32.add')
      }
      f.call(callee)
    }
    if (blocks <= blocksPerCall) {
      for (const place of args) this.#address(place)
      push(begin)
      push(end)
      return finish()
    }
    const addresses = args.map((place) => {
      this.#address(place)
      const register = f.temporary('i32')
      f.set(register)
      return register
    })
    const [from, to] = [f.temporary('i32'), f.temporary('i32')]
    push(begin).set(from)
    f.loop((again) => {
      f.get(from).i32(blocksPerCall).op('i32.add').tee(to)
      push(end).get(to)
      push(end).op('i32.lt_s', 'select').set(to)
      for (const register of addresses) f.get(register)
      f.get(from).get(to)
      finish()
      f.get(to).tee(from)
      push(end).op('i32.lt_s').brIf(again)
    })
    for (const register of [...addresses, from, to]) f.release(register)
  }
  /** Blocks inside each other, one a branch: the table leaves as many of them as lie before the branch. */
  #switch({ index, branches }: Switch): void {
    const { f } = this.#site
    const last = branches.length - 1
    if (last < 0) return
    const chosen = f.temporary('i32')
    this.#address(index)
    if (index.slot.dtype === 'bool') f.memory('i32.load8_u')
    else f.memory('i32.load')
    f.set(chosen)
    // Numbers below 0 mean the first branch, those that are too large the last.
    f.get(chosen).i32(0).get(chosen).i32(0).op('i32.ge_s', 'select').set(chosen)
    f.block((done) => {
      const nest = (branch: number, labels: readonly { readonly kind: 'block' }[]): void => {
        f.block((label) => {
          const all = [label as { readonly kind: 'block' }, ...labels]
          if (branch > 0) nest(branch - 1, all)
          else f.get(chosen).brTable(all.slice(0, last), all[last]!)
        })
        this.print(branches[branch]!)
        f.br(done)
      }
      nest(last, [])
    })
    f.release(chosen)
  }
  #callback(callback: Callback): void {
    const { f, frame } = this.#site
    const places = [...callback.inputs, ...callback.outputs]
    places.forEach(({ place }, i) => {
      f.get(frame)
      this.#address(place)
      f.memory('i32.store', 4 * (this.#entries.size + i))
    })
    f.i32(this.callbacks.push(callback) - 1)
      .get(frame)
      .call(this.#module.import('env', 'callback', ['i32', 'i32'], []))
  }
}
