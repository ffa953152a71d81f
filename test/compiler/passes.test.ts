// Every pass, on random programs: what it gives is well formed and means, on the reference back end, what the program meant.
import fc from 'fast-check'
import {
  type ClosedJaxpr,
  type NDArray,
  backend,
  checkJaxpr,
  evalJaxpr,
  grad,
  lax,
  makeJaxpr,
  np,
  setBackend,
  setDevice,
  vmap,
} from '@fluxion/core'
import { checkFacts, optimise } from '@fluxion/compiler'
import { expectClose, programs } from '@fluxion/testing'
import { env } from 'node:process'
import { afterAll, beforeAll, expect, test } from 'vitest'

const numRuns = env['FLUXION_FULL'] === '1' ? 2000 : 60
const timeout = numRuns * 200
const before = backend()
beforeAll(() => setDevice('reference'))
afterAll(() => setBackend(before))

type Binary = (x: NDArray, y: NDArray) => NDArray
/** The results of a program before, and after all passes, each of which is checked. */
function bothWays(program: ClosedJaxpr, args: readonly NDArray[]): [NDArray[], NDArray[]] {
  const { program: optimised, captured } = optimise(program, { check: (_, after) => checkJaxpr(after) })
  checkJaxpr(optimised)
  expect(optimised.consts).toEqual([])
  return [evalJaxpr(program, args), evalJaxpr(optimised, [...captured, ...args])]
}
const numbers = (results: readonly NDArray[]): unknown[] => results.map((x) => [...x.dataSync()])

test('an exact program gives the same bits after all passes', { timeout }, () => {
  fc.assert(
    fc.property(programs({ exact: true, modes: [] }), ({ f, args }) => {
      const [expected, got] = bothWays(makeJaxpr(f)(...args), args)
      // Zeros of either sign are one multiple of 1/8: sums that were taken out of loops start from +0.
      expect(numbers(got.map((x) => x.add(0)))).toEqual(numbers(expected.map((x) => x.add(0))))
    }),
    { numRuns },
  )
})

test('gradients and batches of programs mean the same after all passes', { timeout }, () => {
  const transformed: readonly [string, (f: Binary) => Binary][] = [
    ['itself', (f) => f],
    ['its gradient', (f) => grad((x: NDArray, y: NDArray) => np.sin(f(x, y)).sum())],
    ['its batch', (f) => (x, y) => vmap(f)(np.stack([x, y]), np.stack([y, x]))],
    [
      'the gradient of its batch',
      (f) => grad((x: NDArray, y: NDArray) => np.sin(vmap(f)(np.stack([x, y]), np.stack([y, x]))).sum()),
    ],
  ]
  fc.assert(
    fc.property(programs({ dtype: 'float64' }), fc.constantFrom(...transformed), ({ f, args }, [, transform]) => {
      const [expected, got] = bothWays(makeJaxpr(transform(f))(...args), args)
      got.forEach((x, i) => expectClose(x, expected[i]!, { rtol: 1e-9, atol: 1e-9 }))
    }),
    { numRuns },
  )
})

test(
  'recurrent networks around random programs keep their values and the gradients of their weights',
  { timeout },
  () => {
    const filled = (seed: number, ...shape: number[]): NDArray =>
      np
        .sin(
          np
            .arange(shape.reduce((a, b) => a * b))
            .astype('float64')
            .add(seed),
        )
        .reshape(shape)
    fc.assert(
      fc.property(
        programs({ dtype: 'float64', depth: 1, steps: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.boolean(),
        ({ f, args: [x] }, length, reverse, batched) => {
          const size = x.size
          const loss = (w: NDArray, u: NDArray, b: NDArray, xs: NDArray): NDArray => {
            const cell = batched ? vmap(f, { inAxes: [0, null] }) : f
            const step = (h: NDArray, v: NDArray): [NDArray, NDArray] => {
              const next = cell(np.tanh(h.matmul(w).add(v.matmul(u))), b)
              return [next, next]
            }
            const start = np.zeros(batched ? [2, size] : [size], { dtype: 'float64' })
            return np.sin(lax.scan(step, start, xs, { reverse })[1]).sum()
          }
          const xs = batched ? filled(2, length, 2, size) : filled(2, length, size)
          const weights = [filled(3, size, size), filled(4, size, size), x]
          const both = (w: NDArray, u: NDArray, b: NDArray, v: NDArray): NDArray[] => [
            loss(w, u, b, v),
            ...grad(loss, { argnums: [0, 1, 2] })(w, u, b, v),
          ]
          const given = [...weights, xs] as [NDArray, NDArray, NDArray, NDArray]
          const [expected, got] = bothWays(makeJaxpr(both)(...given), given)
          got.forEach((result, i) => expectClose(result, expected[i]!, { rtol: 1e-9, atol: 1e-9 }))
        },
      ),
      { numRuns },
    )
  },
)

test('what is known of the values of a program is true of them', { timeout }, () => {
  fc.assert(
    fc.property(programs({ exact: true, modes: [] }), ({ f, args }) => {
      const { program, captured } = optimise(makeJaxpr(f)(...args))
      checkFacts(program, [...captured, ...args])
    }),
    { numRuns },
  )
})
