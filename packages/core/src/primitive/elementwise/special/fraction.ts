/** Continued fractions, evaluated forwards. */

/**
 * b₀ + a₁/(b₁ + a₂/(b₂ + …)) by Lentz's method as Thompson and Barnett modified it (J. Comput. Phys. 64, 1986): ratios of successive
 * numerators and denominators, with zeros replaced by something tiny. Returns the value and the number of steps taken.
 */
export function continuedFraction(
  numerator: (n: number) => number,
  denominator: (n: number) => number,
  limit = 10000,
): readonly [value: number, steps: number] {
  const tiny = 1e-300
  let value = denominator(0) || tiny
  let [c, d] = [value, 0]
  for (let n = 1; n <= limit; n++) {
    const [a, b] = [numerator(n), denominator(n)]
    c = b + a / c || tiny
    d = 1 / (b + a * d || tiny)
    value *= c * d
    if (Math.abs(c * d - 1) < 2 ** -53) return [value, n]
  }
  return [value, limit]
}
