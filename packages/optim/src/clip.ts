/** Transformations that keep updates from becoming too large. */
import { type NDArray, ShapeError, checkOptions, misuse, np } from '@fluxion/core'
import { globalNorm, rootMeanSquare } from './norms.ts'
import { type Scalar, negate } from './scalars.ts'
import { type Transformation, leafwise, mapTrees, requireParams, stateless } from './transformation.ts'

/**
 * Keep every element of the updates between −maxDelta and maxDelta.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { clip } from '@fluxion/optim'
 * clip(1).update(np.array([0.5, -3]), null)[0] // => [0.5, -1]
 * ```
 */
export const clip = (maxDelta: Scalar): Transformation<null> =>
  leafwise('clip', (u) => np.clip(u, negate(maxDelta), maxDelta))

/**
 * Scale all updates together so that their norm is at most `maxNorm`; smaller ones stay as they are.
 *
 * @see Pascanu et al., "On the difficulty of training Recurrent Neural Networks", 2012
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { clipByGlobalNorm } from '@fluxion/optim'
 * clipByGlobalNorm(1).update([np.array(3), np.array(4)], null)[0] // => [0.6, 0.8]
 * clipByGlobalNorm(9).update([np.array(3), np.array(4)], null)[0] // => [3, 4]
 * ```
 */
export const clipByGlobalNorm = (maxNorm: Scalar): Transformation<null> =>
  stateless((updates) => {
    const norm = globalNorm(updates)
    const small = norm.lt(maxNorm)
    const shrunk = (u: NDArray): NDArray => u.div(norm.astype(u.dtype)).mul(maxNorm).astype(u.dtype)
    return mapTrees('clipByGlobalNorm', (u) => np.where(small, u, shrunk(u)), updates)
  })

/**
 * Scale each leaf of the updates so that its root mean square is at most the threshold: u ← u / max(1, rms(u) / threshold).
 *
 * @see Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { clipByBlockRms } from '@fluxion/optim'
 * clipByBlockRms(1).update(np.array([4, -4]), null)[0] // => [1, -1]
 * ```
 */
export const clipByBlockRms = (threshold: Scalar): Transformation<null> =>
  leafwise('clipByBlockRms', (u) => u.div(np.maximum(1, rootMeanSquare(u).div(threshold))))

// The axes over which one output unit's weights extend, by the number of axes of the leaf: all but the last, of kernels as Haiku lays them out.
const unitAxes: readonly (readonly number[])[] = [[], [0], [0], [0], [0, 1, 2], [0, 1, 2, 3]]
function axesOfUnits(x: NDArray, axis: number | readonly number[] | undefined): readonly number[] {
  if (axis !== undefined) return typeof axis === 'number' ? [axis] : axis
  if (x.shape.filter((dim) => dim !== 1).length <= 1) return x.shape.map((_, i) => i)
  const axes = unitAxes[x.ndim]
  if (axes !== undefined) return axes
  throw new ShapeError(
    misuse(
      'adaptiveGradClip',
      'leaves of at most 5 axes',
      `${x.dtype}[${x.shape.join(',')}]`,
      'name the axes of a unit by the option axis',
    ),
  )
}
const unitNorm = (x: NDArray, axis: number | readonly number[] | undefined): NDArray =>
  np.broadcastTo(np.sqrt(np.sum(np.square(x), { axis: axesOfUnits(x, axis), keepdims: true })), x.shape)

export interface AdaptiveGradClipOptions {
  /** The least norm of parameters that counts. */
  eps?: Scalar
  /** The axes over which norms are taken; else all of a vector, the first of matrices, all but the last of kernels. */
  axis?: number | readonly number[]
}
/**
 * Keep the norm of each unit's updates below a part of the norm of its parameters: where ‖u‖ > λ max(‖p‖, ε), u ← u λ max(‖p‖, ε) / ‖u‖.
 *
 * @throws TreeError if `update` is not given the parameters; ShapeError for leaves of more than 5 axes without `axis`
 * @see Brock et al., "High-Performance Large-Scale Image Recognition Without Normalization", 2021
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { adaptiveGradClip } from '@fluxion/optim'
 * adaptiveGradClip(0.1).update(np.array([6, 8]), null, np.array([3, 4]))[0] // => [0.3, 0.4]
 * ```
 */
export function adaptiveGradClip(clipping: Scalar, options: AdaptiveGradClipOptions = {}): Transformation<null> {
  checkOptions('adaptiveGradClip', options, ['eps', 'axis'])
  const { eps = 1e-3, axis } = options
  const clipped = (u: NDArray, p: NDArray | undefined): NDArray => {
    const norm = unitNorm(u, axis)
    const most = np.multiply(clipping, np.maximum(unitNorm(p!, axis), eps))
    return np.where(norm.lt(most), u, u.mul(most.div(np.maximum(norm, 1e-6))))
  }
  return stateless((updates, params) =>
    mapTrees('adaptiveGradClip', clipped, updates, requireParams('adaptiveGradClip', params)),
  )
}
