// What runs around pointwise loops: before them, after them, and that programs mean what they meant.
import { type ClosedJaxpr, type NDArray, type ScanParams, grad, lax, np } from '@fluxion/core'
import { expect, test } from 'vitest'
import { after, expectSame, filled, namesOf, trace } from '../passes.testing.ts'
import { moveAccumulations } from './accumulate.ts'
import { moveAround } from './around.ts'
import { hoistInvariants } from './hoist.ts'
import { isPointwiseScan } from './pointwise.ts'
import { hoistProducts } from './products.ts'
import { splitScans } from './split.ts'

const scansOf = ({ jaxpr }: ClosedJaxpr): boolean[] =>
  jaxpr.equations.filter(({ primitive }) => primitive.name === 'scan').map(isPointwiseScan)
const bodyOf = ({ jaxpr }: ClosedJaxpr): string[] =>
  namesOf((jaxpr.equations.find(({ primitive }) => primitive.name === 'scan')!.params as ScanParams).jaxpr)

/** A leaky state, with what its steps make of inputs before and of the state after. */
const leaky =
  (before: (x: NDArray) => NDArray, later: (v: NDArray, x: NDArray) => NDArray) =>
  (xs: NDArray): NDArray[] =>
    lax.scan(
      (v: NDArray, x: NDArray): [NDArray, NDArray] => [v.mul(0.5).add(before(x)), later(v, x)],
      np.zeros([2, 3], { dtype: 'float64' }),
      xs,
    ) as unknown as NDArray[]

const kinds: [string, (x: NDArray) => NDArray, (v: NDArray, x: NDArray) => NDArray][] = [
  ['sums of what is scanned', (x) => x.sub(x.mean({ axis: 1, keepdims: true })), (v) => v],
  ['what is sorted, and sorted again', (x) => np.sort(np.sort(x).add(np.sort(x).sum())), (v) => v],
  ['norms of the state', (x) => x, (v) => v.sub(v.mean({ axis: 1, keepdims: true }))],
  ['states put together', (x) => x, (v, x) => np.concatenate([v.gt(0).astype('float64'), x], { axis: 1 })],
  ['all of that', (x) => np.cumsum(x, { axis: 1 }), (v, x) => np.sort(v.mul(x)).sum()],
]
for (const [name, before, later] of kinds)
  test(`a loop is pointwise without ${name}`, () => {
    const args = [filled(5, 2, 3)]
    const program = trace(leaky(before, later), args)
    expect(scansOf(after(program))).toEqual([false])
    const moved = after(program, moveAround)
    expect(scansOf(moved)).toEqual([true])
    expectSame(program, moved, args)
  })

test('what the state needs again stays, and with it the loop as it is', () => {
  const f = (xs: NDArray): NDArray[] =>
    lax.scan(
      (v: NDArray, x: NDArray): [NDArray, NDArray] => [v.sub(v.mean()).add(np.sort(x)), np.sort(v)],
      np.zeros([3], { dtype: 'float64' }),
      xs,
    ) as unknown as NDArray[]
  const program = trace(f, [filled(5, 3)])
  expect(bodyOf(after(program, moveAround))).toEqual(bodyOf(after(program)))
})

test('what would take too much memory for all steps stays', () => {
  const f = (xs: NDArray): NDArray =>
    lax.scan(
      (v: NDArray, x: NDArray): [NDArray, null] => [v.add(np.sort(np.broadcastTo(x, [2000, 4]))), null],
      np.zeros([2000, 4]),
      xs,
    )[0]
  const count = (steps: number): boolean[] => scansOf(after(trace(f, [np.zeros([steps, 4])]), moveAround))
  expect([count(100), count(600)]).toEqual([[true], [false]])
})

test('gradients of convolutions leave loops as one convolution, and networks of them are pointwise', () => {
  const loss = (kernel: NDArray, w: NDArray, xs: NDArray): NDArray => {
    const step = ([a, b]: NDArray[], x: NDArray): [NDArray[], NDArray] => {
      const current = lax.convGeneralDilated(x, kernel, [1, 2], 'SAME')
      const rate = np.tanh(a!).mean({ axis: [2, 3] })
      return [[a!.mul(0.5).add(current), b!.mul(0.5).add(rate.matmul(w))], b!]
    }
    const start = [np.zeros([2, 3, 4, 2], { dtype: 'float64' }), np.zeros([2, 5], { dtype: 'float64' })]
    return np.square(lax.scan(step, start, xs)[1]).sum()
  }
  const args = [filled(3, 2, 3, 2), filled(3, 5), filled(4, 2, 2, 4, 4)]
  const program = trace(grad(loss, { argnums: [0, 1] }), args)
  const passes = [hoistInvariants, hoistProducts, moveAccumulations]
  const moved = after(program, ...passes, splitScans, ...passes, moveAround, ...passes)
  expect(scansOf(moved)).toEqual([true, true, true, true])
  expect(namesOf(moved).filter((name) => name === 'conv_general_dilated').length).toBe(2)
  expectSame(program, moved, args)
})
