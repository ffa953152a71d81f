/** A small seeded generator of uniform numbers for host-side work: noise, fibres, splits. Not for traced code (that is `random`). */

/** Draws numbers that are uniform in [0, 1). */
export type Uniform = () => number

/**
 * Make a deterministic generator from a list of integers: equal lists give equal streams, others independent ones.
 *
 * The state is that of sfc32 (Doty-Humphrey, PractRand), filled by multiplying and folding the seeds.
 */
export const uniformGenerator = (...seeds: readonly number[]): Uniform => {
  const state = new Uint32Array(4)
  state[3] = 1
  let hash = 0x9e3779b9
  for (const seed of seeds) {
    // A seed may exceed 32 bits: both halves count.
    for (const word of [seed >>> 0, Math.floor(seed / 0x100000000) >>> 0]) {
      hash = Math.imul(hash ^ word, 0x85ebca6b)
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
      hash ^= hash >>> 16
      for (let i = 0; i < 3; i += 1) state[i] = Math.imul(state[i]! ^ hash, 0x9e3779b1 + 2 * i) + i
    }
  }
  let a = state[0]! | 0
  let b = state[1]! | 0
  let c = state[2]! | 0
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x100000000
  }
  for (let i = 0; i < 15; i += 1) next()
  return next
}

/** Draw one normally distributed number (Box and Muller's transform of two uniform ones). */
export const normalFrom = (uniform: Uniform): number =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())

/** Shuffle the integers 0 … n − 1 (Fisher and Yates). */
export const permutationFrom = (uniform: Uniform, n: number): Int32Array => {
  const order = Int32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i -= 1) {
    const j = Math.floor(uniform() * (i + 1))
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
