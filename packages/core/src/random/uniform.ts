/** Bits, uniform floats and uniform integers: what all other distributions are made of. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype, dtypes } from '../dtype.ts'
import { DtypeError, checkOptions, misuse } from '../errors.ts'
import { checkShape } from '../numpy/create.ts'
import { add, bitcast, convert, max, mul, or, shiftLeft, shiftRightLogical, sub } from '../primitive/elementwise.ts'
import { concatenate, slice } from '../primitive/movement.ts'
import { randomBits } from '../primitive/random.ts'
import { scalarLike } from '../primitive/rules.ts'
import type { Shape } from '../shape.ts'
import { type FloatOptions, checkKey, floatDtype, parameter, sampleShape, shapeOf, spread } from './arguments.ts'
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
    throw new DtypeError(misuse('random.bits', 'uint8, uint16 or uint32', dtype, 'random.randint makes signed integers'))
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
  const where = 'random.uniform'
  const dtype = floatDtype(where, options, ['minval', 'maxval'])
  const { minval = 0, maxval = 1 } = options
  const checked = sampleShape(where, shape, shapeOf(minval), shapeOf(maxval))
  const lowest = parameter(where, minval, dtype)
  const bound = parameter(where, maxval, dtype)
  return uniformBetween(checkKey(where, key), checked, lowest, bound)
}

/** The same between arrays of the dtype of the result. */
export function uniformBetween(key: NDArray, shape: Shape, lowest: NDArray, bound: NDArray): NDArray {
  const unit = sub(mantissas(key, shape, lowest.dtype), scalarLike(lowest, 1))
  const low = spread(lowest, shape)
  // rounding may have left the range below
  return max(low, add(mul(unit, sub(spread(bound, shape), low)), low))
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
