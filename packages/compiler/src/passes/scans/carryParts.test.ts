// Carries of several parts: that each becomes a carry of its own, that slices find the pieces, and that no bit changes.
import { type ClosedJaxpr, type NDArray, type ScanParams, evalJaxpr, grad, lax, np } from '@fluxion/core'
import { expect, test } from 'vitest'
import { after, filled, namesOf, trace } from '../passes.testing.ts'
import { splitCarries } from './carryParts.ts'

const scansOf = ({ jaxpr }: ClosedJaxpr): ScanParams[] =>
  jaxpr.equations.filter(({ primitive }) => primitive.name === 'scan').map(({ params }) => params as ScanParams)
const bits = (program: ClosedJaxpr, args: readonly NDArray[]): unknown[] =>
  evalJaxpr(program, args).map((x) => [...x.dataSync()])
const movements = ['slice', 'concatenate', 'pad']

/** A neuron of several variables that lie in one array, along an axis. */
function neuron(axis: 0 | 1): (start: NDArray, xs: NDArray) => NDArray[] {
  const step = (state: NDArray, x: NDArray): [NDArray, NDArray] => {
    const [v, i, u] = np.split(state, 3, { axis })
    const current = i!.mul(0.75).add(x)
    const parts = [v!.mul(0.5).add(current), current, u!.sub(v!.gt(0).astype('float64'))]
    return [np.concatenate(parts, { axis }), v!.mul(u!)]
  }
  return (start, xs) => lax.scan(step, start, xs) as unknown as NDArray[]
}
const argsOf = (axis: 0 | 1): NDArray[] => [axis === 0 ? filled(6, 3) : filled(2, 9), filled(5, 2, 3)]

for (const axis of [0, 1] as const)
  for (const differentiated of [false, true])
    test(`a state of three parts along axis ${axis} is three carries${differentiated ? ', in its gradient too' : ''}`, () => {
      const args = argsOf(axis)
      const loss = (start: NDArray, xs: NDArray): NDArray =>
        neuron(axis)(start, xs)
          .map((x, i) =>
            np
              .square(x)
              .mul(i + 1)
              .sum(),
          )
          .reduce((a, b) => a.add(b))
      const f = differentiated ? grad(loss, { argnums: [0, 1] }) : neuron(axis)
      const program = trace(f as (...args: NDArray[]) => NDArray[], args)
      const split = after(program, splitCarries)
      expect(scansOf(split).length).toBe(differentiated ? 2 : 1)
      for (const { numCarry, jaxpr } of scansOf(split)) {
        expect(numCarry).toBe(3)
        for (const name of movements) expect(namesOf(jaxpr)).not.toContain(name)
      }
      expect(bits(split, args)).toEqual(bits(program, args))
    })

test('parts of several sizes, and slices that cut them', () => {
  const step = (state: NDArray, x: NDArray): [NDArray, NDArray] => {
    const [a, b] = [state.get(':2'), state.get('1:')]
    return [np.concatenate([b.mul(0.5), x]), a]
  }
  const f = (start: NDArray, xs: NDArray): NDArray[] => lax.scan(step, start, xs) as unknown as NDArray[]
  const args = [filled(4), filled(5, 1)]
  const program = trace(f, args)
  const split = after(program, splitCarries)
  expect(scansOf(split)[0]!.numCarry).toBe(4)
  expect(bits(split, args)).toEqual(bits(program, args))
})

test('a carry of no elements stays one', () => {
  const step = (state: NDArray): [NDArray, NDArray] => {
    const [a, b] = np.split(state, 2)
    return [np.concatenate([b!, b!]), a!]
  }
  const f = (start: NDArray): NDArray[] => lax.scan(step, start, null, { length: 2 }) as unknown as NDArray[]
  const args = [np.zeros([0, 2], { dtype: 'float64' })]
  const program = trace(f, args)
  const split = after(program, splitCarries)
  expect(scansOf(split)[0]!.numCarry).toBe(1)
  expect(bits(split, args)).toEqual(bits(program, args))
})

test('a carry that is read whole, or made whole, stays one', () => {
  const kinds: ((state: NDArray) => NDArray)[] = [
    (state) => np.concatenate([state.get(':2'), state.get('2:')]).add(state),
    (state) => np.tanh(np.concatenate([state.get(':2'), state.get('2:')]).sum()).add(np.sort(state.get(':4'))),
    (state) => np.cumsum(np.concatenate([state.get('2:'), state.get(':2')])),
  ]
  for (const kind of kinds) {
    const f = (start: NDArray): NDArray =>
      lax.scan((state: NDArray) => [kind(state), null] as [NDArray, null], start, null, { length: 3 })[0]
    const program = trace(f, [filled(4)])
    expect(scansOf(after(program, splitCarries))[0]!.numCarry).toBe(1)
  }
})
