/**
 * What is known of a program's temporaries from all kernels that write and read them: bounds, and whether there are negative zeros, of
 * those that only kernels write; whether signs of zeros are seen, of those that only kernels read. Told before the kernels are printed.
 */
import {
  type Buffer,
  type Kernel,
  type Launch,
  type Program,
  type Slot,
  type Step,
  walkStatements,
  walkSteps,
} from '@fluxion/compiler'
import { noteHalves } from './halves.ts'
import { type Bounds, boundsOf, noteBounds, rangeOf } from './ranges.ts'
import { mayBeNegativeZero, mayHoldNegativeZero, noteNoNegativeZero } from './signs.ts'
import { hasUnseenZeros, noteUnseenZeros, noteZeros } from './zeros.ts'

/** What was noted of a buffer, as a text. */
export const notesOf = (buffer: Buffer): string =>
  `${boundsOf(buffer).join()}${mayHoldNegativeZero(buffer)}${hasUnseenZeros(buffer)}`
/** Note what is known of a program's temporaries. */
export function noteTemporaries({ inputs, captured, outputs, steps }: Program): void {
  const launches: Launch[] = []
  const others = new Set<Slot>([...inputs, ...captured.map(({ slot }) => slot), ...outputs])
  walkSteps(steps, (step) => {
    if (step.op === 'launch') launches.push(step)
    else for (const slot of slotsOf(step)) others.add(slot)
  })
  const slots = new Map<Buffer, Slot>()
  for (const { kernel, args } of launches) {
    noteHalves(kernel.body)
    kernel.params.forEach((buffer, i) => {
      const { slot } = args[i]!
      const known = slots.get(buffer)
      // a kernel that runs at several places
      if (known !== undefined && known !== slot) for (const each of [known, slot]) others.add(each)
      slots.set(buffer, slot)
    })
  }
  noteWritten(launches, others)
  noteRead(launches, slots, others)
}
/** What a step that is no launch reads or writes by itself. */
function slotsOf(step: Step): Slot[] {
  switch (step.op) {
    case 'copy':
      return [step.from.slot, step.to.slot]
    case 'while':
      return [step.flag.slot]
    case 'switch':
      return [step.index.slot]
    case 'callback':
      return [...step.inputs, ...step.outputs].map(({ place }) => place.slot)
    default:
      return []
  }
}
const isFloat = ({ slot }: { readonly slot: Slot }): boolean => slot.dtype === 'float32' || slot.dtype === 'float16'

interface Written {
  /** Launches that write it and are still to be looked at. */
  left: number
  bounds: Bounds | undefined
  negativeZero: boolean
}
/** A kernel's values are known from those before it; what one writes that is still to come may be anything. */
function noteWritten(launches: readonly Launch[], others: ReadonlySet<Slot>): void {
  const slots = new Map<Slot, Written>()
  const writes = launches.map(({ kernel, args }) => {
    const written = writtenBy(kernel)
    return kernel.params.flatMap((buffer, i) => {
      const slot = args[i]!.slot
      return written.has(buffer) && isFloat(args[i]!) && !others.has(slot) ? [{ buffer, slot }] : []
    })
  })
  for (const { slot } of writes.flat()) {
    const known = slots.get(slot)
    if (known === undefined) slots.set(slot, { left: 1, bounds: undefined, negativeZero: false })
    else known.left++
  }
  launches.forEach(({ kernel, args }, at) => {
    kernel.params.forEach((buffer, i) => {
      const written = slots.get(args[i]!.slot)
      if (written === undefined || written.left > 0) return
      if (written.bounds !== undefined) noteBounds(buffer, written.bounds)
      if (!written.negativeZero) noteNoNegativeZero(buffer)
    })
    for (const { buffer, slot } of writes[at]!) {
      const written = slots.get(slot)!
      written.left--
      walkStatements(kernel.body, (statement) => {
        if ((statement.op !== 'store' && statement.op !== 'update') || statement.buffer !== buffer) return
        const [low, high] = statement.op === 'store' ? rangeOf(statement.value) : ([-Infinity, Infinity] as const)
        const { bounds } = written
        written.bounds = bounds === undefined ? [low, high] : [Math.min(low, bounds[0]), Math.max(high, bounds[1])]
        written.negativeZero ||= statement.op === 'update' || mayBeNegativeZero(statement.value)
      })
    }
  })
}
function writtenBy({ body }: Kernel): ReadonlySet<Buffer> {
  const written = new Set<Buffer>()
  walkStatements(body, (statement) => {
    if (statement.op === 'store' || statement.op === 'update') written.add(statement.buffer)
  })
  return written
}
/** Taken to be unseen until a kernel turns out to see them. */
function noteRead(launches: readonly Launch[], slots: ReadonlyMap<Buffer, Slot>, others: ReadonlySet<Slot>): void {
  const candidates = new Set<Slot>()
  for (const { args } of launches)
    for (const place of args) if (isFloat(place) && !others.has(place.slot)) candidates.add(place.slot)
  const isUnseen = (buffer: Buffer): boolean => candidates.has(slots.get(buffer)!)
  for (let size = -1; size !== candidates.size;) {
    size = candidates.size
    for (const { kernel } of launches.toReversed())
      for (const buffer of noteZeros(kernel, isUnseen, false)) candidates.delete(slots.get(buffer)!)
  }
  for (const buffer of slots.keys()) if (isUnseen(buffer)) noteUnseenZeros(buffer)
  for (const { kernel } of launches) noteZeros(kernel)
}
