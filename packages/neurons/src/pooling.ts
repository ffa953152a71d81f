/** Sums of spikes: over populations of neurons, and over windows in space. */
import {
  type NDArray,
  OptionError,
  type Shape,
  ShapeError,
  checkOptions,
  lax,
  misuse,
  np,
  showAval,
} from '@fluxion/core'
import { type Module, module } from '@fluxion/modules'

/**
 * Read classes out of populations of neurons: y_c = Σ_j x_(c·n + j) over the n consecutive neurons of each class.
 *
 * Spyx sums groups of as many neurons as there are classes, and merges the batch into the result; here the batch stays.
 *
 * @param numClasses how many populations there are
 * @returns a function from f[..., classes · n] to f[..., classes]
 * @throws OptionError for a count that is none; the function throws ShapeError for a last axis that the count does not divide
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { populationCode } from '@fluxion/neurons'
 * populationCode(2)(np.array([[1, 1, 0, 1], [0, 0, 1, 1]])) // => [[2, 1], [0, 2]]
 * ```
 */
export function populationCode(numClasses: number): (x: NDArray) => NDArray {
  if (!Number.isInteger(numClasses) || numClasses < 1) {
    throw new OptionError(misuse('populationCode', 'a positive number of classes', String(numClasses)))
  }
  return (x) => {
    const size = x.shape.at(-1)
    if (size === undefined || size % numClasses !== 0) {
      throw new ShapeError(misuse('populationCode', `a last axis of a multiple of ${numClasses}`, showAval(x.aval)))
    }
    return np.sum(x.reshape([...x.shape.slice(0, -1), numClasses, size / numClasses]), { axis: -1 })
  }
}

export interface SumPoolOptions {
  /** The axis that is not pooled beside the batch, −1 by default; `null` if there is none. */
  channelAxis?: number | null
  name?: string
}
/**
 * A module that sums over windows in space: a pooling that keeps the number of spikes.
 *
 * @param windowShape a size for all axes of space; or a list, for all axes of the input, or for the axes of space from the last backwards
 * @param strides steps between windows, likewise
 * @param padding `'SAME'` or `'VALID'`
 * @returns a module from f[batch, ...space, channels] to the same with less space
 * @throws OptionError for padding, sizes or options that are none; the module throws ShapeError for an input that does not fit them
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * import { sumPool } from '@fluxion/neurons'
 * const net = hk.transform((x) => sumPool(2, 2, 'VALID')(x))
 * net.apply({}, null, np.ones([1, 4, 2, 1])) // => [[[[4]], [[4]]]]
 * ```
 */
export const sumPool: (
  windowShape: number | Shape,
  strides: number | Shape,
  padding: 'SAME' | 'VALID',
  options?: SumPoolOptions,
) => Module = module(
  'sum_pool',
  (windowShape: number | Shape, strides: number | Shape, padding: 'SAME' | 'VALID', options: SumPoolOptions = {}) => {
    checkOptions('sumPool', options, ['channelAxis', 'name'])
    if (padding !== 'SAME' && padding !== 'VALID') {
      throw new OptionError(misuse('sumPool', "padding 'SAME' or 'VALID'", `'${String(padding)}'`))
    }
    for (const sizes of [windowShape, strides]) {
      if (![sizes].flat().every((size) => Number.isInteger(size) && size > 0)) {
        throw new OptionError(misuse('sumPool', 'positive whole numbers', JSON.stringify(sizes)))
      }
    }
    return (x: NDArray): NDArray => {
      const along = (sizes: number | Shape): Shape =>
        windowOf(x, sizes, options.channelAxis === undefined ? -1 : options.channelAxis)
      return lax.reduceWindow(x, 0, lax.add, along(windowShape), { windowStrides: along(strides), padding })
    }
  },
)

/** A size for each axis, 1 for those that are not pooled. */
function windowOf(x: NDArray, sizes: number | Shape, channelAxis: number | null): Shape {
  if (channelAxis !== null && (!Number.isInteger(channelAxis) || channelAxis < -x.ndim || channelAxis >= x.ndim)) {
    throw new ShapeError(misuse('sumPool', `a channel axis of ${showAval(x.aval)}`, String(channelAxis)))
  }
  const channels = channelAxis === null ? -1 : (channelAxis + x.ndim) % x.ndim
  const space = x.shape.map((_, axis) => axis).filter((axis) => axis > 0 && axis !== channels)
  if (typeof sizes === 'number') return x.shape.map((_, axis) => (space.includes(axis) ? sizes : 1))
  if (sizes.length === x.ndim) return sizes
  if (sizes.length > space.length) {
    throw new ShapeError(
      misuse(
        'sumPool',
        `${space.length} sizes for space or ${x.ndim} for all axes of ${showAval(x.aval)}`,
        `[${sizes.join(',')}]`,
      ),
    )
  }
  const pooled = space.slice(space.length - sizes.length)
  return x.shape.map((_, axis) => sizes[pooled.indexOf(axis)] ?? 1)
}
