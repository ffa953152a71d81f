/**
 * Fits kernels into the number of buffers that a device binds at once. Values in between lie in one arena, which takes one binding if need be; so
 * arrays from outside are copied into it, and results out of it, where a kernel has too many of them.
 */
import {
  type Place,
  type Program,
  Slot,
  type Step,
  accessOf,
  mapSteps,
  placeOf,
  planMemory,
  walkSteps,
} from '@fluxion/compiler'
import { bytesFor } from '../memory/elements.ts'
import type { Windowed } from './windows.ts'

/** @param piecesOf how many bindings an array of so many bytes takes */
export function stageForBindings(program: Program, limit: number, piecesOf: (bytes: number) => number): Program {
  const bytesOf = ({ dtype, length }: Slot): number => bytesFor(dtype, length)
  const own = new Set([...program.inputs, ...program.captured.map(({ slot }) => slot), ...program.outputs])
  const staged = new Map<Slot, Slot>()
  walkSteps(program.steps, (step) => {
    if (step.op !== 'launch') return
    const { args, windows } = step as Windowed
    const slots = [...new Set(args.map(({ slot }) => slot))]
    const seen = new Map(args.map(({ slot }, at) => [slot, windows?.[at]]))
    const count = (slot: Slot): number => (seen.get(slot) === undefined ? piecesOf(bytesOf(slot)) : 1)
    if (slots.reduce((sum, slot) => sum + count(slot), 0) <= limit) return
    // The smallest arrays are copied: as few as will do.
    const apart = slots.filter((slot) => own.has(slot) && !staged.has(slot)).sort((a, b) => bytesOf(b) - bytesOf(a))
    const arena = [...staged.keys()].reduce((sum, slot) => sum + bytesOf(slot), planMemory(program).bytes)
    const bindings = (kept: number): number => {
      const inside = apart.slice(kept).reduce((sum, slot) => sum + bytesOf(slot), arena)
      return apart.slice(0, kept).reduce((sum, slot) => sum + count(slot), piecesOf(inside))
    }
    let kept = apart.length
    while (kept > 0 && bindings(kept) > limit) kept--
    for (const slot of apart.slice(kept)) staged.set(slot, new Slot(slot.dtype, slot.length))
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
  const written = new Set<Slot>()
  walkSteps(program.steps, (step) => accessOf(step).writes.forEach(({ slot }) => written.add(slot)))
  const results = new Set([...outputs].filter((slot) => !given.has(slot) || written.has(slot)))
  return {
    ...program,
    steps: [...copies(given, true), ...movePlaces(program.steps, moved), ...copies(results, false)],
  }
}

/** A program that uses other slots. */
export function renameSlots(program: Program, names: ReadonlyMap<Slot, Slot>): Program {
  if (names.size === 0) return program
  const rename = (slot: Slot): Slot => names.get(slot) ?? slot
  const steps = movePlaces(program.steps, (place) => ({ ...place, slot: rename(place.slot) }))
  return { ...program, outputs: program.outputs.map(rename), steps }
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
    case 'parallel':
      return step
  }
}
