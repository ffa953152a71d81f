/** The regularised incomplete beta function of f32, for targets without a host. */
import { not } from '../../loops/build.ts'
import type { Expr } from '../../loops/ir.ts'
import { lgamma, logExcess, logGammaRise, stirlingTail } from './gamma.ts'
import { fractionOf } from './incomplete.ts'
import {
  type Operand,
  atLeast,
  atMost,
  both,
  define,
  either,
  equal,
  exp,
  floor,
  greater,
  less,
  log,
  minus,
  minusOf,
  over,
  plus,
  root,
  times,
} from './write.ts'

/** x^a y^b / B(a, b) for y = 1 − x, where x and y are the smaller given exactly: see `lowerBeta`. */
const factor = define<[Expr, Expr, Expr, Expr]>('beta_factor', ['a', 'b', 'x', 'y'], (w, a, b, x, y) => {
  const result = w.let('result', 0)
  const sum = plus(a, b)
  const powers = plus(times(a, log(x)), times(b, log(y)))
  w.cases(
    [
      [
        both(atLeast(a, 8), atLeast(b, 8)),
        () => {
          // With u = x(a+b)/a − 1 and v = y(a+b)/b − 1, au + bv = 0: so log(1 + u) − u serves, which does not cancel.
          const off = w.let('off', minus(times(x, b), times(y, a)))
          const deviation = plus(
            times(a, logExcess(over(off.now, a), over(times(x, sum), a))),
            times(b, logExcess(minusOf(over(off.now, b)), over(times(y, sum), b))),
          )
          const tails = minus(stirlingTail(sum), stirlingTail(a), stirlingTail(b))
          result.set(times(root(over(times(a, 1 / (2 * Math.PI)), over(sum, b))), exp(plus(deviation, tails))))
        },
      ],
      [atLeast(b, 8), () => result.set(exp(plus(powers, minus(logGammaRise(b, a), lgamma(a)))))],
      [atLeast(a, 8), () => result.set(exp(plus(powers, minus(logGammaRise(a, b), lgamma(b)))))],
    ],
    () => result.set(exp(plus(powers, minus(lgamma(sum), lgamma(a), lgamma(b))))),
  )
  return result.now
})
/** Iₓ(a, b) with y = 1 − x, by its continued fraction (DLMF 8.17.22). */
const lowerBeta = define<[Expr, Expr, Expr, Expr]>('lower_beta', ['a', 'b', 'x', 'y'], (w, a, b, x, y) => {
  const coefficient = (n: Expr): Expr => {
    const m = w.let('m', floor(times(n, 0.5)))
    const [twice, result] = [w.let('twice', plus(a, times(2, m.now))), w.let('coefficient', 0)]
    w.if(
      equal(times(2, m.now), n),
      () => result.set(times(over(m.now, minus(twice.now, 1)), over(minus(b, m.now), twice.now), x)),
      () => {
        const [first, second] = [over(plus(a, m.now), twice.now), over(plus(a, b, m.now), plus(twice.now, 1))]
        result.set(minusOf(times(first, second, x)))
      },
    )
    return result.now
  }
  const { value } = fractionOf(w, coefficient, () => plus(1, 0))
  return over(factor(a, b, x, y), times(a, value))
})
/** Iₓ(a, b), from the side where the fraction converges fast. */
export const regularizedIncompleteBeta: (a: Operand, b: Operand, x: Operand) => Expr = define<[Expr, Expr, Expr]>(
  'incomplete_beta',
  ['a', 'b', 'x'],
  (w, a, b, x) => {
    const result = w.let('result', NaN)
    const inside = both(both(greater(a, 0), greater(b, 0)), both(atLeast(x, 0), atMost(x, 1)))
    w.cases(
      [
        [not(inside), () => {}],
        [either(equal(x, 0), equal(x, 1)), () => result.set(x)],
        [less(over(plus(a, 1), plus(a, b, 2)), x), () => result.set(minus(1, lowerBeta(b, a, minus(1, x), x)))],
      ],
      () => result.set(lowerBeta(a, b, x, minus(1, x))),
    )
    return result.now
  },
)
