/** Bits, uniform floats and uniform integers: what all other distributions are made of. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype, dtypes, isInteger } from '../dtype.ts'
import { DtypeError, checkOptions, misuse } from '../errors.ts'
import { checkShape } from '../numpy/create.ts'
import { asArray, broadcastTo } from '../numpy/promote.ts'
import { choose } from '../numpy/select.ts'
import {
  add,
  and,
  bitcast,
  clamp,
  convert,
  gt,
  le,
  max,
  mul,
  not,
  or,
  rem,
  shiftLeft,
  shiftRightLogical,
  sub,
} from '../primitive/elementwise.ts'
import { concatenate, slice } from '../primitive/movement.ts'
import { randomBits } from '../primitive/random.ts'
import { scalarLike } from '../primitive/rules.ts'
import type { Shape } from '../shape.ts'
import { scalar } from '../trace.ts'
import {
  type FloatOptions,
  type IntegerOptions,
  checkKey,
  integerDtype,
  keysOf,
  parameter,
  sampleShape,
  sampling,
  shapeOf,
} from './arguments.ts'
import type { Key } from './key.ts'

export interface BitsOptions {
  /** uint8, uint16 or uint32, the default. */
  dtype?: DType
}

/**
 * Random bits, as unsigned integers.
 *
 * @throws DtypeError if the dtype is none of unsigned integers
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.bits(random.key(42), [2], { dtype: 'uint8' }) // => [162, 217]
 * ```
 */
export function bits(key: Key, shape: Shape = [], options: BitsOptions = {}): NDArray {
  checkOptions('random.bits', options, ['dtype'])
  const dtype = checkDtype('random.bits', options.dtype ?? 'uint32')
  if (dtypes[dtype].kind !== 'unsigned') {
    throw new DtypeError(
      misuse('random.bits', 'uint8, uint16 or uint32', dtype, 'random.randint makes signed integers'),
    )
  }
  return randomBits(checkKey('random.bits', key), checkShape('random.bits', shape), dtypes[dtype].bits as 8 | 16 | 32)
}

export interface UniformOptions extends FloatOptions {
  /** The smallest value, 0 by default. */
  minval?: ArrayLike
  /** The bound above all values, 1 by default. */
  maxval?: ArrayLike
}

/**
 * Uniform floats from `minval` up to, but without, `maxval`.
 *
 * Random bits fill the mantissa of a number from 1 to 2; x = (that − 1)·(maxval − minval) + minval.
 *
 * @throws DtypeError if the key is none or the dtype is none of floats; ShapeError if the bounds do not broadcast to the shape
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * const x = random.uniform(random.key(0), [1000], { minval: -1 })
 * np.all(x.ge(-1)).item() // => 1
 * np.all(x.lt(1)).item() // => 1
 * ```
 */
export function uniform(key: Key, shape: Shape = [], options: UniformOptions = {}): NDArray {
  const { minval = 0, maxval = 1 } = options
  const bounds = [minval, maxval]
  const checked = sampling('random.uniform', key, shape, options, bounds, ['minval', 'maxval'], parameter)
  return uniformBetween(checked.key, checked.shape, checked.params[0]!, checked.params[1]!)
}

/** Uniform floats from 0 up to, but without, 1, of a checked key. */
export const drawUniform = (key: NDArray, shape: Shape, dtype: DType): NDArray =>
  uniformBetween(key, shape, scalar(0, dtype), scalar(1, dtype))

/** Uniform floats between arrays of the dtype of the result. */
export function uniformBetween(key: NDArray, shape: Shape, lowest: NDArray, bound: NDArray): NDArray {
  const unit = sub(mantissas(key, shape, lowest.dtype), scalarLike(lowest, 1))
  const low = broadcastTo(lowest, shape)
  // rounding may have left the range below
  return max(low, add(mul(unit, sub(broadcastTo(bound, shape), low)), low))
}

/** Bits of the number 1, and how many bits of randomness there are: bfloat16 has too few mantissa bits to need 16. */
const patterns = {
  float16: { word: 'uint16', one: 0x3c00, width: 16, mantissa: 10 },
  bfloat16: { word: 'uint16', one: 0x3f80, width: 8, mantissa: 7 },
  float32: { word: 'uint32', one: 0x3f800000, width: 32, mantissa: 23 },
} as const

/** Uniform floats from 1 up to, but without, 2. */
function mantissas(key: NDArray, shape: Shape, dtype: DType): NDArray {
  if (dtype === 'float64') return wideMantissas(key, shape)
  const { word, one, width, mantissa } = patterns[dtype as keyof typeof patterns]
  const drawn = convert(randomBits(key, shape, width), word)
  return bitcast(or(shiftRightLogical(drawn, scalarLike(drawn, width - mantissa)), scalarLike(drawn, one)), dtype)
}
/** The same in float64, whose 64 bits come as two words, the high one first: 52 of them are kept. */
function wideMantissas(key: NDArray, shape: Shape): NDArray {
  const words = randomBits(key, shape, 64)
  const [high, low] = [0, 1].map((at) => {
    const start = [...shape.map(() => 0), at]
    return slice(words, start, [...shape, at + 1])
  }) as [NDArray, NDArray]
  const by = (count: number): NDArray => scalarLike(high, count)
  const top = or(shiftRightLogical(high, by(12)), by(0x3ff00000))
  const rest = or(shiftLeft(high, by(20)), shiftRightLogical(low, by(12)))
  return bitcast(concatenate([rest, top], shape.length), 'float64')
}

/**
 * Uniform integers from `minval` up to, but without, `maxval`; `minval` where there are none between.
 *
 * Twice as many bits as an integer has are drawn, and their remainder by the span taken: what bias that leaves is of the size
 * span² / 2⁶⁴.
 *
 * @param minval bounds that broadcast to the shape; numbers beyond the dtype count as its ends
 * @throws DtypeError if the key is none or the dtype is none of integers; ShapeError if the bounds do not broadcast to the shape
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * const dice = random.randint(random.key(0), [600], 1, 7)
 * np.min(dice).item() // => 1
 * np.max(dice).item() // => 6
 * ```
 */
export function randint(
  key: Key,
  shape: Shape,
  minval: ArrayLike,
  maxval: ArrayLike,
  options: IntegerOptions = {},
): NDArray {
  const where = 'random.randint'
  const dtype = integerDtype(where, options)
  const checked = checkKey(where, key)
  const asked = sampleShape(where, shape, shapeOf(minval), shapeOf(maxval))
  // narrow integers are drawn as wide ones, since the bias grows as the bits become fewer
  const { bits: width, min: lowest, max: highest } = dtypes[dtype]
  const drawn = width < 32 ? 'int32' : dtype
  const top = width < 32 ? highest + 1 : highest
  const low = within(where, minval, lowest, highest, drawn)
  const high = within(where, maxval, lowest, top, drawn)
  // with the largest number in the range, the span is one more than the difference of the clipped bounds
  const beyond = width < 32 ? scalar(0, 'bool') : exceeds(where, maxval, highest)
  return convert(integersBetween(checked, asked, low, high, beyond), dtype)
}

/** A bound, clipped to a range and in the dtype of the samples. */
function within(where: string, x: ArrayLike, lowest: number, highest: number, dtype: DType): NDArray {
  if (typeof x === 'number') return scalar(Math.min(Math.max(Math.trunc(x), lowest), highest), dtype)
  const whole = integersOf(where, x)
  const own = dtypes[whole.dtype]
  const clipped = clamp(
    scalarLike(whole, Math.max(own.min, lowest)),
    whole,
    scalarLike(whole, Math.min(own.max, highest)),
  )
  return convert(clipped, dtype)
}
/** Whether a bound lies above a number. */
function exceeds(where: string, x: ArrayLike, highest: number): NDArray {
  if (typeof x === 'number') return scalar(Number(x > highest), 'bool')
  const whole = integersOf(where, x)
  return gt(whole, scalarLike(whole, Math.min(dtypes[whole.dtype].max, highest)))
}
const integersOf = (where: string, x: ArrayLike): NDArray => {
  const given = asArray(where, x, 2)
  return isInteger(given.dtype) ? given : convert(given, 'int32')
}

function integersBetween(key: NDArray, shape: Shape, low: NDArray, high: NDArray, beyond: NDArray): NDArray {
  const word = 'uint32'
  const [lowest, bound, more] = [low, high, beyond].map((x) => broadcastTo(x, shape)) as [NDArray, NDArray, NDArray]
  const empty = le(bound, lowest)
  const difference = choose(empty, 1, convert(sub(bound, lowest), word))
  // a span of 2³² wraps to 0, and the remainder by 0 is the number itself, as it should be
  const span = choose(and(more, not(empty)), add(difference, scalarLike(difference, 1)), difference)
  // (h·2³² + l) mod s = ((h mod s)·(2³² mod s) + l mod s) mod s, with 2³² mod s as (2¹⁶ mod s)² mod s
  const root = rem(broadcastTo(scalar(2 ** 16, word), shape), span)
  const factor = rem(mul(root, root), span)
  const [upper, lower] = keysOf(key).map((one) => rem(randomBits(one, shape, 32), span)) as [NDArray, NDArray]
  const offset = rem(add(mul(upper, factor), lower), span)
  return add(lowest, convert(offset, low.dtype))
}
