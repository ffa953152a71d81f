/** A layer that counts the spikes which pass through it, for regularisers. */
import { type NDArray, ShapeError, checkOptions, misuse, showAval } from '@fluxion/core'
import { type Module, getState, initializers, module, setState } from '@fluxion/modules'

/**
 * Pass spikes on unchanged and add them to the state `spike_count`, which over an unroll becomes the number of spikes of each sample and
 * neuron: what `silenceReg` and `sparsityReg` of `@fluxion/losses` take. Needs `hk.transformWithState`.
 *
 * @returns a module from f[batch, ...shape] to the same
 * @throws ShapeError from the module if the state was made for spikes of another shape, as for a batch of another size
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * import { activityRegularization } from '@fluxion/neurons'
 * const net = hk.transformWithState((x) => { const count = activityRegularization(); return count(count(x)) })
 * const [params, state] = net.init(random.key(0), np.array([[1, 0]]))
 * net.apply(params, state, null, np.array([[1, 0]]))[1].ActReg.spike_count // => [[2, 0]]
 * ```
 */
export const activityRegularization: (options?: { name?: string }) => Module = module(
  'ActReg',
  (options: { name?: string } = {}) => {
    checkOptions('activityRegularization', options, ['name'])
    return (spikes: NDArray): NDArray => {
      const count = getState('spike_count', spikes.shape, { dtype: spikes.dtype, init: initializers.zeros })
      if (count.shape.join() !== spikes.shape.join()) {
        const hint = 'init with a batch of the same size, or give apply zeros of that shape'
        throw new ShapeError(
          misuse(
            'activityRegularization',
            `spikes of the shape of its state, [${count.shape.join(',')}]`,
            showAval(spikes.aval),
            hint,
          ),
        )
      }
      setState('spike_count', count.add(spikes))
      return spikes
    }
  },
)
