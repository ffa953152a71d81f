import { interpretKernel } from '@fluxion/compiler'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooser, RandomKernel, runPrinted } from './kernels.testing.ts'

test.for([false, true])('a printed nest does what it means, to the bit (relaxed: %s)', (relaxed) => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.nat({ max: 40 }), { maxLength: 2 }), (seed, cuts) => {
      const { nest, data } = new RandomKernel(chooser(seed)).build()
      const expected = data.map((array) => array.slice())
      interpretKernel(nest, expected)
      const got = data.map((array) => array.slice())
      runPrinted(nest, got, relaxed, cuts)
      expect(got).toEqual(expected)
    }),
    { numRuns: 400 },
  )
})
