/** Convolution against sums written out, over random parameters; its transposes and batches. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../array.ts'
import { range } from '../shape.ts'
import { type ConvParams, convGeneralDilated } from './conv.ts'
import { useHostBackend } from './hostBackend.testing.ts'
import { full } from './movement.ts'
import { elementsOf, expectAdjoint, expectLikeLoop, wholeNumbers } from './rules.testing.ts'

useHostBackend()

const small = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const axes = (rank: number): fc.Arbitrary<number[]> =>
  fc.shuffledSubarray(range(rank), { minLength: rank, maxLength: rank })

interface Call {
  readonly lhs: NDArray
  readonly rhs: NDArray
  readonly params: ConvParams
}
/** `shape` in the order batch, features, space, as the spec lays it out. */
const laidOut = (shape: readonly number[], spec: readonly number[]): number[] => {
  const out: number[] = []
  spec.forEach((axis, i) => (out[axis] = shape[i]!))
  return out
}

const call: fc.Arbitrary<Call> = small(0, 2)
  .chain((space) => {
    const each = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: space, maxLength: space })
    return fc.record({
      groups: fc.constantFrom([1, 1], [2, 1], [1, 2], [3, 1]),
      sizes: fc.tuple(small(1, 2), small(1, 2), small(1, 2)),
      image: each(small(1, 5)),
      kernel: each(small(1, 3)),
      windowStrides: each(small(1, 3)),
      padding: each(fc.tuple(small(0, 2), small(0, 2))),
      lhsDilation: each(small(1, 2)),
      rhsDilation: each(small(1, 2)),
      lhsSpec: axes(space + 2),
      rhsSpec: axes(space + 2),
      outSpec: axes(space + 2),
    })
  })
  .chain(({ groups, sizes, image, kernel, lhsSpec, rhsSpec, outSpec, ...rest }) => {
    const [featureGroupCount, batchGroupCount] = groups as [number, number]
    const [batch, inFeatures, outFeatures] = sizes
    const params: ConvParams = {
      ...rest,
      dimensionNumbers: { lhsSpec, rhsSpec, outSpec },
      featureGroupCount,
      batchGroupCount,
      preferredElementType: undefined,
    }
    return fc.record({
      lhs: wholeNumbers(laidOut([batch * batchGroupCount, inFeatures * featureGroupCount, ...image], lhsSpec)),
      rhs: wholeNumbers(laidOut([outFeatures * featureGroupCount * batchGroupCount, inFeatures, ...kernel], rhsSpec)),
      params: fc.constant(params),
    })
  })

/** Element `index` (batch, features, space) of an array that a spec lays out. */
function element(x: NDArray, data: readonly number[], spec: readonly number[], index: readonly number[]): number {
  const place = laidOut(index, spec)
  return data[x.shape.reduce((offset, dim, axis) => offset * dim + place[axis]!, 0)]!
}
function* indicesOf(shape: readonly number[]): Generator<number[]> {
  if (shape.length === 0) yield []
  else for (let i = 0; i < shape[0]!; i++) for (const rest of indicesOf(shape.slice(1))) yield [i, ...rest]
}

function naive({ lhs, rhs, params }: Call, out: NDArray, [n, o, ...place]: number[]): number {
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers
  const [images, features] = [out.shape[outSpec[0]!]!, out.shape[outSpec[1]!]!]
  const [a, b] = [elementsOf(lhs), elementsOf(rhs)]
  const inFeatures = rhs.shape[rhsSpec[1]!]!
  const groups = params.featureGroupCount * params.batchGroupCount
  const group = Math.floor(o! / (features / groups))
  const image = params.batchGroupCount > 1 ? group * images + n! : n!
  let sum = 0
  for (const [c, ...tap] of indicesOf([inFeatures, ...rhsSpec.slice(2).map((axis) => rhs.shape[axis]!)])) {
    const from = place.map(
      (p, i) => p * params.windowStrides[i]! + tap[i]! * params.rhsDilation[i]! - params.padding[i]![0],
    )
    const source = from.map((x, i) => x / params.lhsDilation[i]!)
    const inside = source.every((x, i) => Number.isInteger(x) && x >= 0 && x < lhs.shape[lhsSpec[i + 2]!]!)
    if (!inside) continue
    const channel = params.featureGroupCount > 1 ? group * inFeatures + c! : c!
    sum += element(lhs, a, lhsSpec, [image, channel, ...source]) * element(rhs, b, rhsSpec, [o!, c!, ...tap])
  }
  return sum
}

test('every element is the sum over its window', () => {
  fc.assert(
    fc.property(call, (given) => {
      const out = convGeneralDilated(given.lhs, given.rhs, given.params)
      const data = elementsOf(out)
      const { outSpec } = given.params.dimensionNumbers
      for (const index of indicesOf(outSpec.map((axis) => out.shape[axis]!))) {
        expect(element(out, data, outSpec, index)).toBe(naive(given, out, index) + 0)
      }
    }),
  )
})

test('its transposes are its adjoints', () => {
  const withCotangent = call.chain(({ lhs, rhs, params }) =>
    wholeNumbers(convGeneralDilated(lhs, rhs, params).shape).map((ct) => ({ lhs, rhs, params, ct })),
  )
  fc.assert(
    fc.property(withCotangent, fc.constantFrom(0, 1), ({ lhs, rhs, params, ct }, operand) => {
      expectAdjoint('conv_general_dilated', [lhs, rhs], params, operand, ct)
    }),
  )
})

test('batches of either operand are a loop', () => {
  const batched = call.chain(({ lhs, rhs, params }) =>
    fc.tuple(fc.option(small(0, lhs.ndim)), fc.option(small(0, rhs.ndim))).chain(([left, right]) => {
      const at = (x: NDArray, dim: number | null) => wholeNumbers(dim === null ? x.shape : x.shape.toSpliced(dim, 0, 2))
      return fc.record({
        args: fc.tuple(at(lhs, left), at(rhs, right)),
        dims: fc.constant([left, right]),
        params: fc.constant(params),
      })
    }),
  )
  fc.assert(
    fc.property(
      batched.filter(({ dims }) => dims.some((dim) => dim !== null)),
      ({ args, dims, params }) => expectLikeLoop('conv_general_dilated', args, dims, params, 2),
    ),
  )
})

test('of truth values, the sum is a disjunction', () => {
  const spec = [0, 1, 2]
  const out = convGeneralDilated(full([1, 1, 4], 1, 'bool'), full([1, 1, 3], 1, 'bool'), {
    windowStrides: [1],
    padding: [[0, 3]],
    lhsDilation: [1],
    rhsDilation: [1],
    dimensionNumbers: { lhsSpec: spec, rhsSpec: spec, outSpec: spec },
    featureGroupCount: 1,
    batchGroupCount: 1,
    preferredElementType: undefined,
  })
  expect(out.aval.dtype).toBe('bool')
  expect([...out.dataSync()]).toEqual([1, 1, 1, 1, 0])
})
