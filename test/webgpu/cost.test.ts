// What a step of training costs on a GPU, counted without one: dispatches, bytes moved, memory in between. At the tutorial's size; nothing runs.
import { type Cost, compile, costOf, walkSteps } from '@fluxion/compiler'
import { type Shaping, programFor } from '@fluxion/webgpu'
import { type ClosedJaxpr, type NDArray, type Tree, grad, lax, makeJaxpr, nn, np } from 'fluxion'
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
  return countedOf(step as unknown as (...args: Tree[]) => NDArray, params, packed, labels)
}
function countedOf(f: (...args: Tree[]) => NDArray, ...args: Tree[]): Counted {
  const traced: ClosedJaxpr = makeJaxpr(f)(...args)
  const program = programFor(compile(traced, { name: 'webgpu', parallel: true, host: false }), gpu)
  const kinds = new Set<object>()
  walkSteps(program.steps, (each) => void (each.op === 'launch' && kinds.add(each.kernel)))
  const cost = costOf(program)
  return { ...cost, dispatches: cost.kernels + cost.copies, kinds: kinds.size }
}

const rows: readonly [name: string, task: Network, dispatches: number, megabytes: number, arena: number][] = [
  ["the tutorial's", network(), 27, 523, 138],
  ['under the half policy', network({ precision: 'half' }), 27, 306, 86],
  ['with dense recurrence, a dispatch for each recurrence', network({ recurrence: 'dense' }), 37, 596, 139],
  ['with currents and dense recurrence', network({ neuron: 'rcubalif', recurrence: 'dense' }), 45, 701, 172],
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
test("an LSTM's gradient is two recurrences of one dispatch each, and products over all steps", () => {
  const [steps, batch, units] = [100, 32, 128]
  const loss = ([w, u, b]: NDArray[], xs: NDArray): NDArray => {
    const step = ([h, c]: NDArray[], x: NDArray): [NDArray[], NDArray] => {
      const gates = np.matmul(x, w!).add(np.matmul(h!, u!)).add(b!)
      const [i, g, f, o] = np.split(gates, 4, { axis: -1 }) as [NDArray, NDArray, NDArray, NDArray]
      const next = nn
        .sigmoid(f)
        .mul(c!)
        .add(nn.sigmoid(i).mul(np.tanh(g)))
      const out = nn.sigmoid(o).mul(np.tanh(next))
      return [[out, next], out]
    }
    const zeros = np.zeros([batch, units])
    return lax.scan(step, [zeros, zeros], xs)[1].sum()
  }
  const weights = [np.ones([units, 4 * units]), np.ones([units, 4 * units]), np.ones([4 * units])]
  const cost = countedOf(grad(loss) as unknown as (...args: Tree[]) => NDArray, weights, np.ones([steps, batch, units]))
  expect(cost.dispatches).toBeLessThanOrEqual(14)
})
test('dispatches do not grow with the number of steps', () => {
  const of = (steps: number): number => counted(network({ steps, recurrence: 'dense' })).dispatches
  expect(of(256)).toBe(of(64))
})
