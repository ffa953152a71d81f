// All passes over loops together, on random networks.
import { type ClosedJaxpr, type ScanParams, checkJaxpr } from '@fluxion/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inline } from './inline.ts'
import { loops } from './loops.ts'
import { expectSame, namesOf, trace } from './passes.testing.ts'
import { type Layer, build, networks } from './scans/networks.testing.ts'
import { isPointwiseScan } from './scans/pointwise.ts'
import { tidy } from './tidy.ts'

const optimised = (program: ClosedJaxpr): ClosedJaxpr => {
  const result = loops(tidy(inline(program)))
  checkJaxpr(result)
  return result
}

test('random networks mean the same, and are as they are left', () => {
  fc.assert(
    fc.property(networks, (network) => {
      const { f, args } = build(network)
      const program = trace(f, args)
      const result = optimised(program)
      expectSame(program, result, args)
      const again = loops(result)
      checkJaxpr(again)
      expectSame(program, again, args)
    }),
    { numRuns: 25 },
  )
})

test('networks without dense recurrence are pointwise loops with products between, forwards and transposed', () => {
  const layer = fc.record({
    kind: fc.constantFrom<Layer['kind']>('leaky', 'spiking', 'normed'),
    units: fc.integer({ min: 2, max: 4 }),
    shortcut: fc.boolean(),
  })
  const layers = fc.array(layer, { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(layers, fc.boolean(), fc.boolean(), (list, reverse, watched) => {
      const { f, args } = build({ layers: list, steps: 4, reverse, differentiated: true, watched })
      for (const equation of optimised(trace(f, args)).jaxpr.equations) {
        if (equation.primitive.name !== 'scan') continue
        expect(isPointwiseScan(equation), namesOf((equation.params as ScanParams).jaxpr).join()).toBe(true)
      }
    }),
    { numRuns: 20 },
  )
})
