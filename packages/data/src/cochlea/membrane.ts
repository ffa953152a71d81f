/**
 * The basilar membrane: a hydrodynamic long-wave model of the cochlea, from sound to membrane velocity at each place.
 *
 * Sieroka, Dosch & Rupp, J. Acoust. Soc. Am. 120 (2006) 297, with the constants of the program that made the Heidelberg digits.
 */
import { fourier, inverseFourier } from './fft.ts'
import { hankelInto } from './hankel.ts'
import type { Complex } from './hankel.ts'

/** Constants of the membrane, in centimetres, grams and seconds. */
export const membraneConstants: Readonly<
  Record<'height' | 'mass' | 'stiffness' | 'stiffnessOffset' | 'decay' | 'damping' | 'length', number>
> = {
  height: 0.1,
  mass: 0.05,
  stiffness: 1e9,
  stiffnessOffset: 3500,
  decay: 3,
  damping: 0.15 * Math.sqrt(1e9 * 0.05),
  length: 3.5,
}

const { height: h, mass: m, stiffness: c0, stiffnessOffset: a, decay: alpha, damping: r0, length } = membraneConstants

/** Places along the membrane, both ends included; channel 0 is the base, where high frequencies resonate. */
export const placesOf = (channels: number): Float64Array =>
  Float64Array.from({ length: channels }, (_, i) => (channels === 1 ? 0 : (length * i) / (channels - 1)))

/** Root √(x + iy) in the right half-plane; the imaginary part takes the sign of y. */
const rootInto = (out: Float64Array, x: number, y: number): void => {
  const modulus = Math.hypot(x, y)
  const big = Math.sqrt((modulus + Math.abs(x)) / 2)
  const small = big === 0 ? 0 : Math.abs(y) / (2 * big)
  out[0] = x >= 0 ? big : small
  out[1] = (y < 0 ? -1 : 1) * (x >= 0 ? small : big)
}

/** What depends on the frequency alone. */
interface Bin {
  readonly omega: number
  readonly rootA: number // √(a + mω²)
  readonly g0: Complex // wave number at the base
  readonly f1: Complex // F at the base
  readonly phase0: Complex // G at the base
}

const root = new Float64Array(2)
const hankel = new Float64Array(4)

const binOf = (omega: number): Bin => {
  const rootA = Math.sqrt(a + m * omega * omega)
  rootInto(root, c0 - a - m * omega * omega, -omega * r0)
  const [qr, qi] = [root[0]!, root[1]!]
  const scale = omega / (Math.sqrt(h) * (qr * qr + qi * qi))
  const g0: Complex = [scale * qr, -scale * qi]
  return {
    omega,
    rootA,
    g0,
    f1: [-qr - (omega * r0) / (2 * rootA), -qi + rootA],
    phase0: [(2 / alpha) * g0[0], (2 / alpha) * g0[1]],
  }
}

/**
 * Write ξ, the wave number g and the phase integral G(ω, c) = (2/α)·g(ω, 0) + ∫₀ᶜ g(ω, s) ds as `[ξ, g, G]`.
 *
 * With u = e^(αc/2), A = a + mω², b = iωr₀ and Q = u·√ξ, the function F(u) = −Q + i(2Au + b)/(2√A) has F′/F = −i√A/Q,
 * so that the integral is −(2iω/(α√(hA)))·log(F(1)/F(u)).
 */
const phaseInto = (out: Float64Array, { omega, rootA, f1, phase0 }: Bin, u: number): void => {
  const xr = c0 / (u * u) - a - m * omega * omega
  const xi = (-omega * r0) / u
  rootInto(root, xr, xi)
  const qr = root[0]!
  const qi = root[1]!
  const scale = omega / (Math.sqrt(h) * (qr * qr + qi * qi))
  const fr = -qr * u - (omega * r0) / (2 * rootA)
  const fi = -qi * u + rootA * u
  // log(F(1)/F(u)): the modulus by its squares, the angle of F(1)·conj(F(u)).
  const [er, ei] = f1
  const logr = Math.log((er * er + ei * ei) / (fr * fr + fi * fi)) / 2
  const logi = Math.atan2(ei * fr - er * fi, er * fr + ei * fi)
  const kappa = (2 * omega) / (alpha * Math.sqrt(h) * rootA)
  out[0] = xr
  out[1] = xi
  out[2] = scale * qr
  out[3] = -scale * qi
  out[4] = phase0[0] + kappa * logi
  out[5] = phase0[1] - kappa * logr
}

/** Write the pressure p = √(G/g)·H₀⁽¹⁾(G). */
const pressureInto = (out: Float64Array, gr: number, gi: number, Gr: number, Gi: number): void => {
  const norm = gr * gr + gi * gi
  rootInto(root, (Gr * gr + Gi * gi) / norm, (Gi * gr - Gr * gi) / norm)
  const sr = root[0]!
  const si = root[1]!
  hankelInto(hankel, Gr, Gi)
  out[0] = sr * hankel[0]! - si * hankel[1]!
  out[1] = sr * hankel[1]! + si * hankel[0]!
}

/** Impedance of the middle ear, z(ω) = √(2c₀/h)·(i·J₀(β) + Y₀(β))/(J₁(β) − i·Y₁(β)) = i·√(2c₀/h)·conj(H₀/H₁). */
const impedance = (omega: number): Complex => {
  const beta = ((2 * omega) / alpha) * Math.sqrt(2 / (h * c0))
  hankelInto(hankel, beta, 0)
  const [pr, pi, qr, qi] = [hankel[0]!, hankel[1]!, hankel[2]!, hankel[3]!]
  const scale = Math.sqrt((2 * c0) / h) / (qr * qr + qi * qi)
  // i·conj(w) = Im w + i·Re w
  return [scale * (pi * qr - pr * qi), scale * (pr * qr + pi * qi)]
}

/**
 * Compute the wave number g, its integral G (from −∞ to the place, base reflection included) and the stiffness term ξ.
 *
 * @param omega angular frequency in rad/s, above 0
 * @param place distance from the base in centimetres
 */
export const wavePhase = (
  omega: number,
  place: number,
): { readonly stiffness: Complex; readonly waveNumber: Complex; readonly phase: Complex } => {
  const out = new Float64Array(6)
  phaseInto(out, binOf(omega), Math.exp((alpha * place) / 2))
  return { stiffness: [out[0]!, out[1]!], waveNumber: [out[2]!, out[3]!], phase: [out[4]!, out[5]!] }
}

/** Transfer functions from sound to velocity: `table[2(channel·bins + bin)]` is a real part, the next number its imaginary part. */
export interface MembraneTransfer {
  readonly sampleRate: number
  /** Length of the track the table is for. */
  readonly samples: number
  readonly bins: number
  readonly channels: number
  readonly table: Float32Array
}

/**
 * Compute the velocity transfer V(ω, c) = (2ω/ξ)·p(ω, c)·z(ω)/p(ω, 0) for every frequency bin and place.
 *
 * Bins lie at 2π·linspace(1 Hz, sampleRate/2, ⌊samples/2⌋ + 1). Computed in double precision (S − mω² subtracts numbers near
 * 1e9), kept in single. Costs about a microsecond an entry, so keep the result, or use `cachedTransfer`.
 */
export const membraneTransfer = (sampleRate: number, samples: number, channels = 700): MembraneTransfer => {
  const bins = Math.floor(samples / 2) + 1
  const table = new Float32Array(2 * channels * bins)
  const growth = placesOf(channels).map((place) => Math.exp((alpha * place) / 2))
  const phase = new Float64Array(6)
  const pressure = new Float64Array(2)
  for (let k = 0; k < bins; k += 1) {
    const bin = binOf(2 * Math.PI * (1 + (bins > 1 ? (k * (sampleRate / 2 - 1)) / (bins - 1) : 0)))
    const [zr, zi] = impedance(bin.omega)
    pressureInto(pressure, bin.g0[0], bin.g0[1], bin.phase0[0], bin.phase0[1])
    // 2ω·z/p(ω, 0), common to all places
    const norm = (2 * bin.omega) / (pressure[0]! * pressure[0]! + pressure[1]! * pressure[1]!)
    const dr = norm * (zr * pressure[0]! + zi * pressure[1]!)
    const di = norm * (zi * pressure[0]! - zr * pressure[1]!)
    for (let channel = 0; channel < channels; channel += 1) {
      phaseInto(phase, bin, growth[channel]!)
      pressureInto(pressure, phase[2]!, phase[3]!, phase[4]!, phase[5]!)
      const square = phase[0]! * phase[0]! + phase[1]! * phase[1]!
      const er = (dr * phase[0]! + di * phase[1]!) / square
      const ei = (di * phase[0]! - dr * phase[1]!) / square
      const at = 2 * (channel * bins + k)
      table[at] = er * pressure[0]! - ei * pressure[1]!
      table[at + 1] = er * pressure[1]! + ei * pressure[0]!
    }
  }
  return { sampleRate, samples, bins, channels, table }
}

/** Tables are large (92 MB for 0.68 s at 48 kHz), so only the two used last are kept. */
const kept: MembraneTransfer[] = []

/** Like `membraneTransfer`, but remembers the two tables used last. */
export const cachedTransfer = (sampleRate: number, samples: number, channels = 700): MembraneTransfer => {
  const found = kept.findIndex((t) => t.sampleRate === sampleRate && t.samples === samples && t.channels === channels)
  const [transfer] = found < 0 ? [membraneTransfer(sampleRate, samples, channels)] : kept.splice(found, 1)
  kept.unshift(transfer!)
  kept.length = Math.min(kept.length, 2)
  return transfer!
}

/** The length a track of n samples is padded to: the least 2ᵐ⁺¹ − 2, at which the inverse transform's length is a power of two. */
export const paddedLength = (n: number): number => {
  let bins = 1024
  while (2 * bins - 2 < n) bins *= 2
  return 2 * bins - 2
}

/**
 * Move the membrane: yield the velocity at each place in turn, at half the sample rate.
 *
 * Per place y = Re(IFFT_K(V·X)), where X holds the first K = ⌊N/2⌋ + 1 bins of the track's transform. Two places share one
 * inverse transform, as its real and its imaginary part. Velocities are f64[⌊samples/2⌋], base first.
 *
 * @param samples conditioned sound, no longer than the transfer's track (shorter is padded with silence)
 */
export function* basilarMembrane(samples: ArrayLike<number>, transfer: MembraneTransfer): Generator<Float64Array> {
  const { bins, channels, table, samples: padded } = transfer
  const soundRe = new Float64Array(padded)
  soundRe.set(samples)
  const soundIm = new Float64Array(padded)
  fourier(padded)(soundRe, soundIm)
  const inverse = inverseFourier(bins)
  const steps = Math.floor(samples.length / 2)
  const re = new Float64Array(bins)
  const im = new Float64Array(bins)
  for (let channel = 0; channel < channels; channel += 2) {
    const pair = Math.min(2, channels - channel)
    re.fill(0)
    im.fill(0)
    for (let which = 0; which < pair; which += 1) {
      const base = 2 * (channel + which) * bins
      for (let k = 0; k < bins; k += 1) {
        const vr = table[base + 2 * k]!
        const vi = table[base + 2 * k + 1]!
        const zr = (vr * soundRe[k]! - vi * soundIm[k]!) / 2
        const zi = (vr * soundIm[k]! + vi * soundRe[k]!) / 2
        // The real part of the inverse is the inverse of the Hermitian part: half the bin here, half its conjugate at −k.
        const mirror = k === 0 ? 0 : bins - k
        if (which === 0) {
          re[k] = re[k]! + zr
          im[k] = im[k]! + zi
          re[mirror] = re[mirror]! + zr
          im[mirror] = im[mirror]! - zi
        } else {
          re[k] = re[k]! - zi
          im[k] = im[k]! + zr
          re[mirror] = re[mirror]! + zi
          im[mirror] = im[mirror]! + zr
        }
      }
    }
    inverse(re, im)
    yield re.slice(0, steps)
    if (pair === 2) yield im.slice(0, steps)
  }
}
