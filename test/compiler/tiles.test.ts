// Random programs in tiles along any of their axes: the tiled program is well formed, and gives what the whole one gives.
import fc from 'fast-check'
import { type NDArray, checkJaxpr, evalJaxpr, grad, lax, makeJaxpr, np, vmap } from '@fluxion/core'
import { type TileLimits, optimise } from '@fluxion/compiler'
import { expectClose, programs, typedPrograms } from '@fluxion/testing'
import { env } from 'node:process'
import { expect, test } from 'vitest'

const numRuns = env['FLUXION_FULL'] === '1' ? 2000 : 25
const timeout = numRuns * 1000

/** Limits that the smallest programs reach, with or without loops. */
const limitsOf = (loops: number): fc.Arbitrary<TileLimits> =>
  fc.record({
    loops: fc.constant(loops),
    work: fc.constant(0),
    cache: fc.constant(-1),
    tile: fc.constantFrom(1, 100, 1e9),
    rows: fc.integer({ min: 1, max: 3 }),
    byte: fc.constant(0),
    share: fc.constant(0),
    tiles: fc.constantFrom(1, 2, 4),
  })
type Traceable = (...args: NDArray[]) => NDArray | readonly NDArray[]
/** The results of a program before and after the passes, tiles among them, and whether there are any. */
function bothWays(f: Traceable, args: readonly NDArray[], tiles: TileLimits): [NDArray[], NDArray[], boolean] {
  const program = makeJaxpr(f)(...args)
  let found = false
  const check = (name: string, after: typeof program): void => {
    checkJaxpr(after)
    found ||= name === 'tiles'
  }
  const { program: optimised, captured } = optimise(program, { tiles, check })
  return [evalJaxpr(program, args), evalJaxpr(optimised, [...captured, ...args]), found]
}

test('exact programs of any dtypes give the same bits in tiles', { timeout }, () => {
  let count = 0
  fc.assert(
    fc.property(typedPrograms({ exact: true }), limitsOf(0), ({ f, args }, limits) => {
      const [expected, got, found] = bothWays(f as Traceable, args, limits)
      if (found) count++
      const numbers = (results: readonly NDArray[]): unknown[] =>
        results.map((x) => [x.dtype, x.shape, Array.from(x.dataSync(), (value) => value + 0)])
      expect(numbers(got)).toEqual(numbers(expected))
    }),
    { numRuns },
  )
  expect(count).toBeGreaterThan(numRuns / 10)
})

test('loops over steps of batches of random programs, and their gradients, give the same in tiles', { timeout }, () => {
  let count = 0
  fc.assert(
    fc.property(
      programs({ dtype: 'float64', depth: 1, steps: 3 }),
      fc.integer({ min: 2, max: 5 }),
      fc.integer({ min: 2, max: 4 }),
      limitsOf(1),
      ({ f, args: [x] }, batch, length, limits) => {
        const filled = (seed: number, ...shape: number[]): NDArray => {
          const size = shape.reduce((a, b) => a * b)
          return np.sin(np.arange(size).astype('float64').add(seed)).reshape(shape)
        }
        const size = x.size
        const loss = (w: NDArray, b: NDArray, xs: NDArray): NDArray => {
          const cell = vmap(f, { inAxes: [0, null] })
          const step = (h: NDArray, v: NDArray): [NDArray, NDArray] => {
            const next = cell(np.tanh(h.matmul(w).add(v)), b)
            return [next, next]
          }
          const [last, all] = lax.scan(step, np.zeros([batch, size], { dtype: 'float64' }), xs)
          return np
            .sin(all)
            .mean()
            .add(np.cos(last).sum({ axis: 1 }).max())
        }
        const both = (w: NDArray, b: NDArray, xs: NDArray): NDArray[] => [
          loss(w, b, xs),
          ...grad(loss, { argnums: [0, 1, 2] })(w, b, xs),
        ]
        const given = [filled(1, size, size), x, filled(2, length, batch, size)]
        const [expected, got, found] = bothWays(both as Traceable, given, limits)
        if (found) count++
        got.forEach((result, i) => expectClose(result, expected[i]!, { rtol: 1e-9, atol: 1e-9 }))
      },
    ),
    { numRuns },
  )
  expect(count).toBeGreaterThan(numRuns / 4)
})
