/** Comparisons, and operations on bits and truth values: none of them has a derivative. */
import { type DType, dtypes } from '../../dtype.ts'
import {
  type BinaryLoop,
  type UnaryLoop,
  andLoop,
  each,
  eqLoop,
  geLoop,
  gtLoop,
  leLoop,
  ltLoop,
  neLoop,
  pairs,
} from './loops.ts'
import { type Binary, type Unary, binary, unary } from './table.ts'

export const eq: Binary = binary('eq', { accepts: 'any', out: 'bool', run: eqLoop })
export const ne: Binary = binary('ne', { accepts: 'any', out: 'bool', run: neLoop })
export const lt: Binary = binary('lt', { accepts: 'any', out: 'bool', run: ltLoop })
export const le: Binary = binary('le', { accepts: 'any', out: 'bool', run: leLoop })
export const gt: Binary = binary('gt', { accepts: 'any', out: 'bool', run: gtLoop })
export const ge: Binary = binary('ge', { accepts: 'any', out: 'bool', run: geLoop })
export const isFinite: Unary = unary('is_finite', {
  accepts: 'float',
  out: 'bool',
  run: each((x) => (Number.isFinite(x) ? 1 : 0)),
})

// `not` of a bool is its negation, of an integer its complement. Storing into a typed array drops the bits above its width.
const flip: UnaryLoop = (out, x, dtype) => {
  if (dtype === 'bool') for (let i = 0; i < out.length; i++) out[i] = 1 - x[i]!
  else for (let i = 0; i < out.length; i++) out[i] = ~x[i]!
}
export const not: Unary = unary('not', { accepts: 'logical', run: flip })
export const and: Binary = binary('and', { accepts: 'logical', run: andLoop })
export const or: Binary = binary('or', { accepts: 'logical', run: pairs((x, y) => x | y) })
export const xor: Binary = binary('xor', { accepts: 'logical', run: pairs((x, y) => x ^ y) })

/** A loop whose function depends on the width of the operands. */
const byWidth = (f: (bits: number) => (x: number, y: number) => number): BinaryLoop => {
  const loops = new Map([8, 16, 32].map((bits) => [bits, pairs(f(bits))]))
  return (out, x, dx, y, dy, dtype) => loops.get(dtypes[dtype].bits)!(out, x, dx, y, dy, dtype)
}
/** The bits of an integer of any dtype as an unsigned number. */
const unsigned = (x: number, bits: number): number => (x << (32 - bits)) >>> (32 - bits)
const signed = (x: number, bits: number): number => (x << (32 - bits)) >> (32 - bits)
// A shift by the width or more, or by a negative number, moves every bit out: JavaScript would take it modulo 32.
const within = (y: number, bits: number): boolean => y >= 0 && y < bits

export const shiftLeft: Binary = binary('shift_left', {
  accepts: 'integer',
  run: byWidth((bits) => (x, y) => (within(y, bits) ? x << y : 0)),
})
export const shiftRightLogical: Binary = binary('shift_right_logical', {
  accepts: 'integer',
  run: byWidth((bits) => (x, y) => (within(y, bits) ? unsigned(x, bits) >>> y : 0)),
})
export const shiftRightArithmetic: Binary = binary('shift_right_arithmetic', {
  accepts: 'integer',
  run: byWidth((bits) => (x, y) => signed(x, bits) >> (within(y, bits) ? y : bits - 1)),
})

/** A loop over the bits of integers. */
const ofBits =
  (f: (x: number, bits: number) => number): UnaryLoop =>
  (out, x, dtype: DType) => {
    const { bits } = dtypes[dtype]
    for (let i = 0; i < out.length; i++) out[i] = f(unsigned(x[i]!, bits), bits)
  }
/** The number of ones: sums of neighbouring fields of 1, 2 and 4 bits, then of the four bytes by a product. */
function ones(x: number): number {
  const pairsOfBits = x - ((x >>> 1) & 0x55555555)
  const nibbles = (pairsOfBits & 0x33333333) + ((pairsOfBits >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
export const populationCount: Unary = unary('population_count', { accepts: 'integer', run: ofBits(ones) })
export const clz: Unary = unary('clz', { accepts: 'integer', run: ofBits((x, bits) => Math.clz32(x) - (32 - bits)) })
