/** Modified Bessel functions of the first kind, times e^-|x|, of f32, for targets without a host. */
import type { Expr } from '../../loops/ir.ts'
import { withSign } from '../bits.ts'
import {
  type Operand,
  atMost,
  both,
  define,
  exp,
  greater,
  isNaN,
  less,
  minusOf,
  over,
  plus,
  root,
  size,
  times,
} from './write.ts'

/** Iᵥ(x) e^-x for x ≥ 0: its power series up to 20 (DLMF 10.25.2), beyond it the asymptotic one (DLMF 10.40.1). */
const scaled = (name: string, v: 0 | 1): ((x: Operand) => Expr) =>
  define<[Expr]>(name, ['x'], (w, x) => {
    const [k, term, sum, result] = [w.let('k', 1), w.let('term', 1), w.let('sum', 1), w.let('result', NaN)]
    const quarter = times(x, x, 0.25)
    w.cases(
      [
        [isNaN(x), () => {}],
        [
          atMost(x, 20),
          () => {
            w.while(greater(term.now, times(sum.now, 2 ** -26)), () => {
              term.set(times(term.now, over(quarter, times(k.now, plus(k.now, v)))))
              sum.set(plus(sum.now, term.now))
              k.set(plus(k.now, 1))
            })
            const series = times(exp(minusOf(x)), sum.now)
            result.set(v === 1 ? times(series, x, 0.5) : series)
          },
        ],
      ],
      () => {
        w.while(both(greater(size(term.now), 2 ** -26), less(k.now, 12)), () => {
          const odd = plus(times(2, k.now), -1)
          term.set(times(term.now, over(plus(times(odd, odd), -4 * v * v), times(8, k.now, x))))
          sum.set(plus(sum.now, term.now))
          k.set(plus(k.now, 1))
        })
        result.set(over(sum.now, times(root(x), Math.sqrt(2 * Math.PI))))
      },
    )
    return result.now
  })
const [i0e, i1e] = [scaled('bessel_i0e', 0), scaled('bessel_i1e', 1)]
export const besselI0e = (x: Expr): Expr => i0e(size(x))
export const besselI1e = (x: Expr): Expr => withSign(i1e(size(x)), x)
