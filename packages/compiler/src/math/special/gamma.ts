/** The logarithm of the gamma function and its derivative, of f32, for targets without a host: the reference's formulas, with as many terms as f32 needs. */
import { polynomial } from '../bits.ts'
import { logRest } from '../logarithm.ts'
import {
  type Operand,
  atMost,
  both,
  define,
  either,
  equal,
  greater,
  isNaN,
  isWhole,
  less,
  log,
  log1p,
  minus,
  minusOf,
  nearest,
  over,
  plus,
  sin,
  size,
  tan,
  times,
} from './write.ts'
import type { Expr } from '../../loops/ir.ts'

const nearTwo = [
  0.422784335, 0.322467033, -0.0673523011, 0.0205808084, -0.00738555103, 0.00289051033, -0.00119275391, 0.000509669525,
  -0.000223154758, 9.94575128e-5, -4.49262367e-5, 2.05072128e-5, -9.43948828e-6,
]
/** log Γ(2 + z) for |z| ≤ ½: z times 1 − γ + Σ (−1)^k (ζ(k) − 1) z^(k−1) / k (DLMF 5.7.3). */
const aboutTwo = (z: Expr): Expr => times(z, polynomial(z, nearTwo))
/** What Stirling's formula leaves out: Σ B₂ⱼ / (2j(2j−1) x^(2j−1)) (DLMF 5.11.1), for x ≥ 8. */
export function stirlingTail(x: Expr): Expr {
  const inverse = over(1, x)
  return times(inverse, polynomial(times(inverse, inverse), [1 / 12, -1 / 360, 1 / 1260, -1 / 1680]))
}
const halfLogTwoPi = Math.log(2 * Math.PI) / 2

/** log Γ(x) for x > 0. */
const ofPositive = define<[Expr]>('log_gamma_of_positive', ['x'], (w, x) => {
  const result = w.let('result', 0)
  w.cases(
    [
      [less(x, 0.5), () => result.set(minus(aboutTwo(x), log1p(x), log(x)))],
      [less(x, 1.5), () => result.set(minus(aboutTwo(minus(x, 1)), log1p(minus(x, 1))))],
      [atMost(x, 2.5), () => result.set(aboutTwo(minus(x, 2)))],
      [
        less(x, 8),
        () => {
          const [product, rest] = [w.let('product', 1), w.let('rest', x)]
          w.while(greater(rest.now, 2.5), () => {
            rest.set(minus(rest.now, 1))
            product.set(times(product.now, rest.now))
          })
          result.set(plus(log(product.now), aboutTwo(minus(rest.now, 2))))
        },
      ],
    ],
    () => {
      const tail = plus(halfLogTwoPi - 0.5, stirlingTail(x))
      result.set(plus(times(minus(x, 0.5), minus(log(x), 1)), tail))
    },
  )
  return result.now
})
/** log |Γ(x)|; of negative numbers by Γ(x) Γ(−x) = −π / (x sin πx) (DLMF 5.5.3). */
export const lgamma: (x: Operand) => Expr = define<[Expr]>('log_gamma', ['x'], (w, x) => {
  const result = w.let('result', NaN)
  const whole = isWhole(x)
  w.cases(
    [
      [isNaN(x), () => {}],
      [either(both(atMost(x, 0), whole), equal(size(x), Infinity)), () => result.set(Infinity)],
      [greater(x, 0), () => result.set(ofPositive(x))],
    ],
    () => {
      const sine = sin(times(Math.PI, minus(x, nearest(x))))
      result.set(minus(Math.log(Math.PI), log(size(times(x, sine))), ofPositive(minusOf(x))))
    },
  )
  return result.now
})
/** log Γ(b + a) − log Γ(b) for b ≥ 8 and a > 0, without the digits that the difference cancels. */
export function logGammaRise(b: Expr, a: Expr): Expr {
  const sum = plus(a, b)
  return plus(
    times(minus(b, 0.5), log1p(over(a, b))),
    times(a, minus(log(sum), 1)),
    minus(stirlingTail(sum), stirlingTail(b)),
  )
}
/** log y − u for y = 1 + u, which near u = 0 is about −u²/2; where u is near −1, y has the digits that u lacks. */
export const logExcess: (u: Operand, y: Operand) => Expr = define<[Expr, Expr]>('log_excess', ['u', 'y'], (w, u, y) => {
  const result = w.let('result', 0)
  w.if(
    both(greater(u, -0.29), less(u, 0.41)),
    () => result.set(logRest(u)),
    () => result.set(minus(log(y), u)),
  )
  return result.now
})

/** ψ(x) for x > 0: up to x ≥ 8 by ψ(x) = ψ(x+1) − 1/x, then log x − 1/2x − Σ B₂ⱼ/(2j x^2j) (DLMF 5.11.2). */
const digammaOfPositive = define<[Expr]>('digamma_of_positive', ['x'], (w, x) => {
  const [sum, rest] = [w.let('sum', 0), w.let('rest', x)]
  w.while(less(rest.now, 8), () => {
    sum.set(minus(sum.now, over(1, rest.now)))
    rest.set(plus(rest.now, 1))
  })
  const square = over(1, times(rest.now, rest.now))
  const tail = times(square, polynomial(square, [1 / 12, -1 / 120, 1 / 252, -1 / 240]))
  return plus(minus(log(rest.now), over(0.5, rest.now), tail), sum.now)
})
/** ψ(x); of negative numbers by ψ(1−x) − ψ(x) = π / tan πx (DLMF 5.5.4). */
export const digamma: (x: Operand) => Expr = define<[Expr]>('digamma', ['x'], (w, x) => {
  const result = w.let('result', NaN)
  w.cases(
    [
      [either(isNaN(x), both(atMost(x, 0), isWhole(x))), () => {}],
      [equal(x, Infinity), () => result.set(Infinity)],
      [greater(x, 0), () => result.set(digammaOfPositive(x))],
    ],
    () => {
      const tangent = tan(times(Math.PI, minus(x, nearest(x))))
      result.set(minus(digammaOfPositive(minus(1, x)), over(Math.PI, tangent)))
    },
  )
  return result.now
})
