/** The inner hair cell: transmitter in a cleft between cell and nerve (Meddis, J. Acoust. Soc. Am. 79 (1986) 702; 83 (1988) 1056). */

/** Rate constants in 1/s; `A` and `B` in units of the membrane's velocity. */
export const hairCellConstants = {
  replenish: 5.05,
  release: 2000,
  loss: 2500,
  reuptake: 6580,
  reprocess: 66.3,
  A: 5,
  B: 300,
  firing: 50000,
  store: 1,
} as const

/**
 * Turn a membrane velocity into the probability that a nerve fibre fires in a sample.
 *
 * Euler steps of dt = 1/rate of the store q, the cleft c and the reprocessing store w, from the steady state of silence:
 *   k  = g·(s + A)/(s + A + B) if s + A > 0, else 0
 *   q' = y·(M − q)⁺ − k·q + x·w
 *   c' = k·q − (l + r)·c
 *   w' = r·c − x·w,          P = h·dt·c
 *
 * @param rate samples a second; stable above 9,080 Hz, the rate at which the cleft empties
 */
export const hairCell = (velocity: ArrayLike<number>, rate: number): Float64Array => {
  const { replenish, release, loss, reuptake, reprocess, A, B, firing, store } = hairCellConstants
  const dt = 1 / rate
  const spontaneous = (release * A) / (A + B)
  let c = (store * replenish * spontaneous) / (loss * spontaneous + replenish * (loss + reuptake))
  let q = (c * (loss + reuptake)) / spontaneous
  let w = (c * reuptake) / reprocess
  const probability = new Float64Array(velocity.length)
  for (let t = 0; t < velocity.length; t += 1) {
    const drive = velocity[t]! + A
    const ejected = drive > 0 ? ((release * dt * drive) / (drive + B)) * q : 0
    const replenished = q < store ? replenish * dt * (store - q) : 0
    const taken = reuptake * dt * c
    const reprocessed = reprocess * dt * w
    q = Math.max(q + replenished - ejected + reprocessed, 0)
    c = Math.max(c + ejected - (loss + reuptake) * dt * c, 0)
    w = Math.max(w + taken - reprocessed, 0)
    probability[t] = firing * dt * c
  }
  return probability
}
