// Scans split by layers: how many loops there are, what stays in them, and that they mean what they meant.
import { type ClosedJaxpr, type Equation, type NDArray, type ScanParams, debug, lax, np } from '@fluxion/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { after, expectSame, filled, namesOf, trace } from '../passes.testing.ts'
import { moveAccumulations } from './accumulate.ts'
import { hoistInvariants } from './hoist.ts'
import { type Layer, build, networks } from './networks.testing.ts'
import { hoistProducts } from './products.ts'
import { splitScans } from './split.ts'

const scansOf = ({ jaxpr }: ClosedJaxpr): Equation[] =>
  jaxpr.equations.filter(({ primitive }) => primitive.name === 'scan')
const bodiesOf = (program: ClosedJaxpr): ClosedJaxpr[] =>
  scansOf(program).map(({ params }) => (params as ScanParams).jaxpr)
const split = (program: ClosedJaxpr): ClosedJaxpr =>
  after(program, hoistInvariants, hoistProducts, moveAccumulations, splitScans)

test('random networks mean the same, forwards and differentiated', () => {
  fc.assert(
    fc.property(networks, (network) => {
      const { f, args } = build(network)
      const program = trace(f, args)
      expectSame(program, split(program), args)
    }),
    { numRuns: 25 },
  )
})

const layer = (kind: Layer['kind'], units = 3): Layer => ({ kind, units, shortcut: false })
const plain = { steps: 4, reverse: false, differentiated: false, watched: false } as const

test('each layer has a loop, and no product stays in one, forwards and transposed', () => {
  const layers = [layer('spiking'), layer('smooth'), layer('leaky')]
  for (const differentiated of [false, true]) {
    const { f, args } = build({ ...plain, layers, differentiated })
    const program = split(trace(f, args))
    expect(scansOf(program).length).toBe(differentiated ? 6 : 3)
    for (const body of bodiesOf(program)) expect(namesOf(body)).not.toContain('dot_general')
  }
})

test('what is in a cycle of carries stays: a dense recurrence keeps its product, and layers around it do not', () => {
  const { f, args } = build({ ...plain, layers: [layer('spiking'), layer('dense'), layer('leaky')] })
  const counts = bodiesOf(split(trace(f, args))).map(
    (body) => namesOf(body).filter((name) => name === 'dot_general').length,
  )
  expect(counts).toEqual([0, 1, 0])
})

test('spikes are stacked as comparisons, and a readout without a state is no loop', () => {
  const { f, args } = build({ ...plain, layers: [layer('spiking'), layer('filter')] })
  const program = split(trace(f, args))
  expect(scansOf(program).length).toBe(1)
  const { numCarry, jaxpr } = scansOf(program)[0]!.params as ScanParams
  expect(jaxpr.jaxpr.outputs.slice(numCarry).map(({ aval }) => aval.dtype)).toEqual(['bool'])
})

test('parts that have nothing to do with each other are in loops of their own if their shapes differ', () => {
  const f =
    (units: number) =>
    (xs: NDArray, ys: NDArray): NDArray[] => {
      const step = ([a, b]: NDArray[], [x, y]: NDArray[]): [NDArray[], NDArray] => [
        [a!.mul(0.5).add(x!), np.sin(b!.add(y!))],
        a!.add(1),
      ]
      const start = [np.zeros([3], { dtype: 'float64' }), np.zeros([units], { dtype: 'float64' })]
      const [last, out] = lax.scan(step, start, [xs, ys])
      return [...last, out]
    }
  for (const [units, count] of [
    [3, 1],
    [4, 2],
  ] as const) {
    const args = [filled(5, 3), filled(5, units)]
    const program = trace(f(units), args)
    expect(scansOf(split(program)).length).toBe(count)
    expectSame(program, split(program), args)
  }
})

test('a scan with effects stays whole', () => {
  const seen: number[] = []
  const f = (w: NDArray, xs: NDArray): NDArray =>
    lax.scan(
      ([a, b]: NDArray[], x: NDArray) => {
        debug.callback((v: NDArray) => seen.push(v.size), a!)
        return [[a!.mul(0.5).add(x), b!.add(a!.matmul(w))], null] as [NDArray[], null]
      },
      [np.zeros([3], { dtype: 'float64' }), np.zeros([2], { dtype: 'float64' })],
      xs,
    )[0][1]!
  const args = [filled(3, 2), filled(4, 3)]
  const program = trace(f, args)
  expect(scansOf(split(program)).length).toBe(1)
  expectSame(program, split(program), args)
  expect(seen.length).toBe(8)
})

test('a product with a matrix of each step gains nothing outside, and stays', () => {
  const f = (ws: NDArray, xs: NDArray): NDArray =>
    lax.scan(
      ([a, b]: NDArray[], [w, x]: NDArray[]) =>
        [[a!.mul(0.5).add(x!), np.sin(b!.add(a!.matmul(w!)))], null] as [NDArray[], null],
      [np.zeros([3], { dtype: 'float64' }), np.zeros([2], { dtype: 'float64' })],
      [ws, xs],
    )[0][1]!
  const args = [filled(4, 3, 2), filled(4, 3)]
  const program = split(trace(f, args))
  expect(bodiesOf(program).flatMap(namesOf)).toContain('dot_general')
})

test('what parts share that is dear to stack keeps them together', () => {
  const f = (xs: NDArray): NDArray[] => {
    const step = ([a, b]: NDArray[], x: NDArray): [NDArray[], null] => {
      const sorted = np.sort(np.broadcastTo(x, [2000, 4]), { axis: 0 })
      return [[a!.mul(0.5).add(sorted), b!.mul(0.5).add(np.sum(sorted, { axis: 0 }))], null]
    }
    return lax.scan(step, [np.zeros([2000, 4]), np.zeros([7, 4])], xs)[0]
  }
  const count = (steps: number): number => scansOf(split(trace(f, [np.zeros([steps, 4])]))).length
  expect([count(100), count(600)]).toEqual([2, 1])
})

test('products that would take too much memory for all steps stay in their loop', () => {
  const f = (w: NDArray, xs: NDArray): NDArray =>
    lax.scan(
      ([a, b]: NDArray[], x: NDArray) => [[a!.mul(0.5).add(x), b!.add(a!.matmul(w))], null] as [NDArray[], null],
      [np.zeros([2]), np.zeros([4096])],
      xs,
    )[0][1]!
  const count = (steps: number): number => scansOf(split(trace(f, [np.zeros([2, 4096]), np.zeros([steps, 2])]))).length
  expect([count(100), count(600)]).toEqual([2, 1])
})
