/** Padding: more elements at the ends of axes, made in one of many ways. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { isFloat } from '../../dtype.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { range } from '../../shape.ts'
import { sliceAxis } from '../cumulative.ts'
import { asArray } from '../promote.ts'
import { median } from '../quantiles.ts'
import { linspace } from '../ranges.ts'
import { max, min } from '../reductions.ts'
import { mean } from '../statistics.ts'
import { multiply, subtract } from '../ufuncs/arithmetic.ts'
import { round } from '../ufuncs/rounding.ts'

/** A value for each end of each axis: one for all, a pair for all axes, or a pair for each axis. */
export type Pairs<T = number> =
  | T
  | readonly [T]
  | readonly [before: T, after: T]
  | readonly (readonly [before: T, after: T])[]

/** How the elements are made. */
export type PadMode =
  | 'constant'
  | 'edge'
  | 'linearRamp'
  | 'maximum'
  | 'mean'
  | 'median'
  | 'minimum'
  | 'reflect'
  | 'symmetric'
  | 'wrap'
  | 'empty'
export interface PadOptions {
  mode?: PadMode
  /** For `constant`: the elements, 0 by default. */
  constantValues?: Pairs<ArrayLike>
  /** For `linearRamp`: what the last new element is, 0 by default. */
  endValues?: Pairs<ArrayLike>
  /** For `maximum`, `mean`, `median` and `minimum`: of how many elements at the end; all by default. */
  statLength?: Pairs
  /** For `reflect` and `symmetric`: `odd` mirrors values at the edge, too. */
  reflectType?: 'even' | 'odd'
}

type Pair<T> = readonly [before: T, after: T]
/** The values for each axis. */
function pairsOf<T>(where: string, values: Pairs<T>, rank: number): Pair<T>[] {
  if (!Array.isArray(values)) return range(rank).map(() => [values as T, values as T])
  const list = values as readonly (T | Pair<T>)[]
  if (list.every((one) => Array.isArray(one))) {
    const pairs = list as readonly Pair<T>[]
    if (pairs.every((pair) => pair.length === 2) && pairs.length === rank) return [...pairs]
    if (pairs.length === 1 && pairs[0]!.length === 2) return range(rank).map(() => pairs[0]!)
  } else if (list.length === 1 || list.length === 2) {
    const [before, after] = [list[0] as T, list.at(-1) as T]
    return range(rank).map(() => [before, after])
  }
  throw new ShapeError(
    misuse(where, `a value, a pair, or a pair for each of ${rank} axes`, JSON.stringify(values) ?? 'another list'),
  )
}

/** New elements before and behind an axis. */
type Ends = (
  x: NDArray,
  axis: number,
  widths: Pair<number>,
  options: Resolved,
) => readonly [before: NDArray | null, after: NDArray | null]
interface Resolved {
  readonly constantValues: readonly Pair<ArrayLike>[]
  readonly endValues: readonly Pair<ArrayLike>[]
  readonly statLength: readonly Pair<number>[] | null
  readonly odd: boolean
}

const sized = (x: NDArray, axis: number, size: number) => x.shape.with(axis, size)
const repeated = (one: NDArray, axis: number, count: number): NDArray =>
  lax.broadcastInDim(one, sized(one, axis, count), range(one.ndim))
const first = (x: NDArray, axis: number, count = 1): NDArray => sliceAxis(x, axis, 0, count)
const last = (x: NDArray, axis: number, count = 1): NDArray =>
  sliceAxis(x, axis, Math.max(0, x.shape[axis]! - count), null)

const constant: Ends = (x, axis, [before, after], { constantValues }) => {
  const part = (value: ArrayLike, width: number): NDArray =>
    lax.broadcastInDim(convert(asArray('pad', value), x.dtype, x.weakType), sized(x, axis, width), [])
  return [part(constantValues[axis]![0], before), part(constantValues[axis]![1], after)]
}
const empty: Ends = (x, axis, [before, after]) => {
  const part = (width: number): NDArray => lax.full(sized(x, axis, width), 0, x.dtype, x.weakType)
  return [part(before), part(after)]
}
const edge: Ends = (x, axis, [before, after]) => [
  repeated(first(x, axis), axis, before),
  repeated(last(x, axis), axis, after),
]

const linearRamp: Ends = (x, axis, [before, after], { endValues }) => {
  const ramp = (end: ArrayLike, from: NDArray, count: number): NDArray =>
    convert(
      linspace(end, lax.squeeze(from, [axis]), count, { endpoint: false, dtype: x.dtype, axis }),
      x.dtype,
      x.weakType,
    )
  const [low, high] = endValues[axis]!
  return [ramp(low, first(x, axis), before), lax.rev(ramp(high, last(x, axis), after), [axis])]
}

const statistic =
  (of: (x: NDArray, options: { axis: number; keepdims: true }) => NDArray): Ends =>
  (x, axis, [before, after], { statLength }) => {
    const value = (part: NDArray): NDArray => {
      const result = of(part, { axis, keepdims: true })
      return convert(isFloat(x.dtype) ? result : round(result), x.dtype, x.weakType)
    }
    const lengths = statLength?.[axis] ?? ([x.shape[axis]!, x.shape[axis]!] as const)
    if (lengths.includes(0)) throw new OptionError(misuse('pad', 'a statLength of at least 1', '0'))
    return [
      repeated(value(first(x, axis, lengths[0])), axis, before),
      repeated(value(last(x, axis, lengths[1])), axis, after),
    ]
  }

/** Whole copies, and what is left of one at the far end. */
const wrap: Ends = (x, axis, [before, after]) => {
  const size = x.shape[axis]!
  const part = (
    width: number,
    rest: (count: number) => NDArray,
    order: (list: NDArray[]) => NDArray[],
  ): NDArray | null => {
    const remainder = width % size
    const copies = range(Math.floor(width / size)).map(() => x)
    const list = order([...(remainder > 0 ? [rest(remainder)] : []), ...copies])
    return list.length === 0 ? null : lax.concatenate(list, axis)
  }
  return [
    part(
      before,
      (count) => last(x, axis, count),
      (list) => list,
    ),
    part(
      after,
      (count) => first(x, axis, count),
      (list) => list.reverse(),
    ),
  ]
}

/** Mirror images, as often as it takes; `offset` is 1 if the edge is not repeated. */
const mirrored =
  (repeatsEdge: boolean): Ends =>
  (x, axis, [before, after], { odd }) => {
    const size = x.shape[axis]!
    const offset = repeatsEdge || size === 1 ? 0 : 1
    const grow = (
      width: number,
      front: boolean,
      end: (y: NDArray, axis: number, count?: number) => NDArray,
    ): NDArray | null => {
      let missing = width
      let whole = x
      let at = end(x, axis)
      while (missing > 0) {
        const count = Math.min(missing, size - offset)
        missing -= count
        const near = end(whole, axis, count + offset)
        // the elements next to the edge, without it if it is not repeated
        const part = offset === 0 ? near : front ? sliceAxis(near, axis, 1, null) : sliceAxis(near, axis, 0, count)
        let image = lax.rev(part, [axis])
        if (odd) {
          image = subtract(multiply(at, 2), image)
          if (size > 1) at = end(image, axis)
        }
        whole = lax.concatenate(front ? [image, whole] : [whole, image], axis)
      }
      if (width === 0) return null
      return front ? sliceAxis(whole, axis, 0, width) : sliceAxis(whole, axis, size, null)
    }
    return [grow(before, true, first), grow(after, false, last)]
  }

const modes: Readonly<Record<PadMode, readonly [ends: Ends, option: keyof PadOptions | null]>> = {
  constant: [constant, 'constantValues'],
  edge: [edge, null],
  linearRamp: [linearRamp, 'endValues'],
  maximum: [statistic(max), 'statLength'],
  mean: [statistic(mean), 'statLength'],
  median: [statistic(median), 'statLength'],
  minimum: [statistic(min), 'statLength'],
  reflect: [mirrored(false), 'reflectType'],
  symmetric: [mirrored(true), 'reflectType'],
  wrap: [wrap, null],
  empty: [empty, null],
}

/**
 * Add elements at the ends of axes.
 *
 * @param widths how many: at all ends, a pair for the two ends of every axis, or a pair for each axis
 * @param options `mode`: `constant` (the default) adds zeros or `constantValues`, `edge` repeats the last element, `reflect` mirrors at it
 *   and `symmetric` beside it, `wrap` goes on at the other end, `linearRamp` leads to `endValues`, `maximum`, `mean`, `median` and
 *   `minimum` are those of the elements along the axis
 *
 * @throws ShapeError for widths that are negative, and for an empty axis in modes that need an element
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.pad(np.array([1, 2]), 1) // => [0, 1, 2, 0]
 * np.pad(np.array([1, 2, 3]), [0, 2], { mode: 'reflect' }) // => [1, 2, 3, 2, 1]
 * ```
 */
export function pad(x: ArrayLike, widths: Pairs, options: PadOptions = {}): NDArray {
  const { mode = 'constant' } = options
  if (!Object.hasOwn(modes, mode)) {
    throw new OptionError(misuse('pad', `a mode of ${Object.keys(modes).join(', ')}`, `'${String(mode)}'`))
  }
  const [ends, option] = modes[mode]
  checkOptions(`pad with mode '${mode}'`, options, ['mode', ...(option === null ? [] : [option])])
  const { reflectType = 'even' } = options
  if (reflectType !== 'even' && reflectType !== 'odd') {
    throw new OptionError(misuse('pad', "a reflectType 'even' or 'odd'", `'${String(reflectType)}'`))
  }
  const a = asArray('pad', x)
  const pairs = pairsOf('pad', widths, a.ndim)
  if (!pairs.flat().every((width) => Number.isInteger(width) && width >= 0)) {
    throw new ShapeError(misuse('pad', 'widths that are integers and not negative', JSON.stringify(widths)))
  }
  const resolved: Resolved = {
    constantValues: pairsOf('pad', options.constantValues ?? 0, a.ndim),
    endValues: pairsOf('pad', options.endValues ?? 0, a.ndim),
    statLength: options.statLength === undefined ? null : pairsOf('pad', options.statLength, a.ndim),
    odd: reflectType === 'odd',
  }
  const [only] = resolved.constantValues
  if (
    mode === 'constant' &&
    a.ndim > 0 &&
    resolved.constantValues.every(([low, high]) => low === only![0] && high === only![0])
  ) {
    const value = convert(asArray('pad', only![0]), a.dtype, a.weakType)
    return lax.pad(
      a,
      value,
      pairs.map(([before, after]) => [before, after, 0]),
    )
  }
  return pairs.reduce((padded, pair, axis) => {
    if (pair[0] === 0 && pair[1] === 0) return padded
    if (padded.shape[axis] === 0 && mode !== 'constant' && mode !== 'empty') {
      throw new ShapeError(misuse('pad', `an axis ${axis} with elements for mode '${mode}'`, showAval(padded.aval)))
    }
    const [before, after] = ends(padded, axis, pair, resolved)
    return lax.concatenate(
      [before, padded, after].filter((part) => part !== null && part.shape[axis]! > 0) as NDArray[],
      axis,
    )
  }, a)
}
