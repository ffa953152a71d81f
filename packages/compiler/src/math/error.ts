/** The error function and its relatives, of f32; bounds are in docs/accuracy.md. */
import { abs, add, bitcast, div, eq, f32, fma, lt, min, mul, or, select, sub, u32, unary } from '../loops/build.ts'
import type { Expr } from '../loops/ir.ts'
import { head, isNegative, magnitudeBits, polynomial, signBit, withSign, within } from './bits.ts'
import { expOfSmall, scaledExp } from './exponential.ts'
import { logOfNormal } from './logarithm.ts'

/** x + x·P(x²) for |x| ≤ 1. */
function erfBelowOne(x: Expr): Expr {
  const rest = polynomial(
    mul(x, x),
    [0.128379166, -0.37612626, 0.112835787, -0.0268533472, 0.0051871622, -0.00079978531, 7.80690316e-5],
  )
  return fma(x, rest, x)
}
/** Below 1 it is x + x·P(x²), from there on 1 − e^Q(x), where Q is the logarithm of erfc; from 3.95 on it rounds to 1. */
export function erf(x: Expr): Expr {
  const size = abs(x)
  const exponent = polynomial(
    min(size, f32(3.95)),
    [-0.000339381106, -1.12709761, -0.63813132, -0.103118092, 0.0218433049, -0.00294892373, 0.000186503908],
  )
  return withSign(select(within(x, 1), erfBelowOne(size), sub(f32(1), expOfSmall(exponent))), x)
}

/**
 * e^(-x²) R, with R = W(q)/(1 + 2|x|) at q = (|x| − 2)/(|x| + 2); for x < 0 what that leaves of 2. The square of the leading 12 bits of x is exact,
 * and what is left of x² goes into the remainder of the exponent. Below ½ it is 1 − erf x.
 */
export function erfc(x: Expr): Expr {
  const size = min(abs(x), f32(10.5))
  const q = div(sub(size, f32(2)), add(size, f32(2)))
  const ratio = div(
    polynomial(
      q,
      [
        1.27697837, -0.0927639231, -0.166030973, 0.164054722, -0.0542072281, -0.00805843901, 0.00863914471,
        0.00131430791, -0.00123651896, -0.000403854065,
      ],
    ),
    fma(size, f32(2), f32(1)),
  )
  const first = head(size)
  const beyond = mul(sub(first, size), add(first, size))
  const tail = scaledExp(mul(mul(first, first), f32(-1)), beyond, ratio)
  return select(within(x, 0.5), sub(f32(1), erfBelowOne(x)), select(isNegative(x), sub(f32(2), tail), tail))
}

/** x P(w) at w = −log(1 − x²), in two pieces: up to w = 5, and beyond it by the root of w. */
export function erfInv(x: Expr): Expr {
  const size = abs(x)
  const w = sub(f32(0), logOfNormal(mul(sub(f32(1), size), add(f32(1), size))))
  const near = polynomial(
    sub(w, f32(2.5)),
    [
      1.50140941, 0.24664028, -0.0041776658, -0.00125275517, 0.000218572997, -4.94409414e-6, -3.52219058e-6,
      4.60146168e-7, 2.80485235e-8, -8.25495849e-9,
    ],
  )
  const far = polynomial(
    sub(unary('sqrt', w), f32(3)),
    [
      2.83297682, 1.00167418, 0.00944062788, -0.00762247294, 0.00573174236, -0.00367461005, 0.00136193784,
      0.000102511338, -0.000207173434,
    ],
  )
  const inside = mul(x, select(lt(w, f32(5)), near, far))
  const edge = select(eq(magnitudeBits(x), u32(0x3f800000)), bitcast('f32', or(signBit(x), u32(0x7f800000))), f32(NaN))
  return select(within(x, 1), inside, edge)
}
