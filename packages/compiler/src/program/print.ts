/** Programs as text: slots, then the steps with the places that they use, then the kernels that they launch. */
import { dtypes } from '@fluxion/core'
import type { Kernel } from '../loops/ir.ts'
import { Names, printKernel } from '../loops/print.ts'
import { accessOf } from './access.ts'
import { planMemory } from './plan.ts'
import { walkSteps } from './places.ts'
import type { Counter, Place, Program, Slot, Step } from './program.ts'

/**
 * Print a program with its kernels.
 *
 * `x + 4 + 8*t` is the place in slot `x` that begins at element 4 and moves by 8 with each turn of the loop `t`; `t % 2` stands in places that
 * alternate. Temporaries show where they lie in the arena, in bytes.
 */
export function printProgram(program: Program): string {
  const printer = new Printer(program)
  return [...printer.slots(program), ...printer.steps(program.steps), ...printer.kernels()].join('\n')
}

/** Print the slots alone: what goes in and out, and where in the arena the temporaries lie. */
export const printPlan = (program: Program): string => new Printer(program).slots(program).join('\n')

class Printer {
  readonly #names = new Names()
  readonly #slots = new Map<Slot, string>()
  readonly #counters = new Map<Counter, string>()
  /** Kernels in the order in which they are launched, with names that tell them apart. */
  readonly #kernels = new Map<Kernel, string>()

  constructor({ inputs, captured, outputs, steps }: Program) {
    const name = (slot: Slot, by: string): void => {
      if (!this.#slots.has(slot)) this.#slots.set(slot, this.#names.fresh(by))
    }
    inputs.forEach((slot, at) => name(slot, `in${at}`))
    captured.forEach(({ slot }, at) => name(slot, `constant${at}`))
    outputs.forEach((slot, at) => name(slot, `out${at}`))
    let temporaries = 0
    walkSteps(steps, (step) => {
      const { reads, writes } = accessOf(step)
      for (const { slot } of [...reads, ...writes]) {
        if (!this.#slots.has(slot)) name(slot, `t${temporaries++}`)
      }
      if (step.op === 'launch' && !this.#kernels.has(step.kernel)) {
        this.#kernels.set(step.kernel, this.#names.fresh(step.kernel.name))
      }
    })
  }
  slots(program: Program): string[] {
    const { name, inputs, captured, outputs } = program
    const list = (slots: readonly Slot[]): string => slots.map((slot) => this.#declared(slot)).join(', ')
    const constants = list(captured.map(({ slot }) => slot))
    const head = `program ${name}(${list(inputs)})${constants === '' ? '' : ` with ${constants}`} -> (${list(outputs)})`
    const { offsets, bytes, privates, privateBytes } = planMemory(program)
    const area = (title: string, own: boolean): string[] => {
      const slots = [...this.#slots.keys()].filter((slot) => offsets.has(slot) && privates.has(slot) === own)
      return slots.length === 0
        ? []
        : [title, ...slots.map((slot) => `    ${this.#declared(slot)} at ${offsets.get(slot)!}`)]
    }
    return [
      head,
      ...area(`  arena of ${bytes} bytes:`, false),
      ...area(`  each runner's own ${privateBytes} bytes:`, true),
    ]
  }
  #declared(slot: Slot): string {
    return `${this.#slots.get(slot)!}: ${dtypes[slot.dtype].short}[${slot.length}]`
  }
  steps(steps: readonly Step[], depth = 1): string[] {
    return steps.flatMap((step) => this.#step(step, depth))
  }
  #step(step: Step, depth: number): string[] {
    const line = (text: string): string => '  '.repeat(depth) + text
    const inside = (body: readonly Step[], more = 1): string[] =>
      body.length === 0 ? [line('  '.repeat(more) + 'pass')] : this.steps(body, depth + more)
    switch (step.op) {
      case 'launch': {
        const args = step.args.map((place) => this.#place(place))
        return [line(`launch ${this.#kernels.get(step.kernel)!}(${args.join(', ')})`)]
      }
      case 'copy':
        return [line(`copy ${step.length} from ${this.#place(step.from)} to ${this.#place(step.to)}`)]
      case 'loop':
        return [line(`loop ${this.#counter(step.counter)} < ${step.counter.length}:`), ...inside(step.body)]
      case 'while':
        return [line('while:'), ...inside(step.test), line(`${this.#place(step.flag)} do:`), ...inside(step.body)]
      case 'switch':
        return [
          line(`switch ${this.#place(step.index)}:`),
          ...step.branches.flatMap((branch, at) => [line(`  case ${at}:`), ...inside(branch, 2)]),
        ]
      case 'parallel': {
        const { group, counter } = step
        const head = `parallel ${this.#counter(counter)} < ${counter.length} in groups ${this.#counter(group)} < ${group.length}:`
        const begin = step.begin.length === 0 ? [] : [line('  begin:'), ...inside(step.begin, 2)]
        return [line(head), ...begin, line('  each:'), ...inside(step.body, 2)]
      }
      case 'callback': {
        const list = (places: readonly { readonly place: Place }[]): string =>
          places.map(({ place }) => this.#place(place)).join(', ')
        return [line(`call ${step.primitive.name}(${list(step.inputs)}) -> (${list(step.outputs)})`)]
      }
    }
  }
  #counter(counter: Counter): string {
    let name = this.#counters.get(counter)
    if (name === undefined) this.#counters.set(counter, (name = this.#names.fresh('n')))
    return name
  }
  #place({ slot, offset, moves }: Place): string {
    const parts = [this.#slots.get(slot)!, ...(offset === 0 ? [] : [`${offset}`])]
    for (const { counter, stride, alternate } of moves) {
      const count = this.#counter(counter)
      parts.push(`${stride}*${alternate === true ? `(${count} % 2)` : count}`)
    }
    return parts.join(' + ').replaceAll('+ -', '- ')
  }
  kernels(): string[] {
    return [...this.#kernels].map(([kernel, name]) => printKernel({ ...kernel, name }))
  }
}
