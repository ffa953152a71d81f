// Special functions of f32 against float64, over the ranges that docs/accuracy.md states.
import { scalarFunctions } from '@fluxion/core'
import { expect, test } from 'vitest'
import { checkKernel } from '../../loops/check.ts'
import { f32, store } from '../../loops/build.ts'
import { Buffer } from '../../loops/ir.ts'
import { expectReference } from '../../lower/rows/harness.testing.ts'
import { f32Functions, mathRows, specialFunctions } from '../../lower/rows/elementwise/math.ts'
import { floats, generator, hostArray, sample } from '../../lower/rows/samples.testing.ts'
import { compiled } from '../evaluate.testing.ts'

type Random = () => number
/** A number whose logarithm is evenly distributed. */
const spread = (random: Random, low: number, high: number): number => low * (high / low) ** random()
/** What docs/accuracy.md states: the error is at most the sum of both. */
interface Case {
  readonly name: string
  readonly of: string
  readonly args: (random: Random) => readonly number[]
  readonly relative: number
  readonly absolute: number
}
const row = (
  name: string,
  of: string,
  relative: number,
  absolute: number,
  args: (random: Random) => readonly number[],
): Case => ({ name, of, relative, absolute, args })
/** A shape, and an argument of its size. */
const near = (random: Random, low: number, high: number): readonly number[] => {
  const a = spread(random, low, high)
  return [a, a * spread(random, 0.3, 3)]
}
const cases: readonly Case[] = [
  row('lgamma', 'positive numbers', 1e-6, 1e-6, (r) => [spread(r, 1e-6, 1e6)]),
  row('lgamma', 'negative numbers', 1e-6, 2e-5, (r) => [-30 * r()]),
  row('digamma', 'positive numbers', 2e-6, 1e-6, (r) => [spread(r, 1e-6, 1e6)]),
  row('digamma', 'negative numbers', 5e-6, 1e-5, (r) => [-30 * r()]),
  row('zeta', 'positive numbers', 2e-6, 0, (r) => [1 + spread(r, 1e-2, 40), spread(r, 1e-1, 1e3)]),
  row('zeta', 'negative numbers', 2e-6, 2e-5, (r) => [2 + Math.floor(5 * r()), -10 * r()]),
  row('polygamma', 'positive numbers', 1e-5, 1e-6, (r) => [Math.floor(30 * r()), spread(r, 0.1, 1e2)]),
  row('polygamma', 'negative numbers', 1e-5, 5e-5, (r) => [Math.floor(4 * r()), -8 * r()]),
  row('igamma', 'large shapes', 1e-4, 2e-6, (r) => near(r, 1e-2, 1e4)),
  row('igamma', 'small shapes', 1e-4, 2e-6, (r) => [spread(r, 1e-2, 20), spread(r, 1e-2, 30)]),
  row('igammac', 'large shapes', 1e-4, 2e-6, (r) => near(r, 1e-2, 1e4)),
  row('igammac', 'small shapes', 1e-4, 2e-6, (r) => [spread(r, 1e-2, 20), spread(r, 1e-2, 30)]),
  row('igamma_grad_a', 'all', 1e-4, 5e-5, (r) => near(r, 1e-2, 1e3)),
  row('random_gamma_grad', 'all', 3e-4, 0, (r) => near(r, 1e-2, 1e3)),
  row('regularized_incomplete_beta', 'all', 1e-4, 2e-5, (r) => [spread(r, 0.1, 1e3), spread(r, 0.1, 1e3), r()]),
  row('bessel_i0e', 'all', 1e-6, 0, (r) => [(r() - 0.5) * 100]),
  row('bessel_i1e', 'all', 1e-6, 0, (r) => [(r() - 0.5) * 100]),
]
test.each(cases)(
  '$name of $of is within $relative of its size plus $absolute',
  ({ name, args, relative, absolute }) => {
    const exact = scalarFunctions[name]!
    for (const rounding of ['once', 'twice'] as const) {
      const random = generator(1)
      const got = compiled(specialFunctions[name]!, rounding, exact.length)
      for (let i = 0; i < 2000; i++) {
        const given = args(random).map(Math.fround)
        const [is, should] = [got(...given), exact(...given)]
        // what f32 cannot hold
        if (Math.abs(should) > 2 ** 127 || Math.abs(should) < 2 ** -120) continue
        if (!(Math.abs(is - should) <= relative * Math.abs(should) + absolute))
          expect.fail(`${is} for ${should} of ${given.join(', ')}`)
      }
    }
  },
)

const target = { name: 'webgpu', parallel: true, host: false } as const
test.each(Object.keys(specialFunctions))(
  '%s of zeros, infinities, NaN and whole numbers is that of the reference',
  (name) => {
    const arity = scalarFunctions[name]!.length
    const edges = [0, -0, 1, -1, 2, 0.5, Infinity, -Infinity, NaN]
    const all = (count: number): number[][] =>
      count === 0 ? [[]] : all(count - 1).flatMap((rest) => edges.map((x) => [...rest, x]))
    const lists = all(arity)
    const args = Array.from({ length: arity }, (_, i) =>
      hostArray(
        'float32',
        [lists.length],
        lists.map((list) => list[i]!),
      ),
    )
    expectReference(mathRows, name, args, {}, { target, ulps: 20, absolute: 1e-6 })
  },
)
test('where there is a host it computes special functions, in float64', () => {
  const random = generator(2)
  for (const dtype of floats) {
    for (const name of ['lgamma', 'bessel_i0e'])
      expectReference(mathRows, name, [sample(dtype, [200], random)], {}, { ulps: dtype === 'float64' ? 0 : 1 })
  }
})
test('kernels of all functions are well-formed', () => {
  for (const [name, f] of Object.entries({ ...f32Functions, ...specialFunctions })) {
    const out = new Buffer('out', 'float32', 1)
    const args = Array.from({ length: scalarFunctions[name]!.length }, () => f32(0.5))
    checkKernel({
      kind: 'nest',
      name,
      params: [out],
      grid: [],
      body: [store(out, { op: 'const', type: 'i32', value: 0 }, f(...args))],
    })
  }
})
