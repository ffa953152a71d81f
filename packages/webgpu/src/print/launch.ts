/**
 * The block of numbers that each dispatch brings along, in a uniform buffer: where its parameters begin, and special floats, which a compiler
 * could fold, or refuse, if they stood in the source.
 */
import { bitsOf } from './bits.ts'

/** Words before those of the parameters. */
export const specialWords: readonly number[] = [bitsOf(NaN), bitsOf(Infinity), bitsOf(-Infinity), 0]
const wordAt = (at: number): string => `launch[${at >> 2}].${'xyzw'[at & 3]!}`
const floatAt = (at: number): string => `bitcast<f32>(${wordAt(at)})`
export const special: Readonly<Record<'nan' | 'infinity' | 'minusInfinity', string>> = {
  nan: floatAt(0),
  infinity: floatAt(1),
  minusInfinity: floatAt(2),
}
/** Where a parameter begins in its binding, in elements. */
export const offsetOf = (param: number): string => `i32(${wordAt(specialWords.length + param)})`

/** How many 16-byte vectors a kernel's block has. */
export const blockVectors = (params: number): number => Math.ceil((specialWords.length + params) / 4)
