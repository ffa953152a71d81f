/** Keys: where they come from, and how one becomes several. */
import { type ArrayLike, NDArray } from '../array.ts'
import { isInteger } from '../dtype.ts'
import { DtypeError, OptionError, ShapeError, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { checkShape } from '../numpy/create.ts'
import { asArray } from '../numpy/promote.ts'
import { convert } from '../primitive/elementwise.ts'
import { concatenate, expandDims, full } from '../primitive/movement.ts'
import { randomFoldIn, randomSplit } from '../primitive/random.ts'
import type { Shape } from '../shape.ts'
import { fromHost, scalar } from '../trace.ts'
import { checkCount, checkKey, checkKeys } from './arguments.ts'

/** A key: an array u32[2]. Several are an array u32[n,2]. */
export type Key = NDArray

/** The lowest 32 bits of a whole number in two's complement. */
const low32 = (value: number): number => ((value % 2 ** 32) + 2 ** 32) % 2 ** 32

/**
 * Make a key of a seed, of which the lowest 32 bits count.
 *
 * @param seed a whole number, or an integer scalar that may be traced
 * @returns u32[2]
 * @throws OptionError if the seed is a number that is not whole; DtypeError or ShapeError if it is another array
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.key(42) // => [0, 42]
 * ```
 */
export function key(seed: ArrayLike): Key {
  if (typeof seed === 'number') {
    if (!Number.isSafeInteger(seed)) throw new OptionError(misuse('random.key', 'a whole number as seed', String(seed)))
    return fromHost({ shape: [2], dtype: 'uint32', data: Uint32Array.of(0, low32(seed)) })
  }
  if (!(seed instanceof NDArray) || !isInteger(seed.dtype)) {
    const got = seed instanceof NDArray ? showAval(seed.aval) : String(seed)
    throw new DtypeError(misuse('random.key', 'an integer as seed', got, "x.astype('int32') makes integers"))
  }
  if (seed.ndim !== 0) {
    throw new ShapeError(
      misuse('random.key', 'one seed', showAval(seed.aval), 'vmap(random.key)(seeds) makes a key of each'),
    )
  }
  return concatenate([full([1], 0, 'uint32'), expandDims(convert(seed, 'uint32'), [0])], 0)
}

/** The same as `key`, by JAX's older name. */
export const PRNGKey: (seed: ArrayLike) => Key = key

/**
 * Make new keys of one, which should not be used afterwards.
 *
 * @param count how many, or a shape of keys
 * @returns u32[count, 2]
 * @throws DtypeError or ShapeError if the key is none
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.split(random.key(0), 3).shape // => [3, 2]
 * random.split(random.key(0), [4, 5]).shape // => [4, 5, 2]
 * ```
 */
export function split(key: Key, count: number | Shape = 2): NDArray {
  const shape =
    typeof count === 'number' ? [checkCount('random.split', 'the count', count)] : checkShape('random.split', count)
  return randomSplit(checkKey('random.split', key), shape)
}

/**
 * Make the key that belongs to a key and an integer, for instance to the number of a training step.
 *
 * @param data an integer scalar that may be traced; its 32 bits count
 * @returns u32[2]
 * @throws DtypeError or ShapeError if the key is none; ShapeError if `data` is no scalar
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * const key = random.key(0)
 * random.foldIn(key, 1).toArray().join() === random.foldIn(key, 2).toArray().join() // => false
 * ```
 */
export function foldIn(key: Key, data: ArrayLike): Key {
  const checked = checkKey('random.foldIn', key)
  if (typeof data === 'number') {
    if (!Number.isInteger(data) || data < -(2 ** 31) || data >= 2 ** 32) {
      throw new OptionError(misuse('random.foldIn', 'a whole number of 32 bits', String(data)))
    }
    return randomFoldIn(checked, scalar(low32(data), 'uint32'))
  }
  const folded = asArray('random.foldIn', data, 1)
  if (folded.ndim !== 0) {
    const hint = 'vmap((data) => random.foldIn(key, data))(numbers) folds in each'
    throw new ShapeError(misuse('random.foldIn', 'one integer', showAval(folded.aval), hint))
  }
  return randomFoldIn(checked, convert(folded, 'uint32'))
}

/**
 * A key again, for code that is meant to use one twice.
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.clone(random.key(1)) // => [0, 1]
 * ```
 */
export const clone = (key: Key): Key => checkKeys('random.clone', key)

/**
 * The words of keys: the keys themselves, which are plain arrays here.
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.keyData(random.key(1)) // => [0, 1]
 * ```
 */
export const keyData = (keys: Key): NDArray => checkKeys('random.keyData', keys)

/**
 * Keys of their words: the array itself, checked.
 *
 * @param data u32[..., 2]
 * @throws DtypeError or ShapeError if these cannot be keys
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.wrapKeyData(random.keyData(random.key(1))) // => [0, 1]
 * ```
 */
export const wrapKeyData = (data: NDArray): Key => checkKeys('random.wrapKeyData', data)

/**
 * The name of the algorithm that keys belong to.
 *
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * random.keyImpl(random.key(1)) // => 'threefry2x32'
 * ```
 */
export function keyImpl(keys: Key): string {
  checkKeys('random.keyImpl', keys)
  return 'threefry2x32'
}
