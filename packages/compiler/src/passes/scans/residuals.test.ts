// What scans stack for later ones: what is kept and what is computed again, and that programs mean what they meant, to the bit.
import { type ClosedJaxpr, type NDArray, type ScanParams, evalJaxpr, lax, np } from '@fluxion/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { after, filled, namesOf, trace } from '../passes.testing.ts'
import { moveAccumulations } from './accumulate.ts'
import { hoistInvariants } from './hoist.ts'
import { build, networks } from './networks.testing.ts'
import { hoistProducts } from './products.ts'
import { chooseResiduals } from './residuals.ts'
import { splitScans } from './split.ts'
import { takeSums } from './sums.ts'

const scansOf = ({ jaxpr }: ClosedJaxpr): ScanParams[] =>
  jaxpr.equations.filter(({ primitive }) => primitive.name === 'scan').map(({ params }) => params as ScanParams)
const stackedBy = ({ jaxpr, numCarry }: ScanParams): string[] =>
  jaxpr.jaxpr.outputs.slice(numCarry).map(({ aval }) => aval.dtype)
const bits = (program: ClosedJaxpr, args: readonly NDArray[]): unknown[] =>
  evalJaxpr(program, args).map((x) => [...x.dataSync()])

test('random networks give the same bits, forwards and differentiated', () => {
  fc.assert(
    fc.property(networks, (network) => {
      const { f, args } = build({ ...network, differentiated: true })
      const before = after(trace(f, args), hoistInvariants, hoistProducts, moveAccumulations, splitScans, takeSums)
      expect(bits(after(before, chooseResiduals), args)).toEqual(bits(before, args))
    }),
    { numRuns: 25 },
  )
})

/** A scan that stacks values, and one backwards that reads them; `before` and `later` are functions of the state, the input and a constant. */
function pair(
  stacked: (v: NDArray, x: NDArray, c: NDArray) => NDArray[],
  results: (ys: NDArray[], last: NDArray) => NDArray[] = (_, last) => [last],
): { program: ClosedJaxpr; chosen: ClosedJaxpr; args: NDArray[] } {
  const args = [filled(5, 3), filled(3)]
  const start = np.zeros([3], { dtype: 'float64' })
  const program = trace((xs: NDArray, c: NDArray) => {
    const step = (v: NDArray, x: NDArray): [NDArray, NDArray[]] => [v.mul(0.5).add(x), stacked(v, x, c)]
    const [, ys] = lax.scan(step, start, xs)
    const back = (a: NDArray, y: NDArray[]): [NDArray, null] => [
      y.reduce((sum, one) => sum.add(one), a.mul(0.25)),
      null,
    ]
    return results(ys, lax.scan(back, start, ys, { reverse: true })[0])
  }, args)
  return { program, chosen: after(program, chooseResiduals), args }
}
const cases: [string, (v: NDArray, x: NDArray, c: NDArray) => NDArray[], string[]][] = [
  ['what follows from a state by few operations', (v) => [v, v.mul(2).add(1), np.square(v)], ['float64']],
  ['comparisons, if the state is not needed', (v) => [v.mul(2).gt(1).astype('float64').mul(3)], ['bool']],
  ['what is dear to compute, not what it is computed from', (v) => [np.exp(np.tanh(v)).add(1)], ['float64']],
  ['nothing of what is scanned', (_, x, c) => [x.mul(2).add(c), x.neg()], []],
]
for (const [name, stacked, kept] of cases)
  test(`a scan stacks ${name}`, () => {
    const { program, chosen, args } = pair(stacked)
    expect(scansOf(chosen).map(stackedBy)).toEqual(kept.length > 0 ? [kept, []] : [[]])
    expect(bits(chosen, args)).toEqual(bits(program, args))
  })

test('dear operations are not done twice', () => {
  const { chosen } = pair((v) => [np.tanh(v).mul(2), np.tanh(v).add(1)])
  const counts = scansOf(chosen).map(({ jaxpr }) => namesOf(jaxpr).filter((name) => name === 'tanh').length)
  expect(counts).toEqual([1, 0])
})

test('what others read as well stays stacked', () => {
  const { program, chosen, args } = pair(
    (v) => [v, v.mul(2)],
    (ys, last) => [last, np.sort(ys[1]!, { axis: 0 })],
  )
  expect(scansOf(chosen).map(stackedBy)).toEqual([['float64', 'float64'], []])
  expect(bits(chosen, args)).toEqual(bits(program, args))
})
