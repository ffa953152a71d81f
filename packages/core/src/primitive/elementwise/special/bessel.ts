/** Modified Bessel functions of the first kind, times e^-|x|. */

/** Iᵥ(x) e^-x for x ≥ 0 and v = 0 or 1: its power series up to 20 (DLMF 10.25.2), beyond it the asymptotic one (DLMF 10.40.1). */
function scaled(v: 0 | 1, x: number): number {
  if (Number.isNaN(x)) return NaN
  let [term, sum] = [1, 1]
  if (x <= 20) {
    for (let k = 1; term > sum * 2 ** -54; k++) {
      term *= (x * x) / 4 / (k * (k + v))
      sum += term
    }
    return Math.exp(-x) * sum * (v === 1 ? x / 2 : 1)
  }
  for (let k = 1; k < 40 && Math.abs(term) > 2 ** -54; k++) {
    term *= ((2 * k - 1) ** 2 - 4 * v * v) / (8 * k * x)
    sum += term
  }
  return sum / Math.sqrt(2 * Math.PI * x)
}
export const besselI0e = (x: number): number => scaled(0, Math.abs(x))
export const besselI1e = (x: number): number => Math.sign(x) * scaled(1, Math.abs(x))
