/** Movement, indexing, sorting and bits against real JAX: values, tangents, cotangents and batches of every case. */
import { expect, test } from 'vitest'
import type { NDArray } from '../array.ts'
import { type Encoded, decode, golden } from '../numpy/golden.testing.ts'
import { unpackbits } from './bits.ts'
import { type BatchDim, Linear, type Tangent, Zero } from './define.ts'
import { callOf, hostOf, useHostBackend } from './hostBackend.testing.ts'
import {
  dynamicSlice,
  dynamicUpdateSlice,
  gather,
  scatter,
  scatterAdd,
  scatterMax,
  scatterMin,
  scatterMul,
} from './indexing.ts'
import { broadcastInDim, concatenate, moveAxis, pad, rev, slice, split, transpose } from './movement.ts'
import { sort, topK } from './sort.ts'
import { instantiate } from './zeros.ts'

useHostBackend()

interface Case {
  readonly op: string
  // Parameters of as many types as there are operations, read from a file.
  readonly params: never
  readonly args: readonly Encoded[]
  readonly outs: readonly Encoded[]
  readonly jvp?: { readonly tangents: readonly (Encoded | null)[]; readonly outs: readonly (Encoded | null)[] }
  readonly vjp?: { readonly cts: readonly Encoded[]; readonly args: readonly (Encoded | null)[] }
  readonly vmap: readonly {
    readonly axes: readonly BatchDim[]
    readonly args: readonly Encoded[]
    readonly outs: readonly Encoded[]
  }[]
}
const { cases } = golden<{ readonly cases: readonly Case[] }>('movement')

type Run = (args: readonly NDArray[], params: never) => readonly NDArray[]
type Params<F extends (...args: never[]) => unknown> = Parameters<F> extends [...infer _, infer Last] ? Last : never
const scattering =
  (f: typeof scatter): Run =>
  ([x, indices, updates], params: Params<typeof scatter>) => [f(x!, indices!, updates!, params)]

const operations: Readonly<Record<string, Run>> = {
  pad: ([x, value], { paddingConfig }: { paddingConfig: Params<typeof pad> }) => [pad(x!, value!, paddingConfig)],
  slice: ([x], p: { startIndices: number[]; limitIndices: number[]; strides: number[] | null }) => [
    slice(x!, p.startIndices, p.limitIndices, p.strides),
  ],
  rev: ([x], { dimensions }: { dimensions: number[] }) => [rev(x!, dimensions)],
  transpose: ([x], { permutation }: { permutation: number[] }) => [transpose(x!, permutation)],
  broadcastInDim: ([x], p: { shape: number[]; broadcastDimensions: number[] }) => [
    broadcastInDim(x!, p.shape, p.broadcastDimensions),
  ],
  concatenate: (xs, { dimension }: { dimension: number }) => [concatenate(xs, dimension)],
  split: ([x], { sizes, axis }: { sizes: number[]; axis: number }) => split(x!, sizes, axis),
  dynamicSlice: ([x, ...starts], { sliceSizes }: { sliceSizes: number[] }) => [dynamicSlice(x!, starts, sliceSizes)],
  dynamicUpdateSlice: ([x, update, ...starts]) => [dynamicUpdateSlice(x!, update!, starts)],
  gather: ([x, indices], params: Params<typeof gather>) => [gather(x!, indices!, params)],
  scatter: scattering(scatter),
  scatterAdd: scattering(scatterAdd),
  scatterMul: scattering(scatterMul),
  scatterMin: scattering(scatterMin),
  scatterMax: scattering(scatterMax),
  sort: (xs, params: { dimension: number; numKeys: number }) => sort(xs, { ...params, isStable: true }),
  topK: ([x], { k, axis }: { k: number; axis: number }) => topK(x!, k, axis),
  unpackbits: ([x], { axis, bitorder }: { axis: number; bitorder: 'big' | 'little' }) => [
    unpackbits(x!, axis, bitorder),
  ],
}

/** Values are moved and so equal to the sign of zero; what was computed with is close to within the last bits. */
function expectSame(got: NDArray, want: Encoded, exact = true): void {
  const [mine, theirs] = [hostOf(got), hostOf(decode(want))]
  expect([mine.dtype, mine.shape]).toEqual([theirs.dtype, theirs.shape])
  if (exact) return expect(mine.data).toEqual(theirs.data)
  mine.data.forEach((value, i) =>
    expect(Math.abs(value - theirs.data[i]!), `element ${i}`).toBeLessThanOrEqual(2e-6 * (1 + Math.abs(value))),
  )
}
const tangentOf = (encoded: Encoded | null, x: NDArray): Tangent =>
  encoded === null ? new Zero(x.aval) : decode(encoded)

for (const [number, { op, params, args: encoded, outs, jvp, vjp, vmap }] of cases.entries()) {
  const run = operations[op]!
  const shapes = encoded.map(({ dtype, shape }) => `${dtype}[${shape.join(',')}]`).join(' ')

  test(`case ${number}: ${op} ${JSON.stringify(params)} of ${shapes} is JAX's`, () => {
    const args = encoded.map((arg) => decode(arg))
    run(args, params).forEach((out, i) => expectSame(out, outs[i]!))
    const call = callOf(() => run(args, params))
    const computed = ['scatterMin', 'scatterMax'].includes(op)

    if (jvp !== undefined && call !== undefined) {
      const tangents = args.map((arg, i) => tangentOf(jvp.tangents[i]!, arg))
      const [primals, results] = call.primitive.jvp!(args, tangents, call.params)
      primals.forEach((out, i) => expectSame(out, outs[i]!, op !== 'scatter'))
      results.forEach((t, i) => {
        const want = jvp.outs[i]!
        if (want === null) expect(t).toBeInstanceOf(Zero)
        else expectSame(instantiate(t), want, !computed && op !== 'scatter')
      })
    }
    if (vjp !== undefined && call !== undefined) {
      // Each operand alone: an operation of several is linear in one at a time, or transposes each for itself.
      for (const [at, want] of vjp.args.entries()) {
        if (want === null) continue
        const mixed = args.map((arg, i) =>
          i === at || (vjp.args[i] !== null && op !== 'scatterMul') ? new Linear(arg.aval) : arg,
        )
        const cts = call.primitive.transpose!(
          vjp.cts.map((ct) => decode(ct)),
          mixed,
          call.params,
        )
        expectSame(instantiate(cts[at]!), want, false)
      }
    }
    for (const { axes, args: stacked, outs: wanted } of vmap) {
      if (call === undefined) continue
      const size = stacked[axes.findIndex((axis) => axis !== null)]!.shape[axes.find((axis) => axis !== null)!]!
      const [results, dims] = call.primitive.batch!(
        stacked.map((arg) => decode(arg)),
        axes,
        call.params,
        { size, name: undefined },
      )
      results.forEach((out, i) => expectSame(moveAxis(out, dims[i]!, 0), wanted[i]!))
    }
  })
}

test('the cases cover every operation', () => {
  expect(new Set(cases.map(({ op }) => op))).toEqual(new Set(Object.keys(operations)))
})
