// Functions of f32 at one number in 53 of all there are, 80 million for each; unit tests take one in 20,000.
import { expect, test } from 'vitest'
import { worstOf } from './accuracy.testing.ts'
import { compiled } from './evaluate.testing.ts'
import { approximations } from './functions.testing.ts'

for (const { name, f, exact, bound } of approximations) {
  test.each(['once', 'twice'] as const)(
    `${name} is within ${bound} ulp where fma rounds %s`,
    { timeout: 600_000 },
    (rounding) => {
      const { ulps, at } = worstOf(compiled(f, rounding), exact, 53)
      expect(ulps, `at ${at}`).toBeLessThanOrEqual(bound)
    },
  )
}
