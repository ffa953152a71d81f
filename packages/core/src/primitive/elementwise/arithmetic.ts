/** Arithmetic, rounding, and whole powers. */
import type { NDArray } from '../../array.ts'
import { isFloat } from '../../dtype.ts'
import { DtypeError, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { known, scalarLike } from '../rules.ts'
import { eq, ge } from './compare.ts'
import {
  type BinaryLoop,
  absLoop,
  addLoop,
  divLoop,
  each,
  floorLoop,
  maxLoop,
  minLoop,
  mulLoop,
  negLoop,
  pairs,
  signLoop,
  squareLoop,
  subLoop,
} from './loops.ts'
import { select } from './select.ts'
import { type Binary, type Unary, binary, checkAccepts, parametric, unary } from './table.ts'

export const neg: Unary = unary('neg', {
  accepts: 'number',
  run: negLoop,
  integers: each((x) => -x),
  jvp: [(t) => neg(t)],
  transpose: [(ct) => neg(ct)],
})
export const add: Binary = binary('add', {
  accepts: 'number',
  run: addLoop,
  integers: pairs((x, y) => x + y),
  linear: true,
  jvp: [(t) => t, (t) => t],
  transpose: [(ct) => ct, (ct) => ct],
})
export const sub: Binary = binary('sub', {
  accepts: 'number',
  run: subLoop,
  integers: pairs((x, y) => x - y),
  linear: true,
  jvp: [(t) => t, (t) => neg(t)],
  transpose: [(ct) => ct, (ct) => neg(ct)],
})
export const mul: Binary = binary('mul', {
  accepts: 'number',
  run: mulLoop,
  // The product of two 32-bit integers need not fit in a double; the low 32 bits are the same for signed and unsigned.
  integers: pairs(Math.imul),
  // (xy)' = x'y + xy'
  jvp: [(t, _, y) => mul(t, y!), (t, x) => mul(x!, t)],
  transpose: [(ct, _, y) => mul(ct, known('mul', y!)), (ct, x) => mul(known('mul', x!), ct)],
})
// Division by zero gives a word of ones, as in XLA: -1 if signed, else the largest number.
const integerDivision: BinaryLoop = pairs((x, y) => (y === 0 ? -1 : Math.trunc(x / y)))
export const div: Binary = binary('div', {
  accepts: 'number',
  run: divLoop,
  integers: integerDivision,
  jvp: [(t, _, y) => div(t, y!), (t, x, y) => mul(mul(neg(t), x!), integerPow(y!, -2))],
  transpose: [(ct, _, y) => div(ct, known('div', y!)), null],
})

/** The share of `x` in the derivative of max(x, y) = `chosen`: 1, 0, or half where both are chosen. */
const share = (x: NDArray, chosen: NDArray, y: NDArray): NDArray => {
  const [zero, one, two] = [scalarLike(chosen, 0), scalarLike(chosen, 1), scalarLike(chosen, 2)]
  return div(select(eq(x, chosen), one, zero), select(eq(y, chosen), two, one))
}
export const max: Binary = binary('max', {
  accepts: 'any',
  run: maxLoop,
  integers: pairs(Math.max),
  jvp: [(t, x, y, out) => mul(t, share(x!, out!, y!)), (t, x, y, out) => mul(t, share(y!, out!, x!))],
})
export const min: Binary = binary('min', {
  accepts: 'any',
  run: minLoop,
  integers: pairs(Math.min),
  jvp: [(t, x, y, out) => mul(t, share(x!, out!, y!)), (t, x, y, out) => mul(t, share(y!, out!, x!))],
})

export const abs: Unary = unary('abs', {
  accepts: 'signed',
  run: absLoop,
  integers: each(Math.abs),
  jvp: [(t, x) => select(ge(x!, scalarLike(x!, 0)), t, neg(t))],
})
export const square: Unary = unary('square', {
  accepts: 'number',
  run: squareLoop,
  integers: each((x) => Math.imul(x, x)),
  jvp: [(t, x) => mul(t, mul(scalarLike(x!, 2), x!))],
})
export const sign: Unary = unary('sign', { accepts: 'number', run: signLoop })
export const floor: Unary = unary('floor', { accepts: 'float', run: floorLoop })
export const ceil: Unary = unary('ceil', { accepts: 'float', run: each(Math.ceil) })

export type RoundingMethod = 'AWAY_FROM_ZERO' | 'TO_NEAREST_EVEN'
// Halves decide by the fraction, which is exact: adding 0.5 first would round 0.49999999999999994 up.
const rounding: Record<RoundingMethod, (x: number) => number> = {
  AWAY_FROM_ZERO(x) {
    const whole = Math.trunc(x)
    return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole
  },
  TO_NEAREST_EVEN(x) {
    const whole = Math.trunc(x)
    const fraction = Math.abs(x - whole)
    return fraction > 0.5 || (fraction === 0.5 && whole % 2 !== 0) ? whole + Math.sign(x) : whole
  },
}
const roundWith = parametric<{ readonly roundingMethod: RoundingMethod }>('round', {
  type(x) {
    checkAccepts('round', x, 'float')
    return x
  },
  run: (out, x, { roundingMethod }) => each(rounding[roundingMethod])(out, x.data, x.dtype),
  show: ({ roundingMethod }) => ({ roundingMethod: roundingMethod === 'AWAY_FROM_ZERO' ? 0 : 1 }),
})
export const round = (x: NDArray, roundingMethod: RoundingMethod = 'AWAY_FROM_ZERO'): NDArray =>
  roundWith(x, { roundingMethod })

/** x^y by squaring, for a whole y ≥ 0; `times` multiplies. */
export function powBySquaring(x: number, y: number, times: (a: number, b: number) => number): number {
  let result = 1
  for (let base = x, rest = y; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = times(result, base)
    base = times(base, base)
  }
  return result
}
const product = (a: number, b: number): number => a * b

const integerPowOf = parametric<{ readonly y: number }>('integer_pow', {
  type(x, { y }) {
    checkAccepts('integerPow', x, 'number')
    if (y < 0 && !isFloat(x.dtype)) {
      throw new DtypeError(
        misuse(
          'integerPow',
          'an exponent of at least 0 for integers',
          `${showAval(x)} to the power ${y}`,
          'convert to float first',
        ),
      )
    }
    return x
  },
  jvp:
    ({ y }) =>
    (t, x) => {
      if (y === 0) return mul(t, scalarLike(t, 0))
      if (y === 1) return t
      const derivative = y === 2 ? x! : integerPow(x!, y - 1)
      return mul(t, mul(scalarLike(x!, y), derivative))
    },
  run(out, x, { y }) {
    const { data } = x
    if (y === 2 && isFloat(x.dtype)) squareLoop(out, data, x.dtype)
    else if (!isFloat(x.dtype)) for (let i = 0; i < out.length; i++) out[i] = powBySquaring(data[i]!, y, Math.imul)
    else if (y >= 0) for (let i = 0; i < out.length; i++) out[i] = powBySquaring(data[i]!, y, product)
    else for (let i = 0; i < out.length; i++) out[i] = 1 / powBySquaring(data[i]!, -y, product)
  },
})
export const integerPow = (x: NDArray, y: number): NDArray => integerPowOf(x, { y })
/** 1 / x. */
export const reciprocal: Unary = (x) => integerPow(x, -1)
