/** Exponentials, logarithms and the trigonometric family. */
import * as raw from '../primitive/elementwise.ts'
import { binary, unary } from './operands.ts'
import type { Binary, Unary } from '../types.ts'

/** eˣ. */
export const exp: Unary = unary('exp', raw.exp)

/** 2ˣ. */
export const exp2: Unary = unary('exp2', raw.exp2)

/** The natural logarithm; −∞ at 0 and NaN below. */
export const log: Unary = unary('log', raw.log)

/** eˣ − 1, exact near 0. */
export const expm1: Unary = unary('expm1', raw.expm1)

/** log(1 + x), exact near 0. */
export const log1p: Unary = unary('log1p', raw.log1p)

/**
 * The logistic function, 1 / (1 + e⁻ˣ).
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.logistic(0).item() // => 0.5
 * ```
 */
export const logistic: Unary = unary('logistic', raw.logistic)

/** The sine of x in radians. */
export const sin: Unary = unary('sin', raw.sin)

/** The cosine of x in radians. */
export const cos: Unary = unary('cos', raw.cos)

/** The tangent of x in radians. */
export const tan: Unary = unary('tan', raw.tan)

/** The angle in [−π/2, π/2] whose sine is x. */
export const asin: Unary = unary('asin', raw.asin)

/** The angle in [0, π] whose cosine is x. */
export const acos: Unary = unary('acos', raw.acos)

/** The angle in (−π/2, π/2) whose tangent is x. */
export const atan: Unary = unary('atan', raw.atan)

/** (eˣ − e⁻ˣ) / 2. */
export const sinh: Unary = unary('sinh', raw.sinh)

/** (eˣ + e⁻ˣ) / 2. */
export const cosh: Unary = unary('cosh', raw.cosh)

/** sinh x / cosh x. */
export const tanh: Unary = unary('tanh', raw.tanh)

/** The number whose sinh is x. */
export const asinh: Unary = unary('asinh', raw.asinh)

/** The number of at least 0 whose cosh is x. */
export const acosh: Unary = unary('acosh', raw.acosh)

/** The number whose tanh is x. */
export const atanh: Unary = unary('atanh', raw.atanh)

/**
 * The angle of the point (y, x) from the positive x axis, in [−π, π]; the ordinate comes first.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.atan2(1, -1).item() // => Math.fround(0.75 * Math.PI)
 * ```
 */
export const atan2: Binary = binary('atan2', raw.atan2)
