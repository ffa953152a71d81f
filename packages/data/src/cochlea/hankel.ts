/** The Hankel functions of the first kind, orders 0 and 1, of a complex argument. */

/** Real and imaginary part. */
export type Complex = readonly [re: number, im: number]

const eulerGamma = 0.5772156649015329
const epsilon = 2 ** -53

/** Below this modulus the power series is used: it loses at most e^(2·2) ≈ 55 units in the last place there. */
const seriesRadius = 2

/**
 * Ascending series (DLMF 10.2.2, 10.8.1, 10.8.2), with q = −z²/4:
 *   J₀ = Σ qᵏ/k!²,                     Y₀ = (2/π)·((ln(z/2) + γ)·J₀ − Σ Hₖ·qᵏ/k!²)
 *   J₁ = (z/2)·Σ qᵏ/(k!(k+1)!),        Y₁ = (2/π)·(ln(z/2)·J₁ − 1/z) − (z/2π)·Σ (ψ(k+1) + ψ(k+2))·qᵏ/(k!(k+1)!)
 */
const series = (out: Float64Array, x: number, y: number): void => {
  const qr = -(x * x - y * y) / 4
  const qi = -(x * y) / 2
  let [tr, ti] = [1, 0] // qᵏ/k!²
  let harmonic = 0
  let [j0r, j0i, s0r, s0i] = [1, 0, 0, 0]
  let [j1r, j1i] = [1, 0]
  let [s1r, s1i] = [1 - 2 * eulerGamma, 0]
  for (let k = 1; Math.abs(tr) + Math.abs(ti) > epsilon * 1e-2; k += 1) {
    const nr = (tr * qr - ti * qi) / (k * k)
    ti = (tr * qi + ti * qr) / (k * k)
    tr = nr
    harmonic += 1 / k
    j0r += tr
    j0i += ti
    s0r += harmonic * tr
    s0i += harmonic * ti
    j1r += tr / (k + 1)
    j1i += ti / (k + 1)
    const weight = (2 * harmonic + 1 / (k + 1) - 2 * eulerGamma) / (k + 1)
    s1r += weight * tr
    s1i += weight * ti
  }
  const square = x * x + y * y
  const logr = Math.log(square / 4) / 2
  const logi = Math.atan2(y, x)
  const y0r = (2 / Math.PI) * ((logr + eulerGamma) * j0r - logi * j0i - s0r)
  const y0i = (2 / Math.PI) * ((logr + eulerGamma) * j0i + logi * j0r - s0i)
  const b1r = (x * j1r - y * j1i) / 2
  const b1i = (x * j1i + y * j1r) / 2
  const y1r = (2 / Math.PI) * (logr * b1r - logi * b1i - x / square) - (x * s1r - y * s1i) / (2 * Math.PI)
  const y1i = (2 / Math.PI) * (logr * b1i + logi * b1r + y / square) - (x * s1i + y * s1r) / (2 * Math.PI)
  out[0] = j0r - y0i
  out[1] = j0i + y0r
  out[2] = b1r - y1i
  out[3] = b1i + y1r
}

/**
 * With w = −iz: H₀ = −(2i/π)·K₀(w) and H₁ = −(2/π)·K₁(w), and K by Temme's sum along Steed's evaluation of the
 * continued fraction for K₁/K₀ (Temme, J. Comput. Phys. 19 (1975) 324; Thompson & Barnett, Comput. Phys. Commun. 47 (1987) 245):
 *   K₀ = √(π/2w)·e^(−w)/S,   K₁/K₀ = (w + ½ − h/4)/w,
 * where the n-th convergent of h has partial numerators −(n − ½)² and denominators 2(w + n), and S = 1 + Σ Qₙ·Δhₙ.
 * There is no cancellation anywhere, so tiny values far up the imaginary axis keep their relative accuracy.
 */
const continuedFraction = (out: Float64Array, x: number, y: number): void => {
  const wr = y
  const wi = -x
  let br = 2 * (1 + wr)
  const bi = 2 * wi // the real part alone grows by 2 a step
  let norm = br * br + bi * bi
  let dr = br / norm
  let di = -bi / norm
  let [stepr, stepi] = [dr, di]
  let [hr, hi] = [dr, di]
  let a = -0.25
  // Two neighbours of the sequence whose sum Q is; both carry its factor cₙ = Π −aₖ/k, which would overflow by itself.
  let [t1r, t1i, t2r, t2i] = [0, 0, 0.25, 0]
  let [qr, qi] = [0.25, 0]
  let sr = 1 + qr * stepr
  let si = qr * stepi
  for (let n = 2; n < 5000; n += 1) {
    a -= 2 * (n - 1)
    const nextr = (br * t2r - bi * t2i - t1r) / n
    const nexti = (br * t2i + bi * t2r - t1i) / n
    t1r = (-a * t2r) / n
    t1i = (-a * t2i) / n
    t2r = nextr
    t2i = nexti
    qr += nextr
    qi += nexti
    br += 2
    const er = br + a * dr
    const ei = bi + a * di
    norm = er * er + ei * ei
    dr = er / norm
    di = -ei / norm
    const fr = br * dr - bi * di - 1
    const fi = br * di + bi * dr
    const kept = fr * stepr - fi * stepi
    stepi = fr * stepi + fi * stepr
    stepr = kept
    hr += stepr
    hi += stepi
    const addr = qr * stepr - qi * stepi
    const addi = qr * stepi + qi * stepr
    sr += addr
    si += addi
    if (Math.abs(addr) + Math.abs(addi) <= epsilon * (Math.abs(sr) + Math.abs(si))) break
  }
  // √(π/2w) in polar form; |arg w| < π, so the principal root is the half angle.
  const modulus = Math.sqrt(Math.PI / (2 * Math.hypot(wr, wi))) * Math.exp(-wr)
  const phase = -Math.atan2(wi, wr) / 2 - wi
  const er = modulus * Math.cos(phase)
  const ei = modulus * Math.sin(phase)
  norm = sr * sr + si * si
  const k0r = (er * sr + ei * si) / norm
  const k0i = (ei * sr - er * si) / norm
  const tr = wr + 0.5 - hr / 4
  const ti = wi - hi / 4
  norm = wr * wr + wi * wi
  const ratior = (tr * wr + ti * wi) / norm
  const ratioi = (ti * wr - tr * wi) / norm
  out[0] = (2 / Math.PI) * k0i
  out[1] = (-2 / Math.PI) * k0r
  out[2] = (-2 / Math.PI) * (k0r * ratior - k0i * ratioi)
  out[3] = (-2 / Math.PI) * (k0r * ratioi + k0i * ratior)
}

/** Write H₀ and H₁ of x + iy as `[Re H₀, Im H₀, Re H₁, Im H₁]`: the form for inner loops, which allocates nothing. */
export const hankelInto = (out: Float64Array, x: number, y: number): void =>
  x * x + y * y < seriesRadius * seriesRadius ? series(out, x, y) : continuedFraction(out, x, y)

/**
 * Evaluate the Hankel functions of the first kind H₀⁽¹⁾(z) and H₁⁽¹⁾(z).
 *
 * Accurate to about 1e-14 in the first quadrant, the real axis included, where waves that decay live; z ≠ 0.
 *
 * @example
 * ```ts
 * import { hankel1 } from '@fluxion/data'
 * hankel1([1, 0])[0].map((part) => part.toFixed(6)) // => ['0.765198', '0.088257']
 * ```
 */
export const hankel1 = ([x, y]: Complex): readonly [h0: Complex, h1: Complex] => {
  const out = new Float64Array(4)
  hankelInto(out, x, y)
  return [
    [out[0]!, out[1]!],
    [out[2]!, out[3]!],
  ]
}
