/**
 * Prints a program as one module: its kernels, each once, and `run`, which calls them in the program's loops and branches. Where values lie stands in a
 * frame: a table of addresses that the host fills before a call.
 */
import {
  type Callback,
  type Counter,
  type Kernel,
  type MemoryPlan,
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
import { printNest } from '../print/nest.ts'
import { type ProductContext, printProduct } from '../product/print.ts'
import { turnsPerCall } from './cost.ts'
import { kernelKey } from './key.ts'

/** A kernel as it is called: with addresses, a range of its blocks, and room for scratch if it needs any. */
export interface PrintedKernel {
  readonly callee: FunctionRef
  readonly blocks: number
  readonly blocksPerCall: number
  readonly scratchBytes: number
}
export interface PrintedProgram {
  readonly module: ModuleBuilder
  /** Slots whose addresses stand in the frame, in order. */
  readonly framed: readonly Slot[]
  readonly callbacks: readonly Callback[]
  /** Words of the frame: addresses of slots, then those of the operands and results of the callback that is called. */
  readonly frameWords: number
  readonly scratchBytes: number
}

export function printDriver(program: Program, plan: MemoryPlan, relaxed: boolean): PrintedProgram {
  const module = new ModuleBuilder()
  const context: ProductContext = { module, relaxed, printNest: (nest) => printNest(module, nest, { relaxed }) }
  const kernels = printKernels(context, program.steps)
  const scratchBytes = Math.max(0, ...[...kernels.values()].map((kernel) => kernel.scratchBytes))
  const framed = [...new Set([...program.inputs, ...program.captured.map(({ slot }) => slot), ...program.outputs])]
  const driver = new Driver(module, kernels, framed, plan)
  driver.print(program.steps)
  const most = Math.max(0, ...driver.callbacks.map(({ inputs, outputs }) => inputs.length + outputs.length))
  return { module, framed, callbacks: driver.callbacks, frameWords: framed.length + most, scratchBytes }
}

/** As many elements as a loop in lanes does at once, or a multiple. */
const turnLanes = 16
/** Each kernel's function; kernels that are the same but for the names of things share one. */
function printKernels(context: ProductContext, steps: readonly Step[]): Map<Kernel, PrintedKernel> {
  const kernels = new Map<Kernel, PrintedKernel>()
  const byKey = new Map<string, PrintedKernel>()
  walkSteps(steps, (step) => {
    if (step.op !== 'launch' || kernels.has(step.kernel)) return
    const key = kernelKey(step.kernel)
    let printed = byKey.get(key)
    if (printed === undefined) byKey.set(key, (printed = printKernel(context, step.kernel)))
    kernels.set(step.kernel, printed)
  })
  return kernels
}
function printKernel(context: ProductContext, kernel: Kernel): PrintedKernel {
  if (kernel.kind === 'product') return printProduct(context, kernel)
  const callee = context.printNest(kernel)
  const blocks = kernel.grid[0]?.extent ?? 1
  const turns = turnsPerCall(kernel)
  // Calls that cut the loop that runs in lanes take whole turns of several vectors.
  const blocksPerCall = kernel.grid.length === 1 ? Math.ceil(turns / turnLanes) * turnLanes : turns
  return { callee, blocks, blocksPerCall, scratchBytes: 0 }
}

class Driver {
  readonly callbacks: Callback[] = []
  readonly #module: ModuleBuilder
  readonly #f: FunctionBuilder
  readonly #frame: Register
  readonly #arena: Register
  readonly #kernels: ReadonlyMap<Kernel, PrintedKernel>
  readonly #entries: ReadonlyMap<Slot, number>
  readonly #plan: MemoryPlan
  readonly #counters = new Map<Counter, Register>()

  constructor(
    module: ModuleBuilder,
    kernels: ReadonlyMap<Kernel, PrintedKernel>,
    framed: readonly Slot[],
    plan: MemoryPlan,
  ) {
    this.#module = module
    this.#kernels = kernels
    this.#entries = new Map(framed.map((slot, i) => [slot, i]))
    this.#plan = plan
    this.#f = module.function('run', ['i32', 'i32'])
    this.#frame = this.#f.param(0)
    this.#arena = this.#f.param(1)
    module.export('run', this.#f)
  }
  print(steps: readonly Step[]): void {
    for (const step of steps) this.#step(step)
  }

  #step(step: Step): void {
    const f = this.#f
    switch (step.op) {
      case 'launch':
        return this.#launch(this.#kernels.get(step.kernel)!, step.args)
      case 'copy':
        if (step.length === 0) return
        this.#address(step.to)
        this.#address(step.from)
        f.i32(step.length * bytesOf(step.from.slot.dtype)).memoryCopy()
        return
      case 'loop': {
        const { counter, body } = step
        if (counter.length === 0) return
        const register = f.temporary('i32')
        this.#counters.set(counter, register)
        f.i32(0).set(register)
        f.loop((again) => {
          this.print(body)
          f.get(register).i32(1).op('i32.add').tee(register).i32(counter.length).op('i32.lt_s').brIf(again)
        })
        f.release(register)
        return
      }
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

  /** Leave the address of a place on the stack. */
  #address({ slot, offset, moves }: Place): void {
    const f = this.#f
    const bytes = bytesOf(slot.dtype)
    const entry = this.#entries.get(slot)
    if (entry !== undefined) f.get(this.#frame).memory('i32.load', 4 * entry)
    else f.get(this.#arena)
    const fixed = offset * bytes + (entry === undefined ? this.#plan.offsets.get(slot)! : 0)
    if (fixed !== 0) f.i32(fixed).op('i32.add')
    for (const { counter, stride, alternate } of moves) {
      if (stride === 0) continue
      f.get(this.#counters.get(counter)!)
      if (alternate === true) f.i32(1).op('i32.and')
      f.i32(stride * bytes).op('i32.mul', 'i32.add')
    }
  }
  #launch({ callee, blocks, blocksPerCall, scratchBytes }: PrintedKernel, args: readonly Place[]): void {
    const f = this.#f
    if (blocks === 0) return
    const scratch = callee.params.length > args.length + 2
    const finish = (): void => {
      if (scratch) {
        f.get(this.#arena)
        if (scratchBytes > 0) f.i32(this.#plan.bytes).op('i32.add')
      }
      f.call(callee)
    }
    if (blocks <= blocksPerCall) {
      for (const place of args) this.#address(place)
      f.i32(0).i32(blocks)
      return finish()
    }
    const addresses = args.map((place) => {
      this.#address(place)
      const register = f.temporary('i32')
      f.set(register)
      return register
    })
    const [from, to] = [f.temporary('i32'), f.temporary('i32')]
    f.i32(0).set(from)
    f.loop((again) => {
      f.get(from).i32(blocksPerCall).op('i32.add').tee(to).i32(blocks).get(to).i32(blocks).op('i32.lt_s', 'select')
      f.set(to)
      for (const register of addresses) f.get(register)
      f.get(from).get(to)
      finish()
      f.get(to).tee(from).i32(blocks).op('i32.lt_s').brIf(again)
    })
    for (const register of [...addresses, from, to]) f.release(register)
  }
  /** Blocks inside each other, one a branch: the table leaves as many of them as lie before the branch. */
  #switch({ index, branches }: Switch): void {
    const f = this.#f
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
    const f = this.#f
    const places = [...callback.inputs, ...callback.outputs]
    places.forEach(({ place }, i) => {
      f.get(this.#frame)
      this.#address(place)
      f.memory('i32.store', 4 * (this.#entries.size + i))
    })
    f.i32(this.callbacks.push(callback) - 1)
      .get(this.#frame)
      .call(this.#module.import('env', 'callback', ['i32', 'i32'], []))
  }
}
