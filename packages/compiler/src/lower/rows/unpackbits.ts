/** Bits packed into bytes, unpacked. */
import { and, bitcast, shr, u32 } from '../../loops/build.ts'
import { indexAdd, indexDiv, indexMod, indexMul } from '../../loops/indices.ts'
import type { MapRow, Rows } from '../lowering.ts'

interface UnpackParams {
  readonly axis: number
  readonly bitorder: 'big' | 'little'
}
const unpackbits: MapRow<UnpackParams> = {
  kind: 'map',
  at([x], { axis, bitorder }, outs, index) {
    const bit = indexMod(index[axis]!, 8)
    const shift = bitorder === 'big' ? indexAdd(7, indexMul(bit, -1)) : bit
    const byte = x!.at(index.map((at, i) => (i === axis ? indexDiv(at, 8) : at)))
    return and(shr(byte, bitcast('u32', shift)), u32(1))
  },
}

export const bitsRows: Rows = { unpackbits }
