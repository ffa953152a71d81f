/** How an operand that is 0 or 1 lies in memory, where a mask of its bits can be read from there. */
import {
  type Buffer,
  type Expr,
  LoopVar,
  indexAdd,
  indexMul,
  indexRange,
  linearIn,
  substituting,
  variable,
} from '@fluxion/compiler'
import { computable } from '../address.ts'
import type { Form } from '../form.ts'

/** A dimension of the operand. */
export type Side = 'rows' | 'inner'
/** Bytes at `base` + Σ stride · variable; the base depends on the batch alone. */
export interface Lying {
  /** The dimension that a byte holds eight elements of, or none: then it holds one. */
  readonly packed: Side | undefined
  /** Of packed bits: whether the first is the highest. */
  readonly big: boolean
  /** The dimension along which bytes lie side by side. */
  readonly along: Side
  readonly buffer: Buffer
  readonly base: Expr
  /** In bytes; of the packed dimension for eight elements. */
  readonly row: number
  readonly inner: number
}

/** The value whose being 0 or not is that of an expression. */
function stripped(x: Expr): Expr {
  return x.op === 'convert' || x.op === 'bitcast' || x.op === 'narrow' ? stripped(x.x) : x
}
const byteTypes = new Set(['bool', 'uint8', 'int8'])

export function lyingOf({ left, rows, inner, batch }: Form): Lying | undefined {
  const x = stripped(left.value)
  if (x.op === 'load') return byteTypes.has(x.buffer.dtype) ? at(x.buffer, x.index, rows, inner) : undefined
  if (x.op !== 'binary' || x.fn !== 'and' || x.y.op !== 'const' || x.y.value !== 1) return undefined
  if (x.x.op !== 'binary' || x.x.fn !== 'shr') return undefined
  const [byte, amount] = [x.x.x, stripped(x.x.y)]
  if (byte.op !== 'load' || byte.buffer.dtype !== 'uint8') return undefined
  for (const [side, of] of [
    ['rows', rows],
    ['inner', inner],
  ] as const) {
    // The place among eight is the shift, or seven less it; the byte depends on the number of the eight alone.
    const [eight, place] = [new LoopVar('eight', Math.ceil(of.extent / 8)), new LoopVar('place', 8)]
    const value = indexAdd(indexMul(variable(eight), 8), variable(place))
    const substitute = substituting(new Map([[of, value]]))
    const shift = linearIn(substitute(amount), place)
    if (shift === undefined || Math.abs(shift.coefficient) !== 1 || of.extent % 8 !== 0) continue
    const big = shift.coefficient < 0
    const [low, high] = indexRange(shift.rest)
    if (low !== high || low !== (big ? 7 : 0)) continue
    const index = substitute(byte.index)
    if (linearIn(index, place)?.coefficient !== 0) continue
    const found = side === 'rows' ? at(byte.buffer, index, eight, inner) : at(byte.buffer, index, rows, eight)
    // Sixteen bytes side by side would be 128 rows.
    if (found === undefined || (side === 'rows' && found.along === 'rows')) continue
    return { ...found, packed: side, big }
  }
  return undefined

  function at(buffer: Buffer, index: Expr, rowVar: LoopVar, innerVar: LoopVar): Lying | undefined {
    const over = linearIn(index, rowVar)
    const within = over && linearIn(over.rest, innerVar)
    if (over === undefined || within === undefined || !computable(within.rest, batch, true)) return undefined
    const [row, step] = [over.coefficient, within.coefficient]
    if (row < 0 || step < 0 || (row !== 1 && step !== 1)) return undefined
    return {
      packed: undefined,
      big: false,
      along: step === 1 ? 'inner' : 'rows',
      buffer,
      base: within.rest,
      row,
      inner: step,
    }
  }
}
