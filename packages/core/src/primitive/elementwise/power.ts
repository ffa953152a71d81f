/** Powers with exponents of their own, remainders, angles and neighbours. */
import type { NDArray } from '../../array.ts'
import { isFloat, isInteger } from '../../dtype.ts'
import { DtypeError, misuse } from '../../errors.ts'
import { type Aval, showAval } from '../../ir/aval.ts'
import { commonShape, commonType, scalarLike } from '../rules.ts'
import { abs, add, div, floor, mul, neg, powBySquaring, sign, square, sub } from './arithmetic.ts'
import { neighbour } from './bits.ts'
import { eq } from './compare.ts'
import { convert } from './convert.ts'
import { type BinaryLoop, pairs } from './loops.ts'
import { select } from './select.ts'
import { type Binary, binary, unsupported } from './table.ts'
import { log } from './unary.ts'

/** IEEE's power. JavaScript's differs where the base is ±1 and the exponent infinite or NaN. */
export const power = (x: number, y: number): number => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y)

/** x^y in integers that wrap; a negative exponent leaves the whole part of the inverse. */
function wholePower(x: number, y: number): number {
  if (y >= 0) return powBySquaring(x, y, Math.imul)
  if (x === 1) return 1
  return x === -1 ? (y % 2 === 0 ? 1 : -1) : 0
}

function powType([x, y]: readonly Aval[]): Aval {
  if (isFloat(x!.dtype) && isInteger(y!.dtype)) {
    return { shape: commonShape('pow', [x!, y!]), dtype: x!.dtype, weakType: x!.weakType && y!.weakType }
  }
  if (x!.dtype !== y!.dtype || x!.dtype === 'bool') {
    const expectation =
      'a float to the power of a float of the same dtype or of an integer, or two integers of one dtype'
    throw new DtypeError(misuse('pow', expectation, `${showAval(x!)} and ${showAval(y!)}`, 'np.power promotes'))
  }
  return commonType('pow', [x!, y!])
}

const nonZero = (x: NDArray): NDArray => select(eq(x, scalarLike(x, 0)), scalarLike(x, 1), x)

export const pow: Binary = binary('pow', {
  accepts: 'number',
  type: powType,
  run: pairs(power),
  integers: pairs(wholePower),
  jvp: [
    // y x^(y-1); for an integer y it is 0 at y = 0 even where x is 0.
    (t, x, y) => {
      const exponent = convert(y!, x!.dtype, x!.weakType)
      const below = pow(x!, sub(exponent, scalarLike(exponent, 1)))
      if (isFloat(y!.dtype)) return mul(t, mul(exponent, below))
      const zero = scalarLike(exponent, 0)
      return mul(t, select(eq(exponent, zero), zero, mul(nonZero(exponent), below)))
    },
    // x^y log x, which is 0 at x = 0.
    (t, x, _, out) => mul(t, mul(log(nonZero(x!)), out!)),
  ],
})

export const rem: Binary = binary('rem', {
  accepts: 'number',
  run: pairs((x, y) => x % y),
  integers: pairs((x, y) => (y === 0 ? x : x % y)),
  // rem(x, y) = x − y·trunc(x/y)
  jvp: [(t) => t, (t, x, y) => mul(neg(t), mul(sign(div(x!, y!)), floor(abs(div(x!, y!)))))],
})

export const atan2: Binary = binary('atan2', {
  accepts: 'float',
  run: pairs(Math.atan2),
  jvp: [
    (t, x, y) => mul(t, div(y!, add(square(x!), square(y!)))),
    (t, x, y) => mul(t, div(neg(x!), add(square(x!), square(y!)))),
  ],
})

const nextafterLoop: BinaryLoop = (out, x, dx, y, dy, dtype) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = neighbour(x[j]!, y[k]!, dtype)
}
export const nextafter: Binary = binary('nextafter', {
  accepts: 'float',
  run: nextafterLoop,
  jvp: [unsupported('nextafter', 'x'), unsupported('nextafter', 'y')],
})
