/**
 * Splits a loop in two: what the rest of it needs nothing of, such as sums over a batch that no axis goes through, runs in a loop of its own
 * afterwards, on what the first one kept of each step.
 */
import { type Launch, type Loop, type Place, Slot } from '@fluxion/compiler'
import { bytesOf } from '@fluxion/core'
import { isWritten } from '../print/access.ts'
import { asLaunch } from './body.ts'

/** What is kept of all steps takes so many bytes at most. */
const mostKept = 2 ** 25

export interface Split {
  readonly first: Loop
  readonly second: Loop
}
const touches = ({ args }: Launch, slots: ReadonlySet<Slot>): boolean => args.some(({ slot }) => slots.has(slot))
const writtenBy = (launches: Iterable<Launch>): Set<Slot> =>
  new Set(
    [...launches].flatMap(({ kernel, args }) => args.filter((_, at) => isWritten(kernel, at)).map(({ slot }) => slot)),
  )
/** A launch with all that touch what these write. */
function withDependents(launch: Launch, launches: readonly Launch[]): Set<Launch> {
  const found = new Set([launch])
  for (;;) {
    const written = writtenBy(found)
    const more = launches.filter((other) => !found.has(other) && touches(other, written))
    if (more.length === 0) return found
    for (const other of more) found.add(other)
  }
}

/** The ways to split a loop of launches: those that take the least out first. */
export function splitsOf(loop: Loop, launches: readonly Launch[]): Split[] {
  const groups = launches
    .map((launch) => withDependents(launch, launches))
    .filter((group) => group.size < launches.length)
  const all = new Set(groups.flatMap((group) => [...group]))
  const ways = [...groups.toSorted((a, b) => a.size - b.size), ...(all.size < launches.length ? [all] : [])]
  return ways.flatMap((group) => split(loop, launches, group) ?? [])
}
function split({ op, counter }: Loop, launches: readonly Launch[], out: ReadonlySet<Launch>): Split | undefined {
  const rest = launches.filter((launch) => !out.has(launch))
  const written = writtenBy(rest)
  const [first, second]: [Launch[], Launch[]] = [[], []]
  let bytes = 0
  for (const [at, launch] of launches.entries()) {
    if (!out.has(launch)) {
      first.push(launch)
      continue
    }
    const args = launch.args.map((place, param): Place => {
      const { slot } = place
      const { length } = launch.kernel.params[param]!
      if (!written.has(slot) || staysAt(place, length, launches, at, rest)) return place
      // What the next step writes over is kept for each step.
      const kept = new Slot(slot.dtype, counter.length * length)
      const to: Place = { slot: kept, offset: 0, moves: [{ counter, stride: length }] }
      bytes += kept.length * bytesOf(slot.dtype)
      first.push(asLaunch({ op: 'copy', from: place, to, length }))
      return to
    })
    second.push({ ...launch, args })
  }
  if (bytes > mostKept) return undefined
  return { first: { op, counter, body: first }, second: { op, counter, body: second } }

  /** Whether what a step finds at a place is there after the loop too: each step has its own, written before it is read. */
  function staysAt(place: Place, length: number, all: readonly Launch[], at: number, rest: readonly Launch[]): boolean {
    const own = place.moves.find((move) => move.counter === counter)
    if (own === undefined || own.alternate === true || Math.abs(own.stride) < length) return false
    return rest.every((launch) =>
      launch.args.every((other, param) => {
        if (other.slot !== place.slot || !isWritten(launch.kernel, param)) return true
        return (
          all.indexOf(launch) < at &&
          samePlace(other, place) &&
          launch.kernel.params[param]!.length <= Math.abs(own.stride)
        )
      }),
    )
  }
}
const samePlace = (a: Place, b: Place): boolean =>
  a.offset === b.offset &&
  a.moves.length === b.moves.length &&
  a.moves.every(
    ({ counter, stride, alternate }, i) =>
      b.moves[i]!.counter === counter && b.moves[i]!.stride === stride && b.moves[i]!.alternate === alternate,
  )
