/** What the spikes of a layer send back to it. */
import { type NDArray, OptionError, type Shape, ShapeError, misuse } from '@fluxion/core'
import { getParameter, initializers } from '@fluxion/modules'

/** Each neuron reaches itself (w ⊙ S, Spyx of October 2023), or all neurons of the layer (S · w, from 0.1.18 on). */
export type Recurrence = 'elementwise' | 'dense'

/** A function from spikes to what they add to the input; `w` starts as a truncated normal of deviation 1. */
export function feedbackOf(where: string, shape: Shape, recurrence: Recurrence): (spikes: NDArray) => NDArray {
  const init = initializers.truncatedNormal()
  if (recurrence === 'elementwise') return (spikes) => getParameter('w', shape, { init }).mul(spikes)
  if (recurrence !== 'dense') {
    throw new OptionError(misuse(where, "recurrence 'elementwise' or 'dense'", `'${String(recurrence)}'`))
  }
  const [size] = shape
  if (shape.length !== 1)
    throw new ShapeError(misuse(where, 'a shape of one axis for dense recurrence', `[${shape.join(',')}]`))
  return (spikes) => spikes.matmul(getParameter('w', [size!, size!], { init }))
}
