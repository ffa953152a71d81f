/** Steps that are left out when gradients are not finite. */
import { type NDArray, lax, np, tree } from '@fluxion/core'
import { type Transformation, mapTrees, safeIncrement, zeroCount } from './transformation.ts'

export interface ApplyIfFiniteState<S = unknown> {
  /** How many of the last steps were not finite, in succession: i32[]. */
  readonly notfiniteCount: NDArray
  /** Whether the last step was finite: bool[]. */
  readonly lastFinite: NDArray
  /** How many steps were not finite: i32[]. */
  readonly totalNotfinite: NDArray
  readonly innerState: S
}
/** Whether all elements of all leaves are finite, bool[]. */
export const allFinite = (of: unknown): NDArray =>
  tree.reduce((sum: NDArray, leaf) => np.logicalAnd(sum, np.all(np.isfinite(leaf))), of, np.ones([], { dtype: 'bool' }))

/**
 * Leave out a step, state included, whose gradients are not finite; let through those that follow `maxConsecutiveErrors` such in
 * succession, so that a training that has failed is seen to fail.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { applyIfFinite, scale } from '@fluxion/optim'
 * const careful = applyIfFinite(scale(2), 5)
 * const [updates, state] = careful.update(np.array([1, Infinity]), careful.init(np.zeros([2])))
 * updates // => [0, 0]
 * state.totalNotfinite.item() // => 1
 * ```
 */
export const applyIfFinite = <S>(
  inner: Transformation<S>,
  maxConsecutiveErrors: number,
): Transformation<ApplyIfFiniteState<S>> => ({
  init: (params) => ({
    notfiniteCount: zeroCount(),
    lastFinite: np.ones([], { dtype: 'bool' }),
    totalNotfinite: zeroCount(),
    innerState: inner.init(params),
  }),
  update<P>(grads: P, state: ApplyIfFiniteState<S>, params?: NoInfer<P>): [P, ApplyIfFiniteState<S>] {
    const finite = allFinite(grads)
    const notfiniteCount = np.where(finite, zeroCount(), safeIncrement(state.notfiniteCount))
    const totalNotfinite = np.where(finite, state.totalNotfinite, safeIncrement(state.totalNotfinite))
    const zeros = (): P => mapTrees('applyIfFinite', (g) => np.zerosLike(g), grads)
    const [updates, innerState] = lax.cond(
      np.logicalOr(finite, notfiniteCount.gt(maxConsecutiveErrors)),
      (): object => inner.update(grads, state.innerState, params),
      (): object => [zeros(), state.innerState],
    ) as [P, S]
    return [updates, { notfiniteCount, lastFinite: finite, totalNotfinite, innerState }]
  },
})
