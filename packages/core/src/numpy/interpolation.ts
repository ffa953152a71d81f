/** Interpolation of samples, and phases without jumps. */
import type { ArrayLike, NDArray } from '../array.ts'
import { dtypes, isInteger } from '../dtype.ts'
import { ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import * as lax from '../primitive/elementwise.ts'
import { gather } from '../primitive/indexing.ts'
import { concatenate, expandDims } from '../primitive/movement.ts'
import { scalarLike } from '../primitive/rules.ts'
import { sort } from '../primitive/sort.ts'
import { normalAxis } from '../shape.ts'
import { cumsum, diff, sliceAxis } from './cumulative.ts'
import { asArray, promoteDtypes, promoteDtypesInexact } from './promote.ts'
import { sum } from './reductions.ts'
import { choose } from './select.ts'
import { absolute, add, divide, floorDivide, multiply, negative, remainder, subtract } from './ufuncs/arithmetic.ts'
import { equal, greater, greaterEqual, less, logicalAnd } from './ufuncs/comparison.ts'
import { where } from './ufuncs/selection.ts'

export interface InterpOptions {
  /** The value before the first sample: that of the first by default; `'extrapolate'` goes on in a straight line. */
  left?: ArrayLike | 'extrapolate'
  /** The value after the last sample: that of the last by default. */
  right?: ArrayLike | 'extrapolate'
  /** The period of a periodic function; samples need not be sorted then. */
  period?: ArrayLike
}

/** Elements of a vector at indices of any shape. */
const at = (x: NDArray, indices: NDArray): NDArray =>
  gather(x, expandDims(indices, [indices.ndim]), {
    dimensionNumbers: { offsetDims: [], collapsedSliceDims: [0], startIndexMap: [0] },
    sliceSizes: [1],
    mode: 'clip',
  })

/** Samples of a periodic function, sorted, with a copy of the last in front and of the first behind. */
function periodic(x: NDArray, xp: NDArray, fp: NDArray, period: NDArray): [x: NDArray, xp: NDArray, fp: NDArray] {
  const size = absolute(period)
  const params = { dimension: 0, isStable: true, numKeys: 1 }
  const [places, values] = sort([remainder(xp, size), fp], params) as [NDArray, NDArray]
  const [first, last] = [(y: NDArray) => sliceAxis(y, 0, 0, 1), (y: NDArray) => sliceAxis(y, 0, -1, null)]
  return [
    remainder(x, size),
    concatenate(promoteDtypes('interp', subtract(last(places), size), places, add(first(places), size)), 0),
    concatenate([last(values), values, first(values)], 0),
  ]
}

/**
 * The values at x of the piecewise linear function through the points (xp, fp), where xp increases.
 *
 * @param xp f32[n]
 * @param fp f32[n]
 * @throws ShapeError if xp and fp are no vectors of one length
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.interp(np.array([0.5, 1.5, 9]), np.array([0, 1, 2]), np.array([0, 10, 40])) // => [5, 25, 40]
 * ```
 */
export function interp(x: ArrayLike, xp: ArrayLike, fp: ArrayLike, options: InterpOptions = {}): NDArray {
  checkOptions('interp', options, ['left', 'right', 'period'])
  const [given, places] = promoteDtypesInexact('interp', x, xp) as [NDArray, NDArray]
  const [values] = promoteDtypesInexact('interp', fp) as [NDArray]
  if (places.ndim !== 1 || values.ndim !== 1 || places.size !== values.size || places.size === 0) {
    const got = `${showAval(places.aval)} and ${showAval(values.aval)}`
    throw new ShapeError(misuse('interp', 'samples xp and fp of one length, and at least one', got))
  }
  const { period } = options
  const [points, xs, fs] =
    period === undefined ? [given, places, values] : periodic(given, places, values, asArray('interp', period))

  // the number of samples that do not lie behind a point is the index of the next one
  const passed = sum(greaterEqual(expandDims(points, [points.ndim]), xs), { axis: -1 })
  const next = lax.max(scalarLike(passed, 1), lax.min(passed, scalarLike(passed, Math.max(1, xs.size - 1))))
  const before = lax.sub(next, scalarLike(next, 1))
  const [x0, f0] = [at(xs, before), at(fs, before)]
  const [dx, df] = [lax.sub(at(xs, next), x0), lax.sub(at(fs, next), f0)]
  // samples at one place: no slope, and none to divide by
  const { eps } = dtypes[xs.dtype]
  const flat = lax.le(lax.abs(dx), scalarLike(dx, eps * eps))
  const line = add(f0, multiply(divide(lax.sub(points, x0), choose(flat, 1, dx)), df))
  let result = where(flat, f0, line)
  if (period !== undefined) return result
  const edge = (side: ArrayLike | 'extrapolate' | undefined, index: number): ArrayLike =>
    side === undefined || side === 'extrapolate' ? at(fs, scalarLike(next, index)) : side
  const [first, last] = [0, xs.size - 1].map((index) => at(xs, scalarLike(next, index))) as [NDArray, NDArray]
  if (options.left !== 'extrapolate') result = where(less(points, first), edge(options.left, 0), result)
  if (options.right !== 'extrapolate') result = where(greater(points, last), edge(options.right, xs.size - 1), result)
  return result
}

export interface UnwrapOptions {
  /** Jumps that are larger are corrected; half the period by default. */
  discont?: ArrayLike
  /** The last by default. */
  axis?: number
  /** 2π by default. */
  period?: ArrayLike
}

/**
 * Phases along an axis without jumps: multiples of the period are added so that neighbours differ by half a period at most.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.unwrap(np.array([0, 3, 1]), { period: 4 }) // => [0, -1, -3]
 * ```
 */
export function unwrap(x: ArrayLike, options: UnwrapOptions = {}): NDArray {
  checkOptions('unwrap', options, ['discont', 'axis', 'period'])
  const [p, period] = promoteDtypes('unwrap', x, options.period ?? 2 * Math.PI) as [NDArray, NDArray]
  if (p.ndim === 0) throw new ShapeError(misuse('unwrap', 'phases along an axis', showAval(p.aval)))
  const axis = normalAxis('unwrap', options.axis ?? -1, p.ndim)
  if (p.shape[axis] === 0) return p
  const half = isInteger(p.dtype) ? floorDivide(period, 2) : divide(period, 2)
  const steps = diff(p, { axis })
  const wrapped = subtract(remainder(add(steps, half), period), half)
  const lowest = negative(half)
  // a step of exactly half a period keeps its direction
  const up = logicalAnd(equal(wrapped, lowest), greater(steps, 0))
  const corrected = where(up, half, wrapped)
  const small = less(absolute(steps), options.discont ?? divide(period, 2))
  const corrections = where(small, 0, subtract(corrected, steps))
  const rest = add(sliceAxis(p, axis, 1, null), cumsum(corrections, { axis }))
  return concatenate(promoteDtypes('unwrap', sliceAxis(p, axis, 0, 1), rest), axis)
}
