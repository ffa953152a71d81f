/** Which networks are measured: the tutorial's in three ways, and how cost goes with neurons, layers, batch and number of steps. */
import type { Entry } from './entry.ts'
import { type Network, nameOf, network, networkNamed, prepareNetwork } from './network.ts'

const entry = (task: Network, about: string, name: string = nameOf(task)): Entry => ({
  name,
  about,
  task,
  prepare: () => prepareNetwork(task),
})
const half = { precision: 'half' } as const
const dense = { recurrence: 'dense' } as const

const neurons: readonly Partial<Network>[] = [
  { neuron: 'lif' },
  { neuron: 'lif', ...half },
  { neuron: 'alif' },
  { neuron: 'alif', ...half },
  { neuron: 'cubalif' },
  { neuron: 'rcubalif' },
  { neuron: 'rcubalif', ...dense },
]
const depths: readonly Partial<Network>[] = [
  { layers: 1 },
  { layers: 3 },
  { layers: 4 },
  { neuron: 'lif', layers: 4 },
  { neuron: 'alif', layers: 4 },
  { layers: 4, ...dense },
]
const batches: readonly Partial<Network>[] = [16, 64, 1024].map((batch) => ({ batch }))
/** With few recordings, so that the longest fits in memory. */
const lengths: readonly Partial<Network>[] = [64, 256, 1024, 4096].map((steps) => ({ batch: 16, steps }))
/** What a library without loops can unroll. */
const short: readonly Partial<Network>[] = [8, 16].map((steps) => ({ neuron: 'lif', batch: 64, steps }))

export const trainSteps: readonly Entry[] = [
  entry(network(), 'the tutorial: batch 256, 128 steps, 256-128-128-20, elementwise RLIF, float32', 'train-step'),
  entry(network(half), 'the same under the half policy', 'train-step-half'),
  entry(network(dense), 'the same with dense recurrence, float32', 'train-step-dense'),
  entry(
    network({ ...dense, ...half }),
    'the same with dense recurrence under the half policy',
    'train-step-dense-half',
  ),
  ...[32, 64, 256].map((steps) =>
    entry(network({ steps }), `the first with ${steps} steps: cost must be linear in them`, `train-step-${steps}`),
  ),
  ...[...neurons, ...depths, ...batches, ...lengths, ...short].map((differing) =>
    entry(network(differing), `the tutorial's network with ${JSON.stringify(differing)}`),
  ),
]
/** The entry of a network by name, be it in the list or not. */
export function trainStepNamed(name: string): Entry | undefined {
  const task = networkNamed(name)
  return task === undefined ? undefined : entry(task, 'a network by name')
}
