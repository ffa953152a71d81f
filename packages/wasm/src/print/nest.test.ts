// Random printed nests mean what the interpreter of the loop IR says.
import { buffersOf, checkKernel, collapseGrid, interpretKernel, type Nest, shareExpressions } from '@fluxion/compiler'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooser, RandomKernel } from './kernels.testing.ts'
import { runPrinted } from './run.testing.ts'

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

test('nests whose expressions are shared and whose grid is collapsed mean the same', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const { nest, data } = new RandomKernel(chooser(seed)).build()
      const shared: Nest = collapseGrid({ ...nest, body: shareExpressions(nest.body) })
      checkKernel(shared)
      expect(new Set(buffersOf(shared))).toEqual(new Set(nest.params))
      const expected = data.map((array) => array.slice())
      interpretKernel(nest, expected)
      const got = data.map((array) => array.slice())
      runPrinted(shared, got, true)
      expect(got).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})
