/** Transformations that mend updates: their mean, their sign, and what is no number. */
import { np } from '@fluxion/core'
import { type Transformation, leafwise, mapTrees, requireParams, stateless } from './transformation.ts'

/**
 * Subtract from each leaf of more than one axis its mean over all axes but the first.
 *
 * @see Yong et al., "Gradient Centralization: A New Optimization Technique for Deep Neural Networks", 2020
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { centralize } from '@fluxion/optim'
 * const grads = { w: np.array([[1, 3], [5, 9]]), b: np.array([1, 3]) }
 * centralize().update(grads, null)[0] // => { w: [[-1, 1], [-2, 2]], b: [1, 3] }
 * ```
 */
export const centralize = (): Transformation<null> =>
  leafwise('centralize', (u) => {
    if (u.ndim < 2) return u
    const axis = u.shape.slice(1).map((_, i) => i + 1)
    return u.sub(np.mean(u, { axis, keepdims: true }))
  })

/**
 * Let no parameter become negative: where p + u < 0, u ← −p. To stand last in a chain.
 *
 * @throws TreeError if `update` is not given the parameters
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { keepParamsNonnegative } from '@fluxion/optim'
 * keepParamsNonnegative().update(np.array([-2, -2]), null, np.array([1, 3]))[0] // => [-1, -2]
 * ```
 */
export const keepParamsNonnegative = (): Transformation<null> =>
  stateless((updates, params) =>
    mapTrees(
      'keepParamsNonnegative',
      (u, p) => np.where(p!.add(u).lt(0), np.negative(p!), u),
      updates,
      requireParams('keepParamsNonnegative', params),
    ),
  )

export interface ZeroNansState {
  /** Whether a leaf had a NaN at the last step, bool[] in the structure of the parameters. */
  readonly foundNan: unknown
}
/**
 * Replace NaNs in updates by zeros, and note which leaves had some.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { zeroNans } from '@fluxion/optim'
 * const mended = zeroNans()
 * const [updates, { foundNan }] = mended.update(np.array([1, NaN]), mended.init(np.zeros([2])))
 * updates // => [1, 0]
 * foundNan.item() // => 1
 * ```
 */
export const zeroNans = (): Transformation<ZeroNansState> => ({
  init: (params) => ({ foundNan: mapTrees('zeroNans', () => np.zeros([], { dtype: 'bool' }), params) }),
  update: (updates) => [
    mapTrees('zeroNans', (u) => np.where(np.isnan(u), np.zerosLike(u), u), updates),
    { foundNan: mapTrees('zeroNans', (u) => np.any(np.isnan(u)), updates) },
  ],
})
