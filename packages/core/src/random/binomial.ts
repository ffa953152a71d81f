/** Binomial, multinomial and geometric samples. */
import type { ArrayLike, NDArray } from '../array.ts'
import { scan, whileLoop } from '../control/loops.ts'
import type { DType } from '../dtype.ts'
import { ShapeError, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { array } from '../numpy/create.ts'
import { take } from '../numpy/indexing/take.ts'
import { broadcastTo, promoteDtypesInexact } from '../numpy/promote.ts'
import { choose } from '../numpy/select.ts'
import { add, divide, multiply, negative, subtract } from '../numpy/ufuncs/arithmetic.ts'
import { equal, greater, less, lessEqual, logicalOr } from '../numpy/ufuncs/comparison.ts'
import { clip } from '../numpy/ufuncs/selection.ts'
import { cumsum } from '../primitive/cumulative.ts'
import { ceil, convert, eq, floor, log, log1p, ne, sqrt } from '../primitive/elementwise.ts'
import { full, moveAxis } from '../primitive/movement.ts'
import { randomSplit } from '../primitive/random.ts'
import type { Shape } from '../shape.ts'
import { scalar } from '../trace.ts'
import {
  type FloatOptions,
  type IntegerOptions,
  type SampleShape,
  checkKey,
  floatDtype,
  integerDtype,
  keysOf,
  sampleShape,
  shapeOf,
} from './arguments.ts'
import type { Key } from './key.ts'
import { type Proposal, goesOn, rejectTransformed } from './rejection.ts'
import { drawUniform } from './uniform.ts'

/** Parameters in the dtype that they have in common, as strong floats. */
const floats = (where: string, ...params: readonly ArrayLike[]): NDArray[] =>
  promoteDtypesInexact(where, ...params).map((x) => convert(x, x.dtype))

/**
 * Geometric samples: how many trials of probability p it takes until the first success, ⌊log u / log(1 − p)⌋ + 1.
 *
 * @param p above 0, at most 1
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.geometric(random.key(0), 1, [3]) // => [1, 1, 1]
 * ```
 */
export function geometric(key: Key, p: ArrayLike, shape?: SampleShape, options: IntegerOptions = {}): NDArray {
  const where = 'random.geometric'
  const dtype = integerDtype(where, options)
  const checked = checkKey(where, key)
  const [probability] = floats(where, p) as [NDArray]
  const drawn = drawUniform(checked, sampleShape(where, shape, shapeOf(p)), probability.dtype)
  // log 0 would be infinite
  const u = choose(equal(drawn, 0), 1, drawn)
  const failures = floor(divide(log(u), log1p(negative(probability))))
  return convert(add(failures, 1), dtype)
}

/**
 * Binomial samples: how many of n trials of probability p succeed. Where n·min(p, 1 − p) is at most 10, lengths of runs of failures
 * are added up to n; elsewhere samples come from transformed rejection (Hörmann, 1993, "The generation of binomial random
 * variates").
 *
 * @param n not negative; a fraction is dropped
 * @param p from 0 to 1
 * @returns floats; NaN where n or p is negative or NaN
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.binomial(random.key(0), 5, 1, [2]) // => [5, 5]
 * ```
 */
export function binomial(
  key: Key,
  n: ArrayLike,
  p: ArrayLike,
  shape?: SampleShape,
  options: FloatOptions = {},
): NDArray {
  const where = 'random.binomial'
  const dtype = floatDtype(where, options)
  const checked = checkKey(where, key)
  const [given] = floats(where, p) as [NDArray]
  const asked = sampleShape(where, shape, shapeOf(n), shapeOf(p))
  const probability = broadcastTo(given, asked)
  const trials = broadcastTo(convert(floats(where, n)[0]!, given.dtype), asked)

  // counting the rarer outcome is quicker
  const rare = less(probability, 0.5)
  const folded = choose(rare, probability, subtract(1, probability))
  const wrongP = logicalOr(ne(folded, folded), less(folded, 0))
  const q = choose(wrongP, 0.01, folded)
  const wrongN = logicalOr(ne(trials, trials), less(trials, 0))
  const endless = equal(trials, Infinity)
  const few = logicalOr(wrongN, lessEqual(multiply(trials, q), 10))
  const whole = floor(trials)

  // each algorithm gets parameters that suit it where the other one's result is taken
  const summed = sumRuns(checked, choose(few, whole, 0), q, dtype)
  const rejection = rejectTransformed(checked, proposalOf(choose(few, 1e4, whole), choose(few, 0.5, q)), dtype)
  const successes = choose(few, summed, rejection)
  const invalid = logicalOr(wrongP, wrongN)
  const counted = choose(invalid, NaN, choose(endless, Infinity, successes))
  const asIs = logicalOr(logicalOr(rare, wrongN), logicalOr(ne(folded, folded), endless))
  return choose(asIs, counted, subtract(convert(whole, dtype), counted))
}

/** How many runs of failures, each with its success, fit into n trials. */
function sumRuns(key: NDArray, n: NDArray, p: NDArray, dtype: DType): NDArray {
  const { shape, dtype: computed } = p
  const logFailure = log1p(negative(p))
  const [, runs] = whileLoop(
    ([round, , sum]: readonly NDArray[]) => goesOn(lessEqual(sum!, n), round!, dtype),
    ([round, count, sum, one]: readonly NDArray[]) => {
      const [subkey, next] = keysOf(one!) as [NDArray, NDArray]
      const run = ceil(divide(log(drawUniform(subkey, shape, computed)), logFailure))
      return [add(round!, 1), choose(lessEqual(sum!, n), add(count!, 1), count!), add(sum!, run), next]
    },
    [scalar(0, 'int32'), full(shape, 0, computed), full(shape, 0, computed), key] as readonly NDArray[],
  ) as readonly NDArray[]
  return convert(subtract(runs!, 1), dtype)
}

// log k! less Stirling's approximation of it, for k from 0 to 9
const stirlingTails = [
  0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
  0.0138761288230707, 0.0118967099458917, 0.010411265261972, 0.00925546218271273, 0.00833056343336287,
]
/** log k! − ((k + ½)·log(k + 1) − (k + 1) + ½·log 2π), from a table or as 1/12x − 1/360x³ + 1/1260x⁵ at x = k + 1. */
function stirlingTail(k: NDArray): NDArray {
  const table = array(stirlingTails, { dtype: k.dtype })
  const small = clip(k, 0, 9)
  const x = add(small, 1)
  const squared = multiply(x, x)
  const inner = divide(subtract(1 / 360, divide(1 / 1260, squared)), squared)
  const series = divide(subtract(1 / 12, inner), x)
  return choose(lessEqual(k, 9), take(table, convert(floor(small), 'int32')), series)
}

/** Hörmann's constants for the binomial distribution. */
function proposalOf(n: NDArray, p: NDArray): Proposal {
  const failure = subtract(1, p)
  const deviation = sqrt(multiply(multiply(n, p), failure))
  const b = add(1.15, multiply(2.53, deviation))
  const odds = divide(p, failure)
  const mode = floor(multiply(add(n, 1), p))
  const middle = add(multiply(n, p), 0.5)
  // the logarithm of the ratio of the probabilities of k and of the mode
  const logProbability = (k: NDArray): NDArray => {
    const [fromMode, fromK] = [subtract(n, mode), subtract(n, k)].map((x) => add(x, 1)) as [NDArray, NDArray]
    const terms = [
      multiply(add(mode, 0.5), log(divide(add(mode, 1), multiply(odds, fromMode)))),
      multiply(add(n, 1), log(divide(fromMode, fromK))),
      multiply(add(k, 0.5), log(divide(multiply(odds, fromK), add(k, 1)))),
      stirlingTail(mode),
      stirlingTail(subtract(n, mode)),
      negative(stirlingTail(k)),
      negative(stirlingTail(subtract(n, k))),
    ]
    return terms.reduce((sum, term) => add(sum, term))
  }
  return {
    a: add(add(-0.0873, multiply(0.0248, b)), multiply(0.01, p)),
    b,
    shift: (x) => add(x, middle),
    surely: subtract(0.92, divide(4.2, b)),
    alpha: multiply(add(2.83, divide(5.1, b)), deviation),
    logProbability,
    refused: (k) => logicalOr(less(k, 0), greater(k, n)),
  }
}

/**
 * Multinomial samples: how many of n trials fall into each of the categories of the last axis.
 *
 * @param n how many trials, not negative
 * @param p f32[..., k] probabilities whose sum is 1
 * @param shape with the last axis, that of `p` by default
 * @returns floats f32[...shape] whose sums are n
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.sum(random.multinomial(random.key(0), 20, np.array([0.2, 0.3, 0.5]))).item() // => 20
 * ```
 */
export function multinomial(
  key: Key,
  n: ArrayLike,
  p: NDArray,
  shape?: SampleShape,
  options: FloatOptions = {},
): NDArray {
  const where = 'random.multinomial'
  const dtype = floatDtype(where, options)
  const checked = checkKey(where, key)
  const [trials, given] = floats(where, n, p) as [NDArray, NDArray]
  if (given.ndim === 0) throw new ShapeError(misuse(where, 'probabilities f32[...,k]', showAval(given.aval)))
  const asked = sampleShape(where, shape ?? given.shape, given.shape)
  const outer: Shape = asked.slice(0, -1)
  const first = moveAxis(broadcastTo(given, asked), asked.length - 1, 0)
  // a category's share of what the categories before it have left
  const rest = cumsum(first, 0, true)
  const shares = divide(first, choose(eq(rest, scalar(0, rest.dtype)), 1, rest))
  const [, counts] = scan(
    (left: NDArray, [share, one]: readonly [NDArray, NDArray]): [NDArray, NDArray] => {
      const count = binomial(one, left, clip(share, 0, 1), null, { dtype: left.dtype })
      return [subtract(left, count), count]
    },
    broadcastTo(trials, outer),
    [shares, randomSplit(checked, [first.shape[0]!])] as const,
  ) as readonly [NDArray, NDArray]
  return convert(moveAxis(counts, 0, asked.length - 1), dtype)
}
