/** Poisson samples. */
import type { ArrayLike, NDArray } from '../array.ts'
import { whileLoop } from '../control/loops.ts'
import type { DType } from '../dtype.ts'
import { broadcastTo } from '../numpy/promote.ts'
import { choose } from '../numpy/select.ts'
import { add, divide, multiply, negative, subtract } from '../numpy/ufuncs/arithmetic.ts'
import { equal, greater, less, logicalAnd, logicalOr } from '../numpy/ufuncs/comparison.ts'
import { lgamma, log, ne, sqrt } from '../primitive/elementwise.ts'
import { full } from '../primitive/movement.ts'
import { scalar } from '../trace.ts'
import {
  type IntegerOptions,
  type SampleShape,
  checkKey,
  integerDtype,
  keysOf,
  parameter,
  sampleShape,
  shapeOf,
} from './arguments.ts'
import type { Key } from './key.ts'
import { type Proposal, goesOn, rejectTransformed } from './rejection.ts'
import { drawUniform } from './uniform.ts'

/**
 * Poisson samples, with probabilities λ^k e^−λ / k!. Small rates count the uniform samples whose product stays above e^−λ (Knuth);
 * those from 10 on are drawn by transformed rejection (Hörmann, 1993, "The transformed rejection method for generating Poisson
 * random variables").
 *
 * @param lam the rate λ, not negative
 * @returns integers; −1 where the rate is NaN
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.poisson(random.key(0), 0, [3]) // => [0, 0, 0]
 * ```
 */
export function poisson(key: Key, lam: ArrayLike, shape?: SampleShape, options: IntegerOptions = {}): NDArray {
  const where = 'random.poisson'
  const dtype = integerDtype(where, options)
  const checked = checkKey(where, key)
  const rate = broadcastTo(parameter(where, lam, 'float32'), sampleShape(where, shape, shapeOf(lam)))
  const small = logicalOr(ne(rate, rate), less(rate, 10))
  // each algorithm gets a rate that suits it where the other one's result is taken
  const counted = countProducts(checked, choose(small, rate, 0), dtype)
  const result = choose(small, counted, rejectTransformed(checked, proposalOf(choose(small, 1e5, rate)), dtype))
  return choose(equal(rate, 0), 0, result)
}

function countProducts(key: NDArray, rate: NDArray, dtype: DType): NDArray {
  const threshold = negative(rate)
  const [, count] = whileLoop(
    ([round, , , logProduct]: readonly NDArray[]) => goesOn(greater(logProduct!, threshold), round!, dtype),
    ([round, k, one, logProduct]: readonly NDArray[]) => {
      const [next, subkey] = keysOf(one!) as [NDArray, NDArray]
      const counted = choose(greater(logProduct!, threshold), add(k!, 1), k!)
      return [add(round!, 1), counted, next, add(logProduct!, log(drawUniform(subkey, rate.shape, 'float32')))]
    },
    [scalar(0, 'int32'), full(rate.shape, 0, dtype), key, full(rate.shape, 0, 'float32')] as readonly NDArray[],
  ) as readonly NDArray[]
  return subtract(count!, 1)
}

/** Hörmann's constants for the Poisson distribution. */
function proposalOf(rate: NDArray): Proposal {
  const logRate = log(rate)
  const b = add(0.931, multiply(2.53, sqrt(rate)))
  return {
    a: add(-0.059, multiply(0.02483, b)),
    b,
    shift: (x) => add(add(x, rate), 0.43),
    surely: subtract(0.9277, divide(3.6224, subtract(b, 2))),
    alpha: add(1.1239, divide(1.1328, subtract(b, 3.4))),
    logProbability: (k) => subtract(add(negative(rate), multiply(k, logRate)), lgamma(add(k, 1))),
    refused: (k, s, v) => logicalOr(less(k, 0), logicalAnd(less(s, 0.013), greater(v, s))),
  }
}
