/**
 * Fits kernels into the number of buffers that a device binds at once. Values in between lie in one arena, which takes one binding if need be; so
 * arrays from outside are copied into it, and results out of it, where a kernel has too many of them.
 */
import { type Place, type Program, Slot, type Step, mapSteps, placeOf, walkSteps } from '@fluxion/compiler'

export function stageForBindings(program: Program, limit: number): Program {
  const own = new Set([...program.inputs, ...program.captured.map(({ slot }) => slot), ...program.outputs])
  const staged = new Map<Slot, Slot>()
  walkSteps(program.steps, (step) => {
    if (step.op !== 'launch') return
    const slots = [...new Set(step.args.map(({ slot }) => slot))]
    if (slots.length <= limit) return
    // One binding is the arena's. The smallest arrays are copied.
    const apart = slots.filter((slot) => own.has(slot) && !staged.has(slot)).sort((a, b) => b.length - a.length)
    for (const slot of apart.slice(limit - 1)) staged.set(slot, new Slot(slot.dtype, slot.length))
  })
  if (staged.size === 0) return program
  const moved = (place: Place): Place => ({ ...place, slot: staged.get(place.slot) ?? place.slot })
  const outputs = new Set(program.outputs)
  const given = new Set([...program.inputs, ...program.captured.map(({ slot }) => slot)])
  const copies = (slots: ReadonlySet<Slot>, into: boolean): Step[] =>
    [...slots].flatMap((slot): Step[] => {
      const inside = staged.get(slot)
      if (inside === undefined) return []
      const [from, to] = into ? [slot, inside] : [inside, slot]
      return [{ op: 'copy', from: placeOf(from), to: placeOf(to), length: slot.length }]
    })
  const results = new Set([...outputs].filter((slot) => !given.has(slot)))
  return {
    ...program,
    steps: [...copies(given, true), ...movePlaces(program.steps, moved), ...copies(results, false)],
  }
}

/** Steps with other places. */
const movePlaces = (steps: readonly Step[], move: (place: Place) => Place): Step[] =>
  mapSteps(steps, (step) => [movePlacesOf(step, move)])
function movePlacesOf(step: Step, move: (place: Place) => Place): Step {
  switch (step.op) {
    case 'launch':
      return { ...step, args: step.args.map(move) }
    case 'copy':
      return { ...step, from: move(step.from), to: move(step.to) }
    case 'while':
      return { ...step, flag: move(step.flag) }
    case 'switch':
      return { ...step, index: move(step.index) }
    case 'callback': {
      const moved = <T extends { readonly place: Place }>(each: T): T => ({ ...each, place: move(each.place) })
      return { ...step, inputs: step.inputs.map(moved), outputs: step.outputs.map(moved) }
    }
    case 'loop':
      return step
  }
}
