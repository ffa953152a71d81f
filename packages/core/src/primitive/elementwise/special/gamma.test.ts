// Edges of the zeta function.
import { expect, test } from 'vitest'
import { zeta } from './gamma.ts'

test('zeta of exponents whose powers vanish ends, and is the power of the first term', () => {
  expect([0.5, 1, 2].map((q) => zeta(Infinity, q))).toEqual([Infinity, 1, 0])
  expect([0.5, 1, 2].map((q) => zeta(1e12, q))).toEqual([Infinity, 1, 0])
})
