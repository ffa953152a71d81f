/** Checks programs: places lie in their slots at every count, arguments fit kernels, and nothing is read that was not written. */
import { InvariantError, dtypes, sizeOf } from '@fluxion/core'
import { checkKernel } from '../loops/check.ts'
import type { Kernel } from '../loops/ir.ts'
import { accessOf } from './access.ts'
import { offsetsOf, walkSteps } from './places.ts'
import { privatesOf } from './privates.ts'
import type { Copy, Counter, Launch, Parallel, Place, Program, Slot, Step } from './program.ts'

/**
 * Check a program with its kernels, and return it.
 *
 * @throws InvariantError naming the program and the step
 */
export function checkProgram(program: Program): Program {
  const checker = new Checker(program)
  const written = new Set<Slot>([...program.inputs, ...program.captured.map(({ slot }) => slot)])
  for (const { slot, value } of program.captured) {
    checker.expect(slot.dtype === value.dtype && slot.length === value.size, show(slot), `a constant of ${value.dtype}`)
  }
  checker.steps(program.steps, written, new Set())
  program.outputs.forEach((slot, at) =>
    checker.expect(slot.length === 0 || written.has(slot), `output ${at} to be written`, 'no step that does'),
  )
  return program
}

const show = ({ dtype, length }: Slot): string => `${dtypes[dtype].short}[${length}]`
const describe = (step: Step): string =>
  step.op === 'launch' ? `launch ${step.kernel.name}` : step.op === 'callback' ? step.primitive.name : step.op

class Checker {
  readonly #name: string
  #where = ''
  readonly #kernels = new Set<Kernel>()
  readonly #privates: ReadonlyMap<Parallel, ReadonlySet<Slot>>

  constructor(program: Program) {
    this.#name = program.name
    this.#privates = privatesOf(program)
  }
  expect(condition: boolean, expected: string, got: string): void {
    if (!condition) throw new InvariantError(`${this.#name}${this.#where}: expected ${expected}, got ${got}`)
  }

  /** Check steps, adding to `written` what has a value in any case after them. */
  steps(steps: readonly Step[], written: Set<Slot>, loops: ReadonlySet<Counter>): void {
    for (const step of steps) {
      // A test decides by what its steps have written: that a place is read is checked after them.
      if (step.op === 'while') this.steps(step.test, written, loops)
      this.#where = `: ${describe(step)}`
      this.#step(step, loops)
      const { reads, writes } = accessOf(step)
      for (const { slot } of reads) {
        this.expect(
          slot.length === 0 || written.has(slot),
          `${show(slot)} to be written before it is read`,
          'no step that does',
        )
      }
      for (const { slot } of writes) written.add(slot)
      this.#inside(step, written, loops)
    }
  }
  #inside(step: Step, written: Set<Slot>, loops: ReadonlySet<Counter>): void {
    switch (step.op) {
      case 'loop': {
        const { counter, body } = step
        this.expect(!loops.has(counter), 'a counter for each loop', 'that of a loop around')
        this.expect(Number.isInteger(counter.length) && counter.length >= 0, 'a whole length', `${counter.length}`)
        this.steps(body, counter.length === 0 ? new Set(written) : written, new Set([...loops, counter]))
        return
      }
      case 'parallel':
        this.#parallel(step, written, loops)
        return
      case 'while':
        this.steps(step.body, new Set(written), loops)
        return
      case 'switch': {
        this.expect(step.branches.length > 0, 'a branch', 'none')
        const after = step.branches.map((branch) => {
          const now = new Set(written)
          this.steps(branch, now, loops)
          return now
        })
        for (const slot of after[0]!) if (after.every((each) => each.has(slot))) written.add(slot)
        return
      }
      case 'launch':
      case 'copy':
      case 'callback':
    }
  }

  #step(step: Step, loops: ReadonlySet<Counter>): void {
    switch (step.op) {
      case 'launch':
        this.#launch(step, loops)
        return
      case 'copy':
        this.#copy(step, loops)
        return
      case 'callback':
        for (const { aval, place } of [...step.inputs, ...step.outputs]) {
          this.expect(place.slot.dtype === aval.dtype, `a place of ${aval.dtype}`, place.slot.dtype)
          this.#room(place, sizeOf(aval.shape), loops)
        }
        return
      case 'while':
        this.expect(step.flag.slot.dtype === 'bool', 'a bool as flag', step.flag.slot.dtype)
        this.#room(step.flag, 1, loops)
        return
      case 'switch': {
        const { dtype } = step.index.slot
        this.expect(dtype === 'int32' || dtype === 'bool', 'an int32 or a bool as index', dtype)
        this.#room(step.index, 1, loops)
        return
      }
      case 'loop':
      case 'parallel':
    }
  }
  #parallel(step: Parallel, written: Set<Slot>, loops: ReadonlySet<Counter>): void {
    const { group, counter, begin, body } = step
    this.expect(!loops.has(group) && !loops.has(counter), 'counters for each parallel step', 'that of a loop around')
    this.expect(
      group.length >= 1 && group.length <= counter.length,
      '1 group at least, none of them empty',
      `${group.length}`,
    )
    walkSteps([...begin, ...body], (inner) => {
      const fits = inner.op !== 'parallel' && inner.op !== 'callback'
      this.expect(fits, 'no parallel step nor call of the host in a parallel step', inner.op)
      for (const { slot, moves } of accessOf(inner).writes) {
        const apart = moves.some((move) => (move.counter === group || move.counter === counter) && move.stride !== 0)
        this.expect(
          apart || this.#privates.get(step)!.has(slot),
          'groups to write apart',
          `${show(slot)} that they share`,
        )
      }
    })
    this.steps(begin, written, new Set([...loops, group]))
    this.steps(body, written, new Set([...loops, group, counter]))
    for (const slot of this.#privates.get(step)!) written.delete(slot)
  }
  #launch({ kernel, args }: Launch, loops: ReadonlySet<Counter>): void {
    if (!this.#kernels.has(kernel)) checkKernel(kernel)
    this.#kernels.add(kernel)
    const { params } = kernel
    this.expect(args.length === params.length, `${params.length} arguments`, `${args.length}`)
    params.forEach(({ name, dtype, length }, at) => {
      const place = args[at]!
      this.expect(place.slot.dtype === dtype, `${dtype} as ${name}`, place.slot.dtype)
      this.#room(place, length, loops)
    })
  }
  #copy({ from, to, length }: Copy, loops: ReadonlySet<Counter>): void {
    this.expect(from.slot.dtype === to.slot.dtype, `a place of ${from.slot.dtype}`, to.slot.dtype)
    this.#room(from, length, loops)
    this.#room(to, length, loops)
    // Places that move alike are as far apart at every count; others are checked when programs are interpreted.
    const alike = JSON.stringify(moving(from, loops)) === JSON.stringify(moving(to, loops))
    const apart = from.slot !== to.slot || !alike || Math.abs(from.offset - to.offset) >= length
    this.expect(apart, 'places that do not overlap', `elements ${from.offset} and ${to.offset}, ${length} of each`)
  }
  /** There are as many elements from a place on, at every count. */
  #room(place: Place, length: number, loops: ReadonlySet<Counter>): void {
    for (const { counter } of place.moves) {
      this.expect(loops.has(counter), 'places to move with loops around them', 'a counter of another loop')
    }
    const [low, high] = offsetsOf(place)
    this.expect(
      low >= 0 && high + length <= place.slot.length,
      `${length} elements in ${show(place.slot)}`,
      low === high ? `those from ${low} on` : `those from ${low} to ${high} on`,
    )
  }
}
const moving = ({ moves }: Place, loops: ReadonlySet<Counter>): (readonly (number | boolean)[])[] =>
  moves.map(({ counter, stride, alternate }) => [[...loops].indexOf(counter), stride, alternate === true])
