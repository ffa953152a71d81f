/** Medians, quantiles and percentiles over axes. */
import type { ArrayLike, NDArray } from '../array.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { cumsum } from '../primitive/cumulative.ts'
import * as lax from '../primitive/elementwise.ts'
import { gather } from '../primitive/indexing.ts'
import { expandDims, reshape, transpose } from '../primitive/movement.ts'
import { reduceSum } from '../primitive/reduce.ts'
import { scalarLike } from '../primitive/rules.ts'
import { sort } from '../primitive/sort.ts'
import { type Axis, type Shape, normalAxes, range, sizeOf, without } from '../shape.ts'
import { broadcastTo, promoteDtypesInexact } from './promote.ts'
import { kept } from './reduce.ts'
import { any, sum } from './reductions.ts'
import { choose } from './select.ts'
import type { AxisOptions, Reduce } from './types.ts'
import { add, divide, multiply, subtract } from './ufuncs/arithmetic.ts'

export type QuantileMethod = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest' | 'inverted_cdf'
export interface QuantileOptions extends AxisOptions {
  /** What lies between two elements: by default a mixture of both, `'linear'`. */
  method?: QuantileMethod
  /** For method `'inverted_cdf'`: how much each element counts. Of the array's shape, or of the shape of the axes. */
  weights?: ArrayLike
}

/** The reduced axes flattened and put last. */
function lastAxis(x: NDArray, axes: readonly number[]): NDArray {
  const rest = without(range(x.ndim), axes)
  const moved = transpose(x, [...rest, ...axes])
  return reshape(moved, [...rest.map((axis) => x.shape[axis]!), sizeOf(axes.map((axis) => x.shape[axis]!))])
}

/** For indices `i32[q…, rest…]` the elements at these places of the last axis of `f32[rest…, n]`: `f32[q…, rest…]`. */
function pick(x: NDArray, indices: NDArray): NDArray {
  const rest = x.ndim - 1
  return gather(x, expandDims(indices, [indices.ndim]), {
    dimensionNumbers: {
      offsetDims: [],
      collapsedSliceDims: [rest],
      startIndexMap: [rest],
      operandBatchingDims: range(rest),
      startIndicesBatchingDims: range(rest, indices.ndim - rest),
    },
    sliceSizes: x.shape.map(() => 1),
    mode: 'clip',
  })
}

type Mixture = (low: NDArray, high: NDArray, highWeight: NDArray) => NDArray
const mixtures: Readonly<Record<Exclude<QuantileMethod, 'inverted_cdf'>, Mixture>> = {
  linear: (low, high, weight) => {
    const [a, b] = [low, high].map((x) => lax.convert(x, weight.dtype)) as [NDArray, NDArray]
    return add(multiply(a, lax.sub(scalarLike(weight, 1), weight)), multiply(b, weight))
  },
  lower: (low) => low,
  higher: (_, high) => high,
  nearest: (low, high, weight) => choose(lax.le(weight, scalarLike(weight, 0.5)), low, high),
  midpoint: (low, high) => multiply(add(low, high), 0.5),
}

/** Between the neighbours of place q · (count − 1) among the sorted elements. */
function interpolated(sorted: NDArray, q: NDArray, count: NDArray, mix: Mixture, out: Shape): NDArray {
  const last = subtract(count, 1)
  const place = multiply(q, last)
  const [low, high] = [lax.floor(place), lax.ceil(place)]
  const at = (index: NDArray) => {
    const inside = lax.max(scalarLike(index, 0), lax.min(index, broadcastTo(last, index.shape)))
    return pick(sorted, broadcastTo(lax.convert(inside, 'int32'), out))
  }
  return mix(at(low), at(high), broadcastTo(lax.sub(place, low), out))
}

/** The first of the sorted elements at which the running sum of the weights reaches q of their total. */
function inverted(sorted: NDArray, weights: NDArray, q: NDArray, count: NDArray, out: Shape): NDArray {
  const running = cumsum(weights, weights.ndim - 1)
  const total = reduceSum(weights, [weights.ndim - 1])
  const target = expandDims(broadcastTo(multiply(q, total), out), [out.length])
  const below = lax.lt(
    broadcastTo(running, [...out, sorted.shape.at(-1)!]),
    broadcastTo(target, [...out, sorted.shape.at(-1)!]),
  )
  const index = sum(below, { axis: -1 })
  const last = broadcastTo(lax.convert(subtract(count, 1), 'int32'), out)
  return pick(sorted, lax.max(scalarLike(index, 0), lax.min(index, last)))
}

function weightsFor(where: string, x: NDArray, weights: NDArray, axes: readonly number[]): NDArray {
  if (weights.shape.join() === x.shape.join()) return weights
  if (weights.shape.join() !== axes.map((axis) => x.shape[axis]).join()) {
    const expected = `weights of the shape of ${showAval(x.aval)} or of its axes [${axes.join(',')}]`
    throw new ShapeError(misuse(where, expected, showAval(weights.aval)))
  }
  return broadcastTo(
    reshape(
      weights,
      x.shape.map((dim, i) => (axes.includes(i) ? dim : 1)),
    ),
    x.shape,
  )
}

/** Quantiles of the elements, or of those that are not NaN. */
function quantilesOf(
  where: string,
  x: ArrayLike,
  fraction: ArrayLike,
  options: QuantileOptions,
  skipNan: boolean,
): NDArray {
  checkOptions(where, options, ['axis', 'keepdims', 'method', 'weights'])
  const { method = 'linear', weights } = options
  if (method !== 'inverted_cdf' && !Object.hasOwn(mixtures, method)) {
    const methods = [...Object.keys(mixtures), 'inverted_cdf'].join(', ')
    throw new OptionError(misuse(where, `a method out of ${methods}`, String(method)))
  }
  if (weights !== undefined && method !== 'inverted_cdf') {
    throw new OptionError(misuse(where, "method 'inverted_cdf' beside weights", `'${method}'`))
  }
  const [q] = promoteDtypesInexact(where, fraction) as [NDArray]
  const [given, weighed] = promoteDtypesInexact(where, ...(weights === undefined ? [x] : [x, weights])) as [
    NDArray,
    NDArray?,
  ]
  if (q.ndim > 1) throw new ShapeError(misuse(where, 'q of rank 0 or 1', showAval(q.aval)))
  const axes = normalAxes(where, options.axis, given.ndim)

  const elements = lastAxis(given, axes)
  const missing = lax.ne(elements, elements)
  // one NaN makes all of its row NaN, so that it is found at every place; sorting puts NaN last
  const spoilt = skipNan ? elements : choose(any(missing, { axis: -1, keepdims: true }), NaN, elements)
  const rest = elements.shape.slice(0, -1)
  const out = [...q.shape, ...rest]
  const aligned = reshape(q, [...q.shape, ...rest.map(() => 1)])
  const count = sum(skipNan ? lax.not(missing) : lax.eq(missing, missing), { axis: -1, dtype: q.dtype })

  let result: NDArray
  if (method === 'inverted_cdf') {
    const own =
      weighed === undefined ? lax.eq(missing, missing) : lastAxis(weightsFor(where, given, weighed, axes), axes)
    const counted = choose(missing, 0, lax.convert(own, elements.dtype))
    const bad = lax.not(lax.ge(counted, scalarLike(counted, 0)))
    const params = { dimension: elements.ndim - 1, isStable: true, numKeys: 1 }
    const [sorted, parallel] = sort([spoilt, choose(bad, 0, counted)], params) as [NDArray, NDArray]
    const refused = lax.or(any(bad, { axis: -1 }), lax.eq(count, scalarLike(count, 0)))
    result = choose(broadcastTo(refused, out), NaN, inverted(sorted, parallel, aligned, count, out))
  } else {
    const [sorted] = sort([spoilt], { dimension: elements.ndim - 1, isStable: true, numKeys: 1 }) as [NDArray]
    result = interpolated(sorted, aligned, count, mixtures[method], out)
  }
  const at = axes.map((axis) => axis + q.ndim)
  return lax.convert(kept(result, at, options.keepdims), given.dtype)
}

/**
 * The value below which a fraction q, from 0 to 1, of the elements over axes lies; for a vector of q one row each, in front.
 *
 * @throws ShapeError for q of rank 2 or more
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.quantile(np.array([1, 2, 4, 8]), 0.5).item() // => 3
 * np.quantile(np.array([1, 2, 4, 8]), np.array([0, 1])) // => [1, 8]
 * ```
 */
export const quantile = (x: ArrayLike, q: ArrayLike, options: QuantileOptions = {}): NDArray =>
  quantilesOf('quantile', x, q, options, false)

/**
 * The same without the elements that are NaN.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanquantile(np.array([1, 2, NaN, 8]), 0.5).item() // => 2
 * ```
 */
export const nanquantile = (x: ArrayLike, q: ArrayLike, options: QuantileOptions = {}): NDArray =>
  quantilesOf('nanquantile', x, q, options, true)

const hundredths = (where: string, q: ArrayLike): NDArray => divide(promoteDtypesInexact(where, q)[0]!, 100)

/**
 * The value below which q percent of the elements over axes lie.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.percentile(np.array([1, 2, 4, 8]), 50).item() // => 3
 * ```
 */
export const percentile = (x: ArrayLike, q: ArrayLike, options: QuantileOptions = {}): NDArray =>
  quantilesOf('percentile', x, hundredths('percentile', q), options, false)

/**
 * The same without the elements that are NaN.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanpercentile(np.array([1, 2, NaN, 8]), 50).item() // => 2
 * ```
 */
export const nanpercentile = (x: ArrayLike, q: ArrayLike, options: QuantileOptions = {}): NDArray =>
  quantilesOf('nanpercentile', x, hundredths('nanpercentile', q), options, true)

const middle =
  (where: string, skipNan: boolean): Reduce<AxisOptions> =>
  (x: ArrayLike, options: AxisOptions = {}): NDArray => {
    checkOptions(where, options, ['axis', 'keepdims'])
    const axis: Axis = options.axis ?? null
    return quantilesOf(where, x, 0.5, { axis, keepdims: options.keepdims ?? false, method: 'midpoint' }, skipNan)
  }

/**
 * The median over axes: of the sorted elements the middle one, or the mean of the two in the middle.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.median(np.array([1, 8, 2, 4])).item() // => 3
 * ```
 */
export const median: Reduce<AxisOptions> = middle('median', false)

/**
 * The median over axes of the elements that are not NaN.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.nanmedian(np.array([1, NaN, 8, 2])).item() // => 2
 * ```
 */
export const nanmedian: Reduce<AxisOptions> = middle('nanmedian', true)
