/** What elementwise operations compute of numbers, by the names of their primitives: for back ends that call JavaScript where they have no code of their own. */
import * as bessel from './special/bessel.ts'
import * as error from './special/erf.ts'
import * as gamma from './special/gamma.ts'
import * as incomplete from './special/incomplete.ts'
import { power } from './power.ts'

export const scalarFunctions: Readonly<Record<string, (...args: number[]) => number>> = {
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  log: Math.log,
  expm1: Math.expm1,
  log1p: Math.log1p,
  logistic(x) {
    const e = Math.exp(-Math.abs(x))
    return (x < 0 ? e : 1) / (1 + e)
  },
  cbrt: Math.cbrt,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  tanh: Math.tanh,
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  pow: power,
  atan2: Math.atan2,
  erf: error.erf,
  erfc: error.erfc,
  erf_inv: error.erfInv,
  lgamma: gamma.lgamma,
  digamma: gamma.digamma,
  polygamma: gamma.polygamma,
  zeta: gamma.zeta,
  igamma: incomplete.igamma,
  igammac: incomplete.igammac,
  igamma_grad_a: incomplete.igammaGradA,
  random_gamma_grad: incomplete.randomGammaGrad,
  regularized_incomplete_beta: incomplete.regularizedIncompleteBeta,
  bessel_i0e: bessel.besselI0e,
  bessel_i1e: bessel.besselI1e,
}
