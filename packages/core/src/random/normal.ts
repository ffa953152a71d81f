/** The normal distribution and what stands close to it. */
import type { NDArray } from '../array.ts'
import type { DType } from '../dtype.ts'
import { checkShape } from '../numpy/create.ts'
import { neighbour } from '../primitive/elementwise/bits.ts'
import { erfInv, mul } from '../primitive/elementwise.ts'
import { scalarLike } from '../primitive/rules.ts'
import type { Shape } from '../shape.ts'
import { scalar } from '../trace.ts'
import { type FloatOptions, checkKey, floatDtype } from './arguments.ts'
import type { Key } from './key.ts'
import { uniformBetween } from './uniform.ts'

/** Standard normal samples of a checked key. */
export function drawNormal(key: NDArray, shape: Shape, dtype: DType): NDArray {
  // the lowest number above −1: erfInv(−1) would be infinite
  const lowest = scalar(neighbour(-1, 0, dtype), dtype)
  const u = uniformBetween(key, shape, lowest, scalar(1, dtype))
  return mul(scalarLike(u, Math.SQRT2), erfInv(u))
}

/**
 * Normal samples of mean 0 and standard deviation 1: √2·erf⁻¹(u) for uniform u between −1 and 1.
 *
 * @throws DtypeError if the key is none or the dtype is none of floats
 *
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * const x = random.normal(random.key(0), [10000])
 * np.abs(np.mean(x)).lt(0.05).item() // => 1
 * ```
 */
export function normal(key: Key, shape: Shape = [], options: FloatOptions = {}): NDArray {
  const dtype = floatDtype('random.normal', options)
  return drawNormal(checkKey('random.normal', key), checkShape('random.normal', shape), dtype)
}
