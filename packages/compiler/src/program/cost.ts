/** What a run of a program costs, counted from its steps: kernels, bytes, floating-point operations, memory. */
import { bytesOf } from '@fluxion/core'
import type { Buffer, Expr, Kernel, ScalarFunction, ScalarType, Stmt } from '../loops/ir.ts'
import { expressionsOf, gridOf, pointsOf, walk } from '../loops/visit.ts'
import { planMemory } from './plan.ts'
import type { Program, Step } from './program.ts'

/**
 * Counters of one run. Of a `while` they count one turn and one further test; of a condition, in a program or in a kernel, the branch that
 * costs most of each.
 */
export interface Cost {
  /** Kernels launched. */
  readonly kernels: number
  readonly copies: number
  readonly callbacks: number
  /** By kernels and copies: each element that a launch reads or writes once, however often it does. */
  readonly bytesRead: number
  readonly bytesWritten: number
  /** Additions, multiplications, comparisons for extremes, divisions and roots of floats; a fused multiply-add is two. */
  readonly flops: number
  /** What the temporaries take. */
  readonly arenaBytes: number
  /** What those take that each runner of parallel groups has of its own. */
  readonly privateBytes: number
}
type Counts = Omit<Cost, 'arenaBytes' | 'privateBytes'>

const nothing: Counts = { kernels: 0, copies: 0, callbacks: 0, bytesRead: 0, bytesWritten: 0, flops: 0 }
const combined = (f: (a: number, b: number) => number, a: Counts, b: Counts): Counts => ({
  kernels: f(a.kernels, b.kernels),
  copies: f(a.copies, b.copies),
  callbacks: f(a.callbacks, b.callbacks),
  bytesRead: f(a.bytesRead, b.bytesRead),
  bytesWritten: f(a.bytesWritten, b.bytesWritten),
  flops: f(a.flops, b.flops),
})
const plus = (a: Counts, b: Counts): Counts => combined((x, y) => x + y, a, b)

/** Count what a run of a program costs. */
export function costOf(program: Program): Cost {
  const { bytes, privateBytes } = planMemory(program)
  return { ...costOfSteps(program.steps), arenaBytes: bytes, privateBytes }
}
const costOfSteps = (steps: readonly Step[]): Counts => steps.map(costOfStep).reduce(plus, nothing)
function costOfStep(step: Step): Counts {
  switch (step.op) {
    case 'launch':
      return costOfKernel(step.kernel)
    case 'copy': {
      const bytes = step.length * bytesOf(step.from.slot.dtype)
      return { ...nothing, copies: 1, bytesRead: bytes, bytesWritten: bytes }
    }
    case 'loop': {
      const { length } = step.counter
      return combined((x) => x * length, costOfSteps(step.body), nothing)
    }
    case 'parallel': {
      const { group, counter, begin, body } = step
      const times = (count: number, steps: readonly Step[]): Counts =>
        combined((x) => x * count, costOfSteps(steps), nothing)
      return plus(times(group.length, begin), times(counter.length, body))
    }
    case 'while':
      return costOfSteps([...step.test, ...step.body, ...step.test])
    case 'switch':
      return step.branches.map(costOfSteps).reduce((a, b) => combined(Math.max, a, b))
    case 'callback':
      return { ...nothing, callbacks: 1 }
  }
}

const kernels = new WeakMap<Kernel, Counts>()
/** Count what a launch of a kernel costs. */
export function costOfKernel(kernel: Kernel): Counts {
  let cost = kernels.get(kernel)
  if (cost === undefined) kernels.set(kernel, (cost = new KernelCost().of(kernel)))
  return cost
}

const isFloat = (type: ScalarType): boolean => type === 'f32' || type === 'f64'
const counted: ReadonlySet<string> = new Set(['sqrt', 'add', 'sub', 'mul', 'div', 'rem', 'min', 'max'])

class KernelCost {
  #flops = 0
  /** How often each buffer's elements are read and written. */
  readonly #reads = new Map<Buffer, number>()
  readonly #writes = new Map<Buffer, number>()

  of(kernel: Kernel): Counts {
    const grid = pointsOf(gridOf(kernel))
    if (kernel.kind === 'product') {
      const { left, right, inner, sum } = kernel
      const times = grid * pointsOf(inner)
      this.#expressions([left, right], times)
      if (isFloat(sum.type)) this.#flops += 2 * times
    }
    this.#body(kernel.body, grid)
    const bytes = (counts: ReadonlyMap<Buffer, number>): number =>
      [...counts].reduce((sum, [{ dtype, length }, count]) => sum + Math.min(count, length) * bytesOf(dtype), 0)
    return {
      ...nothing,
      kernels: 1,
      bytesRead: bytes(this.#reads),
      bytesWritten: bytes(this.#writes),
      flops: this.#flops,
    }
  }
  #count(counts: Map<Buffer, number>, buffer: Buffer, times: number): void {
    counts.set(buffer, (counts.get(buffer) ?? 0) + times)
  }

  #body(body: readonly Stmt[], times: number): void {
    for (const statement of body) this.#statement(statement, times)
  }
  #statement(statement: Stmt, times: number): void {
    if (statement.op !== 'reduce') this.#expressions(expressionsOf(statement), times)
    switch (statement.op) {
      case 'for': {
        const { extent, variable, body } = statement
        this.#body(body, times * (extent.op === 'const' ? extent.value : variable.extent))
        return
      }
      case 'while':
        this.#expressions([statement.condition], times)
        this.#body(statement.body, times)
        return
      case 'if':
        this.#most([statement.yes, statement.no], times)
        return
      case 'assign':
        return
      case 'store':
        this.#count(this.#writes, statement.buffer, times)
        return
      case 'update':
        this.#count(this.#reads, statement.buffer, times)
        this.#count(this.#writes, statement.buffer, times)
        if (isFloat(statement.value.type)) this.#flops += times
        return
      case 'reduce': {
        const turns = times * pointsOf(statement.variables)
        this.#expressions(expressionsOf(statement), turns)
        this.#flops += turns * statement.accumulators.filter(({ into }) => isFloat(into.type)).length
      }
    }
  }
  /** The branch with the most operations; accesses of the one with the most of each. */
  #most(branches: readonly (readonly Stmt[])[], times: number): void {
    const costs = branches.map((branch) => {
      const cost = new KernelCost()
      cost.#body(branch, times)
      return cost
    })
    this.#flops += Math.max(...costs.map((cost) => cost.#flops))
    for (const access of ['reads', 'writes'] as const) {
      const most = new Map<Buffer, number>()
      for (const cost of costs) {
        const counts = access === 'reads' ? cost.#reads : cost.#writes
        for (const [buffer, count] of counts) most.set(buffer, Math.max(most.get(buffer) ?? 0, count))
      }
      for (const [buffer, count] of most) this.#count(access === 'reads' ? this.#reads : this.#writes, buffer, count)
    }
  }
  /** Of one statement, which computes shared expressions once. */
  #expressions(roots: readonly Expr[], times: number): void {
    const seen = new Set<Expr>()
    for (const root of roots) walk(root, (x) => this.#expression(x, times), seen)
  }
  #expression(x: Expr, times: number): void {
    switch (x.op) {
      case 'load':
        this.#count(this.#reads, x.buffer, times)
        return
      case 'unary':
      case 'binary':
        if (isFloat(x.type) && counted.has(x.fn)) this.#flops += times
        return
      case 'fma':
        this.#flops += 2 * times
        return
      case 'host':
        this.#flops += times
        return
      case 'call':
        this.#call(x.callee, times)
        return
      case 'const':
      case 'var':
      case 'local':
      case 'compare':
      case 'select':
      case 'convert':
      case 'bitcast':
      case 'narrow':
    }
  }
  #call({ body, result }: ScalarFunction, times: number): void {
    this.#body(body, times)
    this.#expressions([result], times)
  }
}
