/**
 * How elementwise operations move and sum axes in their rules. The files of `broadcast_in_dim`, `transpose` and `reduce_sum` stand above this one
 * and use its operations, so these three are looked up in the table of primitives when they are needed.
 */
import type { NDArray } from '../../array.ts'
import { invariant } from '../../errors.ts'
import type { Aval } from '../../ir/aval.ts'
import { type Shape, inserted, range, sameShape, without } from '../../shape.ts'
import { bind } from '../../trace.ts'
import { type BatchDim, type Primitive, primitives } from '../define.ts'
import { batched } from '../rules.ts'

function call(name: string, x: NDArray, params: object): NDArray {
  const primitive = primitives.get(name)
  invariant(primitive, `primitive '${name}' is not loaded`)
  return bind(primitive as Primitive, [x], params)[0]!
}

/** `x` along the given dimensions of a larger shape. */
export const broadcastInto = (x: NDArray, shape: Shape, broadcastDimensions: readonly number[]): NDArray =>
  call('broadcast_in_dim', x, { shape, broadcastDimensions })

/** A tangent of an operand of rank 0 as one of the result. */
export const expanded = (t: NDArray, shape: Shape): NDArray =>
  t.ndim === shape.length ? t : broadcastInto(t, shape, [])

/** The cotangent of an operand that was broadcast from rank 0: the sum over all elements. */
export const summedTo = (ct: NDArray, { shape }: Aval): NDArray =>
  sameShape(ct.shape, shape) ? ct : call('reduce_sum', ct, { axes: range(ct.ndim) })

/** `x` with one axis at another place. */
export const moved = (x: NDArray, from: number, to: number): NDArray =>
  from === to ? x : call('transpose', x, { permutation: inserted(without(range(x.ndim), [from]), to, from) })

/** Operands brought to one shape with the batch axis at one place. Operands of rank 0 that the batch does not change stay as they are. */
export function alignBatch(
  args: readonly NDArray[],
  dims: readonly BatchDim[],
  size: number,
): readonly [readonly NDArray[], number] {
  const shapeOf = (x: NDArray, dim: BatchDim): Shape => (dim === null ? x.shape : without(x.shape, [dim]))
  const shapes = args.map((x, i) => shapeOf(x, dims[i]!))
  const inner = shapes.find((shape) => shape.length > 0) ?? []
  // Where the first batched operand of full rank has its batch axis, all get it.
  const at = dims.find((dim, i) => dim !== null && shapes[i]!.length === inner.length) ?? 0
  const full = inserted(inner, at, size)
  const aligned = args.map((x, i) => {
    const dim = dims[i]!
    if (shapes[i]!.length < inner.length) return batched(dim) ? broadcastInto(x, full, [at]) : x
    if (batched(dim)) return moved(x, dim, at)
    return x.ndim === 0 ? x : broadcastInto(x, full, without(range(full.length), [at]))
  })
  return [aligned, at]
}
