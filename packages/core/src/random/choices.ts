/** Coins, categories, and elements chosen or put in another order. */
import { type ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype, dtypes, isFloat } from '../dtype.ts'
import { DtypeError, OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { checkShape } from '../numpy/create.ts'
import { searchsorted } from '../numpy/sorting/search.ts'
import { take } from '../numpy/indexing/take.ts'
import { asArray, promoteDtypesInexact } from '../numpy/promote.ts'
import { add, multiply, subtract } from '../numpy/ufuncs/arithmetic.ts'
import { less } from '../numpy/ufuncs/comparison.ts'
import { cumsum } from '../primitive/cumulative.ts'
import { convert, log } from '../primitive/elementwise.ts'
import { full, moveAxis, reshape, slice, transpose } from '../primitive/movement.ts'
import { argmax } from '../primitive/reduce.ts'
import { topK } from '../primitive/sort.ts'
import { type Shape, inserted, normalAxis, range, sizeOf, without } from '../shape.ts'
import { type SampleShape, checkChoice, checkKey, parameter, sampleShape, shapeOf } from './arguments.ts'
import { type GumbelMode, drawGumbel, halves } from './gumbel.ts'
import type { Key } from './key.ts'
import { permutation } from './shuffle.ts'
import { drawUniform, randint } from './uniform.ts'

export interface BernoulliOptions {
  /** The probability of true; 0.5 by default. */
  p?: ArrayLike
  /** `high` draws twice as many bits, for probabilities near 0; `low` by default. */
  mode?: 'low' | 'high'
}
/**
 * Booleans that are true with probability `p`.
 *
 * @param shape the shape of `p` if it is left out
 * @throws DtypeError if `p` is an array of integers
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.sum(random.bernoulli(random.key(0), [3], { p: 1 })).item() // => 3
 * ```
 */
export function bernoulli(key: Key, shape?: SampleShape, options: BernoulliOptions = {}): NDArray {
  const where = 'random.bernoulli'
  checkOptions(where, options, ['p', 'mode'])
  const { p = 0.5, mode = 'low' } = options
  checkChoice(where, 'mode', mode, ['low', 'high'])
  const checked = checkKey(where, key)
  const dtype = p instanceof NDArray ? p.dtype : 'float32'
  if (!isFloat(dtype))
    throw new DtypeError(misuse(where, 'a probability of floats', dtype, "p.astype('float32') converts"))
  const asked = sampleShape(where, shape, shapeOf(p))
  const probability = parameter(where, p, dtype)
  if (mode === 'low') return less(drawUniform(checked, asked, dtype), probability)
  const [u, fine] = halves(drawUniform(checked, [2, ...asked], dtype))
  return less(multiply(fine, dtypes[dtype].eps), subtract(probability, u))
}

/**
 * 1 or −1 with equal probability.
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * np.abs(random.rademacher(random.key(0), [3])) // => [1, 1, 1]
 * ```
 */
export function rademacher(key: Key, shape: Shape = [], options: { dtype?: DType } = {}): NDArray {
  const where = 'random.rademacher'
  checkOptions(where, options, ['dtype'])
  const dtype = checkDtype(where, options.dtype ?? 'int32')
  const coins = convert(bernoulli(checkKey(where, key), checkShape(where, shape)), dtype)
  return convert(subtract(multiply(coins, 2), 1), dtype)
}

export interface CategoricalOptions {
  /** The axis of the categories; the last by default. */
  axis?: number
  /** Whether one category may be drawn twice; true by default. */
  replace?: boolean
  /** How finely Gumbel samples are drawn; see `gumbel`. */
  mode?: GumbelMode
}
/**
 * Categories, drawn with the probabilities softmax(logits): the place of the largest of logits + Gumbel samples. Without
 * replacement, the places of the k largest (Kool, van Hoof and Welling, 2019, "Stochastic beams and where to find them").
 *
 * @param logits f32[..., categories]
 * @param shape ends in the shape of the logits without their axis, which is the default
 * @returns i32[...shape]
 * @throws DtypeError if the logits are no floats; ShapeError if the shape does not fit, or has more samples than there are categories
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * random.categorical(random.key(0), np.array([0, 100, 0]), [4]) // => [1, 1, 1, 1]
 * ```
 */
export function categorical(key: Key, logits: NDArray, shape?: SampleShape, options: CategoricalOptions = {}): NDArray {
  const where = 'random.categorical'
  checkOptions(where, options, ['axis', 'replace', 'mode'])
  const { axis = -1, replace = true, mode = 'low' } = options
  const checked = checkKey(where, key)
  const given = asArray(where, logits, 1)
  if (!isFloat(given.dtype)) {
    throw new DtypeError(misuse(where, 'logits of floats', showAval(given.aval), "logits.astype('float32') converts"))
  }
  const at = normalAxis(where, axis, given.ndim)
  const batch = without(given.shape, [at])
  const asked = sampleShape(where, shape ?? batch, batch)
  const prefix = asked.slice(0, asked.length - batch.length)
  if (!replace) return distinctCategories(checked, given, at, asked, prefix, mode)
  const sizes = inserted(asked.slice(prefix.length), at, given.shape[at]!)
  const noise = drawGumbel(where, checked, [...prefix, ...sizes], given.dtype, mode)
  return argmax(add(noise, given), prefix.length + at)
}
function distinctCategories(
  key: NDArray,
  logits: NDArray,
  axis: number,
  shape: Shape,
  prefix: Shape,
  mode: GumbelMode,
): NDArray {
  const where = 'random.categorical'
  const count = sizeOf(prefix)
  if (count > logits.shape[axis]!) {
    const got = `${count} without replacement`
    throw new ShapeError(misuse(where, `at most ${logits.shape[axis]} samples, the number of categories`, got))
  }
  const noisy = add(logits, drawGumbel(where, key, logits.shape, logits.dtype, mode))
  const [, places] = topK(moveAxis(noisy, axis, noisy.ndim - 1), count)
  return reshape(transpose(places, [places.ndim - 1, ...range(places.ndim - 1)]), shape)
}

export interface ChoiceOptions {
  /** Whether one element may be drawn twice; true by default. */
  replace?: boolean
  /** The probabilities of the elements, f32[n]; equal ones by default. */
  p?: NDArray
  /** The axis to choose along; 0 by default. */
  axis?: number
  /** How finely Gumbel samples are drawn, which choose by `p` without replacement; see `gumbel`. */
  mode?: GumbelMode
}
/**
 * Elements of an array, or numbers from 0 to a − 1, chosen at random.
 *
 * @param a an array, or the number of integers to choose from
 * @param shape the shape of the choice, which replaces the axis
 * @throws OptionError if there are too few elements, or none; ShapeError if `p` is not of one probability an element
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * random.choice(random.key(0), np.array([5, 7]), [3], { p: np.array([0, 1]) }) // => [7, 7, 7]
 * np.sort(random.choice(random.key(0), 4, [4], { replace: false })) // => [0, 1, 2, 3]
 * ```
 */
export function choice(key: Key, a: ArrayLike, shape: Shape = [], options: ChoiceOptions = {}): NDArray {
  const where = 'random.choice'
  checkOptions(where, options, ['replace', 'p', 'axis', 'mode'])
  const { replace = true, p, axis = 0, mode = 'low' } = options
  const checked = checkKey(where, key)
  const asked = checkShape(where, shape)
  const elements = a instanceof NDArray && a.ndim > 0 ? a : undefined
  const at = elements === undefined ? 0 : normalAxis(where, axis, elements.ndim)
  const count = elements === undefined ? wholeOf(where, a) : elements.shape[at]!
  const draws = sizeOf(asked)
  if (draws === 0) return full(asked, 0, elements?.dtype ?? 'int32')
  if (count <= 0) throw new OptionError(misuse(where, 'something to choose from', `${count} elements`))
  if (!replace && draws > count) {
    throw new OptionError(misuse(where, `at most ${count} choices without replacement, one an element`, String(draws)))
  }
  const result = (chosen: NDArray): NDArray => {
    if (elements === undefined) return reshape(chosen, asked)
    const { shape: own } = elements
    return reshape(chosen, [...own.slice(0, at), ...asked, ...own.slice(at + 1)])
  }
  if (p === undefined && !replace) {
    const shuffled = permutation(checked, elements ?? count, { axis: at })
    const stop = shuffled.shape.map((dim, i) => (i === at ? draws : dim))
    return result(
      slice(
        shuffled,
        shuffled.shape.map(() => 0),
        stop,
      ),
    )
  }
  const places = p === undefined ? randint(checked, asked, 0, count) : weighted(checked, p, count, asked, replace, mode)
  return result(elements === undefined ? places : take(elements, places, { axis: at }))
}
function wholeOf(where: string, a: ArrayLike): number {
  const count = a instanceof NDArray ? a.item() : Number(a)
  if (!Number.isInteger(count))
    throw new OptionError(misuse(where, 'a whole number, or an array with axes', String(count)))
  return count
}
/** Places chosen with given probabilities. */
function weighted(key: NDArray, p: NDArray, count: number, shape: Shape, replace: boolean, mode: GumbelMode): NDArray {
  const where = 'random.choice'
  const [given] = promoteDtypesInexact(where, p) as [NDArray]
  if (given.ndim !== 1 || given.shape[0] !== count) {
    throw new ShapeError(misuse(where, `probabilities of shape [${count}], one an element`, showAval(given.aval)))
  }
  // the Gumbel trick: the places of the largest of log p + noise
  if (!replace) return topK(add(drawGumbel(where, key, [count], given.dtype, mode), log(given)), sizeOf(shape))[1]
  const bounds = cumsum(given, 0)
  const total = slice(bounds, [count - 1], [count])
  const r = multiply(reshape(total, []), subtract(1, drawUniform(key, shape, given.dtype)))
  return searchsorted(bounds, r)
}
