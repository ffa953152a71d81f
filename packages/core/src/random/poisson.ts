/** Poisson samples. */
import type { ArrayLike, NDArray } from '../array.ts'
import { whileLoop } from '../control/loops.ts'
import { type DType, dtypes } from '../dtype.ts'
import { broadcastTo } from '../numpy/promote.ts'
import { choose } from '../numpy/select.ts'
import { add, divide, multiply, negative, subtract } from '../numpy/ufuncs/arithmetic.ts'
import { equal, greater, less, lessEqual, logicalAnd, logicalNot, logicalOr } from '../numpy/ufuncs/comparison.ts'
import { abs, convert, floor, lgamma, log, ne, sqrt } from '../primitive/elementwise.ts'
import { full } from '../primitive/movement.ts'
import { reduceOr } from '../primitive/reduce.ts'
import { range } from '../shape.ts'
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
import { drawUniform } from './uniform.ts'

/** Whether a condition holds anywhere. */
export const anywhere = (condition: NDArray): NDArray => reduceOr(condition, range(condition.ndim))

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
  const result = choose(small, counted, rejectTransformed(checked, choose(small, 1e5, rate), dtype))
  return choose(equal(rate, 0), 0, result)
}

/** More rounds than any sample takes: what the dtype of the samples holds. */
const mayGoOn = (round: NDArray, dtype: DType): NDArray => less(round, Math.min(dtypes[dtype].max, 2 ** 31 - 1))

function countProducts(key: NDArray, rate: NDArray, dtype: DType): NDArray {
  const threshold = negative(rate)
  const [, count] = whileLoop(
    ([round, , , logProduct]: readonly NDArray[]) =>
      logicalAnd(anywhere(greater(logProduct!, threshold)), mayGoOn(round!, dtype)),
    ([round, k, one, logProduct]: readonly NDArray[]) => {
      const [next, subkey] = keysOf(one!) as [NDArray, NDArray]
      const counted = choose(greater(logProduct!, threshold), add(k!, 1), k!)
      return [add(round!, 1), counted, next, add(logProduct!, log(drawUniform(subkey, rate.shape, 'float32')))]
    },
    [scalar(0, 'int32'), full(rate.shape, 0, dtype), key, full(rate.shape, 0, 'float32')] as readonly NDArray[],
  ) as readonly NDArray[]
  return subtract(count!, 1)
}

function rejectTransformed(key: NDArray, rate: NDArray, dtype: DType): NDArray {
  const logRate = log(rate)
  const b = add(0.931, multiply(2.53, sqrt(rate)))
  const a = add(-0.059, multiply(0.02483, b))
  const inverseAlpha = add(1.1239, divide(1.1328, subtract(b, 3.4)))
  const accept = subtract(0.9277, divide(3.6224, subtract(b, 2)))
  const [, sample] = whileLoop(
    ([round, , accepted]: readonly NDArray[]) => logicalAnd(anywhere(logicalNot(accepted!)), mayGoOn(round!, dtype)),
    ([round, before, accepted, one]: readonly NDArray[]) => {
      const [next, keyOfU, keyOfV] = keysOf(one!, 3) as [NDArray, NDArray, NDArray]
      const u = subtract(drawUniform(keyOfU, rate.shape, 'float32'), 0.5)
      const v = drawUniform(keyOfV, rate.shape, 'float32')
      const us = subtract(0.5, abs(u))
      const k = floor(add(add(multiply(add(divide(multiply(2, a), us), b), u), rate), 0.43))
      const s = log(divide(multiply(v, inverseAlpha), add(divide(a, multiply(us, us)), b)))
      const logProbability = subtract(add(negative(rate), multiply(k, logRate)), lgamma(add(k, 1)))
      const surely = logicalAnd(logicalNot(less(us, 0.07)), lessEqual(v, accept))
      const refused = logicalOr(less(k, 0), logicalAnd(less(us, 0.013), greater(v, us)))
      const taken = logicalOr(surely, logicalAnd(logicalNot(refused), lessEqual(s, logProbability)))
      return [add(round!, 1), choose(taken, k, before!), logicalOr(accepted!, taken), next]
    },
    [scalar(0, 'int32'), full(rate.shape, -1, 'float32'), full(rate.shape, 0, 'bool'), key] as readonly NDArray[],
  ) as readonly NDArray[]
  return convert(sample!, dtype)
}
