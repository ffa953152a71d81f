/** The logarithm of the gamma function and its derivatives, with Hurwitz's zeta function, which the higher ones are made of. */

/** Bernoulli numbers B₂, B₄, …, B₂₄. */
const bernoulli = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2730,
  7 / 6,
  -3617 / 510,
  43867 / 798,
  -174611 / 330,
  854513 / 138,
  -236364091 / 2730,
]

/**
 * ζ(s, q) = Σ (q + k)^-s by Euler and Maclaurin: terms up to q + k ≥ 12 + s/2, then the integral, half a term, and
 * Σ B₂ⱼ/(2j)! s(s+1)…(s+2j−2) w^(1−s−2j) at w = q + k (DLMF 25.11.5, 25.2.9).
 */
export function zeta(s: number, q: number): number {
  if (Number.isNaN(s) || Number.isNaN(q) || s < 1) return NaN
  if (s === 1) return Infinity
  if (q <= 0 && Number.isInteger(q)) return s % 2 === 0 ? Infinity : NaN
  if (q < 0) return Number.isInteger(s) ? zetaBelowZero(s, q) : NaN
  if (q === Infinity) return 0
  if (s === Infinity) return q < 1 ? Infinity : q === 1 ? 1 : 0
  let sum = 0
  let w = q
  for (; w < 12 + s / 2; w++) {
    const term = w ** -s
    sum += term
    // What follows is about term · w/(s − 1).
    if (term * (1 + w / (s - 1)) <= sum * 2 ** -54) return sum
  }
  const power = w ** -s
  sum += (power * w) / (s - 1) + power / 2
  let factor = (s * power) / (2 * w)
  for (let j = 1; j <= bernoulli.length; j++) {
    const term = bernoulli[j - 1]! * factor
    sum += term
    if (Math.abs(term) < Math.abs(sum) * 1e-17) break
    factor *= ((s + 2 * j - 1) * (s + 2 * j)) / ((2 * j + 1) * (2 * j + 2) * w * w)
  }
  return sum
}

/**
 * For a whole s and q < 0: Σ (q + k)^-s over all integers k depends on the fraction of q only, and its terms below k = 0 are a zeta function again,
 * so that the work does not grow with |q|.
 */
function zetaBelowZero(s: number, q: number): number {
  const fraction = q - Math.floor(q)
  return zeta(s, fraction) + (s % 2 === 0 ? 1 : -1) * (zeta(s, 1 - fraction) - zeta(s, 1 - q))
}

const euler = 0.5772156649015329
/** (ζ(k) − 1)/k with its sign, from k = 2 on. */
const zetaTerms = Array.from({ length: 30 }, (_, i) => (zeta(i + 2, 2) / (i + 2)) * (i % 2 === 0 ? 1 : -1))

/** log Γ(2 + z) for |z| ≤ ½: (1 − γ)z + Σ (−1)^k (ζ(k) − 1) z^k / k (DLMF 5.7.3), exact to the last digits at its zero. */
function aboutTwo(z: number): number {
  let sum = 0
  for (let k = zetaTerms.length - 1; k >= 0; k--) sum = (sum + zetaTerms[k]!) * z
  return z * (1 - euler + sum)
}
/** What Stirling's formula leaves out: Σ B₂ⱼ / (2j(2j−1) x^(2j−1)) (DLMF 5.11.1), for x ≥ 10. */
export function stirlingTail(x: number): number {
  let [sum, power] = [0, 1 / x]
  for (let j = 1; j <= 8; j++, power /= x * x) sum += (bernoulli[j - 1]! * power) / (2 * j * (2 * j - 1))
  return sum
}
/** sin πx, exact at whole numbers. */
function sinPi(x: number): number {
  const whole = Math.round(x)
  return (whole % 2 === 0 ? 1 : -1) * Math.sin(Math.PI * (x - whole))
}

/** log |Γ(x)|. */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return NaN
  if (Math.abs(x) === Infinity) return Infinity
  if (x <= 0 && Number.isInteger(x)) return Infinity
  // Γ(x) Γ(−x) = −π / (x sin πx) (DLMF 5.5.3)
  if (x < 0) return Math.log(Math.PI / Math.abs(x * sinPi(x))) - lgamma(-x)
  // Γ(x) = Γ(2 + x) / (x (1 + x))
  if (x < 0.5) return aboutTwo(x) - Math.log1p(x) - Math.log(x)
  if (x < 1.5) return aboutTwo(x - 1) - Math.log1p(x - 1)
  if (x <= 2.5) return aboutTwo(x - 2)
  if (x < 10) {
    let [product, rest] = [1, x]
    while (rest > 2.5) product *= --rest
    return Math.log(product) + aboutTwo(rest - 2)
  }
  return (x - 0.5) * (Math.log(x) - 1) + (Math.log(2 * Math.PI) - 1) / 2 + stirlingTail(x)
}

/** ψ(x) = Γ'(x)/Γ(x): up to x ≥ 10 by ψ(x) = ψ(x+1) − 1/x, then log x − 1/2x − Σ B₂ⱼ/(2j x^2j) (DLMF 5.11.2). */
export function digamma(x: number): number {
  if (x <= 0 && Number.isInteger(x)) return NaN
  if (x === -Infinity) return NaN
  if (x === Infinity) return Infinity
  if (x < 0) {
    // ψ(1−x) − ψ(x) = π / tan πx (DLMF 5.5.4)
    return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x - Math.round(x)))
  }
  let [sum, w] = [0, x]
  for (; w < 10; w++) sum -= 1 / w
  let power = 1 / (w * w)
  let tail = 0
  for (let j = 1; j <= 8; j++, power /= w * w) tail += (bernoulli[j - 1]! * power) / (2 * j)
  return sum + Math.log(w) - 1 / (2 * w) - tail
}

/** ψ⁽ⁿ⁾(x) = (−1)^(n+1) n! ζ(n+1, x) (DLMF 5.15.1). */
export function polygamma(n: number, x: number): number {
  if (n === 0) return digamma(x)
  if (n < 0 || !Number.isInteger(n)) return NaN
  let factorial = 1
  for (let k = 2; k <= n && factorial !== Infinity; k++) factorial *= k
  return (n % 2 === 1 ? 1 : -1) * factorial * zeta(n + 1, x)
}
