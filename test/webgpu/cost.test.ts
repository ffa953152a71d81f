// What a step of training costs on a GPU, counted without one: dispatches, bytes moved, memory in between. At the tutorial's size; nothing runs.
import { type Cost, compile, costOf, walkSteps } from '@fluxion/compiler'
import { type Shaping, programFor } from '@fluxion/webgpu'
import { type ClosedJaxpr, type NDArray, type Tree, makeJaxpr } from 'fluxion'
import { expect, test } from 'vitest'
import { type Network, network, networkStep } from '../../bench/entries/network.ts'

/** A GPU with what every device has: eight storage buffers, 16 KiB of memory for a workgroup. */
const gpu: Shaping = {
  traits: { shared: true, subgroups: false, half: false, workgroup: { bytes: 16384, invocations: 256 } },
  limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27, maxStorageBuffersPerShaderStage: 8 },
}
interface Counted extends Cost {
  /** Kernels and copies, in how many pipelines. */
  readonly dispatches: number
  readonly kinds: number
}
function counted(task: Network): Counted {
  const { step, params, packed, labels } = networkStep(task)
  const f = step as unknown as (...args: Tree[]) => NDArray
  const traced: ClosedJaxpr = makeJaxpr(f)(params, packed, labels)
  const program = programFor(compile(traced, { name: 'webgpu', parallel: true, host: false }), gpu)
  const kinds = new Set<object>()
  walkSteps(program.steps, (each) => void (each.op === 'launch' && kinds.add(each.kernel)))
  const cost = costOf(program)
  return { ...cost, dispatches: cost.kernels + cost.copies, kinds: kinds.size }
}

const rows: readonly [name: string, task: Network, dispatches: number, megabytes: number, arena: number][] = [
  ["the tutorial's", network(), 27, 523, 138],
  ['under the half policy', network({ precision: 'half' }), 27, 339, 86],
  ['with dense recurrence, a dispatch for each recurrence', network({ recurrence: 'dense' }), 35, 695, 171],
  ['of leaky neurons in four layers', network({ neuron: 'lif', layers: 4 }), 43, 945, 205],
]
test.each(rows)(
  'a train step %s: few dispatches, each value moved a few times',
  (_, task, dispatches, megabytes, arena) => {
    const cost = counted(task)
    expect(cost.dispatches).toBeLessThanOrEqual(dispatches)
    expect(cost.kinds).toBeLessThanOrEqual(cost.dispatches)
    expect((cost.bytesRead + cost.bytesWritten) / 1e6).toBeLessThanOrEqual(megabytes)
    expect(cost.arenaBytes / 1e6).toBeLessThanOrEqual(arena)
  },
)
test('dispatches do not grow with the number of steps', () => {
  const of = (steps: number): number => counted(network({ steps, recurrence: 'dense' })).dispatches
  expect(of(256)).toBe(of(64))
})
