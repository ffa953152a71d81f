/** Products of vectors in space, of Kronecker, and of polynomials: cross, kron, convolve, correlate. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convGeneralDilated } from '../../primitive/conv.ts'
import { mul } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { range } from '../../shape.ts'
import { get } from '../indexing/get.ts'
import { moveaxis } from '../manipulation/axes.ts'
import { stack } from '../manipulation/join.ts'
import { asArrays, broadcastAll, promoteDtypes, promoteDtypesInexact } from '../promote.ts'
import { multiply, subtract } from '../ufuncs/arithmetic.ts'
import { type ProductOptions, checkProduct } from './contract.ts'

/**
 * The Kronecker product: each element of `x` times the whole of `y`, as blocks.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.kron(np.array([1, 2]), np.array([1, 1])) // => [1, 1, 2, 2]
 * ```
 */
export function kron(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = promoteDtypes('kron', x, y) as [NDArray, NDArray]
  const rank = Math.max(a.ndim, b.ndim)
  const [p, q] = [a, b].map((z) => [...range(rank - z.ndim).map(() => 1), ...z.shape]) as [number[], number[]]
  const shape = p.flatMap((size, i) => [size, q[i]!])
  const spread = (z: NDArray, sizes: readonly number[], odd: 0 | 1): NDArray =>
    lax.broadcastInDim(
      lax.reshape(z, sizes),
      shape,
      range(rank).map((i) => 2 * i + odd),
    )
  return lax.reshape(
    mul(spread(a, p, 0), spread(b, q, 1)),
    p.map((size, i) => size * q[i]!),
  )
}

export interface CrossOptions {
  /** The axis of the components of `x`, of `y`, of the result; the last by default. */
  axisa?: number
  axisb?: number
  axisc?: number
  /** All three at once. */
  axis?: number | null
}

/**
 * The cross product of vectors of three components; of two in the plane z = 0, whose product is the third component alone.
 *
 * @throws ShapeError for vectors of other sizes
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.cross(np.array([1, 0, 0]), np.array([0, 1, 0])) // => [0, 0, 1]
 * ```
 */
export function cross(x: ArrayLike, y: ArrayLike, options: CrossOptions = {}): NDArray {
  checkOptions('cross', options, ['axisa', 'axisb', 'axisc', 'axis'])
  const { axis = null, axisa = axis ?? -1, axisb = axis ?? -1, axisc = -1 } = options
  const [given, other] = asArrays('cross', x, y) as [NDArray, NDArray]
  const [a, b] = [moveaxis(given, axis ?? axisa, -1), moveaxis(other, axis ?? axisb, -1)]
  const [m, n] = [a.shape.at(-1)!, b.shape.at(-1)!]
  if (![2, 3].includes(m) || ![2, 3].includes(n)) {
    throw new ShapeError(misuse('cross', 'vectors of 2 or 3 components', `${showAval(a.aval)} and ${showAval(b.aval)}`))
  }
  const [a0, a1, b0, b1] = [get(a, '...', 0), get(a, '...', 1), get(b, '...', 0), get(b, '...', 1)] as const
  const third = subtract(multiply(a0, b1), multiply(a1, b0))
  if (m === 2 && n === 2) return third
  const a2 = m === 3 ? get(a, '...', 2) : lax.full(a0.shape, 0, a.dtype, a.weakType)
  const b2 = n === 3 ? get(b, '...', 2) : lax.full(b0.shape, 0, b.dtype, b.weakType)
  const parts = [subtract(multiply(a1, b2), multiply(a2, b1)), subtract(multiply(a2, b0), multiply(a0, b2)), third]
  return moveaxis(stack(broadcastAll('cross', ...parts)), 0, axis ?? axisc)
}

/** Which shifts are given: all at which the lists overlap, as many as the longer one has, or those at which one lies inside the other. */
export type ConvolveMode = 'full' | 'same' | 'valid'
export interface ConvolveOptions extends ProductOptions {
  mode?: ConvolveMode
}

function slide(
  where: string,
  x: ArrayLike,
  y: ArrayLike,
  options: ConvolveOptions,
  mode: ConvolveMode,
  flips: boolean,
): NDArray {
  checkProduct(where, options, ['mode'])
  const { preferredElementType } = options
  const promoted = preferredElementType === undefined ? promoteDtypesInexact(where, x, y) : promoteDtypes(where, x, y)
  const [a, b] = promoted as [NDArray, NDArray]
  if (a.ndim !== 1 || b.ndim !== 1 || a.size === 0 || b.size === 0) {
    throw new ShapeError(misuse(where, 'lists of rank 1 with elements', `${showAval(a.aval)} and ${showAval(b.aval)}`))
  }
  // the shorter slides along the longer; that reverses the order in which a correlation comes
  const swapped = a.size < b.size
  const [long, short] = swapped ? [b, a] : [a, b]
  const n = short.size
  const paddings: Readonly<Record<ConvolveMode, readonly [number, number]>> = {
    valid: [0, 0],
    same: [Math.floor(n / 2), n - Math.floor(n / 2) - 1],
    full: [n - 1, n - 1],
  }
  if (!Object.hasOwn(paddings, mode))
    throw new OptionError(misuse(where, "a mode of 'full', 'same' or 'valid'", `'${String(mode)}'`))
  const kernel = flips ? lax.rev(short, [0]) : short
  const product = convGeneralDilated(lax.reshape(long, [1, 1, long.size]), lax.reshape(kernel, [1, 1, n]), {
    windowStrides: [1],
    padding: [paddings[mode]],
    lhsDilation: [1],
    rhsDilation: [1],
    dimensionNumbers: { lhsSpec: [0, 1, 2], rhsSpec: [0, 1, 2], outSpec: [0, 1, 2] },
    featureGroupCount: 1,
    batchGroupCount: 1,
    preferredElementType,
  })
  const result = lax.squeeze(product, [0, 1])
  return swapped && !flips ? lax.rev(result, [0]) : result
}

/**
 * The convolution of two lists: element k is Σᵢ xᵢ y₍ₖ₋ᵢ₎, the coefficients of a product of polynomials.
 *
 * @param options `mode`: `full` by default
 *
 * @throws ShapeError for other ranks than 1, and for empty lists
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.convolve(np.array([1, 2, 3]), np.array([1, 1])) // => [1, 3, 5, 3]
 * ```
 */
export const convolve = (x: ArrayLike, y: ArrayLike, options: ConvolveOptions = {}): NDArray =>
  slide('convolve', x, y, options, options.mode ?? 'full', true)

/**
 * The correlation of two lists: element k is Σᵢ x₍ᵢ₊ₖ₎ yᵢ.
 *
 * @param options `mode`: `valid` by default
 *
 * @throws ShapeError for other ranks than 1, and for empty lists
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.correlate(np.array([1, 2, 3]), np.array([0, 1])) // => [2, 3]
 * ```
 */
export const correlate = (x: ArrayLike, y: ArrayLike, options: ConvolveOptions = {}): NDArray =>
  slide('correlate', x, y, options, options.mode ?? 'valid', false)
