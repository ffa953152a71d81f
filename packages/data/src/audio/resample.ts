/** Changing the sample rate of a recording with a windowed-sinc low-pass filter. */

/** Zero crossings of the sinc on either side, and the shape of its Kaiser window: about 100 dB of stop-band attenuation. */
const crossings = 32
const kaiserBeta = 10

/** Modified Bessel function I₀ by its ascending series. */
const besselI0 = (x: number): number => {
  let sum = 1
  for (let k = 1, term = 1; term > sum * 1e-17; k += 1) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))

/**
 * Resample a signal from one rate to another, band-limited to the lower of the two.
 *
 *   y[m] = Σₙ x[n]·w(d)·f·sinc(f·d),   d = m·from/to − n,   f = 0.95·min(1, to/from)
 *
 * with a Kaiser window w (β = 10) over 32 zero crossings. Beyond its ends the signal is silent. The taps of each of the phases
 * are scaled to sum to one, so that a constant stays exactly constant away from the ends.
 *
 * @param samples f64[n]
 * @returns f64[⌈n·to/from⌉]
 */
export const resample = (samples: ArrayLike<number>, from: number, to: number): Float64Array => {
  if (!(from > 0) || !(to > 0) || !Number.isInteger(from) || !Number.isInteger(to)) {
    throw new RangeError(`resample: expected sample rates that are positive integers, got ${from} and ${to}`)
  }
  if (from === to) return Float64Array.from(samples)
  const divisor = greatestCommonDivisor(from, to)
  const phases = to / divisor
  const advance = from / divisor
  const cutoff = 0.95 * Math.min(1, to / from)
  const reach = crossings / cutoff
  const taps = 2 * Math.ceil(reach) + 1
  const first = -Math.ceil(reach)
  const bank = new Float64Array(phases * taps)
  const scale = besselI0(kaiserBeta)
  for (let phase = 0; phase < phases; phase += 1) {
    let sum = 0
    for (let tap = 0; tap < taps; tap += 1) {
      const d = phase / phases - (first + tap)
      const x = Math.PI * cutoff * d
      const window = Math.abs(d) < reach ? besselI0(kaiserBeta * Math.sqrt(1 - (d / reach) ** 2)) / scale : 0
      const value = window * (x === 0 ? 1 : Math.sin(x) / x)
      bank[phase * taps + tap] = value
      sum += value
    }
    for (let tap = 0; tap < taps; tap += 1) bank[phase * taps + tap] = bank[phase * taps + tap]! / sum
  }
  const out = new Float64Array(Math.ceil((samples.length * to) / from))
  for (let i = 0; i < out.length; i += 1) {
    const position = i * advance
    const phase = position % phases
    const centre = (position - phase) / phases + first
    const row = phase * taps
    const end = Math.min(taps, samples.length - centre)
    let sum = 0
    for (let tap = Math.max(0, -centre); tap < end; tap += 1) sum += bank[row + tap]! * samples[centre + tap]!
    out[i] = sum
  }
  return out
}
