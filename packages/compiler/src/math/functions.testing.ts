/** What functions of one f32 approximate, and how closely. */
import { scalarFunctions } from '@fluxion/core'
import type { Expr } from '../loops/ir.ts'
import { f32Functions } from '../lower/rows/elementwise/math.ts'

export interface Approximation {
  readonly name: string
  readonly f: (x: Expr) => Expr
  readonly exact: (x: number) => number
  /** The greatest error in units of the last place of the exact value, as docs/accuracy.md states it. */
  readonly bound: number
}
const bounds: Readonly<Record<string, number>> = {
  exp: 1.3,
  exp2: 1.2,
  log: 1,
  expm1: 1.7,
  log1p: 1.6,
  logistic: 2.6,
  tanh: 2.7,
  sinh: 1.8,
  cosh: 1.7,
  asinh: 2,
  acosh: 2.1,
  atanh: 2.4,
  sin: 1.7,
  cos: 1.7,
  tan: 2.7,
  asin: 2.5,
  acos: 1.4,
  atan: 1.7,
  erf: 1.5,
  erfc: 4.2,
  erf_inv: 3,
}
export const approximations: readonly Approximation[] = Object.entries(bounds).map(([name, bound]) => ({
  name,
  f: f32Functions[name]!,
  exact: scalarFunctions[name]!,
  bound,
}))
/** Where functions do something special, or are near to it. */
export const specials: readonly number[] = [
  0,
  0.5,
  1,
  1 + 2 ** -23,
  1 - 2 ** -24,
  2,
  3.95,
  Math.fround(Math.PI / 4),
  Math.fround(Math.PI / 2),
  Math.fround(Math.PI),
  // next to a multiple of π/2 as no other f32
  16367173 * 2 ** 72,
  8191.5,
  8192,
  2 ** -149,
  2 ** -126,
  2 ** -126 - 2 ** -149,
  2 ** -25,
  2 ** 14,
  2 ** 24,
  17.4,
  87.33654,
  88.72283,
  88.72284,
  89.41598,
  89.41599,
  103.27893,
  103.9721,
  103.97209,
  128,
  149,
  150,
  2 ** 128 - 2 ** 104,
  Infinity,
  NaN,
].flatMap((x) => [Math.fround(x), -Math.fround(x)])
