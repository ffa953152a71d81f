/**
 * Finds an axis along which all kernels of a loop can be cut: a loop of each kernel's grid, such that what one writes at a place of the axis, the
 * others read at the same place of it alone. Then parts of the axis run through the whole loop without knowing of each other.
 */
import {
  type Counter,
  type Expr,
  type Launch,
  LoopVar,
  type Place,
  type Slot,
  gridOf,
  indexAdd,
  indexMod,
  indexMul,
  indexRange,
  isConst,
  linearIn,
  pointsOf,
  substituting,
  termsOf,
  variable,
} from '@fluxion/compiler'
import { isWritten } from '../print/access.ts'
import { indicesOf } from '../plan/windows.ts'

/** How a kernel lies along the axis: its loop `loop` is `place`, an expression of the axis and of a loop for the rest, if there is one. */
export interface Choice {
  readonly loop: LoopVar
  readonly axis: LoopVar
  readonly loops: readonly LoopVar[]
  readonly place: Expr
}
export interface Cut {
  readonly extent: number
  /** What is small and has no axis, such as counters and keys of random numbers: each part computes it for itself. */
  readonly repeated: ReadonlySet<Slot>
  /** Of each slot that the loop writes: how many elements lie between neighbours on the axis. */
  readonly strides: ReadonlyMap<Slot, number>
  /** None of launches that each part repeats. */
  readonly choices: ReadonlyMap<Launch, Choice>
}

/** All of a loop in one part. */
export const uncut: Cut = { extent: 1, repeated: new Set(), strides: new Map(), choices: new Map() }

/** Where a kernel's parameter begins, as an expression of the counters' variables; those without one are left out. */
export const beginning = ({ offset, moves }: Place, counts: ReadonlyMap<Counter, LoopVar>): Expr =>
  indexAdd(
    offset,
    ...moves.flatMap(({ counter, stride, alternate }) => {
      const count = counts.get(counter)
      if (count === undefined) return []
      return [indexMul(alternate === true ? indexMod(variable(count), 2) : variable(count), stride)]
    }),
  )

/** An index as block · (stride · extent) + stride · axis + rest, with a rest below the stride; nothing if it is not that. */
export function alongAxis(
  index: Expr,
  axis: LoopVar,
  stride: number,
): { readonly block: Expr; readonly rest: Expr } | undefined {
  const linear = linearIn(index, axis)
  if (linear === undefined || linear.coefficient !== stride) return undefined
  const size = stride * axis.extent
  const known = termsOf(linear.rest)
  const terms = known.length > 0 || isConst(linear.rest) ? known : [{ atom: linear.rest, coefficient: 1 }]
  const fixed = indexAdd(linear.rest, ...terms.map(({ atom, coefficient }) => indexMul(atom, -coefficient)))
  if (!isConst(fixed)) return undefined
  const whole = Math.floor(fixed.value / size)
  const isWhole = ({ coefficient }: (typeof terms)[number]): boolean => coefficient % size === 0
  const block = indexAdd(
    whole,
    ...terms.filter(isWhole).map(({ atom, coefficient }) => indexMul(atom, coefficient / size)),
  )
  const rest = indexAdd(
    fixed.value - whole * size,
    ...terms.filter((term) => !isWhole(term)).map(({ atom, coefficient }) => indexMul(atom, coefficient)),
  )
  const [low, high] = indexRange(rest)
  return low >= 0 && high < stride ? { block, rest } : undefined
}

/** What a launch does with the slots that the loop writes: their indices, from the slot's first element on. */
interface Access {
  readonly slot: Slot
  readonly index: Expr
}
function accessesOf(launch: Launch, written: ReadonlySet<Slot>, counts: ReadonlyMap<Counter, LoopVar>): Access[] {
  const indices = indicesOf(launch.kernel)
  return launch.args.flatMap((place, at) => {
    if (!written.has(place.slot)) return []
    const start = beginning(place, counts)
    return (indices.get(launch.kernel.params[at]!) ?? []).map((index) => ({
      slot: place.slot,
      index: indexAdd(index, start),
    }))
  })
}
function choicesOf(launch: Launch, extent: number): Choice[] {
  return gridOf(launch.kernel).flatMap((loop): Choice[] => {
    if (loop.extent % extent !== 0) return []
    const axis = new LoopVar(loop.name, extent)
    if (loop.extent === extent) return [{ loop, axis, loops: [axis], place: variable(axis) }]
    // The axis and another were one loop: the axis was the outer one of them, or the inner one.
    const rest = new LoopVar('rest', loop.extent / extent)
    const outer = indexAdd(indexMul(variable(axis), rest.extent), variable(rest))
    const inner = indexAdd(indexMul(variable(rest), extent), variable(axis))
    return [
      { loop, axis, loops: [axis, rest], place: outer },
      { loop, axis, loops: [rest, axis], place: inner },
    ]
  })
}
/** The strides that a choice asks for, those known before among them; nothing if it does not go with these. */
function stridesWith(
  { loop, axis, place }: Choice,
  accesses: readonly Access[],
  known: ReadonlyMap<Slot, number>,
): Map<Slot, number> | undefined {
  const strides = new Map(known)
  const placed = substituting(new Map([[loop, place]]))
  for (const { slot, index } of accesses) {
    const here = placed(index)
    const stride = strides.get(slot) ?? linearIn(here, axis)?.coefficient ?? 0
    if (stride <= 0 || slot.length % (stride * axis.extent) !== 0) return undefined
    if (alongAxis(here, axis, stride) === undefined) return undefined
    strides.set(slot, stride)
  }
  return strides
}

/** So many ways are tried at most. */
const mostTries = 1000

/** What has more points than this is not repeated, nor what is kept in more elements. */
const [mostPoints, mostElements] = [64, 4096]

/** What is repeated is that small a part of the rest at most. */
const mostRepeated = 0.5
const pointsIn = (launches: readonly Launch[]): number =>
  launches.reduce(
    (sum, { kernel }) => sum + pointsOf([...gridOf(kernel), ...(kernel.kind === 'product' ? kernel.inner : [])]),
    0,
  )

const writtenBy = (launches: Iterable<Launch>): Set<Slot> =>
  new Set(
    [...launches].flatMap(({ kernel, args }) => args.filter((_, at) => isWritten(kernel, at)).map(({ slot }) => slot)),
  )
/** The launches that each part runs for itself: small ones that have no such axis, and need nothing of what the others write. */
function repeatable(launches: readonly Launch[], extent: number): ReadonlySet<Launch> {
  const small = new Set(
    launches.filter(
      (launch) =>
        choicesOf(launch, extent).length === 0 &&
        pointsOf(gridOf(launch.kernel)) <= mostPoints &&
        [...writtenBy([launch])].every(({ length }) => length <= mostElements),
    ),
  )
  for (;;) {
    const others = writtenBy(launches.filter((launch) => !small.has(launch)))
    const needing = [...small].filter(({ args }) => args.some(({ slot }) => others.has(slot)))
    if (needing.length === 0) return small
    for (const launch of needing) small.delete(launch)
  }
}

/** @param counts variables for the counters of the loops that launches lie in */
export function cutLaunches(launches: readonly Launch[], counts: ReadonlyMap<Counter, LoopVar>): Cut | undefined {
  // Products come first: batches are their rows as a rule.
  const loops = launches.flatMap(({ kernel }) =>
    kernel.kind === 'product' ? [...kernel.rows, ...kernel.batch, ...kernel.columns] : [],
  )
  const grids = launches.flatMap(({ kernel }) => (kernel.kind === 'nest' ? kernel.grid : []))
  const extents = new Set([...loops, ...grids].map(({ extent }) => extent).filter((extent) => extent > 1))
  for (const extent of extents) {
    const found = cutAlong(launches, extent, counts)
    if (found !== undefined) return found
  }
  return undefined
}
function cutAlong(launches: readonly Launch[], extent: number, counts: ReadonlyMap<Counter, LoopVar>): Cut | undefined {
  const small = repeatable(launches, extent)
  const own = launches.filter((launch) => !small.has(launch))
  // Where most of it would be repeated there is nothing to be gained.
  if (mostRepeated * pointsIn(own) < pointsIn([...small])) return undefined
  const [written, repeated] = [writtenBy(own), writtenBy(small)]
  const accesses = new Map(own.map((launch) => [launch, accessesOf(launch, written, counts)] as const))
  let tries = 0
  const solve = (
    left: readonly Launch[],
    strides: ReadonlyMap<Slot, number>,
    choices: ReadonlyMap<Launch, Choice>,
  ): Cut | undefined => {
    const next = left.find((launch) => accesses.get(launch)!.some(({ slot }) => strides.has(slot))) ?? left[0]
    if (next === undefined) return { extent, repeated, strides, choices }
    for (const choice of choicesOf(next, extent)) {
      if (tries++ > mostTries) return undefined
      const more = stridesWith(choice, accesses.get(next)!, strides)
      if (more === undefined) continue
      const others = left.filter((launch) => launch !== next)
      const found = solve(others, more, new Map([...choices, [next, choice]]))
      if (found !== undefined) return found
    }
    return undefined
  }
  return solve(own, new Map(), new Map())
}
