/** Strided copies between host arrays: what every operation that only moves elements runs on. */
import type { Shape } from '../../shape.ts'
import type { TypedArray } from '../interface.ts'

/** Elements by their bits. So few kinds of typed arrays keep the copying loops fast, and NaNs keep their payload. */
export type Bits = Uint8Array | Int16Array | Int32Array | Float64Array
export function bitsOf(data: TypedArray): Bits {
  const { buffer, byteOffset, length, BYTES_PER_ELEMENT: bytes } = data
  if (bytes === 4) return data instanceof Int32Array ? data : new Int32Array(buffer, byteOffset, length)
  if (bytes === 1) return data instanceof Uint8Array ? data : new Uint8Array(buffer, byteOffset, length)
  if (bytes === 2) return data instanceof Int16Array ? data : new Int16Array(buffer, byteOffset, length)
  return data as Float64Array
}

/** Copy one block from an offset in the source to an offset in the target. */
export type Copy = (source: Bits, sourceAt: number, target: Bits, targetAt: number) => void

/** A loop of a copy, and how far it steps on either side. */
interface Loop {
  readonly size: number
  readonly from: number
  readonly to: number
}
type Kernel = (source: Bits, s: number, target: Bits, t: number, outer: Loop, inner: Loop) => void

/** Loops of one step fall away, and neighbours that step as one loop would become one. */
function loopsOf(shape: Shape, from: readonly number[], to: readonly number[]): Loop[] {
  const loops: Loop[] = []
  for (let i = 0; i < shape.length; i++) {
    const loop = { size: shape[i]!, from: from[i]!, to: to[i]! }
    if (loop.size === 1) continue
    const last = loops.at(-1)
    if (last !== undefined && last.from === loop.from * loop.size && last.to === loop.to * loop.size) {
      loops[loops.length - 1] = { ...loop, size: last.size * loop.size }
    } else {
      loops.push(loop)
    }
  }
  return loops
}

const runs: Kernel = (source, s, target, t, outer, inner) => {
  for (let i = 0; i < outer.size; i++, s += outer.from, t += outer.to) target.set(source.subarray(s, s + inner.size), t)
}
const fills: Kernel = (source, s, target, t, outer, inner) => {
  for (let i = 0; i < outer.size; i++, s += outer.from, t += outer.to) target.fill(source[s]!, t, t + inner.size)
}
const elements: Kernel = (source, s, target, t, outer, inner) => {
  const { size, from, to } = inner
  for (let i = 0; i < outer.size; i++, s += outer.from, t += outer.to) {
    for (let j = 0, a = s, b = t; j < size; j++, a += from, b += to) target[b] = source[a]!
  }
}
/** Reading jumps in the one direction and writing in the other: square tiles stay within the cache. */
const tiles: Kernel = (source, s, target, t, outer, inner) => {
  for (let i0 = 0; i0 < outer.size; i0 += tile) {
    const i1 = Math.min(i0 + tile, outer.size)
    for (let j0 = 0; j0 < inner.size; j0 += tile) {
      const j1 = Math.min(j0 + tile, inner.size)
      for (let j = j0; j < j1; j++) {
        let a = s + j * inner.from + i0 * outer.from
        let b = t + j * inner.to + i0 * outer.to
        for (let i = i0; i < i1; i++, a += outer.from, b += outer.to) target[b] = source[a]!
      }
    }
  }
}
const tile = 32
/** From this length on a call of `set` or `fill` is cheaper than a loop. */
const worthACall = 32
const once: Loop = { size: 1, from: 0, to: 0 }

/** Prepare the copy of a block of the given shape between two layouts; positions in the target must differ. */
export function planCopy(shape: Shape, from: readonly number[], to: readonly number[]): Copy {
  if (shape.includes(0)) return () => {}
  const loops = loopsOf(shape, from, to)
  const inner = loops.pop() ?? once
  const jumps = Math.abs(inner.from) > 1
  // Where the inner loop jumps, the other loop of a tile is the one that reads closest together.
  const nearest = (best: number, loop: Loop, i: number): number =>
    Math.abs(loop.from) < Math.abs(loops[best]!.from) ? i : best
  const at = loops.length === 0 ? 0 : jumps ? loops.reduce(nearest, 0) : loops.length - 1
  const outer = loops.splice(at, 1)[0] ?? once
  const long = inner.to === 1 && inner.size >= worthACall
  const kernel = long && inner.from === 1 ? runs : long && inner.from === 0 ? fills : jumps ? tiles : elements

  const walk = (depth: number, source: Bits, s: number, target: Bits, t: number): void => {
    const loop = loops[depth]
    if (loop === undefined) return kernel(source, s, target, t, outer, inner)
    for (let i = 0; i < loop.size; i++) walk(depth + 1, source, s + i * loop.from, target, t + i * loop.to)
  }
  return (source, s, target, t) => walk(0, source, s, target, t)
}

/** Where a block lies: the offset of its first element, and its strides. */
export interface Layout {
  readonly at: number
  readonly strides: readonly number[]
}

/** Copy a block of the given shape between two layouts. */
export function copyBlock(shape: Shape, source: TypedArray, from: Layout, target: TypedArray, to: Layout): void {
  planCopy(shape, from.strides, to.strides)(bitsOf(source), from.at, bitsOf(target), to.at)
}

/** Offsets of a block's elements, in row-major order. */
export function offsetsOf(shape: Shape, strides: readonly number[]): Int32Array {
  let offsets = new Int32Array(1)
  for (let axis = 0; axis < shape.length; axis++) {
    const [size, stride] = [shape[axis]!, strides[axis]!]
    const next = new Int32Array(offsets.length * size)
    for (let i = 0, at = 0; i < offsets.length; i++) {
      for (let j = 0; j < size; j++) next[at++] = offsets[i]! + j * stride
    }
    offsets = next
  }
  return offsets
}
