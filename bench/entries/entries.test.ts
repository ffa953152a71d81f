// Entries by name: each once, networks also beyond the list.
import { clearPolicies } from '@fluxion/precision'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { entries, entryNamed } from './index.ts'
import { type Network, nameOf, network, networkNamed, networkStep } from './network.ts'

// Networks set the policies of the modules that they are made of.
afterAll(clearPolicies)

const anyNetwork: fc.Arbitrary<Network> = fc
  .record({
    neuron: fc.constantFrom('lif', 'rlif', 'alif', 'cubalif', 'rcubalif'),
    recurrence: fc.constantFrom('elementwise', 'dense'),
    layers: fc.integer({ min: 1, max: 9 }),
    batch: fc.integer({ min: 1, max: 5000 }),
    steps: fc.integer({ min: 1, max: 5000 }),
    precision: fc.constantFrom('full', 'half'),
  })
  .map((differing) => network(differing))

test('every entry has a name of its own, by which it is found', () => {
  const names = entries.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const entry of entries) expect(entryNamed(entry.name)).toBe(entry)
})
test('the name of a network says all of it', () => {
  fc.assert(
    fc.property(anyNetwork, (task) => {
      expect(networkNamed(nameOf(task))).toEqual(task)
    }),
  )
})
test('other names are of no network', () => {
  for (const name of ['net-lif', 'net-none-1-b1-t1', 'net-lif-1-b1-t1-dens', 'train-step', 'net-toString-1-b1-t1'])
    expect(networkNamed(name)).toBeUndefined()
})
test('a task is data, so that other processes can be given it', () => {
  for (const { task } of entries) expect(JSON.parse(JSON.stringify(task))).toEqual(task)
})
test('hidden neurons of every kind spike, so that all layers have gradients', () => {
  for (const neuron of ['lif', 'rlif', 'alif', 'cubalif', 'rcubalif'] as const) {
    const { step, params, packed, labels } = networkStep(network({ neuron, layers: 2, batch: 8, steps: 32 }))
    const [loss, gradients] = step(params, packed, labels)
    expect(loss.item()).toBeGreaterThan(0)
    // The last product has a gradient only where the last hidden layer spikes, and from steps before the last one.
    expect(gradients['linear_2']!['w']!.abs().max().item()).toBeGreaterThan(0)
  }
})
