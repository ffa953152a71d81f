/** Gathering and scattering of windows at positions that are data. */
import type { ArrayLike, NDArray } from '../array.ts'
import { isInteger } from '../dtype.ts'
import { IndexError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { neg } from '../primitive/elementwise.ts'
import * as raw from '../primitive/indexing.ts'
import type { Shape } from '../shape.ts'
import { operands } from './operands.ts'

export type { GatherDimensionNumbers, IndexMode, ScatterDimensionNumbers } from '../primitive/indexing.ts'

export interface GatherSettings {
  /** What an index outside does: `'fill'` (the default; `'drop'` is the same) gives the fill value, `'clip'` the nearest window; `'promiseInBounds'` is a promise that there is none. */
  mode?: raw.IndexMode
  /** What lies outside for mode `'fill'`: NaN by default; of integers the smallest if signed, the largest if not. */
  fillValue?: number | null
  uniqueIndices?: boolean
  indicesAreSorted?: boolean
}
export interface ScatterSettings {
  /** What an update outside does: with `'drop'` (the default; `'fill'` is the same) nothing, with `'clip'` it goes to the nearest place; `'promiseInBounds'` is a promise that there is none. */
  mode?: raw.IndexMode
  uniqueIndices?: boolean
  indicesAreSorted?: boolean
}
const scatterOptions = ['mode', 'uniqueIndices', 'indicesAreSorted']

function checkIndices(where: string, indices: NDArray): void {
  if (!isInteger(indices.dtype))
    throw new IndexError(
      misuse(where, 'indices of an integer dtype', showAval(indices.aval), "indices.astype('int32') converts"),
    )
}

/**
 * The windows of `x` that the vectors along the last axis of `startIndices` point at.
 *
 * @param sliceSizes the size of a window along each axis of `x`
 * @returns the axes of `startIndices` but the last, with those of the windows at `dimensionNumbers.offsetDims`
 * @throws IndexError if the indices are not integers
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * const dimensionNumbers = { offsetDims: [], collapsedSliceDims: [0], startIndexMap: [0] }
 * lax.gather(np.array([10, 20, 30]), np.array([[2], [0]], { dtype: 'int32' }), dimensionNumbers, [1]) // => [30, 10]
 * ```
 */
export function gather(
  x: ArrayLike,
  startIndices: NDArray,
  dimensionNumbers: raw.GatherDimensionNumbers,
  sliceSizes: Shape,
  options: GatherSettings = {},
): NDArray {
  checkOptions('gather', options, [...scatterOptions, 'fillValue'])
  checkIndices('gather', startIndices)
  return raw.gather(operands('gather', [x])[0]!, startIndices, {
    mode: 'fill',
    ...options,
    dimensionNumbers,
    sliceSizes,
  })
}

interface Scatter {
  (
    x: ArrayLike,
    scatterIndices: NDArray,
    updates: ArrayLike,
    dimensionNumbers: raw.ScatterDimensionNumbers,
    options?: ScatterSettings,
  ): NDArray
}
const operation =
  (where: string, f: typeof raw.scatter): Scatter =>
  (x, scatterIndices, updates, dimensionNumbers, options = {}) => {
    checkOptions(where, options, scatterOptions)
    checkIndices(where, scatterIndices)
    const [array, values] = operands(where, [x, updates])
    return f(array!, scatterIndices, values!, { mode: 'drop', ...options, dimensionNumbers })
  }

/**
 * `x` with the windows that `scatterIndices` point at replaced by `updates`. Of several for one element it is not said which remains.
 *
 * @throws IndexError if the indices are not integers
 */
export const scatter: Scatter = operation('scatter', raw.scatter)
/**
 * `x` with `updates` added at the windows that `scatterIndices` point at.
 *
 * @throws IndexError if the indices are not integers
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * const dimensionNumbers = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] }
 * const indices = np.array([[1], [1]], { dtype: 'int32' })
 * lax.scatterAdd(np.zeros([3]), indices, np.array([4, 5]), dimensionNumbers) // => [0, 9, 0]
 * ```
 */
export const scatterAdd: Scatter = operation('scatterAdd', raw.scatterAdd)
/** `x` with `updates` subtracted; see `scatterAdd`. */
export const scatterSub: Scatter = operation('scatterSub', (x, indices, updates, options) =>
  raw.scatterAdd(x, indices, neg(updates), options),
)
/** `x` multiplied by `updates`; see `scatterAdd`. */
export const scatterMul: Scatter = operation('scatterMul', raw.scatterMul)
/** The lesser of `x` and `updates`; see `scatterAdd`. */
export const scatterMin: Scatter = operation('scatterMin', raw.scatterMin)
/** The greater of `x` and `updates`; see `scatterAdd`. */
export const scatterMax: Scatter = operation('scatterMax', raw.scatterMax)
