/** Transformed rejection for counts, in the form that the Poisson and the binomial distribution share. */
import type { NDArray } from '../array.ts'
import { whileLoop } from '../control/loops.ts'
import { type DType, dtypes } from '../dtype.ts'
import { choose } from '../numpy/select.ts'
import { add, divide, multiply, subtract } from '../numpy/ufuncs/arithmetic.ts'
import { greaterEqual, less, lessEqual, logicalAnd, logicalNot, logicalOr } from '../numpy/ufuncs/comparison.ts'
import { abs, convert, floor, log } from '../primitive/elementwise.ts'
import { full } from '../primitive/movement.ts'
import { reduceOr } from '../primitive/reduce.ts'
import { range } from '../shape.ts'
import { scalar } from '../trace.ts'
import { keysOf } from './arguments.ts'
import { drawUniform } from './uniform.ts'

/** Whether a loop over rounds goes on: while a condition holds anywhere, for as many rounds as the dtype of the samples counts. */
export const goesOn = (condition: NDArray, round: NDArray, dtype: DType): NDArray =>
  logicalAnd(reduceOr(condition, range(condition.ndim)), less(round, Math.min(dtypes[dtype].max, dtypes.int32.max)))

/** What a distribution gives to the algorithm; all arrays are of one shape and dtype. */
export interface Proposal {
  /** Parameters of the transformation k = ⌊shift((2a/s + b)·u)⌋ with s = ½ − |u|, for u between −½ and ½. */
  readonly a: NDArray
  readonly b: NDArray
  shift(x: NDArray): NDArray
  /** Where s ≥ 0.07, all v up to this are accepted. */
  readonly surely: NDArray
  /** Samples are accepted if log(v·alpha/(a/s² + b)) is at most their log probability. */
  readonly alpha: NDArray
  logProbability(k: NDArray): NDArray
  /** What is never accepted by the log probability. */
  refused(k: NDArray, s: NDArray, v: NDArray): NDArray
}

/** Draw until every element is accepted. */
export function rejectTransformed(key: NDArray, proposal: Proposal, dtype: DType): NDArray {
  const { a, b, shift, surely, alpha, logProbability, refused } = proposal
  const { shape, dtype: computed } = b
  const [, sample] = whileLoop(
    ([round, , accepted]: readonly NDArray[]) => goesOn(logicalNot(accepted!), round!, dtype),
    ([round, before, accepted, one]: readonly NDArray[]) => {
      const [next, keyOfU, keyOfV] = keysOf(one!, 3) as [NDArray, NDArray, NDArray]
      const u = subtract(drawUniform(keyOfU, shape, computed), 0.5)
      const v = drawUniform(keyOfV, shape, computed)
      const s = subtract(0.5, abs(u))
      const k = floor(shift(multiply(add(divide(multiply(2, a), s), b), u)))
      const level = log(divide(multiply(v, alpha), add(divide(a, multiply(s, s)), b)))
      const likely = logicalAnd(logicalNot(refused(k, s, v)), lessEqual(level, logProbability(k)))
      const taken = logicalOr(logicalAnd(greaterEqual(s, 0.07), lessEqual(v, surely)), likely)
      return [add(round!, 1), choose(taken, k, before!), logicalOr(accepted!, taken), next]
    },
    [scalar(0, 'int32'), full(shape, -1, computed), full(shape, 0, 'bool'), key] as readonly NDArray[],
  ) as readonly NDArray[]
  return convert(sample!, dtype)
}
