/** How far an approximation is from the function, over all numbers of f32. */
import type { F32Function } from './evaluate.testing.ts'

const number = new Float32Array(1)
const word = new Uint32Array(number.buffer)
export const numberOfBits = (bits: number): number => {
  word[0] = bits
  return number[0]!
}
const wide = new Float64Array(1)
const wideWords = new Uint32Array(wide.buffer)
/** The distance between neighbours among f32s of this size. */
function unit(x: number): number {
  wide[0] = x
  const exponent = ((wideWords[1]! >>> 20) & 0x7ff) - 1023
  return 2 ** Math.max(exponent - 23, -149)
}
const overflow = 2 ** 128 - 2 ** 103
/** The error in units of the last place of the exact value; infinite where one of them is special and the other is not, or a zero has the wrong sign. */
export function ulps(got: number, exact: number): number {
  if (Number.isNaN(exact)) return Number.isNaN(got) ? 0 : Infinity
  if (exact === 0) return Object.is(got, exact) ? 0 : Infinity
  if (got === exact) return 0
  // What is this near to overflow may overflow, and what has overflowed may be the largest number.
  if (Math.abs(exact) >= overflow)
    return Math.sign(got) === Math.sign(exact) && Math.abs(got) > 2 ** 128 * (1 - 2 ** -22) ? 0 : Infinity
  const held = Math.abs(got) === Infinity ? Math.sign(got) * 2 ** 128 : got
  return Math.abs(held - exact) / unit(exact)
}
export interface Worst {
  ulps: number
  at: number
}
/** The worst error at every `step`th number of f32, of both signs. */
export function worstOf(got: F32Function, exact: (x: number) => number, step: number, from = 0): Worst {
  let worst: Worst = { ulps: 0, at: 0 }
  for (let bits = from; bits <= 0x7f800000; bits += step) {
    for (const signed of [bits, (bits | 0x80000000) >>> 0]) {
      const x = numberOfBits(signed)
      const apart = ulps(got(x), exact(x))
      if (apart > worst.ulps) worst = { ulps: apart, at: x }
    }
  }
  return worst
}
