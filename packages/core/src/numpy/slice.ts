/** The parts of an index that are no arrays: ranges, new axes, the ellipsis. `get.ts` and `at.ts` are what takes them. */
import type { NDArray } from '../array.ts'
import { IndexError, misuse } from '../errors.ts'

/** A range of positions: from `start` up to and without `stop`, every `step`-th; `null` is the end that the step leads from or to. */
export interface Slice {
  readonly start: number | null
  readonly stop: number | null
  readonly step: number | null
}
type Part = number | ''
/** A range in short: `'1:3'`, `':'`, `'::2'`. A misspelt one does not compile. */
export type Range = `${Part}:${Part}` | `${Part}:${Part}:${Part}`
/** One part of an index: a position, a new axis (`null`), all other axes (`'...'`), a range, an array or list of positions or of choices. */
export type Index = number | boolean | null | '...' | Range | Slice | NDArray | readonly number[] | readonly boolean[]

/** An axis of size 1 in an index. */
export const newaxis: null = null
/** As many whole axes as an index leaves unnamed. */
export const ellipsis = '...' as const

/**
 * A range of positions along an axis, as in `x.get(slice(1, null, 2))`: the first position, the one to stop before, the step. A
 * negative number counts from the end; what is `null` or left out is the whole of that side.
 *
 * @throws IndexError for a step of 0, and for numbers that are not integers
 *
 * @example
 * ```ts
 * import { np, slice } from 'fluxion'
 * np.arange(6).get(slice(1, null, 2)) // => [1, 3, 5]
 * np.arange(6).get('1::2') // => [1, 3, 5]
 * ```
 */
export function slice(start: number | null = null, stop: number | null = null, step: number | null = null): Slice {
  for (const part of [start, stop, step]) {
    if (part !== null && !Number.isInteger(part)) {
      throw new IndexError(
        misuse('slice', 'integers or null', String(part), 'lax.dynamicSlice takes starts that are traced'),
      )
    }
  }
  if (step === 0) throw new IndexError(misuse('slice', 'a step other than 0', '0'))
  return { start, stop, step }
}

const pattern = /^\s*(-?\d*)\s*:\s*(-?\d*)\s*(?::\s*(-?\d*)\s*)?$/

/** Read `'1:3'` and its like. */
export function parseRange(text: string): Slice {
  const parts = pattern.exec(text)?.slice(1)
  if (parts === undefined || parts.includes('-')) {
    throw new IndexError(misuse('index', "a range such as '1:3' or '::-1', or '...'", `'${text}'`))
  }
  const [start, stop, step] = parts.map((part) => (part === undefined || part === '' ? null : Number(part)))
  return slice(start, stop, step)
}

/** The positions of a range on an axis of a given size: `count` of them from `start` on. */
export interface Positions {
  readonly start: number
  readonly step: number
  readonly count: number
}
/** Resolve a range on an axis, as Python does: ends beyond the axis are moved to it. */
export function positionsOf({ start, stop, step: given }: Slice, size: number): Positions {
  const step = given ?? 1
  // where a descending range may stop: one place before the first
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
  const bound = (end: number): number => Math.max(low, Math.min(high, end < 0 ? end + size : end))
  const first = start === null ? (step > 0 ? low : high) : bound(start)
  const end = stop === null ? (step > 0 ? high : low) : bound(stop)
  return { start: first, step, count: Math.max(0, Math.ceil((end - first) / step)) }
}
