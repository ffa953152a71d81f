/** Threefry-2x32 with twenty rounds, the hash under all random numbers (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"). */

/** Hash the counters (high, low) under a key, in place: for every i, `high[i], low[i]` become two random words. */
export function threefry2x32(key0: number, key1: number, high: Uint32Array, low: Uint32Array): void {
  const key2 = key0 ^ key1 ^ 0x1bd11bda
  for (let i = 0; i < high.length; i++) {
    let x = (high[i]! + key0) | 0
    let y = (low[i]! + key1) | 0
    // a round: x += y, y is rotated, y ^= x; after every four of them a part of the key goes in
    x = (x + y) | 0
    y = ((y << 13) | (y >>> 19)) ^ x
    x = (x + y) | 0
    y = ((y << 15) | (y >>> 17)) ^ x
    x = (x + y) | 0
    y = ((y << 26) | (y >>> 6)) ^ x
    x = (x + y) | 0
    y = ((y << 6) | (y >>> 26)) ^ x
    x = (x + key1) | 0
    y = (y + key2 + 1) | 0
    x = (x + y) | 0
    y = ((y << 17) | (y >>> 15)) ^ x
    x = (x + y) | 0
    y = ((y << 29) | (y >>> 3)) ^ x
    x = (x + y) | 0
    y = ((y << 16) | (y >>> 16)) ^ x
    x = (x + y) | 0
    y = ((y << 24) | (y >>> 8)) ^ x
    x = (x + key2) | 0
    y = (y + key0 + 2) | 0
    x = (x + y) | 0
    y = ((y << 13) | (y >>> 19)) ^ x
    x = (x + y) | 0
    y = ((y << 15) | (y >>> 17)) ^ x
    x = (x + y) | 0
    y = ((y << 26) | (y >>> 6)) ^ x
    x = (x + y) | 0
    y = ((y << 6) | (y >>> 26)) ^ x
    x = (x + key0) | 0
    y = (y + key1 + 3) | 0
    x = (x + y) | 0
    y = ((y << 17) | (y >>> 15)) ^ x
    x = (x + y) | 0
    y = ((y << 29) | (y >>> 3)) ^ x
    x = (x + y) | 0
    y = ((y << 16) | (y >>> 16)) ^ x
    x = (x + y) | 0
    y = ((y << 24) | (y >>> 8)) ^ x
    x = (x + key1) | 0
    y = (y + key2 + 4) | 0
    x = (x + y) | 0
    y = ((y << 13) | (y >>> 19)) ^ x
    x = (x + y) | 0
    y = ((y << 15) | (y >>> 17)) ^ x
    x = (x + y) | 0
    y = ((y << 26) | (y >>> 6)) ^ x
    x = (x + y) | 0
    y = ((y << 6) | (y >>> 26)) ^ x
    high[i] = x + key2
    low[i] = y + key0 + 5
  }
}

/** The words of the counters 0 … count − 1, as 64-bit numbers in two halves. */
export function threefryCounters(key0: number, key1: number, count: number): [high: Uint32Array, low: Uint32Array] {
  const high = new Uint32Array(count)
  const low = Uint32Array.from({ length: count }, (_, i) => i)
  threefry2x32(key0, key1, high, low)
  return [high, low]
}
