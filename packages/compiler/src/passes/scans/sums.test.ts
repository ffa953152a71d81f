// Sums over the steps of pointwise scans: which are taken in, and that they mean what they meant.
import { type ClosedJaxpr, type Equation, type NDArray, type ScanParams, lax, np } from '@fluxion/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { after, expectSame, filled, namesOf, trace } from '../passes.testing.ts'
import { moveAccumulations } from './accumulate.ts'
import { hoistInvariants } from './hoist.ts'
import { build, networks } from './networks.testing.ts'
import { hoistProducts } from './products.ts'
import { splitScans } from './split.ts'
import { takeSums } from './sums.ts'

const scansOf = ({ jaxpr }: ClosedJaxpr): ScanParams[] =>
  jaxpr.equations
    .filter(({ primitive }) => primitive.name === 'scan')
    .map(({ params }: Equation) => params as ScanParams)
const stackedBy = ({ jaxpr, numCarry }: ScanParams): number => jaxpr.jaxpr.outputs.length - numCarry

test('random networks mean the same, forwards and differentiated', () => {
  fc.assert(
    fc.property(networks, (network) => {
      const { f, args } = build(network)
      const program = trace(f, args)
      const passes = [hoistInvariants, hoistProducts, moveAccumulations, splitScans, takeSums]
      expectSame(program, after(program, ...passes), args)
    }),
    { numRuns: 25 },
  )
})

/** Leaky states over time, and what a function makes of them and the inputs. */
const states = (f: (vs: NDArray, xs: NDArray, decay: NDArray) => NDArray) => (xs: NDArray, decay: NDArray) =>
  f(
    lax.scan(
      (v: NDArray, x: NDArray): [NDArray, NDArray] => [v.mul(decay).add(x), v],
      np.zeros(xs.shape.slice(1), { dtype: 'float64' }),
      xs,
    )[1],
    xs,
    decay,
  )
const args = [filled(5, 2, 3), filled(3)]

test('sums over steps become carries, and what only they read is not stacked', () => {
  const kinds: [string, (vs: NDArray, xs: NDArray, decay: NDArray) => NDArray][] = [
    ['a stack itself', (vs) => vs.sum({ axis: 0 })],
    ['over other axes too', (vs) => vs.sum({ axis: [0, 1] })],
    ['all', (vs) => np.square(vs).sum()],
    ['with what is scanned', (vs, xs) => vs.mul(xs).sum({ axis: [0, 2] })],
    ['with what is spread over steps', (vs, _, decay) => vs.mul(decay).add(1).sum({ axis: 0 })],
    ['with a value for each step', (vs, xs) => vs.mul(xs.max({ axis: [1, 2], keepdims: true })).sum({ axis: 0 })],
    ['converted', (vs) => vs.gt(0).astype('float64').sum({ axis: 0 })],
  ]
  for (const [name, f] of kinds) {
    const program = trace(states(f), args)
    const taken = after(program, takeSums)
    expect(scansOf(taken).map(stackedBy), name).toEqual([0])
    expect(scansOf(taken)[0]!.numCarry, name).toBe(2)
    expectSame(program, taken, args)
  }
})

test('loops that multiply what they carry take sums of the shapes of their carries', () => {
  const f = (xs: NDArray, u: NDArray): NDArray[] => {
    const step = ([v, w]: NDArray[], x: NDArray): [NDArray[], NDArray[]] => {
      const next = np.tanh(v!.matmul(u).add(x))
      return [
        [next, w!.add(next.sum({ axis: 0 }))],
        [v!, w!, np.concatenate([v!, x])],
      ]
    }
    const start = [np.zeros([2, 3], { dtype: 'float64' }), np.zeros([3], { dtype: 'float64' })]
    const [, [vs, ws, both]] = lax.scan(step, start, xs) as [NDArray[], NDArray[]]
    return [vs!.mul(xs).sum({ axis: [0, 1] }), np.square(ws!).sum({ axis: 0 }), both!.sum({ axis: 0 })]
  }
  const own = [filled(5, 2, 3), filled(3, 3)]
  const program = trace(f, own)
  const taken = after(program, takeSums)
  const [scan] = scansOf(taken)
  const { numCarry, jaxpr } = scan!
  expect(jaxpr.jaxpr.outputs.slice(0, numCarry).map(({ aval }) => aval.shape)).toEqual([[2, 3], [3], [2, 3], [3]])
  expect(stackedBy(scan!)).toBe(1)
  expectSame(program, taken, own)
})

test('several sums share a loop, and a stack that others read stays', () => {
  const program = trace((xs: NDArray, decay: NDArray) => {
    const [, vs] = lax.scan(
      (v: NDArray, x: NDArray): [NDArray, NDArray] => [v.mul(decay).add(x), v],
      np.zeros([2, 3], { dtype: 'float64' }),
      xs,
    )
    return [vs.sum({ axis: 0 }), vs.mul(xs).sum(), np.sort(vs, { axis: 0 })]
  }, args)
  const taken = after(program, takeSums)
  expect(scansOf(taken).map(({ numCarry }) => numCarry)).toEqual([3])
  expect(scansOf(taken).map(stackedBy)).toEqual([1])
  expectSame(program, taken, args)
})

test('sums of what comes later, over other axes, or of dear terms that others read are left', () => {
  const kinds: [string, (vs: NDArray, xs: NDArray) => NDArray | NDArray[]][] = [
    ['later', (vs) => vs.mul(np.sort(vs, { axis: 0 })).sum({ axis: 0 })],
    ['other axes', (vs) => vs.sum({ axis: 1 })],
    ['read', (vs) => [np.exp(vs).sum({ axis: 0 }), np.exp(vs)]],
  ]
  for (const [name, f] of kinds) {
    const program = trace(states(f as never), args)
    const taken = after(program, takeSums)
    expect(namesOf(taken), name).toContain('reduce_sum')
    expect(scansOf(taken)[0]!.numCarry, name).toBe(1)
    expectSame(program, taken, args)
  }
})

test('half floats are added up as float32, whatever they are summed as', () => {
  const f =
    (dtype: 'float16' | 'float32') =>
    (xs: NDArray): NDArray =>
      lax
        .scan((v: NDArray, x: NDArray): [NDArray, NDArray] => [v.add(x), v], np.zeros([3], { dtype: 'float16' }), xs)[1]
        .astype(dtype)
        .sum({ axis: 0 })
  for (const dtype of ['float16', 'float32'] as const) {
    const args = [filled(5, 3).astype('float16')]
    const program = trace(f(dtype), args)
    const { jaxpr, numCarry } = scansOf(after(program, takeSums))[0]!
    expect(jaxpr.jaxpr.outputs.slice(0, numCarry).map(({ aval }) => aval.dtype)).toEqual(['float16', 'float32'])
    expectSame(program, after(program, takeSums), args)
  }
})
