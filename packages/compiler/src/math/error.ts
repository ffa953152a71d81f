/** The error function and its relatives, of f32; bounds are in docs/accuracy.md. */
import { abs, f32, fma, min, mul, select, sub } from '../loops/build.ts'
import type { Expr } from '../loops/ir.ts'
import { polynomial, withSign, within } from './bits.ts'
import { expOfSmall } from './exponential.ts'

/** Below 1 it is x + x·P(x²), from there on 1 − e^Q(x), where Q is the logarithm of erfc; from 3.95 on it rounds to 1. */
export function erf(x: Expr): Expr {
  const size = abs(x)
  const square = mul(x, x)
  const below = fma(
    size,
    polynomial(
      square,
      [0.128379166, -0.37612626, 0.112835787, -0.0268533472, 0.0051871622, -0.00079978531, 7.80690316e-5],
    ),
    size,
  )
  const exponent = polynomial(
    min(size, f32(3.95)),
    [-0.000339381106, -1.12709761, -0.63813132, -0.103118092, 0.0218433049, -0.00294892373, 0.000186503908],
  )
  return withSign(select(within(x, 1), below, sub(f32(1), expOfSmall(exponent))), x)
}
