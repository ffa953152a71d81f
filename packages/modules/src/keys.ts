/** Random keys in sequence, as Haiku draws them. */
import { NDArray, OptionError, ShapeError, misuse, random, showAval } from '@fluxion/core'

/** A key u32[2] or an error that says what was given instead. */
export function checkKey(where: string, key: unknown, expectation: string, hint: string): NDArray {
  if (!(key instanceof NDArray)) throw new OptionError(misuse(where, expectation, typeof key, hint))
  if (key.dtype === 'uint32' && key.shape.join() === '2') return key
  throw new ShapeError(misuse(where, expectation, showAval(key.aval), hint))
}

/** Keys in order: each one splits what is left, unless keys have been reserved. */
export class KeySequence {
  #key: NDArray
  #reserved: NDArray[] = []
  constructor(key: NDArray) {
    this.#key = key
  }
  /** The next key. */
  next(): NDArray {
    if (this.#reserved.length === 0) this.reserve(1)
    return this.#reserved.shift()!
  }
  /** Several keys, split off at once. */
  take(count: number): NDArray[] {
    this.reserve(Math.max(0, count - this.#reserved.length))
    return this.#reserved.splice(0, count)
  }
  /** Split off keys for later, all at once. */
  reserve(count: number): void {
    if (!Number.isInteger(count) || count < 0)
      throw new OptionError(misuse('reserve', 'a number of keys', String(count)))
    if (count === 0) return
    const keys = random.split(this.#key, count + 1)
    this.#key = keys.get(0)
    for (let i = 1; i <= count; i++) this.#reserved.push(keys.get(i))
  }
  /** What later keys come from: the key that is left, then reserved ones. */
  get state(): readonly NDArray[] {
    return [this.#key, ...this.#reserved]
  }
  set state([key, ...reserved]: readonly NDArray[]) {
    this.#key = key!
    this.#reserved = reserved
  }
}

/**
 * Random keys one after the other, for scripts outside of transformed functions.
 *
 * @param keyOrSeed a key, or the seed of one
 * @throws OptionError or ShapeError if it is neither
 * @example
 * ```ts
 * import * as hk from '@fluxion/modules'
 * const keys = hk.prngSequence(42)
 * keys.next() // => [64467757, 2916123636]
 * ```
 */
export const prngSequence = (keyOrSeed: NDArray | number): KeySequence =>
  new KeySequence(
    typeof keyOrSeed === 'number'
      ? random.key(keyOrSeed)
      : checkKey('prngSequence', keyOrSeed, 'a key u32[2] or a seed', 'random.key(seed)'),
  )
