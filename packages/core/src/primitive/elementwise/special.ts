/** Special functions of one, two and three operands; `special/` holds their numerical side. */
import type { NDArray } from '../../array.ts'
import { dtypes } from '../../dtype.ts'
import { scalarLike } from '../rules.ts'
import { abs, add, mul, neg, reciprocal, sign, square, sub } from './arithmetic.ts'
import { gt } from './compare.ts'
import { each, pairs } from './loops.ts'
import { select } from './select.ts'
import * as bessel from './special/bessel.ts'
import * as error from './special/erf.ts'
import * as gamma from './special/gamma.ts'
import * as incomplete from './special/incomplete.ts'
import { type Binary, type Unary, binary, ternary, unary, unsupported } from './table.ts'
import { exp, log, log1p } from './unary.ts'

const times = (t: NDArray, factor: number): NDArray => mul(scalarLike(t, factor), t)

// erf' = 2/√π e^(-x²)
const bell: Unary = (x) => exp(neg(square(x)))
export const erf: Unary = unary('erf', {
  accepts: 'float',
  run: each(error.erf),
  jvp: [(t, x) => times(mul(t, bell(x!)), 2 / Math.sqrt(Math.PI))],
})
export const erfc: Unary = unary('erfc', {
  accepts: 'float',
  run: each(error.erfc),
  jvp: [(t, x) => times(mul(t, bell(x!)), -2 / Math.sqrt(Math.PI))],
})
export const erfInv: Unary = unary('erf_inv', {
  accepts: 'float',
  run: each(error.erfInv),
  jvp: [(t, _, out) => times(mul(t, exp(square(out!))), Math.sqrt(Math.PI) / 2)],
})

export const lgamma: Unary = unary('lgamma', {
  accepts: 'float',
  run: each(gamma.lgamma),
  jvp: [(t, x) => mul(t, digamma(x!))],
})
export const digamma: Unary = unary('digamma', {
  accepts: 'float',
  run: each(gamma.digamma),
  jvp: [(t, x) => mul(t, polygamma(scalarLike(x!, 1), x!))],
})
export const polygamma: Binary = binary('polygamma', {
  accepts: 'float',
  run: pairs(gamma.polygamma),
  jvp: [unsupported('polygamma', 'the order'), (t, n, x) => mul(t, polygamma(add(n!, scalarLike(n!, 1)), x!))],
})
// dζ(s, q)/dq = −s ζ(s + 1, q)
export const zeta: Binary = binary('zeta', {
  accepts: 'float',
  run: pairs(gamma.zeta),
  jvp: [unsupported('zeta', 'the exponent'), (t, s, q) => mul(t, mul(neg(s!), zeta(add(s!, scalarLike(s!, 1)), q!)))],
})

/** The density of the gamma distribution, x^(a−1) e^-x / Γ(a). */
const density = (a: NDArray, x: NDArray): NDArray =>
  exp(sub(add(neg(x), mul(sub(a, scalarLike(a, 1)), log(x))), lgamma(a)))
export const igamma: Binary = binary('igamma', {
  accepts: 'float',
  run: pairs(incomplete.igamma),
  jvp: [(t, a, x) => mul(t, igammaGradA(a!, x!)), (t, a, x) => mul(t, density(a!, x!))],
})
export const igammac: Binary = binary('igammac', {
  accepts: 'float',
  run: pairs(incomplete.igammac),
  jvp: [(t, a, x) => neg(mul(t, igammaGradA(a!, x!))), (t, a, x) => neg(mul(t, density(a!, x!)))],
})
export const igammaGradA: Binary = binary('igamma_grad_a', {
  accepts: 'float',
  run: pairs(incomplete.igammaGradA),
  jvp: [unsupported('igammaGradA', 'a'), unsupported('igammaGradA', 'x')],
})
export const randomGammaGrad: Binary = binary('random_gamma_grad', {
  accepts: 'float',
  run: pairs(incomplete.randomGammaGrad),
  jvp: [unsupported('randomGammaGrad', 'a'), unsupported('randomGammaGrad', 'x')],
})

export const regularizedIncompleteBeta: (a: NDArray, b: NDArray, x: NDArray) => NDArray = ternary(
  'regularized_incomplete_beta',
  {
    accepts: 'float',
    f: incomplete.regularizedIncompleteBeta,
    jvp: [
      unsupported('regularizedIncompleteBeta', 'a'),
      unsupported('regularizedIncompleteBeta', 'b'),
      // x^(a−1) (1−x)^(b−1) / B(a, b)
      (t, a, b, x) => {
        const logBeta = sub(add(lgamma(a!), lgamma(b!)), lgamma(add(a!, b!)))
        const powers = add(mul(sub(b!, scalarLike(b!, 1)), log1p(neg(x!))), mul(sub(a!, scalarLike(a!, 1)), log(x!)))
        return mul(exp(sub(powers, logBeta)), t)
      },
    ],
  },
)

export const besselI0e: Unary = unary('bessel_i0e', {
  accepts: 'float',
  run: each(bessel.besselI0e),
  jvp: [(t, x, out) => mul(t, sub(besselI1e(x!), mul(sign(x!), out!)))],
})
export const besselI1e: Unary = unary('bessel_i1e', {
  accepts: 'float',
  run: each(bessel.besselI1e),
  // I0e − I1e (sign x + 1/x), whose limit at 0 is ½.
  jvp: [
    (t, x, out) => {
      const small = scalarLike(x!, dtypes[x!.dtype].eps)
      const regular = gt(abs(x!), small)
      const safe = select(regular, x!, small)
      const slope = sub(besselI0e(safe), mul(out!, add(sign(safe), reciprocal(safe))))
      return mul(t, select(regular, slope, scalarLike(x!, 0.5)))
    },
  ],
})
