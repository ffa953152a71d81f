/** Novograd's way to scale gradients: by the norm of each leaf instead of by each element's size. */
import { type DType, type NDArray, checkOptions, np } from '@fluxion/core'
import type { AdamState, MomentOptions } from './adam.ts'
import { castTo, zerosOf, average } from './moments.ts'
import type { Scalar } from './scalars.ts'
import { type Transformation, mapTrees, requireParams, safeIncrement, zeroCount } from './transformation.ts'

export interface NovogradOptions extends MomentOptions {
  weightDecay?: Scalar
  muDtype?: DType
}
/**
 * Normalise each leaf, then average: v ← β₂ v + (1 − β₂) ‖g‖², m ← β₁ m + g / (√(v + ε′) + ε) + λ p, u = m; at the first step v = ‖g‖²
 * and m has no past.
 *
 * @throws TreeError if `update` is not given the parameters
 * @see Ginsburg et al., "Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep Networks", 2019
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByNovograd } from '@fluxion/optim'
 * const novograd = scaleByNovograd()
 * const [grads, params] = [np.array([3, 4]), np.array([0, 0])]
 * novograd.update(grads, novograd.init(params), params)[0] // => [0.6, 0.8]
 * ```
 */
export function scaleByNovograd(options: NovogradOptions = {}): Transformation<AdamState> {
  const where = 'scaleByNovograd'
  checkOptions(where, options, ['b1', 'b2', 'eps', 'epsRoot', 'weightDecay', 'muDtype'])
  const { b1 = 0.9, b2 = 0.25, eps = 1e-8, epsRoot = 0, weightDecay = 0, muDtype } = options
  const squaredNorm = (g: NDArray): NDArray => np.square(np.sqrt(np.sum(np.square(g))))
  return {
    init: (params) => ({
      count: zeroCount(),
      mu: zerosOf(where, params, muDtype),
      nu: mapTrees(where, (p) => np.zeros([], { dtype: p.dtype }), params),
    }),
    update(grads, state, params) {
      const count = safeIncrement(state.count)
      const first = count.eq(1)
      const nu = mapTrees(
        where,
        (g, v) => np.where(first, squaredNorm(g), average(squaredNorm(g), v!, b2)).astype(v!.dtype),
        grads,
        state.nu,
      )
      const mu = mapTrees(
        where,
        (g, m, v, p) => {
          const step = g.div(np.add(np.sqrt(np.add(v!, epsRoot)), eps)).add(np.multiply(weightDecay, p!))
          return np.where(first, step, np.multiply(b1, m!).add(step))
        },
        grads,
        state.mu,
        nu,
        requireParams(where, params),
      )
      const kept = castTo(where, mu, muDtype)
      return [kept, { count, mu: kept, nu }]
    },
  }
}
