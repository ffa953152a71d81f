/** Gumbel samples, whose largest element chooses a category. */
import type { NDArray } from '../array.ts'
import { type DType, dtypes } from '../dtype.ts'
import { choose } from '../numpy/select.ts'
import { add, multiply, subtract } from '../numpy/ufuncs/arithmetic.ts'
import * as raw from '../primitive/elementwise.ts'
import { reshape, slice } from '../primitive/movement.ts'
import { randomBits } from '../primitive/random.ts'
import { scalarLike } from '../primitive/rules.ts'
import type { Shape } from '../shape.ts'
import { type FloatOptions, checkChoice, sampling } from './arguments.ts'
import { drawPositive } from './inverse.ts'
import type { Key } from './key.ts'
import { drawUniform } from './uniform.ts'

/** How finely the tail is sampled: `low` by one uniform sample, `high` by two, `highest` by 64 bits (float32 only). */
export type GumbelMode = 'low' | 'high' | 'highest'
export interface GumbelOptions extends FloatOptions {
  /** `low` by default. */
  mode?: GumbelMode
}
const { log, log1p, neg } = raw

/**
 * Gumbel samples, with distribution function e^−e^−x: −log(−log u).
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.gumbel(random.key(0), [3], { mode: 'high' }).shape // => [3]
 * ```
 */
export function gumbel(key: Key, shape: Shape = [], options: GumbelOptions = {}): NDArray {
  const drawn = sampling('random.gumbel', key, shape, options, [], ['mode'])
  return drawGumbel('random.gumbel', drawn.key, drawn.shape, drawn.dtype, options.mode)
}

/** The same of a checked key. */
export function drawGumbel(where: string, key: NDArray, shape: Shape, dtype: DType, mode: GumbelMode = 'low'): NDArray {
  checkChoice(where, 'mode', mode, ['low', 'high', 'highest'])
  if (mode === 'low') return neg(log(neg(log(drawPositive(key, shape, dtype)))))
  return mode === 'highest' && dtype === 'float32' ? finest(key, shape) : fine(key, shape, dtype)
}

/** The two halves of an array whose first axis has size 2. */
export function halves(pair: NDArray): [NDArray, NDArray] {
  const rest = pair.shape.slice(1)
  const half = (at: number): NDArray => reshape(slice(pair, [at, ...rest.map(() => 0)], [at + 1, ...rest]), rest)
  return [half(0), half(1)]
}

/** A second uniform sample fills the bits below those of the first, where it is small. */
function fine(key: NDArray, shape: Shape, dtype: DType): NDArray {
  const { eps, tiny } = dtypes[dtype]
  const [high, low] = halves(drawUniform(key, [2, ...shape], dtype))
  const refined = add(add(high, multiply(low, eps)), tiny)
  const x = choose(raw.ge(high, scalarLike(high, 0.5)), high, refined)
  return neg(log(neg(log1p(neg(x)))))
}

/** Samples from 64 bits: with u near 0 or near 1, the small one of u and 1 − u is what keeps its precision. */
function finest(key: NDArray, shape: Shape): NDArray {
  const [high, low] = halves(randomBits(key, [2, ...shape], 32))
  const word = (value: number): NDArray => scalarLike(high, value)
  // −x in two's complement of 64 bits: 1 − u
  const carry = raw.convert(raw.eq(low, word(0)), 'uint32')
  const [above, below] = [add(raw.not(high), carry), raw.add(raw.not(low), word(1))]
  const small = raw.lt(high, word(2 ** 31))
  const x = fractionOf(choose(small, high, above), choose(small, low, below))
  return choose(small, neg(log(neg(log1p(neg(x))))), neg(log(neg(log(x)))))
}
/** Two words, read as a fraction of 2⁶⁴, as float32: the 23 bits after the leading one, and its place as the exponent. */
function fractionOf(high: NDArray, low: NDArray): NDArray {
  const word = (value: number): NDArray => scalarLike(high, value)
  const [zeros, more] = [raw.clz(high), raw.clz(low)]
  const empty = raw.eq(zeros, word(32))
  const rest = choose(empty, raw.shiftLeft(low, more), raw.shiftRightLogical(low, subtract(word(32), zeros)))
  const mantissa = raw.and(raw.shiftRightLogical(raw.or(raw.shiftLeft(high, zeros), rest), word(8)), word(2 ** 23 - 1))
  const place = choose(empty, add(more, word(32)), zeros)
  // 126 is the exponent, with its bias, of numbers from ½ to 1
  return raw.bitcast(raw.or(raw.shiftLeft(subtract(word(126), place), word(23)), mantissa), 'float32')
}
