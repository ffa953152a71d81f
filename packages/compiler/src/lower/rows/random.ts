/** Random bits: threefry-2x32 on the counters of elements, their flat indices, under keys u32[..., 2]. */
import type { DType, Shape } from '@fluxion/core'
import { add, bitcast, eq, i32, isConst, narrow, or, select, shl, shr, u32, xor } from '../../loops/build.ts'
import { flatIndex } from '../../loops/indices.ts'
import type { Expr } from '../../loops/ir.ts'
import type { MapRow, Operand, Rows } from '../lowering.ts'

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const

/** The two words that the counter (high, low) gives under a key, by twenty rounds (Salmon et al., 2011). */
export function threefry2x32(key0: Expr, key1: Expr, high: Expr, low: Expr): readonly [high: Expr, low: Expr] {
  const keys = [key0, key1, xor(xor(key0, key1), u32(0x1bd11bda))]
  let [x, y] = [add(high, key0), add(low, key1)]
  for (let block = 0; block < 5; block++) {
    for (const by of rotations[block % 2]!) {
      x = add(x, y)
      y = xor(or(shl(y, u32(by)), shr(y, u32(32 - by))), x)
    }
    x = add(x, keys[(block + 1) % 3]!)
    y = add(add(y, keys[(block + 2) % 3]!), u32(block + 1))
  }
  return [x, y]
}

/** The first of two words where `which`, the coordinate of an axis of size 2, is 0, else the second. */
const wordAt = (which: Expr, [first, second]: readonly [Expr, Expr]): Expr =>
  isConst(which) ? (which.value === 0 ? first : second) : select(eq(which, i32(0)), first, second)

/** The words of an element: of the key at the leading coordinates, of the counter that the others make. */
function wordsAt(keys: Operand, index: readonly Expr[], shape: Shape): readonly [Expr, Expr] {
  const rank = keys.aval.shape.length - 1
  const key = index.slice(0, rank)
  const counter = bitcast('u32', flatIndex(index.slice(rank, rank + shape.length), shape))
  return threefry2x32(keys.at([...key, i32(0)]), keys.at([...key, i32(1)]), u32(0), counter)
}

interface BitsParams {
  readonly shape: Shape
  readonly bitWidth: 8 | 16 | 32 | 64
}
const dtypeOf: Readonly<Record<number, DType>> = { 8: 'uint8', 16: 'uint16', 32: 'uint32' }
const randomBits: MapRow<BitsParams> = {
  kind: 'map',
  at([keys], { shape, bitWidth }, outs, index) {
    const words = wordsAt(keys!, index, shape)
    return bitWidth === 64 ? wordAt(index.at(-1)!, words) : narrow(dtypeOf[bitWidth]!, xor(...words))
  },
}
const randomSplit: MapRow<{ readonly shape: Shape }> = {
  kind: 'map',
  at: ([keys], { shape }, outs, index) => wordAt(index.at(-1)!, wordsAt(keys!, index, shape)),
}
const randomFoldIn: MapRow<object> = {
  kind: 'map',
  at([keys, data], _, outs, index) {
    const key = index.slice(0, -1)
    const words = threefry2x32(
      keys!.at([...key, i32(0)]),
      keys!.at([...key, i32(1)]),
      u32(0),
      bitcast('u32', data!.at(key)),
    )
    return wordAt(index.at(-1)!, words)
  },
}

export const randomRows: Rows = {
  random_bits: randomBits,
  random_split: randomSplit,
  random_fold_in: randomFoldIn,
}
