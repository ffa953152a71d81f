/**
 * The loops in which elementwise operations run on the host.
 *
 * An operation of training has a loop written out for itself; all others hand a function to the shared loops `each` and `pairs`. The
 * reason is V8's: closures made at one place of the source share what the engine learns of them, so a shared loop calls its function through a
 * pointer instead of inlining it. Measured on Node 24, a million float32: `add` written out takes 1.9 ns an element, through `pairs` 14 once
 * several operations have used it; and any loop takes 1.9 while it has met one kind of typed array, 4.8 after four, 73 after seven (see `filled`).
 * Generating the loops with `new Function` would serve as well, but pages with a content security policy refuse it.
 */
import type { TypedArray } from '../../backend/interface.ts'
import type { DType } from '../../dtype.ts'

/** Fill `out` from `x`; `dtype` is that of the operand. */
export type UnaryLoop = (out: TypedArray, x: TypedArray, dtype: DType) => void
/** Fill `out` from `x` and `y`, which advance by `dx` and `dy` elements at each: 1, or 0 for an operand of rank 0. */
export type BinaryLoop = (out: TypedArray, x: TypedArray, dx: number, y: TypedArray, dy: number, dtype: DType) => void

export const each =
  (f: (x: number) => number): UnaryLoop =>
  (out, x) => {
    for (let i = 0; i < out.length; i++) out[i] = f(x[i]!)
  }
export const pairs =
  (f: (x: number, y: number) => number): BinaryLoop =>
  (out, x, dx, y, dy) => {
    for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = f(x[j]!, y[k]!)
  }

export const negLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) out[i] = -x[i]!
}
export const absLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) out[i] = Math.abs(x[i]!)
}
export const squareLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) out[i] = x[i]! * x[i]!
}
export const sqrtLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(x[i]!)
}
export const signLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) out[i] = Math.sign(x[i]!)
}
export const floorLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) out[i] = Math.floor(x[i]!)
}
export const expLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) out[i] = Math.exp(x[i]!)
}
export const logLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) out[i] = Math.log(x[i]!)
}
export const tanhLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) out[i] = Math.tanh(x[i]!)
}
/** 1 / (1 + e^-x), written so that neither tail loses digits. */
export const logisticLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) {
    const e = Math.exp(-Math.abs(x[i]!))
    out[i] = (x[i]! < 0 ? e : 1) / (1 + e)
  }
}
export const notZeroLoop: UnaryLoop = (out, x) => {
  for (let i = 0; i < out.length; i++) out[i] = x[i] === 0 ? 0 : 1
}

export const addLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j]! + y[k]!
}
export const addAnyLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j]! + y[k]!
}
export const subLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j]! - y[k]!
}
export const mulLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j]! * y[k]!
}
export const divLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j]! / y[k]!
}
export const maxLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = Math.max(x[j]!, y[k]!)
}
export const minLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = Math.min(x[j]!, y[k]!)
}
export const eqLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j] === y[k] ? 1 : 0
}
export const neLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j] === y[k] ? 0 : 1
}
export const ltLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j]! < y[k]! ? 1 : 0
}
export const leLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j]! <= y[k]! ? 1 : 0
}
export const gtLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j]! > y[k]! ? 1 : 0
}
export const geLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j]! >= y[k]! ? 1 : 0
}
export const andLoop: BinaryLoop = (out, x, dx, y, dy) => {
  for (let i = 0, j = 0, k = 0; i < out.length; i++, j += dx, k += dy) out[i] = x[j]! & y[k]!
}

/** The choice of `b` where `which` is not 0 and of `a` elsewhere. */
export function selectLoop(
  out: TypedArray,
  which: TypedArray,
  dw: number,
  a: TypedArray,
  da: number,
  b: TypedArray,
  db: number,
): void {
  for (let i = 0, w = 0, j = 0, k = 0; i < out.length; i++, w += dw, j += da, k += db) {
    out[i] = which[w] === 0 ? a[j]! : b[k]!
  }
}
