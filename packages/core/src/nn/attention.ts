/** Attention by scaled dot products. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, dtypes } from '../dtype.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { asArray } from '../numpy/promote.ts'
import { add, multiply } from '../numpy/ufuncs/arithmetic.ts'
import { greaterEqual, less, lessEqual, logicalAnd } from '../numpy/ufuncs/comparison.ts'
import { where } from '../numpy/ufuncs/selection.ts'
import { convert } from '../primitive/elementwise.ts'
import { dotGeneral } from '../primitive/dot.ts'
import { broadcastInDim, expandDims, iota, reshape, transpose } from '../primitive/movement.ts'
import { range, sameShape } from '../shape.ts'
import { stopGradient } from '../transform/autodiff.ts'
import { logsumexp, softmax } from './softmax.ts'

export interface AttentionOptions {
  /** f32[batch or 1, heads or 1, queries, keys], added to the scores. */
  bias?: NDArray | null
  /** bool[batch or 1, heads or 1, queries, keys]: which keys a query sees. */
  mask?: NDArray | null
  /** The factor of the scores: 1 / √features by default. */
  scale?: number
  /** A query sees no key of a later place. */
  isCausal?: boolean
  /** i32[batch]: how many queries count; the results of the others are zeros. */
  querySeqLengths?: NDArray | null
  /** i32[batch]: how many keys count. */
  keyValueSeqLengths?: NDArray | null
  /** How far to the left and to the right of its own place a query sees. */
  localWindowSize?: number | readonly [left: number, right: number] | null
}
const known = [
  'bias',
  'mask',
  'scale',
  'isCausal',
  'querySeqLengths',
  'keyValueSeqLengths',
  'localWindowSize',
  'returnResidual',
]

/**
 * softmax(Q Kᵀ / √features) V for every head. There may be several times as many heads of queries as of keys, which then share them.
 * The softmax is computed in float32.
 *
 * @param query f32[batch, queries, heads, features]; the batch axis may be missing here and below
 * @param key f32[batch, keys, heads, features]
 * @param value f32[batch, keys, heads, features]
 * @param options `returnResidual: true` also gives log Σ e^scores, f32[batch, queries, heads]
 * @returns f32[batch, queries, heads, features]
 * @see Vaswani et al., 2017, "Attention is all you need"
 */
export function dotProductAttention(
  query: NDArray,
  key: NDArray,
  value: NDArray,
  options: AttentionOptions & { returnResidual: true },
): [out: NDArray, residual: NDArray]
export function dotProductAttention(
  query: NDArray,
  key: NDArray,
  value: NDArray,
  options?: AttentionOptions & { returnResidual?: false },
): NDArray
export function dotProductAttention(
  query: NDArray,
  key: NDArray,
  value: NDArray,
  options: AttentionOptions & { returnResidual?: boolean } = {},
): NDArray | [NDArray, NDArray] {
  checkOptions('dotProductAttention', options, known)
  const [q, k, v] = [query, key, value].map(inBatch) as [NDArray, NDArray, NDArray]
  const [batch, queries, heads, features] = q.shape
  const [, keys, shared] = k.shape
  if (!sameShape(k.shape, v.shape) || k.shape[0] !== batch || k.shape[3] !== features || heads % shared !== 0) {
    const expectation =
      'query [batch, queries, heads, features] beside key and value [batch, keys, heads / n, features]'
    throw new ShapeError(
      misuse('dotProductAttention', expectation, [query, key, value].map((x) => showAval(x.aval)).join(', ')),
    )
  }
  const groups = heads / shared
  const grouped = (x: NDArray): NDArray => {
    const given = inBatch(x)
    const [b, h, t, s] = given.shape
    if (h !== 1 && h !== heads)
      throw new ShapeError(misuse('dotProductAttention', `1 or ${heads} heads of bias and mask`, showAval(x.aval)))
    return reshape(given, h === 1 ? [b, 1, 1, t, s] : [b, shared, groups, t, s])
  }

  // scores as [batch, shared heads, groups, queries, keys]
  const scoreType: DType = q.dtype === 'float64' ? 'float64' : 'float32'
  const products = dotGeneral(
    reshape(q, [batch, queries, shared, groups, features]),
    k,
    [
      [[4], [3]],
      [
        [0, 2],
        [0, 2],
      ],
    ],
    scoreType,
  )
  let scores = multiply(transpose(products, [0, 1, 3, 2, 4]), options.scale ?? 1 / Math.sqrt(features))
  if (options.bias !== null && options.bias !== undefined)
    scores = convert(add(scores, grouped(options.bias)), scores.dtype)
  const masks = [
    ...(options.mask === null || options.mask === undefined ? [] : [grouped(options.mask)]),
    ...placeMasks(queries, keys, options),
  ]
  // not −∞, so that a query that sees no key gives numbers
  if (masks.length > 0)
    scores = where(
      masks.reduce((a, b) => logicalAnd(a, b)),
      scores,
      -0.7 * dtypes[scores.dtype].max,
    )
  scores = convert(scores, 'float32')

  const weighted = dotGeneral(convert(softmax(scores), k.dtype), v, [
    [[4], [1]],
    [
      [0, 1],
      [0, 2],
    ],
  ])
  let out = reshape(transpose(weighted, [0, 3, 1, 2, 4]), [batch, queries, heads, features])
  const lengths = options.querySeqLengths
  if (lengths !== null && lengths !== undefined) {
    const counted = less(iota('int32', [1, queries, 1, 1], 1), broadcastInDim(lengths, [batch, 1, 1, 1], [0]))
    out = multiply(out, convert(counted, out.dtype))
  }
  const result = reshape(out, query.shape)
  if (options.returnResidual !== true) return result
  const residual = convert(logsumexp(scores, { axis: -1 }), k.dtype)
  const placed = reshape(transpose(residual, [0, 3, 1, 2]), query.shape.slice(0, -1))
  return [result, stopGradient(placed)]
}

function inBatch(x: ArrayLike): NDArray {
  const array = asArray('dotProductAttention', x)
  if (array.ndim > 4)
    throw new ShapeError(misuse('dotProductAttention', 'arrays of rank 4 at most', showAval(array.aval)))
  return array.ndim === 4 ? array : expandDims(array, range(4 - array.ndim))
}
/** Masks that depend on places alone; they broadcast to [batch, shared heads, groups, queries, keys]. */
function placeMasks(queries: number, keys: number, options: AttentionOptions): NDArray[] {
  const [row, column] = [iota('int32', [queries, keys], 0), iota('int32', [queries, keys], 1)]
  const masks: NDArray[] = []
  if (options.isCausal === true) masks.push(lessEqual(column, row))
  const window = options.localWindowSize
  if (window !== null && window !== undefined) {
    const [left, right] = typeof window === 'number' ? [window, window] : window
    if (!Number.isInteger(left) || !Number.isInteger(right))
      throw new OptionError(misuse('dotProductAttention', 'whole numbers as localWindowSize', JSON.stringify(window)))
    masks.push(greaterEqual(column, add(row, -left)), lessEqual(column, add(row, right)))
  }
  for (const [lengths, place] of [
    [options.querySeqLengths, row],
    [options.keyValueSeqLengths, column],
  ] as const) {
    if (lengths !== null && lengths !== undefined)
      masks.push(less(place, broadcastInDim(lengths, [lengths.shape[0], 1, 1, 1, 1], [0])))
  }
  return masks
}
