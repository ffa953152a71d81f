/** Special functions. */
import * as raw from '../primitive/elementwise.ts'
import { binary, ternary, unary } from './operands.ts'
import type { Binary, Ternary, Unary } from '../types.ts'

/** The error function, 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf: Unary = unary('erf', raw.erf)

/** 1 − erf(x), exact where erf is near 1. */
export const erfc: Unary = unary('erfc', raw.erfc)

/** The number whose error function is x. */
export const erfInv: Unary = unary('erfInv', raw.erfInv)

/** log |Γ(x)|. */
export const lgamma: Unary = unary('lgamma', raw.lgamma)

/** The derivative of log Γ. */
export const digamma: Unary = unary('digamma', raw.digamma)

/** The derivative of order n ≥ 0 of the digamma function at x. */
export const polygamma: Binary = binary('polygamma', raw.polygamma)

/** The Hurwitz zeta function, Σₖ (k + q)⁻ˢ over k ≥ 0. */
export const zeta: Binary = binary('zeta', raw.zeta)

/** The regularised lower incomplete gamma function, 1/Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt. */
export const igamma: Binary = binary('igamma', raw.igamma)

/** The regularised upper incomplete gamma function, 1 − igamma(a, x). */
export const igammac: Binary = binary('igammac', raw.igammac)

/** The derivative of igamma(a, x) in a. */
export const igammaGradA: Binary = binary('igammaGradA', raw.igammaGradA)

/** The derivative in a of a sample x of the gamma distribution of shape a. */
export const randomGammaGrad: Binary = binary('randomGammaGrad', raw.randomGammaGrad)

/**
 * The regularised incomplete beta function, 1/B(a, b) ∫₀ˣ tᵃ⁻¹ (1 − t)ᵇ⁻¹ dt.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.betainc(1, 1, 0.25).item() // => 0.25
 * ```
 */
export const betainc: Ternary = ternary('betainc', raw.regularizedIncompleteBeta)

/** e^(−|x|) I₀(x), of the modified Bessel function of order 0. */
export const besselI0e: Unary = unary('besselI0e', raw.besselI0e)

/** e^(−|x|) I₁(x), of the modified Bessel function of order 1. */
export const besselI1e: Unary = unary('besselI1e', raw.besselI1e)
