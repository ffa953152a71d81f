/** What a gradient transformation is: a pair of pure functions over trees, whose state is a tree too. */
import { type ArrayLike, type NDArray, TreeError, misuse, np, tree } from '@fluxion/core'
import type { Scalar } from './scalars.ts'

/**
 * A step of an optimiser. `init` gives the state for a tree of parameters; `update` turns a tree of gradients, or of the updates made
 * of them so far, into updates of the same structure, and gives the next state. Neither changes what it is given, so both can be
 * traced, and the state can be carried through `lax.scan`.
 */
export interface Transformation<S = unknown> {
  init(params: unknown): S
  update<P>(grads: P, state: S, params?: NoInfer<P>): [P, S]
}
/** The state of a transformation, to annotate a training step: `State<typeof optimiser>`. */
export type State<T> = T extends Transformation<infer S> ? S : never
/** A number that depends on the count of the steps before this one, an int32 that starts at 0. */
export type Schedule = (count: NDArray) => NDArray
/** A schedule of this package, which takes numbers for counts, too. */
export type CountSchedule = (count: ArrayLike) => NDArray
export const countSchedule =
  (f: Schedule): CountSchedule =>
  (count) =>
    f(np.asarray(count))
/** What a learning rate or a weight decay may be. */
export type Rate = Scalar | Schedule

/** The state of whatever has only its steps to count. */
export interface CountState {
  readonly count: NDArray // i32[]
}
export const zeroCount = (): NDArray => np.zeros([], { dtype: 'int32' })

const largest = 2 ** 31 - 1
/**
 * Add one to a count, which stays at the largest int32 once it is there.
 *
 * @param count i32[]
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { safeIncrement } from '@fluxion/optim'
 * safeIncrement(np.array(2 ** 31 - 1, { dtype: 'int32' })).item() // => 2147483647
 * ```
 */
export const safeIncrement = (count: NDArray): NDArray => np.where(count.lt(largest), count.add(1), largest)

/** The value of a rate at a count. */
export const valueAt = (rate: Rate, count: NDArray): Scalar => (typeof rate === 'function' ? rate(count) : rate)

type LeafFunction = (leaf: NDArray, ...rest: NDArray[]) => NDArray
/**
 * Apply a function to the leaves of trees of one structure; the result has the first tree's type. It is the first, the gradients mostly, that
 * is blamed for a difference.
 */
export function mapTrees<P>(where: string, f: LeafFunction, first: P, ...rest: readonly unknown[]): P {
  for (const other of rest) checkSameStructure(where, other, first)
  const onLeaves = (...leaves: NDArray[]): NDArray => {
    const [leaf, ...others] = leaves.map((x) => np.asarray(x))
    return f(leaf!, ...others)
  }
  return tree.mapWith({}, onLeaves, first, ...rest) as P
}
/** Report a tree that differs from another under the name of the function that was called. */
export function checkSameStructure(where: string, expected: unknown, got: unknown): void {
  if (tree.structure(expected).equals(tree.structure(got))) return
  try {
    tree.mapWith({}, () => null, expected, got)
  } catch (error) {
    if (!(error instanceof TreeError)) throw error
    throw new TreeError(error.message.replace('tree.map', where), error.path)
  }
}

/** The parameters, where a transformation cannot do without them. */
export function requireParams<P>(where: string, params: P | undefined): P {
  if (params !== undefined && params !== null) return params
  throw new TreeError(
    misuse(
      where,
      'the parameters as the third argument of update',
      String(params),
      'optimiser.update(grads, state, params)',
    ),
  )
}

/** A transformation that keeps no state, from its way with a tree. */
export const stateless = (update: <P>(updates: P, params: P | undefined) => P): Transformation<null> => ({
  init: () => null,
  update: (grads, state, params) => [update(grads, params), state],
})
/** A transformation that treats each leaf by itself. */
export const leafwise = (where: string, f: (leaf: NDArray) => NDArray): Transformation<null> =>
  stateless((updates) => mapTrees(where, f, updates))

/**
 * Leave updates as they are.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { identity } from '@fluxion/optim'
 * identity().update({ w: np.ones([2]) }, null)[0] // => { w: [1, 1] }
 * ```
 */
export const identity = (): Transformation<null> => stateless((updates) => updates)

/**
 * Make every update zero, so that the parameters stay: for the frozen part of a `partition`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { setToZero } from '@fluxion/optim'
 * setToZero().update({ w: np.ones([2]) }, null)[0] // => { w: [0, 0] }
 * ```
 */
export const setToZero = (): Transformation<null> => leafwise('setToZero', (u) => np.zerosLike(u))
