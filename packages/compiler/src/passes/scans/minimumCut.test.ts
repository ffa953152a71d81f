// Cuts against all cuts of small networks.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Network, sink, source } from './minimumCut.ts'

type Edge = readonly [from: number, to: number, capacity: number]
const cost = (edges: readonly Edge[], isBehind: readonly boolean[]): number =>
  edges.reduce((sum, [from, to, capacity]) => sum + (!isBehind[from] && isBehind[to] ? capacity : 0), 0)

test('no cut costs less, and none of the same cost has fewer nodes behind it', () => {
  const size = 6
  const node = fc.integer({ min: 0, max: size - 1 })
  const edges = fc.array(fc.tuple(node, node, fc.integer({ min: 0, max: 5 })), { maxLength: 16 })
  fc.assert(
    fc.property(edges, (list) => {
      const network = new Network()
      for (let i = 2; i < size; i++) network.node()
      for (const edge of list) network.edge(...edge)
      const found = network.sinkSide()
      const all = Array.from({ length: 1 << (size - 2) }, (_, bits) => [
        false,
        true,
        ...Array.from({ length: size - 2 }, (_, i) => (bits & (1 << i)) !== 0),
      ])
      const best = Math.min(...all.map((cut) => cost(list, cut)))
      expect([found[source], found[sink]]).toEqual([false, true])
      expect(cost(list, found)).toBe(best)
      const count = (cut: readonly boolean[]): number => cut.filter(Boolean).length
      expect(count(found)).toBe(Math.min(...all.filter((cut) => cost(list, cut) === best).map(count)))
    }),
  )
})

test('edges without bound are never cut', () => {
  const network = new Network()
  const middle = network.node()
  network.edge(source, middle, 3)
  network.edge(middle, sink, Infinity)
  expect(network.sinkSide()).toEqual([false, true, true])
})
