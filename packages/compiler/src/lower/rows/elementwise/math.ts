/** Functions of floats that have code of their own for f32; in float64 JavaScript computes them. Narrower floats are rounded from f32. */
import { isFloat } from '@fluxion/core'
import { narrow } from '../../../loops/build.ts'
import type { Expr } from '../../../loops/ir.ts'
import { erf, erfInv, erfc } from '../../../math/error.ts'
import { cosh, exp, exp2, expm1, logistic, sinh, tanh } from '../../../math/exponential.ts'
import { acos, asin, atan, atan2 } from '../../../math/inverse.ts'
import { acosh, asinh, atanh, log, log1p } from '../../../math/logarithm.ts'
import { pow } from '../../../math/power.ts'
import { regularizedIncompleteBeta } from '../../../math/special/beta.ts'
import { besselI0e, besselI1e } from '../../../math/special/bessel.ts'
import { digamma, lgamma } from '../../../math/special/gamma.ts'
import { igamma, igammaGradA, igammac, randomGammaGrad } from '../../../math/special/incomplete.ts'
import { polygamma, zeta } from '../../../math/special/zeta.ts'
import { cos, sin, tan } from '../../../math/trigonometric.ts'
import type { MapRow, Rows } from '../../lowering.ts'
import { elementOf } from '../elements.ts'
import { hostMathRows, hostRow } from './host.ts'

/** Functions of f32s by their primitives. */
export const f32Functions: Readonly<Record<string, (...args: Expr[]) => Expr>> = {
  exp,
  exp2,
  log,
  expm1,
  log1p,
  logistic,
  tanh,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  atan2,
  erf,
  erfc,
  erf_inv: erfInv,
}

function rowOf(name: string, f: (...args: Expr[]) => Expr): MapRow<object> {
  const wide = hostRow(name)
  return {
    kind: 'map',
    at(operands, params, outs, index, result, target) {
      const { dtype } = outs[result]!
      if (dtype === 'float64') return wide.at(operands, params, outs, index, result, target)
      return narrow(dtype, f(...operands.map((operand) => elementOf(operand, index))))
    },
  }
}
/** Special functions in f32, which run where there is no host to compute them in float64. */
export const specialFunctions: Readonly<Record<string, (...args: Expr[]) => Expr>> = {
  lgamma,
  digamma,
  polygamma,
  zeta,
  igamma,
  igammac,
  igamma_grad_a: igammaGradA,
  random_gamma_grad: randomGammaGrad,
  regularized_incomplete_beta: regularizedIncompleteBeta,
  bessel_i0e: besselI0e,
  bessel_i1e: besselI1e,
}
function specialRow(name: string, f: (...args: Expr[]) => Expr): MapRow<object> {
  const [wide, own] = [hostRow(name), rowOf(name, f)]
  return { kind: 'map', at: (...given) => (given[5].host ? wide : own).at(...given) }
}
const powRow: MapRow<object> = {
  kind: 'map',
  at(operands, params, outs, index, result, target) {
    const [x, y] = operands
    const { dtype } = x!.aval
    if (!isFloat(dtype) || dtype === 'float64')
      return (hostMathRows['pow'] as MapRow<object>).at(operands, params, outs, index, result, target)
    return narrow(dtype, pow(elementOf(x!, index), elementOf(y!, index)))
  },
}
export const mathRows: Rows = {
  ...Object.fromEntries(Object.entries(f32Functions).map(([name, f]) => [name, rowOf(name, f)])),
  ...Object.fromEntries(Object.entries(specialFunctions).map(([name, f]) => [name, specialRow(name, f)])),
  pow: powRow,
}
