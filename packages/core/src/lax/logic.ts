/** Comparisons and operations on bits. */
import * as raw from '../primitive/elementwise.ts'
import { binary, unary } from './operands.ts'
import type { Binary, Unary } from '../types.ts'

/**
 * Whether x = y.
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.eq(np.array([1, 2]), 2) // => [0, 1]
 * ```
 */
export const eq: Binary = binary('eq', raw.eq)

/** Whether x ≠ y, which NaN is to everything. */
export const ne: Binary = binary('ne', raw.ne)

/** Whether x < y. */
export const lt: Binary = binary('lt', raw.lt)

/** Whether x ≤ y. */
export const le: Binary = binary('le', raw.le)

/** Whether x > y. */
export const gt: Binary = binary('gt', raw.gt)

/** Whether x ≥ y. */
export const ge: Binary = binary('ge', raw.ge)

/** Whether an element is neither infinite nor NaN. */
export const isFinite: Unary = unary('isFinite', raw.isFinite)

/** All bits inverted; of a boolean its negation. */
export const bitwiseNot: Unary = unary('bitwiseNot', raw.not)

/** The bits that are set in x and in y. */
export const bitwiseAnd: Binary = binary('bitwiseAnd', raw.and)

/** The bits that are set in x or in y. */
export const bitwiseOr: Binary = binary('bitwiseOr', raw.or)

/** The bits in which x and y differ. */
export const bitwiseXor: Binary = binary('bitwiseXor', raw.xor)

/** x · 2ʸ by shifting bits; 0 if y is not between 0 and the width. */
export const shiftLeft: Binary = binary('shiftLeft', raw.shiftLeft)

/** x shifted right, filled with its sign. */
export const shiftRightArithmetic: Binary = binary('shiftRightArithmetic', raw.shiftRightArithmetic)

/** x shifted right, filled with zeros. */
export const shiftRightLogical: Binary = binary('shiftRightLogical', raw.shiftRightLogical)

/** How many bits are set. */
export const populationCount: Unary = unary('populationCount', raw.populationCount)

/** How many leading bits are 0. */
export const clz: Unary = unary('clz', raw.clz)
