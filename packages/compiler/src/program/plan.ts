/** Memory plan: temporaries that are not alive at the same time lie in the same bytes of one arena. */
import { bytesOf } from '@fluxion/core'
import { accessOf } from './access.ts'
import { walkSteps } from './places.ts'
import { privatesOf } from './privates.ts'
import type { Counter, Place, Program, Slot, Step } from './program.ts'

export interface MemoryPlan {
  /** In bytes. */
  readonly offsets: ReadonlyMap<Slot, number>
  /** What the arena has to hold. */
  readonly bytes: number
  /** Temporaries of parallel steps that each runner has of its own: their offsets are in an area that holds so many bytes. */
  readonly privates: ReadonlySet<Slot>
  readonly privateBytes: number
}
/** From the first step that a slot is alive at to the last, by number. */
export interface Lifetime {
  readonly first: number
  readonly last: number
}

/**
 * Lay out a program's temporaries: slots that are neither inputs nor outputs. Each one keeps its bytes from the first step that names it to the
 * last; through the whole of a loop if steps outside of it name it too, or if it moves with the loop's counter. Those that belong to runners of
 * parallel groups lie in an area of their own.
 *
 * @param alignment of each slot, in bytes
 */
export function planMemory(program: Program, alignment = 64): MemoryPlan {
  const lifetimes = [...lifetimesOf(program)]
  const privates = new Set([...privatesOf(program).values()].flatMap((slots) => [...slots]))
  const offsets = new Map<Slot, number>()
  const lay = (own: boolean): number =>
    layOut(new Map(lifetimes.filter(([slot]) => privates.has(slot) === own)), alignment, offsets)
  return { offsets, bytes: lay(false), privates, privateBytes: lay(true) }
}
/** Give slots offsets, and tell where the last one ends. */
function layOut(lifetimes: ReadonlyMap<Slot, Lifetime>, alignment: number, offsets: Map<Slot, number>): number {
  const sizeOf = (slot: Slot): number => Math.ceil((slot.length * bytesOf(slot.dtype)) / alignment) * alignment
  // The largest first: small ones fit between them.
  const order = [...lifetimes.keys()].sort((a, b) => sizeOf(b) - sizeOf(a))
  const placed: { readonly from: number; readonly to: number; readonly life: Lifetime }[] = []
  let bytes = 0
  for (const slot of order) {
    const [size, life] = [sizeOf(slot), lifetimes.get(slot)!]
    let from = 0
    // Sorted by where they begin: the first gap that is wide enough.
    for (const other of placed) {
      if (!meet(other.life, life)) continue
      if (from + size <= other.from) break
      from = Math.max(from, other.to)
    }
    offsets.set(slot, from)
    const to = from + size
    bytes = Math.max(bytes, to)
    const next = placed.findIndex((other) => other.from > from)
    placed.splice(next < 0 ? placed.length : next, 0, { from, to, life })
  }
  return bytes
}
const meet = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last

/** When each temporary is alive. Branches of a condition are numbered one after the other, so that what only one uses may share. */
export function lifetimesOf({ inputs, captured, outputs, steps }: Program): Map<Slot, Lifetime> {
  const lasting = new Set<Slot>([...inputs, ...captured.map(({ slot }) => slot), ...outputs])
  const lifetimes = new Map<Slot, Lifetime>()
  let now = 0
  const extend = (slot: Slot, first: number, last: number): void => {
    const life = lifetimes.get(slot)
    lifetimes.set(
      slot,
      life === undefined ? { first, last } : { first: Math.min(life.first, first), last: Math.max(life.last, last) },
    )
  }
  const touch = (place: Place): void => {
    if (!lasting.has(place.slot)) extend(place.slot, now, now)
  }
  const touchAll = (step: Step): void => {
    const { reads, writes } = accessOf(step)
    reads.forEach(touch)
    writes.forEach(touch)
    now++
  }
  const visitAll = (list: readonly Step[]): void => list.forEach(visit)
  const visit = (step: Step): void => {
    switch (step.op) {
      case 'launch':
      case 'copy':
      case 'callback':
        touchAll(step)
        return
      case 'switch':
        touchAll(step)
        step.branches.forEach(visitAll)
        return
      case 'loop':
        repeated(() => visitAll(step.body), step.body, step.counter)
        return
      case 'parallel':
        // Groups around iterations.
        repeated(
          () => {
            visitAll(step.begin)
            repeated(() => visitAll(step.body), step.body, step.counter)
          },
          [...step.begin, ...step.body],
          step.group,
        )
        return
      case 'while':
        repeated(() => {
          visitAll(step.test)
          touchAll(step)
          visitAll(step.body)
        }, [step, ...step.test, ...step.body])
    }
  }
  /** Steps that run again and again. What is first written there in each turn is free before and after that. */
  const loops: { readonly first: number; last: number; readonly moving: ReadonlySet<Slot> }[] = []
  const repeated = (run: () => void, body: readonly Step[], counter?: Counter): void => {
    const loop = { first: now, last: now, moving: counter === undefined ? new Set<Slot>() : slotsMoving(body, counter) }
    loops.push(loop)
    run()
    loop.last = now - 1
  }
  visitAll(steps)
  // What one loop extends stays within the loops around it, and covers those inside: they may come in any order.
  for (const { first, last, moving } of loops) {
    for (const [slot, life] of lifetimes) {
      const inside = life.first >= first && life.last <= last
      if (meet(life, { first, last }) && (!inside || moving.has(slot))) extend(slot, first, last)
    }
  }
  return lifetimes
}
/** Slots of places that move with a counter. */
function slotsMoving(body: readonly Step[], counter: Counter): Set<Slot> {
  const moving = new Set<Slot>()
  walkSteps(body, (step) => {
    const { reads, writes } = accessOf(step)
    for (const { slot, moves } of [...reads, ...writes])
      if (moves.some((move) => move.counter === counter)) moving.add(slot)
  })
  return moving
}
