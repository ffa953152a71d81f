/**
 * Splits launches over arrays that are larger than a binding: along the outermost loop, into launches each of which sees a window of these arrays
 * that can be bound. Arrays that a kernel reads or writes anywhere, like those of a gather, are left as they are.
 */
import {
  type Buffer,
  type Expr,
  type Kernel,
  type Launch,
  LoopVar,
  type Program,
  type Step,
  indexAdd,
  indexRange,
  linearIn,
  mapStatement,
  mapSteps,
  offsetsOf,
  substituting,
  variable,
  walk,
  walkExpressions,
  walkStatements,
} from '@fluxion/compiler'
import { bytesOf } from '@fluxion/core'

/** Elements of a slot, from one on to before another. */
export type Window = readonly [from: number, to: number]
/** A launch that sees windows of some of its arguments' slots, by their number. */
export interface Windowed extends Launch {
  readonly windows?: readonly (Window | undefined)[]
}

/** @param most bytes that a window may have */
export const splitByWindows = (program: Program, most: number): Program => ({
  ...program,
  steps: mapSteps(program.steps, (step): readonly Step[] => (step.op === 'launch' ? splitLaunch(step, most) : [step])),
})

/** So many turns of a loop become launches of their own at most where one turn sees too much by itself. */
const mostTurns = 64
/** Chunks have multiples of so many turns: narrow elements that share a word stay together. */
const together = 4

export function splitLaunch(launch: Launch, most: number): Windowed[] {
  const { kernel, args } = launch
  const large = args.map(({ slot }) => slot.length * bytesOf(slot.dtype) > most)
  if (!large.includes(true)) return [launch]
  const loop = loopsOf(kernel).find(({ extent }) => extent > 1)
  if (loop === undefined) return [{ ...launch, windows: windowsOf(launch, large, undefined) }]
  const chunks = (size: number): Turns[] =>
    Array.from({ length: Math.ceil(loop.extent / size) }, (_, at) => ({
      loop,
      from: at * size,
      to: Math.min(loop.extent, (at + 1) * size),
    }))
  const fits = (window: Window | undefined, at: number): boolean =>
    window !== undefined && (window[1] - window[0]) * bytesOf(args[at]!.slot.dtype) <= most
  const one = windowsOf(launch, large, { loop, from: 0, to: 1 })
  const split = one.map(fits)
  if (split.includes(true)) {
    let size = loop.extent
    const isSmall = (turns: Turns): boolean =>
      windowsOf(launch, split, turns).every((window, at) => !split[at]! || fits(window, at))
    while (size > 1 && !chunks(size).every(isSmall)) {
      const half = Math.ceil(size / 2)
      size = half > together ? Math.ceil(half / together) * together : half
    }
    return chunks(size).map((turns) => ({
      ...launch,
      kernel: partOf(kernel, turns),
      windows: windowsOf(launch, split, turns),
    }))
  }
  const moves = one.some((window, at) => window !== undefined && window[1] - window[0] < args[at]!.slot.length)
  if (!moves || loop.extent > mostTurns) return [launch]
  return chunks(1).flatMap((turns) => splitLaunch({ ...launch, kernel: partOf(kernel, turns) }, most))
}
interface Turns {
  readonly loop: LoopVar
  readonly from: number
  readonly to: number
}

/** The loops of a kernel that can be split, the outermost first. */
const loopsOf = (kernel: Kernel): readonly LoopVar[] =>
  kernel.kind === 'nest' ? kernel.grid : [...kernel.batch, ...kernel.rows]

/** Where a kernel uses its parameters. */
export function indicesOf(kernel: Kernel): Map<Buffer, Expr[]> {
  const found = new Map<Buffer, Expr[]>()
  const add = (buffer: Buffer, index: Expr): void => {
    const list = found.get(buffer)
    if (list === undefined) found.set(buffer, [index])
    else list.push(index)
  }
  const seen = new Set<Expr>()
  const visit = (x: Expr): void => void (x.op === 'load' && add(x.buffer, x.index))
  if (kernel.kind === 'product') for (const side of [kernel.left, kernel.right]) walk(side, visit, seen)
  walkExpressions(kernel.body, visit, seen)
  walkStatements(kernel.body, (statement) => {
    if (statement.op === 'store' || statement.op === 'update') add(statement.buffer, statement.index)
  })
  return found
}
/** What some turns of a loop see of each large argument's slot; nothing where that is not known. */
function windowsOf(
  { kernel, args }: Launch,
  large: readonly boolean[],
  turns: Turns | undefined,
): (Window | undefined)[] {
  const indices = indicesOf(kernel)
  const seen = args.map((place, at): Window | undefined => {
    if (!large[at]!) return undefined
    let [low, high] = [Infinity, -Infinity]
    for (const index of indices.get(kernel.params[at]!) ?? []) {
      const linear = turns === undefined ? { coefficient: 0, rest: index } : linearIn(index, turns.loop)
      if (linear === undefined) return undefined
      const [from, to] = indexRange(linear.rest)
      const ends = turns === undefined ? [0] : [turns.from, turns.to - 1].map((turn) => linear.coefficient * turn)
      low = Math.min(low, from + Math.min(...ends))
      high = Math.max(high, to + Math.max(...ends))
    }
    const [first, last] = offsetsOf(place)
    return [Math.max(0, first + low), Math.min(place.slot.length, last + high + 1)]
  })
  // Arguments in one slot are bound together.
  return seen.map((window, at) => {
    if (window === undefined) return undefined
    const same = seen.filter((_, other) => args[other]!.slot === args[at]!.slot)
    if (same.includes(undefined)) return undefined
    const all = same as Window[]
    return [Math.min(...all.map(([from]) => from)), Math.max(...all.map(([, to]) => to))]
  })
}

/** A kernel for some turns of a loop. */
function partOf(kernel: Kernel, { loop, from, to }: Turns): Kernel {
  const part = new LoopVar(loop.name, to - from)
  const inPart = substituting(new Map([[loop, indexAdd(variable(part), from)]]))
  const loops = (all: readonly LoopVar[]): LoopVar[] => all.map((each) => (each === loop ? part : each))
  const body = kernel.body.map((statement) => mapStatement(statement, inPart))
  if (kernel.kind === 'nest') return { ...kernel, grid: loops(kernel.grid), body }
  const [left, right] = [inPart(kernel.left), inPart(kernel.right)]
  return { ...kernel, batch: loops(kernel.batch), rows: loops(kernel.rows), left, right, body }
}
