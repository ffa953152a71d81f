/** Transformations of a part of the tree, and different ones for different parts. */
import { OptionError, misuse } from '@fluxion/core'
import { type Mask, chosen, keepChosen, labelsOf, mergeChosen } from './labels.ts'
import { type State, type Transformation, setToZero } from './transformation.ts'

export interface MaskedState<S = unknown> {
  /** The state of the inner transformation, for a tree with empty nodes (`null`) where leaves are masked out. */
  readonly innerState: S
}

const initChosen = <S>(inner: Transformation<S>, choice: readonly boolean[], params: unknown): MaskedState<S> => ({
  innerState: inner.init(keepChosen(params, choice)),
})
function updateChosen<S, P>(
  inner: Transformation<S>,
  choice: readonly boolean[],
  grads: P,
  state: MaskedState<S>,
  params: P | undefined,
): [P, MaskedState<S>] {
  const part = params === undefined ? undefined : keepChosen(params, choice)
  const [updates, innerState] = inner.update(keepChosen(grads, choice), state.innerState, part)
  return [mergeChosen(updates, grads, choice), { innerState }]
}

/**
 * Transform only the leaves that a mask chooses; the others pass unchanged.
 *
 * @param mask booleans in the structure of the parameters or in a prefix of it, or a function that makes them of a tree
 * @throws TreeError if the mask does not fit the tree
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { masked, scale } from '@fluxion/optim'
 * const onlyWeights = masked(scale(10), { w: true, b: false })
 * const grads = { w: np.array([1]), b: np.array([1]) }
 * onlyWeights.update(grads, onlyWeights.init(grads))[0] // => { w: [10], b: [1] }
 * ```
 */
export const masked = <S>(inner: Transformation<S>, mask: Mask): Transformation<MaskedState<S>> => ({
  init: (params) => initChosen(inner, chosen('masked', mask, params), params),
  update: (grads, state, params) => updateChosen(inner, chosen('masked', mask, grads), grads, state, params),
})

/**
 * Leave the updates of some leaves at zero, so that these parameters stay as they are.
 *
 * @param mask which leaves to freeze, as in `masked`
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { freeze } from '@fluxion/optim'
 * const frozen = freeze({ w: true, b: false })
 * const grads = { w: np.array([1]), b: np.array([1]) }
 * frozen.update(grads, frozen.init(grads))[0] // => { w: [0], b: [1] }
 * ```
 */
export const freeze = (mask: Mask): Transformation<MaskedState<null>> => masked(setToZero(), mask)

export interface PartitionState<T = Readonly<Record<string, Transformation>>> {
  /** The state of each transformation by its label. */
  readonly innerStates: { readonly [K in keyof T]: MaskedState<State<T[K]>> }
}

/**
 * Transform each leaf by the transformation that has its label.
 *
 * @param labels strings in the structure of the parameters or in a prefix of it, or a function that makes them of a tree
 * @throws OptionError for a label without a transformation; TreeError if the labels do not fit the tree
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { partition, scale, setToZero } from '@fluxion/optim'
 * const optimiser = partition({ train: scale(-0.5), freeze: setToZero() }, { encoder: 'freeze', head: 'train' })
 * const grads = { encoder: { w: np.array([1]) }, head: { w: np.array([1]) } }
 * optimiser.update(grads, optimiser.init(grads))[0] // => { encoder: { w: [0] }, head: { w: [-0.5] } }
 * ```
 */
export function partition<T extends Readonly<Record<string, Transformation>>>(
  transforms: T,
  labels: string | object | ((tree: unknown) => unknown),
): Transformation<PartitionState<T>> {
  type States = PartitionState<T>['innerStates']
  const names = Object.keys(transforms)
  const labelled = (of: unknown): unknown[] => {
    const found = labelsOf('partition', labels, of)
    const unknown = found.find((label) => typeof label !== 'string' || !names.includes(label))
    if (unknown === undefined) return found
    throw new OptionError(misuse('partition', `labels among ${names.join(', ')}`, String(unknown)))
  }
  return {
    init(params) {
      const found = labelled(params)
      const states = names.map((name) => {
        const choice = found.map((label) => label === name)
        return [name, initChosen(transforms[name]!, choice, params)] as const
      })
      return { innerStates: Object.fromEntries(states) as States }
    },
    update(grads, state, params) {
      const found = labelled(grads)
      const before = state.innerStates as Readonly<Record<string, MaskedState>>
      let updates = grads
      const states = names.map((name) => {
        const choice = found.map((label) => label === name)
        const [next, after] = updateChosen(transforms[name]!, choice, updates, before[name]!, params)
        updates = next
        return [name, after] as const
      })
      return [updates, { innerStates: Object.fromEntries(states) as States }]
    },
  }
}

/** The same as `partition`, by Optax's older name. */
export const multiTransform: typeof partition = partition
