/** Comparisons and logic, element by element, and of arrays as a whole. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { checkOptions } from '../../errors.ts'
import * as lax from '../../primitive/elementwise.ts'
import { type Shape, sameShape } from '../../shape.ts'
import { scalar } from '../../trace.ts'
import { asArray, promoteDtypes, promoteInexact } from '../promote.ts'
import { all } from '../reductions.ts'
import type { Binary, Unary } from '../../types.ts'
import { absolute, add, multiply } from './arithmetic.ts'
import { binary, toBool, unary } from './define.ts'

/**
 * Whether elements are equal; NaN equals nothing.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.equal(np.array([1, 2, 3]), 2) // => [0, 1, 0]
 * ```
 */
export const equal: Binary = binary('equal', lax.eq)

/**
 * Whether elements differ; NaN differs from everything.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.notEqual(np.array([1, 2, 3]), 2) // => [1, 0, 1]
 * ```
 */
export const notEqual: Binary = binary('notEqual', lax.ne)

/**
 * Whether elements of the first array are less.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.less(np.array([1, 2, 3]), 2) // => [1, 0, 0]
 * ```
 */
export const less: Binary = binary('less', lax.lt)

/**
 * Whether elements of the first array are less or equal.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.lessEqual(np.array([1, 2, 3]), 2) // => [1, 1, 0]
 * ```
 */
export const lessEqual: Binary = binary('lessEqual', lax.le)

/**
 * Whether elements of the first array are greater.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.greater(np.array([1, 2, 3]), 2) // => [0, 0, 1]
 * ```
 */
export const greater: Binary = binary('greater', lax.gt)

/**
 * Whether elements of the first array are greater or equal.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.greaterEqual(np.array([1, 2, 3]), 2) // => [0, 1, 1]
 * ```
 */
export const greaterEqual: Binary = binary('greaterEqual', lax.ge)

/**
 * Whether both elements are true; numbers other than 0 are.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.logicalAnd(np.array([true, true]), np.array([true, false])) // => [1, 0]
 * ```
 */
export const logicalAnd: Binary = binary('logicalAnd', (x, y) => lax.and(toBool(x), toBool(y)))

/**
 * Whether one of the elements is true; numbers other than 0 are.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.logicalOr(np.array([true, false]), np.array([true, false])) // => [1, 0]
 * ```
 */
export const logicalOr: Binary = binary('logicalOr', (x, y) => lax.or(toBool(x), toBool(y)))

/**
 * Whether exactly one of the elements is true; numbers other than 0 are.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.logicalXor(np.array([true, true]), np.array([true, false])) // => [0, 1]
 * ```
 */
export const logicalXor: Binary = binary('logicalXor', (x, y) => lax.xor(toBool(x), toBool(y)))

/**
 * Whether elements are false; 0 is the only number that is.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.logicalNot(np.array([0, 2])) // => [1, 0]
 * ```
 */
export const logicalNot: Unary = unary('logicalNot', (x) => lax.not(toBool(x)))

export interface CloseOptions {
  /** Tolerance relative to the second array; 1e-5 by default. */
  rtol?: ArrayLike
  /** Absolute tolerance; 1e-8 by default. */
  atol?: ArrayLike
  /** Whether two NaNs are close to each other. */
  equalNan?: boolean
}

/**
 * Whether |x − y| ≤ atol + rtol·|y|, element by element; infinities are close to themselves only.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.isclose(np.array([1, 2]), np.array([1 + 1e-6, 2.1])) // => [1, 0]
 * ```
 */
export function isclose(x: ArrayLike, y: ArrayLike, options: CloseOptions = {}): NDArray {
  checkOptions('isclose', options, ['rtol', 'atol', 'equalNan'])
  const [a, b] = promoteInexact('isclose', x, y) as [NDArray, NDArray]
  const [rtol, atol] = [options.rtol ?? 1e-5, options.atol ?? 1e-8].map((t) =>
    lax.convert(asArray('isclose', t), b.dtype),
  )
  const within = lessEqual(absolute(lax.sub(a, b)), add(atol!, multiply(rtol!, absolute(b))))
  const close = logicalOr(lax.eq(a, b), logicalAnd(lax.isFinite(b), within))
  return options.equalNan === true ? logicalOr(close, lax.and(lax.ne(a, a), lax.ne(b, b))) : close
}

/**
 * Whether all elements are close to each other; a scalar. See `isclose`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.allclose(np.array([1, 2]), np.array([1, 2.1])).item() // => 0
 * ```
 */
export const allclose = (x: ArrayLike, y: ArrayLike, options: CloseOptions = {}): NDArray => all(isclose(x, y, options))

/**
 * Whether two arrays have the same shape and equal elements; a scalar.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arrayEqual(np.array([1, 2]), np.array([1, 2])).item() // => 1
 * ```
 */
export function arrayEqual(x: ArrayLike, y: ArrayLike, options: { equalNan?: boolean } = {}): NDArray {
  checkOptions('arrayEqual', options, ['equalNan'])
  const [a, b] = promoteDtypes('arrayEqual', x, y) as [NDArray, NDArray]
  if (!sameShape(a.shape, b.shape)) return scalar(0, 'bool')
  const same = lax.eq(a, b)
  return all(options.equalNan === true ? lax.or(same, lax.and(lax.ne(a, a), lax.ne(b, b))) : same)
}

/**
 * Whether two arrays have equal elements once broadcast; a scalar, false for shapes that do not broadcast.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arrayEquiv(np.array([1, 1]), 1).item() // => 1
 * ```
 */
export function arrayEquiv(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = promoteDtypes('arrayEquiv', x, y) as [NDArray, NDArray]
  return broadcastable(a.shape, b.shape) ? all(equal(a, b)) : scalar(0, 'bool')
}
const broadcastable = (a: Shape, b: Shape): boolean =>
  a.toReversed().every((dim, i) => dim === 1 || i >= b.length || b.at(-1 - i) === 1 || b.at(-1 - i) === dim)
