/** Exponentials, logarithms, roots and the trigonometric family. */
import { scalarLike } from '../rules.ts'
import { add, div, integerPow, mul, neg, reciprocal, square, sub } from './arithmetic.ts'
import { each, expLoop, logLoop, logisticLoop, sqrtLoop, tanhLoop } from './loops.ts'
import { type Unary, unary } from './table.ts'
import type { NDArray } from '../../array.ts'

const one = (x: NDArray): NDArray => scalarLike(x, 1)
/** 1 − x². */
const oneMinusSquare: Unary = (x) => sub(one(x), square(x))

export const exp: Unary = unary('exp', { accepts: 'float', run: expLoop, jvp: [(t, _, out) => mul(t, out!)] })
export const exp2: Unary = unary('exp2', {
  accepts: 'float',
  run: each((x) => 2 ** x),
  jvp: [(t, x, out) => mul(log(scalarLike(x!, 2)), mul(t, out!))],
})
export const log: Unary = unary('log', { accepts: 'float', run: logLoop, jvp: [(t, x) => div(t, x!)] })
export const expm1: Unary = unary('expm1', {
  accepts: 'float',
  run: each(Math.expm1),
  jvp: [(t, _, out) => mul(t, add(out!, one(out!)))],
})
export const log1p: Unary = unary('log1p', {
  accepts: 'float',
  run: each(Math.log1p),
  jvp: [(t, x) => div(t, add(x!, one(x!)))],
})
export const logistic: Unary = unary('logistic', {
  accepts: 'float',
  run: logisticLoop,
  jvp: [(t, _, out) => mul(t, mul(out!, sub(one(out!), out!)))],
})

export const sqrt: Unary = unary('sqrt', {
  accepts: 'float',
  run: sqrtLoop,
  jvp: [(t, x, out) => mul(t, div(scalarLike(x!, 0.5), out!))],
})
export const rsqrt: Unary = unary('rsqrt', {
  accepts: 'float',
  run: each((x) => 1 / Math.sqrt(x)),
  jvp: [(t, x, out) => mul(t, mul(scalarLike(x!, -0.5), div(out!, x!)))],
})
export const cbrt: Unary = unary('cbrt', {
  accepts: 'float',
  run: each(Math.cbrt),
  jvp: [(t, x, out) => mul(t, mul(scalarLike(x!, 1 / 3), integerPow(out!, -2)))],
})

export const sin: Unary = unary('sin', { accepts: 'float', run: each(Math.sin), jvp: [(t, x) => mul(t, cos(x!))] })
export const cos: Unary = unary('cos', { accepts: 'float', run: each(Math.cos), jvp: [(t, x) => neg(mul(t, sin(x!)))] })
export const tan: Unary = unary('tan', {
  accepts: 'float',
  run: each(Math.tan),
  jvp: [(t, x, out) => mul(t, add(one(x!), square(out!)))],
})
export const asin: Unary = unary('asin', {
  accepts: 'float',
  run: each(Math.asin),
  jvp: [(t, x) => mul(t, rsqrt(oneMinusSquare(x!)))],
})
export const acos: Unary = unary('acos', {
  accepts: 'float',
  run: each(Math.acos),
  jvp: [(t, x) => mul(t, neg(rsqrt(oneMinusSquare(x!))))],
})
export const atan: Unary = unary('atan', {
  accepts: 'float',
  run: each(Math.atan),
  jvp: [(t, x) => div(t, add(one(x!), square(x!)))],
})

export const tanh: Unary = unary('tanh', {
  accepts: 'float',
  run: tanhLoop,
  // 1 − tanh² as (1 + tanh)(1 − tanh), which keeps its digits where tanh is near 1.
  jvp: [(t, x, out) => mul(add(t, mul(t, out!)), sub(one(x!), out!))],
})
export const sinh: Unary = unary('sinh', { accepts: 'float', run: each(Math.sinh), jvp: [(t, x) => mul(t, cosh(x!))] })
export const cosh: Unary = unary('cosh', { accepts: 'float', run: each(Math.cosh), jvp: [(t, x) => mul(t, sinh(x!))] })
export const asinh: Unary = unary('asinh', {
  accepts: 'float',
  run: each(Math.asinh),
  jvp: [(t, x) => mul(t, rsqrt(add(square(x!), one(x!))))],
})
export const acosh: Unary = unary('acosh', {
  accepts: 'float',
  run: each(Math.acosh),
  jvp: [(t, x) => mul(t, rsqrt(sub(square(x!), one(x!))))],
})
export const atanh: Unary = unary('atanh', {
  accepts: 'float',
  run: each(Math.atanh),
  jvp: [(t, x) => mul(reciprocal(add(one(x!), x!)), div(t, sub(one(x!), x!)))],
})
