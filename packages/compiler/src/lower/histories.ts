/** Carries that a loop stacks as they come, or as they go: on a CPU they lie in the stack, where each step finds what the one before has left. */
import { type Equation, type ScanParams, sizeOf } from '@fluxion/core'
import { type Counter, type Place, Slot } from '../program/program.ts'
import type { Block } from './block.ts'
import { updatedCarries } from './inPlace.ts'

/** A carry before the first step, before and after each, and after the last one, side by side. */
interface History {
  readonly first: Place
  readonly from: Place
  readonly to: Place
  readonly last: Place
  /** What is stacked of it, by its number among what the loop stacks: where a step's lies, and where all begin. */
  readonly stacked: readonly { readonly index: number; readonly step: Place; readonly place: Place }[]
}

/** The histories of a scan's carries, by the numbers of these. */
export function histories(block: Block, { params, outputs }: Equation, counter: Counter): ReadonlyMap<number, History> {
  const found = new Map<number, History>()
  const { builder } = block
  const { jaxpr, length, numConsts, numCarry, reverse } = params as ScanParams
  // What runs as one kernel on a GPU has its carries where all threads of a workgroup reach them.
  if (builder.target.parallel || length < 2) return found
  const body = jaxpr.jaxpr
  const updated = updatedCarries(body, numConsts, numCarry)
  const zeroOne = (variable: (typeof outputs)[number]): boolean =>
    variable !== null && builder.facts.of(variable).zeroOne
  for (let i = 0; i < numCarry; i++) {
    const [carry, next] = [body.inputs[numConsts + i]!, body.outputs[i]!]
    const size = sizeOf(carry.aval.shape)
    if (size === 0 || updated.has(i)) continue
    const dtype = builder.storageOf(carry.aval.dtype, 2 * size, zeroOne(carry))
    const slot = new Slot(dtype, (length + 1) * size)
    /** Where the carry lies after so many steps, and as many more as the counter says; steps backwards are stacked backwards. */
    const after = (steps: number, moving: boolean): Place => ({
      slot,
      offset: (reverse ? length - steps : steps) * size,
      moves: moving ? [{ counter, stride: reverse ? -size : size }] : [],
    })
    const [from, to] = [after(0, true), after(1, true)]
    const stacked: History['stacked'][number][] = []
    body.outputs.slice(numCarry).forEach((atom, index) => {
      const out = outputs[numCarry + index]!
      if (out === null || block.destinationOf(out) !== undefined || (atom !== carry && atom !== next)) return
      if (builder.storageOf(atom.aval.dtype, length * size, zeroOne(out)) !== dtype) return
      const step = atom === carry ? from : to
      // The stack's first element is that of the last step if they run backwards.
      const begin = (atom === carry ? 0 : 1) + (reverse ? length - 1 : 0)
      stacked.push({ index, step, place: after(begin, false) })
    })
    if (stacked.length > 0) found.set(i, { first: after(0, false), from, to, last: after(length, false), stacked })
  }
  return found
}
