/** Penalties on the activity of layers, of trees of spike counts such as the state that `activityRegularization` keeps. */
import { type NDArray, OptionError, ShapeError, checkOptions, misuse, np, showAval, tree } from '@fluxion/core'
import { huberLoss } from '@fluxion/optim'

/** Counts of one layer as f[batch, neurons]. */
function countsOf(where: string, counts: NDArray): NDArray {
  if (counts.ndim === 0) throw new ShapeError(misuse(where, 'spike counts f[batch, ...neurons]', showAval(counts.aval)))
  return counts.reshape([counts.shape[0], counts.shape.slice(1).reduce((product, dim) => product * dim, 1)])
}
function overLeaves(where: string, counts: unknown, penalty: (counts: NDArray) => NDArray): NDArray {
  const leaves = tree.leaves(counts)
  return leaves.reduce((sum, leaf) => sum.add(penalty(countsOf(where, leaf))), np.asarray(0))
}
const checkBound = (where: string, name: string, bound: number): void => {
  if (!Number.isFinite(bound)) throw new OptionError(misuse(where, `a finite number as ${name}`, String(bound)))
}

/**
 * Penalise neurons that spike too seldom: Σ_n max(0, `minSpikes` − m_n)² over the neurons of all layers, where m_n is the mean over the
 * batch of a neuron's count.
 *
 * @param minSpikes the count below which a neuron is silent
 * @returns a function from a tree of f[batch, ...neurons] to f[]
 * @throws OptionError for a bound that is no number; the function throws ShapeError for scalars
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { silenceReg } from '@fluxion/losses'
 * silenceReg(2)({ ActReg: { spike_count: np.array([[0, 3], [2, 5]]) } }).item() // => 1
 * ```
 */
export function silenceReg(minSpikes: number): (counts: unknown) => NDArray {
  checkBound('silenceReg', 'minSpikes', minSpikes)
  return (counts) =>
    overLeaves('silenceReg', counts, (each) =>
      np.sum(np.square(np.maximum(0, np.subtract(minSpikes, np.mean(each, { axis: 0 }))))),
    )
}

/**
 * Penalise layers that spike too much: Σ_b norm(max(0, m_b − `maxSpikes`)) over the samples of all layers, where m_b is the mean over a
 * layer's neurons of a sample's counts.
 *
 * @param maxSpikes the mean count above which a layer is too active
 * @param options `norm`: from f[batch] to a penalty for each; `huberLoss` by default
 * @returns a function from a tree of f[batch, ...neurons] to f[]
 * @throws OptionError for a bound that is no number; the function throws ShapeError for scalars
 * @see Huber, Robust estimation of a location parameter (1964)
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { sparsityReg } from '@fluxion/losses'
 * sparsityReg(1)([np.array([[2, 4], [1, 1]])]).item() // => 1.5
 * ```
 */
export function sparsityReg(
  maxSpikes: number,
  options: { norm?: (excess: NDArray) => NDArray } = {},
): (counts: unknown) => NDArray {
  checkOptions('sparsityReg', options, ['norm'])
  checkBound('sparsityReg', 'maxSpikes', maxSpikes)
  const { norm = huberLoss } = options
  return (counts) =>
    overLeaves('sparsityReg', counts, (each) => np.sum(norm(np.maximum(0, np.mean(each, { axis: 1 }).sub(maxSpikes)))))
}
