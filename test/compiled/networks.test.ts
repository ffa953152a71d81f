// What train steps of networks become on a CPU: compiled, not run.
import { type Step, compile, costOf, walkSteps } from '@fluxion/compiler'
import { type ClosedJaxpr, type NDArray, type Tree, makeJaxpr } from 'fluxion'
import { expect, test } from 'vitest'
import { type Network, nameOf, network, networkStep } from '../../bench/entries/network.ts'

const target = { name: 'wasm', parallel: false, host: true } as const
const counted = (steps: readonly Step[], op: Step['op']): number => {
  let count = 0
  walkSteps(steps, (step) => void (step.op === op && count++))
  return count
}
const compiled = (task: Network) => {
  const { step, params, packed, labels } = networkStep(task)
  const f = step as unknown as (...args: Tree[]) => NDArray
  const traced: ClosedJaxpr = makeJaxpr(f)(params, packed, labels)
  return compile(traced, target)
}

const small = { batch: 64, steps: 64 }
const networks: readonly Network[] = [
  {},
  ...(['lif', 'alif', 'cubalif', 'rcubalif'] as const).map((neuron) => ({ ...small, neuron })),
  { ...small, precision: 'half' as const },
  { ...small, layers: 1 },
  { ...small, neuron: 'alif' as const, layers: 4 },
  { ...small, batch: 16 },
  { ...small, batch: 100 },
].map((differing) => network(differing))
test.each(networks.map((task) => [nameOf(task), task] as const))(
  '%s is tiles that threads share, of kernels with time inside',
  (_, task) => {
    const program = compiled(task)
    const tiles = program.steps.filter(({ op }) => op === 'parallel')
    expect(tiles.length).toBe(1)
    expect(counted(program.steps, 'loop')).toBe(0)
    // What a variable of a layer is for all samples and steps, up to 17 MB, lies nowhere.
    const { arenaBytes, privateBytes } = costOf(program)
    expect(privateBytes).toBeLessThan(2 ** 20)
    expect(arenaBytes).toBeLessThan(6e6)
  },
)
test.each(['rlif', 'rcubalif'] as const)('dense recurrence of %s is a loop in each tile for each layer', (neuron) => {
  const program = compiled(network({ ...small, neuron, recurrence: 'dense' }))
  const tiles = program.steps.filter(({ op }) => op === 'parallel')
  expect(tiles.length).toBe(1)
  expect(counted(tiles, 'loop')).toBe(4)
  expect(counted(program.steps, 'loop')).toBe(4)
})
test('a batch of one has no tiles, and no loop of launches either', () => {
  const program = compiled(network({ ...small, batch: 1 }))
  expect(counted(program.steps, 'parallel')).toBe(0)
  expect(counted(program.steps, 'loop')).toBe(0)
})
