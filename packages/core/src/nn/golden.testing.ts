/** For tests of gradients against real JAX. */
import type { NDArray } from '../array.ts'
import { type Encoded, type Tolerance, mismatch } from '../numpy/golden.testing.ts'
import { add } from '../numpy/ufuncs/arithmetic.ts'

const unsigned = (x: Encoded): Encoded => ({ ...x, data: x.data.map((element) => (element === 0 ? 0 : element)) })
/** What is wrong with a gradient, apart from the signs of its zeros, which depend on the order of sums. */
export const gradientMismatch = (got: NDArray, expected: Encoded, tolerance: Tolerance): string | undefined =>
  mismatch(add(got, 0), unsigned(expected), tolerance)
