/** For tests of primitives by themselves: that a transpose rule is the adjoint, and that a batch rule does what a loop does. */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { NDArray } from '../array.ts'
import { range, sizeOf, without } from '../shape.ts'
import { bind, ruleOf } from '../trace.ts'
import { type AnyPrimitive, type BatchDim, Linear, primitives } from './define.ts'
import { dot, f32, hostOf } from './hostBackend.testing.ts'
import { moveAxis, slice, squeeze } from './movement.ts'
import { instantiate } from './zeros.ts'

/** Small whole numbers, of which all sums are exact, so that results must agree to the bit. */
export const wholeNumbers = (shape: readonly number[]): fc.Arbitrary<NDArray> =>
  fc
    .array(fc.integer({ min: -4, max: 4 }), { minLength: sizeOf(shape), maxLength: sizeOf(shape) })
    .map((data) => f32(shape, data))

export const primitiveOf = (name: string): AnyPrimitive => primitives.get(name)!
export const run = (name: string, args: readonly NDArray[], params: object): readonly NDArray[] =>
  bind(primitiveOf(name), args, params as never)
export const elementsOf = (x: NDArray): number[] => [...hostOf(x).data]

/** ⟨ct, f(x)⟩ = ⟨fᵀ(ct), x⟩ for the operand at `index`, where the result is linear in it. */
export function expectAdjoint(
  name: string,
  args: readonly NDArray[],
  params: object,
  index: number,
  ct: NDArray,
): void {
  const [out] = run(name, args, params)
  const linear = args.map((arg, i) => (i === index ? new Linear(arg.aval) : arg))
  const pulled = instantiate(ruleOf(primitiveOf(name), 'transpose')([ct], linear, params as never)[index]!)
  expect(pulled.aval).toEqual(args[index]!.aval)
  expect(dot(pulled, args[index]!)).toBe(dot(ct, out!))
}

/** The results of a batched call, example by example, are those of single calls. */
export function expectLikeLoop(
  name: string,
  args: readonly NDArray[],
  dims: readonly BatchDim[],
  params: object,
  size: number,
): void {
  const [outs, outDims] = ruleOf(primitiveOf(name), 'batch')(args, dims, params as never, { size, name: undefined })
  const example = (x: NDArray, dim: BatchDim, i: number): NDArray => {
    if (dim === null) return x
    const front = moveAxis(x, dim, 0)
    const rest = without(front.shape, [0])
    return squeeze(slice(front, [i, ...rest.map(() => 0)], [i + 1, ...rest]), [0])
  }
  for (const i of range(size)) {
    const single = run(
      name,
      args.map((arg, j) => example(arg, dims[j]!, i)),
      params,
    )
    outs.forEach((out, j) => {
      const one = example(out, outDims[j]!, i)
      expect(one.aval).toEqual(single[j]!.aval)
      expect(elementsOf(one)).toEqual(elementsOf(single[j]!))
    })
  }
}
