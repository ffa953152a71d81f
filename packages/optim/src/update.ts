/** What is done with updates and with trees of parameters outside of an optimiser. */
import { type ArrayLike, np } from '@fluxion/core'
import { type Scalar, complement } from './scalars.ts'
import { checkSameStructure, mapTrees } from './transformation.ts'

/**
 * Add updates to parameters. The sum is rounded to the parameter's dtype, whatever the dtype of the update.
 *
 * @throws TreeError that leads to where the trees differ
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { applyUpdates } from '@fluxion/optim'
 * applyUpdates({ w: np.array([1, 2]) }, { w: np.array([0.5, -1]) }) // => { w: [1.5, 1] }
 * ```
 */
export function applyUpdates<P>(params: P, updates: NoInfer<P>): P {
  checkSameStructure('applyUpdates', params, updates)
  return mapTrees('applyUpdates', (p, u) => p.add(u!).astype(p.dtype), params, updates)
}

/**
 * Move a tree towards another: step·new + (1 − step)·old, Polyak's averaging of parameters.
 *
 * @throws TreeError that leads to where the trees differ
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { incrementalUpdate } from '@fluxion/optim'
 * incrementalUpdate({ w: np.array([10]) }, { w: np.array([0]) }, 0.25) // => { w: [2.5] }
 * ```
 */
export const incrementalUpdate = <P>(newTensors: P, oldTensors: NoInfer<P>, stepSize: Scalar): P =>
  mapTrees(
    'incrementalUpdate',
    (x, y) => np.add(np.multiply(stepSize, x), np.multiply(complement(stepSize), y!)),
    newTensors,
    oldTensors,
  )

/**
 * The new tree at every `updatePeriod`-th step, the old one between: for target networks.
 *
 * @param steps i32[], how many steps were taken
 * @throws TreeError that leads to where the trees differ
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { periodicUpdate } from '@fluxion/optim'
 * periodicUpdate(np.array([1]), np.array([0]), 9, 3) // => [1]
 * periodicUpdate(np.array([1]), np.array([0]), 10, 3) // => [0]
 * ```
 */
export function periodicUpdate<P>(newTensors: P, oldTensors: NoInfer<P>, steps: ArrayLike, updatePeriod: ArrayLike): P {
  const due = np.equal(np.remainder(steps, updatePeriod), 0)
  return mapTrees('periodicUpdate', (x, y) => np.where(due, x, y!), newTensors, oldTensors)
}
