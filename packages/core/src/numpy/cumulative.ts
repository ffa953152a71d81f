/** Running sums and products, differences, and integrals of samples. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype, isFloat } from '../dtype.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import * as running from '../primitive/cumulative.ts'
import * as lax from '../primitive/elementwise.ts'
import { concatenate, full, moveAxis, reshape, slice } from '../primitive/movement.ts'
import { normalAxis } from '../shape.ts'
import { asArray, broadcastTo, promoteDtypes, promoteDtypesInexact } from './promote.ts'
import { accumulatorOf } from './reduce.ts'
import { sum } from './reductions.ts'
import { choose } from './select.ts'
import type { CumulativeOptions, DtypeOption, Reduce } from './types.ts'
import { add, divide, multiply, subtract } from './ufuncs/arithmetic.ts'
import { notEqual } from './ufuncs/comparison.ts'
import { toBool } from './ufuncs/define.ts'
import { isnan } from './ufuncs/floats.ts'

type Fold = (x: NDArray, axis: number) => NDArray

/** A running fold; booleans count, and a result asked for as booleans is that of the counts. */
function accumulate(where: string, fold: Fold, given: NDArray, axis: number | null, asked?: DType): NDArray {
  const x = axis === null || given.ndim === 0 ? reshape(given, [given.size]) : given
  const along = normalAxis(where, axis ?? 0, x.ndim)
  const dtype = asked === undefined ? (x.dtype === 'bool' ? 'int32' : x.dtype) : checkDtype(where, asked)
  const elements = dtype === 'bool' ? toBool(x) : x
  return lax.convert(fold(lax.convert(elements, dtype === 'bool' ? 'int32' : dtype), along), dtype)
}
const accumulator =
  (where: string, fold: Fold, nanAs?: number): Reduce<CumulativeOptions> =>
  (x: ArrayLike, options: CumulativeOptions = {}): NDArray => {
    checkOptions(where, options, ['axis', 'dtype'])
    const a = asArray(where, x)
    const filled = nanAs !== undefined && isFloat(a.dtype) ? choose(isnan(a), nanAs, a) : a
    return accumulate(where, fold, filled, options.axis ?? null, options.dtype)
  }

/**
 * Running sums along an axis; of the flattened array if none is named.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.cumsum(np.array([1, 2, 3])) // => [1, 3, 6]
 * ```
 */
export const cumsum: Reduce<CumulativeOptions> = accumulator('cumsum', running.cumsum)

/**
 * Running products along an axis; of the flattened array if none is named.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.cumprod(np.array([1, 2, 3])) // => [1, 2, 6]
 * ```
 */
export const cumprod: Reduce<CumulativeOptions> = accumulator('cumprod', running.cumprod)

/**
 * Running sums, NaN counting as 0.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nancumsum(np.array([1, NaN, 3])) // => [1, 1, 4]
 * ```
 */
export const nancumsum: Reduce<CumulativeOptions> = accumulator('nancumsum', running.cumsum, 0)

/**
 * Running products, NaN counting as 1.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nancumprod(np.array([2, NaN, 3])) // => [2, 2, 6]
 * ```
 */
export const nancumprod: Reduce<CumulativeOptions> = accumulator('nancumprod', running.cumprod, 1)

export interface CumulativeFromOptions extends DtypeOption {
  /** The axis to run along; needed unless the array has just one. */
  axis?: number
  /** Begin with the value for no elements, so that there is one more. */
  includeInitial?: boolean
}
function accumulateFrom(
  where: string,
  fold: Fold,
  x: ArrayLike,
  start: number,
  widened: boolean,
  options: CumulativeFromOptions = {},
): NDArray {
  checkOptions(where, options, ['axis', 'dtype', 'includeInitial'])
  const a = asArray(where, x)
  if (a.ndim === 0) throw new ShapeError(misuse(where, 'an array of rank 1 or more', showAval(a.aval)))
  if (a.ndim > 1 && options.axis === undefined) {
    throw new OptionError(
      misuse(where, 'an axis for an array of more than one', showAval(a.aval), `${where}(x, { axis: 0 })`),
    )
  }
  const axis = normalAxis(where, options.axis ?? 0, a.ndim)
  const out = accumulate(where, fold, a, axis, options.dtype ?? (widened ? accumulatorOf(a.dtype) : undefined))
  if (options.includeInitial !== true) return out
  const edge = out.shape.map((dim, i) => (i === axis ? 1 : dim))
  return concatenate([full(edge, start, out.dtype), out], axis)
}

/**
 * Running sums as the array API defines them: small integers are widened, and the sum of nothing may come first.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.cumulativeSum(np.array([1, 2, 3]), { includeInitial: true }) // => [0, 1, 3, 6]
 * ```
 */
export const cumulativeSum: Reduce<CumulativeFromOptions> = (x: ArrayLike, options?: CumulativeFromOptions): NDArray =>
  accumulateFrom('cumulativeSum', running.cumsum, x, 0, true, options)

/**
 * Running products as the array API defines them: the product of nothing may come first.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.cumulativeProd(np.array([1, 2, 3]), { includeInitial: true }) // => [1, 1, 2, 6]
 * ```
 */
export const cumulativeProd: Reduce<CumulativeFromOptions> = (x: ArrayLike, options?: CumulativeFromOptions): NDArray =>
  accumulateFrom('cumulativeProd', running.cumprod, x, 1, false, options)

/** The elements from `start` to `stop` along one axis; negative bounds count from the end. */
export function sliceAxis(x: NDArray, axis: number, start: number, stop: number | null): NDArray {
  const size = x.shape[axis]!
  const bound = (at: number) => Math.max(0, Math.min(size, at < 0 ? at + size : at))
  const from = bound(start)
  const to = Math.max(from, stop === null ? size : bound(stop))
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? from : 0)),
    x.shape.map((dim, i) => (i === axis ? to : dim)),
  )
}

export interface DiffOptions {
  /** How often differences are taken; 1 by default. */
  n?: number
  /** The last by default. */
  axis?: number
  /** What comes before the first element; a scalar stands for one element. */
  prepend?: ArrayLike
  /** What comes after the last element; a scalar stands for one element. */
  append?: ArrayLike
}

/**
 * Differences of neighbours along an axis; of booleans whether they differ.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.diff(np.array([1, 4, 9])) // => [3, 5]
 * np.diff(np.array([1, 4, 9]), { n: 2 }) // => [2]
 * ```
 */
export function diff(x: ArrayLike, options: DiffOptions = {}): NDArray {
  checkOptions('diff', options, ['n', 'axis', 'prepend', 'append'])
  const { n = 1, prepend, append } = options
  const a = asArray('diff', x)
  if (!Number.isInteger(n) || n < 0) throw new OptionError(misuse('diff', 'n to be a count', String(n)))
  if (n === 0) return a
  if (a.ndim === 0) throw new ShapeError(misuse('diff', 'an array of rank 1 or more', showAval(a.aval)))
  const axis = normalAxis('diff', options.axis ?? -1, a.ndim)
  const edge = a.shape.map((dim, i) => (i === axis ? 1 : dim))
  const part = (y: ArrayLike) => {
    const piece = asArray('diff', y)
    return piece.ndim === 0 ? broadcastTo(piece, edge) : piece
  }
  const pieces = [...(prepend === undefined ? [] : [part(prepend)]), a, ...(append === undefined ? [] : [part(append)])]
  let result = pieces.length === 1 ? a : concatenate(promoteDtypes('diff', ...pieces), axis)
  const difference = a.dtype === 'bool' ? notEqual : subtract
  for (let i = 0; i < n; i++) result = difference(sliceAxis(result, axis, 1, null), sliceAxis(result, axis, 0, -1))
  return result
}

/**
 * Differences of neighbours of the flattened array, with values before and after them if given.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.ediff1d(np.array([[1, 4], [9, 16]]), { toBegin: 0 }) // => [0, 3, 5, 7]
 * ```
 */
export function ediff1d(x: ArrayLike, options: { toBegin?: ArrayLike; toEnd?: ArrayLike } = {}): NDArray {
  checkOptions('ediff1d', options, ['toBegin', 'toEnd'])
  const a = asArray('ediff1d', x)
  const flat = reshape(a, [a.size])
  const differences = lax.sub(sliceAxis(flat, 0, 1, null), sliceAxis(flat, 0, 0, -1))
  const part = (y: ArrayLike | undefined) => {
    if (y === undefined) return []
    const piece = lax.convert(asArray('ediff1d', y), differences.dtype, differences.weakType)
    return [reshape(piece, [piece.size])]
  }
  return concatenate([...part(options.toBegin), differences, ...part(options.toEnd)], 0)
}

export interface TrapezoidOptions {
  /** Where the samples were taken; evenly if not given. */
  x?: ArrayLike
  /** The distance of samples; 1 by default. */
  dx?: ArrayLike
  /** The last by default. */
  axis?: number
}

/**
 * The integral along an axis of a function given by samples, taken to be straight in between: Σ (xᵢ₊₁ − xᵢ)(yᵢ + yᵢ₊₁)/2.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.trapezoid(np.array([0, 1, 4])).item() // => 3
 * np.trapezoid(np.array([0, 1, 4]), { dx: 0.5 }).item() // => 1.5
 * ```
 */
export function trapezoid(y: ArrayLike, options: TrapezoidOptions = {}): NDArray {
  checkOptions('trapezoid', options, ['x', 'dx', 'axis'])
  const at = options.x
  const [samples, places] = promoteDtypesInexact('trapezoid', ...(at === undefined ? [y] : [y, at])) as [
    NDArray,
    NDArray?,
  ]
  if (samples.ndim === 0) throw new ShapeError(misuse('trapezoid', 'samples along an axis', showAval(samples.aval)))
  const axis = normalAxis('trapezoid', options.axis ?? -1, samples.ndim)
  const values = moveAxis(samples, axis, samples.ndim - 1)
  const steps = places === undefined ? (options.dx ?? 1) : stepsOf(places, axis)
  const last = values.ndim - 1
  const pairs = add(sliceAxis(values, last, 1, null), sliceAxis(values, last, 0, -1))
  return multiply(0.5, sum(multiply(steps, pairs), { axis: -1 }))
}
const stepsOf = (places: NDArray, axis: number): NDArray =>
  places.ndim === 1 ? diff(places) : moveAxis(diff(places, { axis }), axis, places.ndim - 1)

export interface GradientOptions {
  /** One axis or several; all by default. */
  axis?: number | readonly number[] | null
  /** The distance of samples, or their places: one for all axes, or one for each. */
  spacing?: ArrayLike | readonly ArrayLike[]
}

/**
 * The derivative along axes of a function given by samples: central differences inside, one-sided ones at the ends. One array for
 * each axis.
 *
 * @throws ShapeError for fewer than two samples
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [slope] = np.gradient(np.array([0, 1, 4, 9]))
 * slope // => [1, 2, 4, 5]
 * ```
 */
export function gradient(f: ArrayLike, options: GradientOptions = {}): NDArray[] {
  checkOptions('gradient', options, ['axis', 'spacing'])
  const [a] = promoteDtypesInexact('gradient', f) as [NDArray]
  const named = options.axis ?? a.shape.map((_, i) => i)
  const axes = [named].flat().map((axis) => normalAxis('gradient', axis, a.ndim))
  const given = options.spacing ?? 1
  const spacings = Array.isArray(given) ? (given as readonly ArrayLike[]) : axes.map(() => given as ArrayLike)
  if (spacings.length !== axes.length) {
    const expected = `a spacing for each of ${axes.length} axes`
    throw new OptionError(misuse('gradient', expected, String(spacings.length)))
  }
  return axes.map((axis, i) => gradientAlong(a, asArray('gradient', spacings[i]!), axis))
}

function gradientAlong(a: NDArray, spacing: NDArray, axis: number): NDArray {
  const size = a.shape[axis]!
  if (size < 2) throw new ShapeError(misuse('gradient', 'at least two samples', showAval(a.aval)))
  const between = difference(a, axis)
  if (spacing.ndim === 0) {
    const inner = divide(multiply(lax.sub(sliceAxis(a, axis, 2, null), sliceAxis(a, axis, 0, -2)), 0.5), spacing)
    const edges = divide(between, spacing)
    return concatenate([sliceAxis(edges, axis, 0, 1), inner, sliceAxis(edges, axis, -1, null)], axis)
  }
  if (spacing.ndim !== 1 || spacing.size !== size) {
    throw new ShapeError(misuse('gradient', `a scalar or ${size} places as spacing`, showAval(spacing.aval)))
  }
  const places = reshape(
    lax.convert(spacing, a.dtype),
    a.shape.map((_, i) => (i === axis ? size : 1)),
  )
  // the parabola through three neighbours: its slope is the mean of the two slopes, each weighted by the other's distance
  const steps = difference(places, axis)
  const slopes = divide(between, steps)
  const [before, after] = [sliceAxis(steps, axis, 0, -1), sliceAxis(steps, axis, 1, null)]
  const [left, right] = [sliceAxis(slopes, axis, 0, -1), sliceAxis(slopes, axis, 1, null)]
  const inner = divide(add(multiply(left, after), multiply(right, before)), add(before, after))
  return concatenate([sliceAxis(slopes, axis, 0, 1), inner, sliceAxis(slopes, axis, -1, null)], axis)
}
const difference = (x: NDArray, axis: number): NDArray =>
  lax.sub(sliceAxis(x, axis, 1, null), sliceAxis(x, axis, 0, -1))
