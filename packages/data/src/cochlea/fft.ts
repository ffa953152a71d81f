/** Discrete Fourier transforms of any length on separate real and imaginary parts, in double precision and in place. */

/** Transforms `re + i·im` in place: X[k] = Σₙ x[n]·e^(−2πi·kn/N). */
export type Transform = (re: Float64Array, im: Float64Array) => void

const reversedBits = (size: number): Uint32Array => {
  const table = new Uint32Array(size)
  for (let i = 1, half = size >> 1; i < size; i += 1) table[i] = (table[i >> 1]! >> 1) | (i & 1 ? half : 0)
  return table
}

/** Cooley and Tukey's transform for powers of two, two halving steps at a time. */
const powerOfTwo = (size: number): Transform => {
  const order = reversedBits(size)
  const turns = Math.max(1, Math.ceil((3 * size) / 4))
  const cos = Float64Array.from({ length: turns }, (_, i) => Math.cos((2 * Math.PI * i) / size))
  const sin = Float64Array.from({ length: turns }, (_, i) => -Math.sin((2 * Math.PI * i) / size))
  // An odd number of halvings begins with a single one, whose factors are all 1.
  const single = Math.log2(size) % 2 === 1
  return (re, im) => {
    for (let i = 0; i < size; i += 1) {
      const j = order[i]!
      if (j <= i) continue
      const keptRe = re[i]!
      const keptIm = im[i]!
      re[i] = re[j]!
      im[i] = im[j]!
      re[j] = keptRe
      im[j] = keptIm
    }
    for (let i = 0; single && i < size; i += 2) {
      const r = re[i + 1]!
      const s = im[i + 1]!
      re[i + 1] = re[i]! - r
      im[i + 1] = im[i]! - s
      re[i] = re[i]! + r
      im[i] = im[i]! + s
    }
    for (let quarter = single ? 2 : 1; quarter < size; quarter *= 4) {
      const stride = size / (4 * quarter)
      for (let start = 0; start < size; start += 4 * quarter) {
        for (let offset = 0, turn = 0; offset < quarter; offset += 1, turn += stride) {
          const i0 = start + offset
          const i1 = i0 + quarter
          const i2 = i1 + quarter
          const i3 = i2 + quarter
          // The second and third quarter stand in exchanged order: their bits are reversed.
          const r1 = re[i1]! * cos[2 * turn]! - im[i1]! * sin[2 * turn]!
          const s1 = re[i1]! * sin[2 * turn]! + im[i1]! * cos[2 * turn]!
          const r2 = re[i2]! * cos[turn]! - im[i2]! * sin[turn]!
          const s2 = re[i2]! * sin[turn]! + im[i2]! * cos[turn]!
          const r3 = re[i3]! * cos[3 * turn]! - im[i3]! * sin[3 * turn]!
          const s3 = re[i3]! * sin[3 * turn]! + im[i3]! * cos[3 * turn]!
          const evenRe = re[i0]! + r1
          const evenIm = im[i0]! + s1
          const oddRe = re[i0]! - r1
          const oddIm = im[i0]! - s1
          const sumRe = r2 + r3
          const sumIm = s2 + s3
          // times −i
          const turnedRe = s2 - s3
          const turnedIm = r3 - r2
          re[i0] = evenRe + sumRe
          im[i0] = evenIm + sumIm
          re[i1] = oddRe + turnedRe
          im[i1] = oddIm + turnedIm
          re[i2] = evenRe - sumRe
          im[i2] = evenIm - sumIm
          re[i3] = oddRe - turnedRe
          im[i3] = oddIm - turnedIm
        }
      }
    }
  }
}

/** Bluestein's transform for any other length: a convolution with a chirp, done with a power of two. */
const bluestein = (size: number): Transform => {
  let padded = 1
  while (padded < 2 * size - 1) padded *= 2
  const transform = powerOfTwo(padded)
  // n² mod 2N keeps the angle exact however long the transform is; the square itself stays below 2⁵³.
  const angle = (n: number): number => (Math.PI * ((n * n) % (2 * size))) / size
  const chirpRe = Float64Array.from({ length: size }, (_, n) => Math.cos(angle(n)))
  const chirpIm = Float64Array.from({ length: size }, (_, n) => Math.sin(angle(n)))
  const kernelRe = new Float64Array(padded)
  const kernelIm = new Float64Array(padded)
  for (let n = 0; n < size; n += 1) {
    kernelRe[n] = kernelRe[(padded - n) % padded] = chirpRe[n]!
    kernelIm[n] = kernelIm[(padded - n) % padded] = chirpIm[n]!
  }
  transform(kernelRe, kernelIm)
  return (re, im) => {
    const workRe = new Float64Array(padded)
    const workIm = new Float64Array(padded)
    for (let n = 0; n < size; n += 1) {
      workRe[n] = re[n]! * chirpRe[n]! + im[n]! * chirpIm[n]!
      workIm[n] = im[n]! * chirpRe[n]! - re[n]! * chirpIm[n]!
    }
    transform(workRe, workIm)
    // Conjugating before and after turns the forward transform into the inverse one.
    for (let k = 0; k < padded; k += 1) {
      const r = workRe[k]! * kernelRe[k]! - workIm[k]! * kernelIm[k]!
      workIm[k] = -(workRe[k]! * kernelIm[k]! + workIm[k]! * kernelRe[k]!)
      workRe[k] = r
    }
    transform(workRe, workIm)
    for (let n = 0; n < size; n += 1) {
      const r = workRe[n]! / padded
      const i = -workIm[n]! / padded
      re[n] = r * chirpRe[n]! + i * chirpIm[n]!
      im[n] = i * chirpRe[n]! - r * chirpIm[n]!
    }
  }
}

/** Plan the forward transform of a length; the plan is reused for every signal of that length. */
export const fourier = (size: number): Transform => ((size & (size - 1)) === 0 ? powerOfTwo(size) : bluestein(size))

/** Plan the inverse transform, with its factor 1/N: x[n] = (1/N)·Σₖ X[k]·e^(2πi·kn/N). */
export const inverseFourier = (size: number): Transform => {
  const forward = fourier(size)
  return (re, im) => {
    // Exchanging the parts conjugates up to a factor i on either side, so the forward transform serves.
    forward(im, re)
    for (let n = 0; n < size; n += 1) {
      re[n] = re[n]! / size
      im[n] = im[n]! / size
    }
  }
}
