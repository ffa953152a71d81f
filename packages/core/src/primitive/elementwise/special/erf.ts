/** The error function and its relatives, to a few units in the last place of a double. */
import { continuedFraction } from './fraction.ts'

const twoOverSqrtPi = 2 / Math.sqrt(Math.PI)

/** e^(-x²) without the error of x²: the square of the leading 24 bits of x is exact. */
function gaussian(x: number): number {
  const head = Math.fround(x)
  return Math.exp(-head * head) * Math.exp((head - x) * (head + x))
}

/** erf x = 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)), all of one sign (DLMF 7.6.2). */
function erfSeries(x: number): number {
  let [term, sum] = [x, x]
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 2 ** -54; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return twoOverSqrtPi * gaussian(x) * sum
}
/** erfc x for x ≥ 1: e^(-x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))) (DLMF 7.9.1). */
function erfcFraction(x: number): number {
  if (x > 27.3) return 0
  const [value] = continuedFraction(
    (n) => n / 2,
    () => x,
  )
  return gaussian(x) / (Math.sqrt(Math.PI) * value)
}

export function erf(x: number): number {
  if (Math.abs(x) < 2) return erfSeries(x)
  return Number.isNaN(x) ? NaN : Math.sign(x) * (1 - erfcFraction(Math.abs(x)))
}
export function erfc(x: number): number {
  if (Math.abs(x) < 1) return x < 0.5 ? 1 - erfSeries(x) : 0.5 - (erfSeries(x) - 0.5)
  return x < 0 ? 2 - erfcFraction(-x) : Number.isNaN(x) ? NaN : erfcFraction(x)
}

/**
 * The inverse of erf: Winitzki's approximation (2008), good to 2·10⁻³, then Halley's method, which triples the digits at each step. In the
 * tails the equation is that of erfc, whose argument 1 − |p| is exact.
 */
export function erfInv(p: number): number {
  const size = Math.abs(p)
  if (!(size < 1)) return size === 1 ? p * Infinity : NaN
  if (size < 1e-8) return p / twoOverSqrtPi
  const log = Math.log1p(-size * size)
  const half = 2 / (Math.PI * 0.147) + log / 2
  let x = Math.sqrt(Math.sqrt(half * half - log / 0.147) - half)
  for (let step = 0; step < 2; step++) {
    const excess = size < 0.9 ? erf(x) - size : 1 - size - erfc(x)
    const newton = excess / (twoOverSqrtPi * gaussian(x))
    x -= newton / (1 + x * newton)
  }
  return Math.sign(p) * x
}
