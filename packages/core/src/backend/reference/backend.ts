/** The reference back end: an interpreter of programs in plain TypeScript, and the oracle that compiled back ends are tested against. */
import { invariant } from '../../errors.ts'
import type { Aval } from '../../ir/aval.ts'
import { type Atom, type ClosedJaxpr, type Jaxpr, Literal, type Var } from '../../ir/jaxpr.ts'
import { type AnyPrimitive, type Primitive, type Run, runnable } from '../../primitive/define.ts'
import { ConcreteArray } from '../../array.ts'
import type { Backend, Buffer, Executable, HostArray, TypedArray } from '../interface.ts'
import { allocate, roundTo } from './host.ts'

class HostBuffer implements Buffer {
  readonly backend: Backend = reference
  readonly data: TypedArray
  constructor(data: TypedArray) {
    this.data = data
  }
  read(): TypedArray {
    return this.data
  }
  readAsync(): Promise<TypedArray> {
    return Promise.resolve(this.data)
  }
  dispose(): void {
    // The garbage collector owns host memory.
  }
}

/** A program with its variables numbered, and for each equation the values that are needed for the last time. */
interface Compiled {
  readonly slots: number
  readonly constants: readonly (readonly [slot: number, value: HostArray])[]
  readonly inputs: readonly number[]
  readonly steps: readonly Step[]
  readonly outputs: readonly Source[]
}
type Source = number | HostArray
interface Step {
  readonly primitive: Primitive
  readonly params: object
  readonly inputs: readonly Source[]
  readonly outputs: readonly number[]
  readonly outAvals: readonly Aval[]
  readonly last: readonly number[]
}

const compiled = new WeakMap<Jaxpr, Compiled>()

function compile(program: ClosedJaxpr): Compiled {
  const known = compiled.get(program.jaxpr)
  if (known !== undefined) return known
  const { jaxpr, consts } = program
  const slots = new Map<Var, number>()
  const slotOf = (variable: Var): number => {
    let slot = slots.get(variable)
    if (slot === undefined) slots.set(variable, (slot = slots.size))
    return slot
  }
  const sourceOf = (atom: Atom): Source => (atom instanceof Literal ? literal(atom) : slotOf(atom))
  const constants = jaxpr.constants.map((variable, i) => [slotOf(variable), hostOf(consts[i])] as const)
  const inputs = jaxpr.inputs.map(slotOf)
  const outputs = jaxpr.outputs.map(sourceOf)

  const seen = new Set(outputs.filter((source) => typeof source === 'number'))
  const steps: Step[] = []
  for (const equation of jaxpr.equations.toReversed()) {
    const params = equation.params as never
    const sources = equation.inputs.map(sourceOf)
    const outs = equation.outputs.map((variable) => (variable === null ? -1 : slotOf(variable)))
    const last = [...new Set(sources.filter((source) => typeof source === 'number' && !seen.has(source)))] as number[]
    for (const slot of last) seen.add(slot)
    const unused = outs.filter((slot) => slot >= 0 && !seen.has(slot))
    steps.push({
      primitive: runnable(equation.primitive),
      params,
      inputs: sources,
      outputs: outs,
      outAvals: equation.outputs.includes(null)
        ? equation.primitive.type(
            equation.inputs.map((atom) => atom.aval),
            params,
          )
        : equation.outputs.map((variable) => variable!.aval),
      last: [...last, ...unused],
    })
  }
  const result = { slots: slots.size, constants, inputs, steps: steps.reverse(), outputs }
  compiled.set(jaxpr, result)
  return result
}

function literal({ value, aval }: Literal): HostArray {
  const data = allocate(aval.dtype, 1)
  data[0] = value
  return { shape: [], dtype: aval.dtype, data: roundTo(aval.dtype, data) }
}
function hostOf(x: unknown): HostArray {
  invariant(x instanceof ConcreteArray, 'a program that runs has constants without values')
  return x.host
}

const run: Run = (program, args) => {
  const { slots, constants, inputs, steps, outputs } = compile(program)
  const values = new Array<HostArray | undefined>(slots)
  const get = (source: Source): HostArray => (typeof source === 'number' ? values[source]! : source)
  for (const [slot, value] of constants) values[slot] = value
  for (let i = 0; i < inputs.length; i++) values[inputs[i]!] = args[i]!
  for (const step of steps) {
    const results = step.primitive.reference(step.inputs.map(get), step.params, step.outAvals, run)
    for (let i = 0; i < step.outputs.length; i++) if (step.outputs[i]! >= 0) values[step.outputs[i]!] = results[i]!
    for (const slot of step.last) values[slot] = undefined
  }
  return outputs.map(get)
}

const hostArrays = (inputs: readonly Buffer[], avals: readonly Aval[]): HostArray[] =>
  inputs.map((buffer, i) => ({ shape: avals[i]!.shape, dtype: avals[i]!.dtype, data: buffer.read() }))

export const reference: Backend = {
  name: 'reference',
  put: ({ data }) => new HostBuffer(data),
  apply(primitive: AnyPrimitive, inputs, inAvals, outAvals, params) {
    return runnable(primitive)
      .reference(hostArrays(inputs, inAvals), params, outAvals, run)
      .map(({ data }) => new HostBuffer(data))
  },
  compile(program): Executable {
    const avals = program.jaxpr.inputs.map((variable) => variable.aval)
    return (inputs) => run(program, hostArrays(inputs, avals)).map(({ data }) => new HostBuffer(data))
  },
}
