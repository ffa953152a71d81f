/** The incomplete gamma function with its derivatives, of f32, for targets without a host: the reference's formulas in f32. */
import { not } from '../../loops/build.ts'
import type { Expr } from '../../loops/ir.ts'
import { digamma, lgamma, logExcess, stirlingTail } from './gamma.ts'
import {
  type Operand,
  type Writer,
  atLeast,
  both,
  define,
  differs,
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
  size,
  times,
} from './write.ts'

const eps = 2 ** -25
/** Steps after which series and fractions end, converged or not. */
const most = 20000

/** x^a e^-x / Γ(a); for a from 8 on as √(a/2π) e^(a (log(1+u) − u)) with u = x/a − 1. */
const factor = define<[Expr, Expr]>('gamma_factor', ['a', 'x'], (w, a, x) => {
  const result = w.let('result', 0)
  w.if(
    less(a, 8),
    () => result.set(exp(minus(times(a, log(x)), x, lgamma(a)))),
    () => {
      const exponent = minus(times(a, logExcess(over(minus(x, a), a), over(x, a))), stirlingTail(a))
      result.set(times(root(times(a, 1 / (2 * Math.PI))), exp(exponent)))
    },
  )
  return result.now
})

/** Σ xⁿ / (a(a+1)…(a+n)) (DLMF 8.7.1), and its derivative in a. */
function seriesOf(w: Writer, a: Expr, x: Expr): { value: Expr; slope: Expr } {
  const n = w.let('n', 1)
  const term = w.let('term', over(1, a))
  const logSlope = w.let('log_slope', over(-1, a))
  const [sum, slope] = [w.let('sum', term.now), w.let('slope', times(term.now, logSlope.now))]
  const change = w.let('change', slope.now)
  const goesOn = either(atLeast(term.now, times(sum.now, eps)), atLeast(size(change.now), times(size(slope.now), eps)))
  // an underflow of the terms ends it as well
  w.while(both(both(goesOn, greater(term.now, 0)), less(n.now, most)), () => {
    term.set(times(term.now, over(x, plus(a, n.now))))
    logSlope.set(minus(logSlope.now, over(1, plus(a, n.now))))
    sum.set(plus(sum.now, term.now))
    change.set(times(term.now, logSlope.now))
    slope.set(plus(slope.now, change.now))
    n.set(plus(n.now, 1))
  })
  return { value: sum.now, slope: slope.now }
}

const tiny = 1e-30
const orTiny = (w: Writer, variable: { now: Expr; set: (x: Operand) => void }): void =>
  w.if(equal(variable.now, 0), () => variable.set(tiny))
/**
 * b₀ + a₁/(b₁ + a₂/(b₂ + …)) by Lentz's method as Thompson and Barnett modified it (J. Comput. Phys. 64, 1986). Returns the value and the number of
 * steps taken.
 */
export function fractionOf(
  w: Writer,
  numerator: (n: Expr) => Expr,
  denominator: (n: Expr) => Expr,
): { value: Expr; steps: Expr } {
  const n = w.let('step', 0)
  const value = w.let('value', denominator(n.now))
  orTiny(w, value)
  const [c, d, ratio] = [w.let('c', value.now), w.let('d', 0), w.let('ratio', 0)]
  w.while(both(atLeast(size(minus(ratio.now, 1)), 2 ** -23), less(n.now, most)), () => {
    n.set(plus(n.now, 1))
    const top = w.let('top', numerator(n.now))
    const bottom = w.let('bottom', denominator(n.now))
    c.set(plus(bottom.now, over(top.now, c.now)))
    orTiny(w, c)
    d.set(plus(bottom.now, times(top.now, d.now)))
    orTiny(w, d)
    d.set(over(1, d.now))
    ratio.set(times(c.now, d.now))
    value.set(times(value.now, ratio.now))
  })
  return { value: value.now, steps: n.now }
}
const numerator =
  (a: Expr) =>
  (n: Expr): Expr =>
    times(n, minus(a, n))
const denominator =
  (a: Expr, x: Expr) =>
  (n: Expr): Expr =>
    plus(minus(x, a), times(2, n), 1)

const series = define<[Expr, Expr]>('gamma_series', ['a', 'x'], (w, a, x) =>
  times(factor(a, x), seriesOf(w, a, x).value),
)
/** 1/(x+1−a − 1(1−a)/(x+3−a − …)) (DLMF 8.9.2) times the factor. */
const fraction = define<[Expr, Expr]>('gamma_fraction', ['a', 'x'], (w, a, x) => {
  const { value } = fractionOf(w, numerator(a), denominator(a, x))
  return over(factor(a, x), value)
})
// The series converges fast where x < a, the fraction where x > a.
const bySeries = (a: Expr, x: Expr): Expr => either(less(x, 1), less(x, a))

/** P(a, x) or Q(a, x), by which of them is 1 at infinity. */
const incomplete = (name: string, isLower: boolean): ((a: Operand, x: Operand) => Expr) =>
  define<[Expr, Expr]>(name, ['a', 'x'], (w, a, x) => {
    const result = w.let('result', NaN)
    const lower = (value: Operand): void => result.set(isLower ? value : minus(1, value))
    const upper = (value: Operand): void => result.set(isLower ? minus(1, value) : value)
    const inside = both(
      both(atLeast(x, 0), atLeast(a, 0)),
      not(both(equal(a, x), either(equal(x, 0), equal(x, Infinity)))),
    )
    w.cases(
      [
        [not(inside), () => {}],
        [either(equal(x, 0), equal(a, Infinity)), () => lower(0)],
        [either(equal(x, Infinity), equal(a, 0)), () => upper(0)],
        [bySeries(a, x), () => lower(series(a, x))],
      ],
      () => upper(fraction(a, x)),
    )
    return result.now
  })
/** P(a, x), the regularised lower incomplete gamma function. */
export const igamma: (a: Operand, x: Operand) => Expr = incomplete('incomplete_gamma', true)
/** Q(a, x) = 1 − P(a, x). */
export const igammac: (a: Operand, x: Operand) => Expr = incomplete('incomplete_gamma_above', false)

/** The derivative of P(a, x) in a over x^a e^-x / Γ(a). */
const relativeSlope = define<[Expr, Expr]>('gamma_slope', ['a', 'x'], (w, a, x) => {
  const logSlope = w.let('log_slope', minus(log(x), digamma(a)))
  const result = w.let('result', 0)
  w.if(
    bySeries(a, x),
    () => {
      const { value, slope } = seriesOf(w, a, x)
      result.set(plus(times(value, logSlope.now), slope))
    },
    () => {
      // A whole a ends the fraction, but not its derivative: the steps are those of a fraction that does not end.
      const between = plus(floor(a), 0.5)
      const { steps } = fractionOf(w, numerator(between), denominator(between, x))
      const n = w.let('n', steps)
      const level = w.let('level', denominator(a, x)(n.now))
      const slope = w.let('level_slope', -1)
      w.while(greater(n.now, 0), () => {
        const top = w.let('top_here', numerator(a)(n.now))
        const ratio = w.let('top_ratio', over(top.now, level.now))
        slope.set(plus(-1, over(minus(n.now, times(ratio.now, slope.now)), level.now)))
        n.set(minus(n.now, 1))
        level.set(plus(denominator(a, x)(n.now), ratio.now))
      })
      const value = over(1, level.now)
      result.set(minusOf(minus(times(value, logSlope.now), times(over(slope.now, level.now), value))))
    },
  )
  return result.now
})
/** ∂P(a, x)/∂a. */
export const igammaGradA: (a: Operand, x: Operand) => Expr = define<[Expr, Expr]>(
  'gamma_grad_a',
  ['a', 'x'],
  (w, a, x) => {
    const result = w.let('result', NaN)
    w.if(both(atLeast(x, 0), greater(a, 0)), () =>
      w.if(
        both(differs(x, 0), less(x, Infinity)),
        () => result.set(times(factor(a, x), relativeSlope(a, x))),
        () => result.set(0),
      ),
    )
    return result.now
  },
)
/** How a sample x of the gamma distribution moves with a while its quantile stays: −∂P/∂a over the density. */
export const randomGammaGrad: (a: Operand, x: Operand) => Expr = define<[Expr, Expr]>(
  'random_gamma_grad',
  ['a', 'x'],
  (w, a, x) => {
    const result = w.let('result', NaN)
    w.if(both(atLeast(x, 0), greater(a, 0)), () =>
      w.if(
        differs(x, 0),
        () => result.set(minusOf(times(x, relativeSlope(a, x)))),
        () => result.set(0),
      ),
    )
    return result.now
  },
)
