/** From a program of equations to a program of steps. */
import { type ClosedJaxpr, sizeOf } from '@fluxion/core'
import { factsOf } from '../passes/facts/factsOf.ts'
import { type Program, Slot, placeOf } from '../program/program.ts'
import { Block } from './block.ts'
import { Builder } from './builder.ts'
import type { Target } from './lowering.ts'
import { Value } from './value.ts'

/** Lower an optimised program: one that holds no calls. */
export function lower(program: ClosedJaxpr, target: Target, name = 'program'): Program {
  const { jaxpr } = program
  const builder = new Builder(target, factsOf(program))
  const inputs = jaxpr.inputs.map(({ aval }) => new Slot(aval.dtype, sizeOf(aval.shape)))
  const given = jaxpr.inputs.map(({ aval }, i) => new Value(aval, { place: placeOf(inputs[i]!) }))
  const own = new Set<unknown>(jaxpr.inputs)
  // A result that is an input, or an earlier result, is that; any other has a slot of its own.
  const outputs = jaxpr.outputs.map((atom, i) => {
    const first = jaxpr.outputs.indexOf(atom)
    if (own.has(atom)) return inputs[jaxpr.inputs.indexOf(atom as never)]!
    return first < i && 'aval' in atom ? undefined : new Slot(atom.aval.dtype, sizeOf(atom.aval.shape))
  })
  const slots = outputs.map((slot, i) => slot ?? outputs[jaxpr.outputs.indexOf(jaxpr.outputs[i]!)]!)
  const places = slots.map((slot, i) =>
    inputs.includes(slot) ? undefined : outputs[i] === undefined ? undefined : placeOf(slot),
  )
  const steps = builder.collect(() => void new Block(builder, program, given, places).run())
  return { name, inputs, captured: builder.captured, outputs: slots, steps }
}
