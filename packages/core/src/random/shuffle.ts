/** Permutations, by sorting along random words. */
import { type ArrayLike, NDArray } from '../array.ts'
import { isInteger } from '../dtype.ts'
import { OptionError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { take } from '../numpy/indexing/take.ts'
import { iota } from '../primitive/movement.ts'
import { randomBits } from '../primitive/random.ts'
import { sort } from '../primitive/sort.ts'
import { normalAxis } from '../shape.ts'
import { checkCount, checkKey, keysOf } from './arguments.ts'
import type { Key } from './key.ts'

export interface PermutationOptions {
  /** The axis to permute along; 0 by default. */
  axis?: number
  /** Permute every line along the axis in its own way, instead of all alike; false by default. */
  independent?: boolean
}
/**
 * The elements of an array along an axis in a random order, or the numbers from 0 to x − 1.
 *
 * @param x an array, or how many numbers
 * @throws OptionError if `x` is a number that is no count; ConcretizationError if it is a traced scalar
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.sort(random.permutation(random.key(0), 4)) // => [0, 1, 2, 3]
 * random.permutation(random.key(42), np.array([5, 6, 7])).shape // => [3]
 * ```
 */
export function permutation(key: Key, x: ArrayLike, options: PermutationOptions = {}): NDArray {
  const where = 'random.permutation'
  checkOptions(where, options, ['axis', 'independent'])
  const { axis = 0, independent = false } = options
  const checked = checkKey(where, key)
  if (!(x instanceof NDArray) || x.ndim === 0) return shuffle(checked, iota('int32', [countOf(where, x)], 0), 0)
  const at = normalAxis(where, axis, x.ndim)
  if (independent || x.ndim === 1) return shuffle(checked, x, at)
  return take(x, shuffle(checked, iota('int32', [x.shape[at]!], 0), 0), { axis: at })
}
function countOf(where: string, x: ArrayLike): number {
  if (x instanceof NDArray && !isInteger(x.dtype)) {
    throw new OptionError(misuse(where, 'a whole number, or an array with axes', showAval(x.aval)))
  }
  return checkCount(where, 'x', x instanceof NDArray ? x.item() : x)
}

/**
 * Sort along random words, again and again. Words may collide, but two elements that once got different words are in random order:
 * with 3 ln n / ln 2³² rounds that fails for some pair with a probability of about 1/n.
 */
function shuffle(key: NDArray, x: NDArray, axis: number): NDArray {
  const rounds = Math.ceil((3 * Math.log(Math.max(1, x.size))) / Math.log(2 ** 32 - 1))
  let [next, shuffled] = [key, x]
  for (let round = 0; round < rounds; round++) {
    const [following, subkey] = keysOf(next) as [NDArray, NDArray]
    const words = randomBits(subkey, x.shape, 32)
    shuffled = sort([words, shuffled], { dimension: axis, isStable: true, numKeys: 1 })[1]!
    next = following
  }
  return shuffled
}
