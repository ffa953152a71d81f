/** Hurwitz's zeta function and the derivatives of digamma, of f32, for targets without a host. */
import { not } from '../../loops/build.ts'
import type { Expr } from '../../loops/ir.ts'
import { digamma } from './gamma.ts'
import {
  type Operand,
  atMost,
  both,
  define,
  either,
  equal,
  floor,
  greater,
  isNaN,
  isWhole,
  less,
  minus,
  minusOf,
  over,
  plus,
  pow,
  size,
  times,
} from './write.ts'

/** B₂ⱼ/(2j)!. */
const coefficients = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600]
const isEven = (n: Expr): Expr => both(isWhole(times(n, 0.5)), less(size(n), Infinity))

/** Steps after which the sum ends, converged or not: for an s of more than twice that it has. */
const most = 4096

/**
 * q^s ζ(s, q) for q > 0 and s > 1, which neither overflows nor vanishes, by Euler and Maclaurin (DLMF 25.2.9): Σ (q/(q + k))^s up to q + k ≥ 8 + s/2,
 * then the integral, half a term, and derivatives.
 */
const ratio = define<[Expr, Expr]>('zeta_ratio', ['s', 'q'], (w, s, q) => {
  const [sum, at, term, done] = [w.let('sum', 0), w.let('at', q), w.let('term', 0), w.let('done', 0)]
  const steps = w.let('steps', 0)
  const last = plus(8, times(0.5, s))
  w.while(both(both(less(at.now, last), less(steps.now, most)), equal(done.now, 0)), () => {
    term.set(pow(over(q, at.now), s))
    sum.set(plus(sum.now, term.now))
    // What follows is about term · at/(s − 1).
    const rest = times(term.now, plus(1, over(at.now, minus(s, 1))))
    w.if(atMost(rest, times(sum.now, 2 ** -25)), () => done.set(1))
    at.set(plus(at.now, 1))
    steps.set(plus(steps.now, 1))
  })
  w.if(equal(done.now, 0), () => {
    const power = w.let('power', pow(over(q, at.now), s))
    const factor = w.let('factor', over(times(s, power.now), at.now))
    const tail = w.let('tail', plus(over(times(power.now, at.now), minus(s, 1)), times(0.5, power.now)))
    coefficients.forEach((coefficient, i) => {
      const j = i + 1
      tail.set(plus(tail.now, times(coefficient, factor.now)))
      const next = times(over(plus(s, 2 * j - 1), at.now), over(plus(s, 2 * j), at.now))
      factor.set(times(factor.now, next))
    })
    sum.set(plus(sum.now, tail.now))
  })
  return sum.now
})
const zetaOfPositive = define<[Expr, Expr]>('zeta_of_positive', ['s', 'q'], (w, s, q) => {
  const result = w.let('result', 0)
  w.if(less(q, Infinity), () => result.set(times(pow(q, minusOf(s)), ratio(s, q))))
  return result.now
})
/** For a whole s and q < 0: the sum over all integers depends on the fraction of q only, and its terms below 0 are a zeta function again. */
const zetaOfNegative = define<[Expr, Expr]>('zeta_of_negative', ['s', 'q'], (w, s, q) => {
  const fraction = w.let('fraction', minus(q, floor(q)))
  const rest = w.let('rest', minus(plus(floor(q), 1), q))
  const beyond = w.let('beyond', minus(zetaOfPositive(s, rest.now), zetaOfPositive(s, minus(1, q))))
  w.if(
    isEven(s),
    () => {},
    () => beyond.set(minusOf(beyond.now)),
  )
  return plus(zetaOfPositive(s, fraction.now), beyond.now)
})
/** ζ(s, q) = Σ (q + k)^-s. */
export const zeta: (s: Operand, q: Operand) => Expr = define<[Expr, Expr]>('zeta', ['s', 'q'], (w, s, q) => {
  const result = w.let('result', NaN)
  const whole = both(isWhole(q), less(size(q), Infinity))
  w.cases(
    [
      [either(either(isNaN(s), isNaN(q)), less(s, 1)), () => {}],
      [equal(s, 1), () => result.set(Infinity)],
      [equal(q, -Infinity), () => {}],
      [greater(q, 0), () => result.set(zetaOfPositive(s, q))],
      [whole, () => w.if(isEven(s), () => result.set(Infinity))],
      [isWhole(s), () => result.set(zetaOfNegative(s, q))],
    ],
    () => {},
  )
  return result.now
})

/** ψ⁽ⁿ⁾(x) = (−1)^(n+1) n! ζ(n+1, x) (DLMF 5.15.1), for x > 0 as Π k/x · 1/x · x^(n+1) ζ(n+1, x). */
export const polygamma: (n: Operand, x: Operand) => Expr = define<[Expr, Expr]>('polygamma', ['n', 'x'], (w, n, x) => {
  const result = w.let('result', NaN)
  const s = plus(n, 1)
  const [k, product] = [w.let('k', 1), w.let('product', 1)]
  /** `product` becomes itself times k/by for all k up to n, while that changes it. */
  const factorial = (by: Operand): void =>
    w.while(both(atMost(k.now, n), both(less(product.now, Infinity), greater(product.now, 0))), () => {
      product.set(times(product.now, over(k.now, by)))
      k.set(plus(k.now, 1))
    })
  const signed = (value: Expr): void =>
    w.if(
      isEven(n),
      () => result.set(minusOf(value)),
      () => result.set(value),
    )
  w.cases(
    [
      [either(isNaN(n), isNaN(x)), () => {}],
      [equal(n, 0), () => result.set(digamma(x))],
      [either(either(less(n, 0), equal(n, Infinity)), not(isWhole(n))), () => {}],
      [
        both(greater(x, 0), less(x, Infinity)),
        () => {
          product.set(over(ratio(s, x), x))
          factorial(x)
          signed(product.now)
        },
      ],
    ],
    () => {
      factorial(1)
      signed(times(product.now, zeta(s, x)))
    },
  )
  return result.now
})
