/** Windows: weights that rise from the ends of a stretch of samples to its middle. */
import type { ArrayLike, NDArray } from '../array.ts'
import * as lax from '../primitive/movement.ts'
import { checkShape } from './create.ts'
import { asArray } from './promote.ts'
import { absolute, add, divide, multiply, square, subtract } from './ufuncs/arithmetic.ts'
import { sqrt } from './ufuncs/exponential.ts'
import { i0 } from './ufuncs/special.ts'
import { cos } from './ufuncs/trigonometric.ts'

type Window = (m: number) => NDArray
/** A window by its formula in the number of each sample; a single sample has weight 1. */
const windowed =
  (where: string, weight: (n: NDArray, m: number) => NDArray): Window =>
  (m) => {
    const [size] = checkShape(where, m) as [number]
    return size <= 1 ? lax.full([size], 1, 'float32') : weight(lax.iota('float32', [size], 0), size)
  }
/** cos(2π k n / (m − 1)) */
const wave = (n: NDArray, m: number, k = 1): NDArray => cos(divide(multiply(2 * k * Math.PI, n), m - 1))

/**
 * Bartlett's window: 1 − |2n + 1 − m| / (m − 1), a triangle.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.bartlett(5) // => [0, 0.5, 1, 0.5, 0]
 * ```
 */
export const bartlett: Window = windowed('bartlett', (n, m) =>
  subtract(1, divide(absolute(subtract(add(multiply(2, n), 1), m)), m - 1)),
)

/**
 * Blackman's window: 0.42 − 0.5 cos(2πn / (m − 1)) + 0.08 cos(4πn / (m − 1)).
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.round(np.blackman(3), { decimals: 4 }).get(1).item() // => 1
 * ```
 */
export const blackman: Window = windowed('blackman', (n, m) =>
  add(subtract(0.42, multiply(0.5, wave(n, m))), multiply(0.08, wave(n, m, 2))),
)

/**
 * Hamming's window: 0.54 − 0.46 cos(2πn / (m − 1)).
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.round(np.hamming(3), { decimals: 2 }).get(1).item() // => 1
 * ```
 */
export const hamming: Window = windowed('hamming', (n, m) => subtract(0.54, multiply(0.46, wave(n, m))))

/**
 * Von Hann's window: (1 − cos(2πn / (m − 1))) / 2.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.hanning(3) // => [0, 1, 0]
 * ```
 */
export const hanning: Window = windowed('hanning', (n, m) => multiply(0.5, subtract(1, wave(n, m))))

/**
 * Kaiser's window: I₀(β √(1 − ((n − α) / α)²)) / I₀(β), with α = (m − 1) / 2.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.kaiser(3, 14).get(1).item() // => 1
 * ```
 */
export function kaiser(m: number, beta: ArrayLike): NDArray {
  const b = asArray('kaiser', beta)
  return windowed('kaiser', (n) => {
    const alpha = 0.5 * (m - 1)
    return divide(i0(multiply(b, sqrt(subtract(1, square(divide(subtract(n, alpha), alpha)))))), i0(b))
  })(m)
}
