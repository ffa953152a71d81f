/** Bits packed into bytes: unpacked directly, since programs read their binary data so. */
import type { NDArray } from '../array.ts'
import { hostZeros } from '../backend/reference/host.ts'
import { DtypeError, OptionError, ShapeError, misuse } from '../errors.ts'
import { aval, showAval } from '../ir/aval.ts'
import { range, sizeOf } from '../shape.ts'
import { bind1 } from '../trace.ts'
import { pointwise } from './axes.ts'
import { type Primitive, definePrimitive } from './define.ts'
import { zeroJvp } from './rules.ts'

/** Which bit of a byte comes first: the highest (`big`) or the lowest (`little`). */
export type BitOrder = 'big' | 'little'
interface UnpackParams {
  readonly axis: number
  readonly bitorder: BitOrder
}

const shiftsOf = (bitorder: BitOrder): number[] => range(8).map((bit) => (bitorder === 'big' ? 7 - bit : bit))
/** The eight elements of each byte, four in a word: two writes unpack a byte. */
const wordsOf = (bitorder: BitOrder): Uint32Array => {
  const bytes = Uint8Array.from(range(256).flatMap((byte) => shiftsOf(bitorder).map((shift) => (byte >> shift) & 1)))
  return new Uint32Array(bytes.buffer)
}
const words: Readonly<Record<BitOrder, Uint32Array>> = { big: wordsOf('big'), little: wordsOf('little') }

const unpackPrimitive: Primitive<UnpackParams> = definePrimitive<UnpackParams>({
  name: 'unpackbits',
  type([x], { axis, bitorder }) {
    if (x!.dtype !== 'uint8') throw new DtypeError(misuse('unpackbits', 'bytes, of dtype uint8', showAval(x!)))
    if (x!.shape[axis] === undefined)
      throw new ShapeError(misuse('unpackbits', `an axis of ${showAval(x!)}`, `${axis}`))
    if (!Object.hasOwn(words, bitorder))
      throw new OptionError(misuse('unpackbits', `a bitorder of 'big' or 'little'`, `'${bitorder}'`))
    return [
      aval(
        x!.shape.map((dim, i) => (i === axis ? dim * 8 : dim)),
        'uint8',
      ),
    ]
  },
  jvp: zeroJvp(([x], { axis, bitorder }) => [unpackbits(x!, axis, bitorder)]),
  batch: ([x], [dim], { axis, bitorder }) => [[unpackbits(x!, axis >= dim! ? axis + 1 : axis, bitorder)], [dim!]],
  // along the packed axis by whole bytes, as the sizes' common divisor says
  axes: pointwise,
  reference([x], { axis, bitorder }, [out]) {
    const result = hostZeros(out!)
    const { data } = x!
    const inner = sizeOf(x!.shape.slice(axis + 1))
    if (inner === 1) {
      const [table, pairs] = [words[bitorder], new Uint32Array(result.data.buffer)]
      for (let i = 0; i < data.length; i++) {
        pairs[2 * i] = table[2 * data[i]!]!
        pairs[2 * i + 1] = table[2 * data[i]! + 1]!
      }
      return [result]
    }
    const shifts = shiftsOf(bitorder)
    for (let row = 0, at = 0; row < data.length; row += inner) {
      for (const shift of shifts) {
        for (let i = 0; i < inner; i++) result.data[at++] = (data[row + i]! >> shift) & 1
      }
    }
    return [result]
  },
})
/** The bits of bytes as elements 0 and 1: eight times as many along the axis. */
export const unpackbits = (x: NDArray, axis: number, bitorder: BitOrder = 'big'): NDArray =>
  bind1(unpackPrimitive, [x], { axis, bitorder })
