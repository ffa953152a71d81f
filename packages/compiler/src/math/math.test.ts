import { scalarFunctions } from '@fluxion/core'
import { expect, test } from 'vitest'
import { f32Functions, mathRows } from '../lower/rows/math.ts'
import { floats, generator, sample } from '../lower/rows/samples.testing.ts'
import { expectReference } from '../lower/rows/harness.testing.ts'
import { ulps, worstOf } from './accuracy.testing.ts'
import { compiled } from './evaluate.testing.ts'
import { approximations, specials } from './functions.testing.ts'

const roundings = ['once', 'twice'] as const

test.each(approximations)('$name is within $bound ulp, however fma rounds', ({ f, exact, bound }) => {
  for (const rounding of roundings) {
    const got = compiled(f, rounding)
    // 107,000 numbers of each sign, as dense as f32s are
    const worst = worstOf(got, exact, 20011)
    expect(worst.ulps, `at ${worst.at}`).toBeLessThanOrEqual(bound)
    for (const x of specials)
      expect(ulps(got(x), exact(x)), `${got(x)} for ${exact(x)} of ${x}`).toBeLessThanOrEqual(bound)
  }
})

/** Pairs of numbers of all sizes, and every pair of special ones. */
function* pairs(count: number): Generator<readonly [number, number]> {
  const random = generator(1)
  const [xs, ys] = [0, 1].map(() => sample('float32', [count], random).data)
  for (let i = 0; i < count; i++) yield [xs![i]!, ys![i]!]
  for (const x of specials) for (const y of specials) yield [x, y]
}
test('atan2 is within 2.5 ulp, and exact of zeros and infinities', () => {
  for (const rounding of roundings) {
    const got = compiled((y, x) => f32Functions['atan2']!(y, x), rounding)
    for (const [y, x] of pairs(100000)) {
      const exact = Math.atan2(y, x)
      expect(ulps(got(y, x), exact), `${got(y, x)} for ${exact} of ${y}, ${x}`).toBeLessThanOrEqual(2.5)
    }
  }
})

test.each(Object.keys(mathRows))('the row of %s gives what its reference does, in every float', (name) => {
  const random = generator(2)
  for (const dtype of floats) {
    const args = Array.from({ length: f32Functions[name]!.length }, () => sample(dtype, [500], random))
    // The reference rounds once; f32 has the error of the approximation beside that, and narrower floats are rounded from it.
    const ulps = dtype === 'float64' ? 0 : dtype === 'float32' ? 3 : 1
    expectReference(mathRows, name, args, {}, { ulps, host: scalarFunctions })
  }
})
