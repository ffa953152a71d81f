/** Counting: how often numbers occur, and how many fall into each of several bins. */
import { type ArrayLike, NDArray } from '../../array.ts'
import { inexact, isInteger } from '../../dtype.ts'
import { DtypeError, OptionError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { range as upTo, sameShape } from '../../shape.ts'
import { checkShape } from '../create.ts'
import { diff } from '../cumulative.ts'
import { at } from '../indexing/at.ts'
import { ravelMultiIndex } from '../indexing/along.ts'
import { get } from '../indexing/get.ts'
import { stack } from '../manipulation/join.ts'
import { ravel } from '../manipulation/shapes.ts'
import { asArray, promoteDtypesInexact } from '../promote.ts'
import { linspace } from '../ranges.ts'
import { max, min, sum } from '../reductions.ts'
import { add, divide, subtract } from '../ufuncs/arithmetic.ts'
import { equal } from '../ufuncs/comparison.ts'
import { clip, where } from '../ufuncs/selection.ts'
import { checkSized, searchsorted } from './search.ts'

export interface BincountOptions {
  /** What each number counts for, instead of 1. */
  weights?: ArrayLike
  /** At least as many counts. */
  minlength?: number
  /** How many counts there are; greater numbers are left out. Needed for numbers that are traced. */
  length?: number
}

/**
 * How often each number from 0 on occurs; negative numbers count as 0.
 *
 * @param x i32[n]
 *
 * @throws ConcretizationError for numbers that are traced, unless `length` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.bincount(np.array([1, 1, 3], { dtype: 'int32' })) // => [0, 2, 0, 1]
 * ```
 */
export function bincount(x: ArrayLike, options: BincountOptions = {}): NDArray {
  checkOptions('bincount', options, ['weights', 'minlength', 'length'])
  const { minlength = 0 } = options
  const given = asArray('bincount', x)
  const a = given.dtype === 'bool' ? convert(given, 'int32') : given
  if (!isInteger(a.dtype))
    throw new DtypeError(misuse('bincount', 'integers', showAval(a.aval), "x.astype('int32') converts"))
  if (a.ndim !== 1) throw new ShapeError(misuse('bincount', 'a list of rank 1', showAval(a.aval)))
  const largest = (): number =>
    Array.from(checkSized('bincount', a).dataSync()).reduce((most, one) => Math.max(most, one), -1)
  const [length] = checkShape('bincount', options.length ?? Math.max(minlength, largest() + 1)) as [number]
  const weights = options.weights === undefined ? lax.full(a.shape, 1, 'int32') : asArray('bincount', options.weights)
  if (!sameShape(weights.shape, a.shape)) {
    throw new ShapeError(misuse('bincount', `weights of the shape of ${showAval(a.aval)}`, showAval(weights.aval)))
  }
  return at(lax.full([length], 0, weights.dtype), clip(a, 0)).add(weights)
}

/** The number of bins of equal width, or their edges. */
export type Bins = number | NDArray | readonly number[]
/** The least and the greatest edge. */
export type BinRange = readonly [low: ArrayLike, high: ArrayLike] | NDArray
export interface HistogramOptions {
  /** 10 by default. */
  bins?: Bins
  /** From where to where the bins reach; over all elements by default. */
  range?: BinRange | null
  /** What each element counts for, instead of 1. */
  weights?: ArrayLike
  /** Divide by the number of elements and the widths, so that the integral is 1. */
  density?: boolean
}

function edgesOf(where_: string, x: NDArray, bins: Bins, range: BinRange | null | undefined): NDArray {
  const { dtype } = inexact(x)
  if (typeof bins !== 'number') {
    const edges = bins instanceof NDArray ? convert(bins, dtype) : stack(bins, { dtype })
    if (edges.ndim !== 1) throw new ShapeError(misuse(where_, 'edges of rank 1', showAval(edges.aval)))
    return edges
  }
  if (!Number.isInteger(bins) || bins < 1) throw new OptionError(misuse(where_, 'at least one bin', String(bins)))
  const [low, high] = endsOf(where_, x, range).map((end) => convert(end, dtype)) as [NDArray, NDArray]
  // a single value lies in the middle of bins that span 1
  const same = equal(low, high)
  return linspace(where(same, subtract(low, 0.5), low), where(same, add(high, 0.5), high), bins + 1, { dtype })
}
function endsOf(where_: string, x: NDArray, range: BinRange | null | undefined): [low: NDArray, high: NDArray] {
  if (range === null || range === undefined) return [min(x), max(x)]
  const pair = range instanceof NDArray ? range : stack(range)
  if (!sameShape(pair.shape, [2])) throw new ShapeError(misuse(where_, 'a range of two numbers', showAval(pair.aval)))
  return [get(pair, 0), get(pair, 1)]
}

/**
 * The edges of the bins that `histogram` counts in.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.histogramBinEdges(np.array([0, 4]), { bins: 2 }) // => [0, 2, 4]
 * ```
 */
export function histogramBinEdges(x: ArrayLike, options: Pick<HistogramOptions, 'bins' | 'range'> = {}): NDArray {
  checkOptions('histogramBinEdges', options, ['bins', 'range'])
  return edgesOf('histogramBinEdges', asArray('histogramBinEdges', x), options.bins ?? 10, options.range)
}

/** Elements and weights as floats of one dtype. */
function weighed(
  where_: string,
  x: ArrayLike,
  weights: ArrayLike | undefined,
  shapeOf: (x: NDArray) => readonly number[],
): [NDArray, NDArray] {
  if (weights === undefined) {
    const [a] = promoteDtypesInexact(where_, x) as [NDArray]
    return [a, lax.full(shapeOf(a), 1, a.dtype)]
  }
  const [a, w] = promoteDtypesInexact(where_, x, weights) as [NDArray, NDArray]
  if (!sameShape(w.shape, shapeOf(a))) {
    throw new ShapeError(misuse(where_, `weights of the shape [${shapeOf(a).join(',')}]`, showAval(w.aval)))
  }
  return [a, w]
}

/**
 * How many elements fall into each bin: `[counts, edges]`. A bin has its lower edge and not its upper one, the last bin both.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [counts, edges] = np.histogram(np.array([1, 2, 1, 4]), { bins: [0, 1, 2, 4] })
 * counts // => [0, 2, 2]
 * ```
 */
export function histogram(x: ArrayLike, options: HistogramOptions = {}): [counts: NDArray, edges: NDArray] {
  checkOptions('histogram', options, ['bins', 'range', 'weights', 'density'])
  const [a, weights] = weighed('histogram', x, options.weights, (given) => given.shape)
  const edges = edgesOf('histogram', a, options.bins ?? 10, options.range)
  const n = edges.size
  const bin = where(equal(a, get(edges, -1)), n - 1, searchsorted(edges, a, { side: 'right' }))
  const all = at(lax.full([n], 0, weights.dtype), bin).add(weights)
  // what lies below the first edge is counted first, and left out
  const counts = get(all, '1:')
  return [options.density === true ? divide(divide(counts, diff(edges)), sum(counts)) : counts, edges]
}

export interface HistogramddOptions extends Omit<HistogramOptions, 'bins' | 'range'> {
  /** A number for all dimensions, or a number or edges for each. */
  bins?: number | readonly Bins[]
  range?: readonly (BinRange | null)[]
}

/**
 * How many points fall into each cell of a grid: `[counts, edges]`, with edges for each dimension.
 *
 * @param sample [n, d]
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [counts] = np.histogramdd(np.array([[0, 0], [1, 1], [1, 0]]), { bins: 2 })
 * counts // => [[1, 0], [1, 1]]
 * ```
 */
export function histogramdd(sample: ArrayLike, options: HistogramddOptions = {}): [counts: NDArray, edges: NDArray[]] {
  checkOptions('histogramdd', options, ['bins', 'range', 'weights', 'density'])
  const { bins = 10, range } = options
  const [points, weights] = weighed('histogramdd', sample, options.weights, (given) => given.shape.slice(0, 1))
  if (points.ndim !== 2) throw new ShapeError(misuse('histogramdd', 'points as rows, of rank 2', showAval(points.aval)))
  const d = points.shape[1]
  for (const list of [typeof bins === 'number' ? undefined : bins, range]) {
    if (list !== undefined && list.length !== d) {
      throw new ShapeError(misuse('histogramdd', `bins and ranges for ${d} dimensions`, String(list.length)))
    }
  }
  const columns = upTo(d).map((i) => get(points, ':', i))
  const edges = columns.map((x, i) => edgesOf('histogramdd', x, typeof bins === 'number' ? bins : bins[i]!, range?.[i]))
  const cells = columns.map((x, i) => {
    const found = searchsorted(edges[i]!, x, { side: 'right' })
    return where(equal(x, get(edges[i]!, -1)), subtract(found, 1), found)
  })
  // one cell more at either end, for what lies outside
  const shape = edges.map((list) => list.size + 1)
  const flat = ravelMultiIndex(cells, shape, { mode: 'clip' })
  const counted = lax.reshape(
    bincount(flat, {
      weights: options.weights === undefined ? lax.full(flat.shape, 1, 'int32') : weights,
      length: shape.reduce((n, size) => n * size, 1),
    }),
    shape,
  )
  const counts = get(counted, ...shape.map((): '1:-1' => '1:-1'))
  if (options.density !== true) return [counts, edges]
  const shares = divide(convert(counts, points.dtype), sum(counts))
  const widths = edges.map((list, i) =>
    lax.broadcastInDim(
      diff(list),
      shape.map((_, j) => (j === i ? list.size - 1 : 1)),
      [i],
    ),
  )
  return [widths.reduce((density, width) => divide(density, width), shares), edges]
}

/**
 * How many points of a plane fall into each cell: `[counts, xEdges, yEdges]`.
 *
 * @param options `bins`: a number for both axes, or a pair of numbers or edges
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [counts] = np.histogram2d(np.array([0, 1, 1]), np.array([0, 1, 0]), { bins: 2 })
 * counts // => [[1, 0], [1, 1]]
 * ```
 */
export function histogram2d(
  x: ArrayLike,
  y: ArrayLike,
  options: HistogramddOptions = {},
): [counts: NDArray, xEdges: NDArray, yEdges: NDArray] {
  checkOptions('histogram2d', options, ['bins', 'range', 'weights', 'density'])
  const sample = stack([ravel(asArray('histogram2d', x)), ravel(asArray('histogram2d', y))], { axis: 1 })
  const [counts, edges] = histogramdd(sample, options)
  return [counts, edges[0]!, edges[1]!]
}
