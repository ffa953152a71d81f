/** From the direction that a transformation gives to an optimiser: decay and learning rate, driven by the count in its state. */
import type { NDArray } from '@fluxion/core'
import { decayed } from './decay.ts'
import type { Mask } from './labels.ts'
import { descend } from './scale.ts'
import { type Rate, type Transformation, valueAt } from './transformation.ts'

/** What is done to updates after the direction is known; `count` is that of the steps before this one. */
export type Stage = <P>(updates: P, params: P | undefined, count: NDArray) => P

/** A transformation and stages that share its count, so that the state is that of the transformation alone. */
export const staged = <S extends { readonly count: NDArray }>(
  direction: Transformation<S>,
  ...stages: readonly Stage[]
): Transformation<S> => ({
  init: (params) => direction.init(params),
  update<P>(grads: P, state: S, params?: NoInfer<P>): [P, S] {
    const [updates, next] = direction.update(grads, state, params)
    return [stages.reduce((u: P, stage) => stage(u, params, state.count), updates), next]
  },
})

/** u ← u + λ(t) p. */
export const decay =
  (where: string, weightDecay: Rate, mask: Mask = true): Stage =>
  (updates, params, count) =>
    weightDecay === 0 ? updates : decayed(where, updates, params, valueAt(weightDecay, count), mask)
/** u ← −α(t) u. */
export const learn =
  (where: string, learningRate: Rate): Stage =>
  (updates, _, count) =>
    descend(where, updates, learningRate, count)
