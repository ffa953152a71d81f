/** The meaning of programs: runs their steps on host arrays, with the kernels interpreted. */
import { type HostArray, InvariantError, type TypedArray, allocate, invariant, sizeOf } from '@fluxion/core'
import { type HostFunctions, interpretKernel } from '../loops/interpret.ts'
import { iterationsOf, offsetAt } from './places.ts'
import { privatesOf } from './privates.ts'
import type { Callback, Counter, Parallel, Place, Program, Slot, Step } from './program.ts'

export interface InterpretOptions {
  /** Functions that kernels take from the host. */
  readonly host?: HostFunctions
  /** Memory for slots that are no inputs; separate and filled with what no program should count on unless given. */
  readonly memoryOf?: (slot: Slot) => TypedArray
}

/**
 * Run a program.
 *
 * @param inputs as many elements as the program's inputs have, in any shape
 * @returns the outputs, flat
 * @throws InvariantError where a step or a kernel breaks a rule
 */
export function interpretProgram(
  program: Program,
  inputs: readonly HostArray[],
  { host = {}, memoryOf = filled }: InterpretOptions = {},
): HostArray[] {
  const memory = new Map<Slot, TypedArray>()
  program.inputs.forEach((slot, at) => {
    const { dtype, data } = inputs[at]!
    const fits = dtype === slot.dtype && data.length === slot.length
    invariant(fits, () => `${program.name}: input ${at} is ${slot.dtype}[${slot.length}], got ${dtype}[${data.length}]`)
    memory.set(slot, data.slice())
  })
  for (const { slot, value } of program.captured) memory.set(slot, value.dataSync().slice())
  new Run(program, memory, host, memoryOf).steps(program.steps)
  return program.outputs.map((slot) => {
    const data = memory.get(slot)
    invariant(data !== undefined || slot.length === 0, `${program.name}: an output was never written`)
    return { shape: [slot.length], dtype: slot.dtype, data: data?.slice() ?? allocate(slot.dtype, 0) }
  })
}
/** Memory as it may be found: not zeros. */
function filled({ dtype, length }: Slot): TypedArray {
  const data = allocate(dtype, length)
  return data instanceof Float32Array || data instanceof Float64Array
    ? data.fill(NaN)
    : data.fill(dtype === 'bool' ? 1 : 77)
}

class Run {
  readonly #name: string
  readonly #privates: ReadonlyMap<Parallel, ReadonlySet<Slot>>
  readonly #memory: Map<Slot, TypedArray>
  readonly #host: HostFunctions
  readonly #memoryOf: (slot: Slot) => TypedArray
  readonly #counts = new Map<Counter, number>()

  constructor(
    program: Program,
    memory: Map<Slot, TypedArray>,
    host: HostFunctions,
    memoryOf: (slot: Slot) => TypedArray,
  ) {
    this.#name = program.name
    this.#privates = privatesOf(program)
    this.#memory = memory
    this.#host = host
    this.#memoryOf = memoryOf
  }
  #at(place: Place): { data: TypedArray; offset: number } {
    let data = this.#memory.get(place.slot)
    if (data === undefined) this.#memory.set(place.slot, (data = this.#memoryOf(place.slot)))
    return { data, offset: offsetAt(place, this.#counts) }
  }
  #elements(place: Place, length: number): TypedArray {
    const { data, offset } = this.#at(place)
    invariant(
      offset >= 0 && offset + length <= data.length,
      () => `${this.#name}: ${length} elements from ${offset} on are not in a slot of ${data.length}`,
    )
    return data.subarray(offset, offset + length)
  }

  steps(steps: readonly Step[]): void {
    for (const step of steps) this.#step(step)
  }
  #step(step: Step): void {
    switch (step.op) {
      case 'launch': {
        const args = step.args.map((place) => this.#at(place))
        interpretKernel(
          step.kernel,
          args.map(({ data }) => data),
          args.map(({ offset }) => offset),
          this.#host,
        )
        return
      }
      case 'copy': {
        const { from, to, length } = step
        const apart = Math.abs(offsetAt(from, this.#counts) - offsetAt(to, this.#counts)) >= length
        invariant(from.slot !== to.slot || apart, () => `${this.#name}: a copy overlaps itself`)
        this.#elements(to, length).set(this.#elements(from, length))
        return
      }
      case 'loop':
        for (let count = 0; count < step.counter.length; count++) {
          this.#counts.set(step.counter, count)
          this.steps(step.body)
        }
        this.#counts.delete(step.counter)
        return
      case 'parallel':
        this.#parallel(step)
        return
      case 'while':
        this.steps(step.test)
        while (this.#elements(step.flag, 1)[0] !== 0) {
          this.steps(step.body)
          this.steps(step.test)
        }
        return
      case 'switch': {
        const index = this.#elements(step.index, 1)[0]!
        this.steps(step.branches[Math.max(0, Math.min(index, step.branches.length - 1))]!)
        return
      }
      case 'callback':
        this.#callback(step)
    }
  }
  /** The groups from the last one on, each with memory of its own that holds anything: they must not depend on the order. */
  #parallel(step: Parallel): void {
    const own = this.#privates.get(step)!
    for (let group = step.group.length - 1; group >= 0; group--) {
      for (const slot of own) this.#memory.delete(slot)
      this.#counts.set(step.group, group)
      this.steps(step.begin)
      const [from, to] = iterationsOf(step, group)
      for (let count = from; count < to; count++) {
        this.#counts.set(step.counter, count)
        this.steps(step.body)
      }
      this.#counts.delete(step.counter)
    }
    this.#counts.delete(step.group)
  }
  #callback({ primitive, params, inputs, outputs }: Callback): void {
    const given = inputs.map(({ aval: { shape, dtype }, place }) => ({
      shape,
      dtype,
      data: this.#elements(place, sizeOf(shape)).slice(),
    }))
    const avals = outputs.map(({ aval }) => aval)
    const results = primitive.reference(given, params, avals, () => {
      throw new InvariantError(`${primitive.name}: a callback has no programs to run`)
    })
    outputs.forEach(({ aval, place }, at) => this.#elements(place, sizeOf(aval.shape)).set(results[at]!.data))
  }
}
