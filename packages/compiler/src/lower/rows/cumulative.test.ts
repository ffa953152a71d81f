// Running sums, products and extremes against their references, line by line and in blocks.
import { type Shape, isFloat } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cumulativeRows } from './cumulative.ts'
import { expectReference, lowered, parallelTarget, referred, webgpu } from './harness.testing.ts'
import { everything, floats, generator, hostArray, moderate, sample } from './samples.testing.ts'

const cases: readonly (readonly [Shape, number])[] = [
  [[1], 0],
  [[37], 0],
  [[64], 0],
  [[65], 0],
  [[3, 131], 1],
  [[131, 3], 0],
  [[2, 5, 3], 1],
  [[2, 70, 3], 1],
  [[2, 0], 0],
  [[0, 2], 0],
  [[1, 1, 1], 2],
]
const exact = ['cumsum', 'cumprod', 'cummax', 'cummin']

test.each(exact)('%s of one line after the other gives what its reference does, bit by bit', (name) => {
  const random = generator(1)
  for (const dtype of everything.filter((each) => each !== 'bool')) {
    for (const [shape, axis] of cases) {
      for (const reverse of [false, true]) {
        for (const x of [sample(dtype, shape, random), moderate(dtype, shape, random)])
          expectReference(cumulativeRows, name, [x], { axis, reverse })
      }
    }
  }
})
test.each(exact)('%s in blocks gives the same: of integers and extremes to the bit, of floats rounded once', (name) => {
  const random = generator(2)
  for (const dtype of everything.filter((each) => each !== 'bool')) {
    const rounds = isFloat(dtype) && (name === 'cumsum' || name === 'cumprod')
    for (const [shape, axis] of cases) {
      for (const reverse of [false, true]) {
        const x = (rounds ? moderate : sample)(dtype, shape, random)
        const tolerance = !rounds ? {} : dtype === 'float64' ? { ulps: 64, absolute: 1e-13 } : { ulps: 1 }
        expectReference(cumulativeRows, name, [x], { axis, reverse }, { ...tolerance, target: parallelTarget })
        if (!rounds && dtype !== 'float64')
          expectReference(cumulativeRows, name, [x], { axis, reverse }, { target: webgpu })
      }
    }
  }
})
test('blocks of blocks are folded too', () => {
  const length = 64 * 64 + 3
  const x = hostArray(
    'int32',
    [length],
    Array.from({ length }, (_, i) => (i % 7) - 3),
  )
  for (const reverse of [false, true]) {
    for (const name of ['cumsum', 'cummax'])
      expectReference(cumulativeRows, name, [x], { axis: 0, reverse }, { target: webgpu })
  }
})
test('without float64 sums of floats are as exact as their blocks', () => {
  const random = generator(3)
  for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
    for (const [shape, axis] of cases) {
      const x = moderate(dtype, shape, random)
      const tolerance = dtype === 'float32' ? { absolute: 2e-5 } : { ulps: 1, absolute: 2e-5 }
      expectReference(cumulativeRows, 'cumsum', [x], { axis, reverse: false }, { ...tolerance, target: webgpu })
      const relative = { ulps: dtype === 'float32' ? 140 : 1 }
      expectReference(cumulativeRows, 'cumprod', [x], { axis, reverse: true }, { ...relative, target: webgpu })
    }
  }
})
test('the log of a running sum of exponentials is what the reference gives', () => {
  const random = generator(4)
  for (const dtype of floats) {
    for (const [shape, axis] of cases) {
      for (const reverse of [false, true]) {
        for (const x of [sample(dtype, shape, random), moderate(dtype, shape, random)]) {
          const params = { axis, reverse }
          expectReference(cumulativeRows, 'cumlogsumexp', [x], params)
          // another order of folding, whose steps each round by a unit in the last place
          const ulps = dtype === 'float64' ? shape[axis]! : 1
          expectReference(cumulativeRows, 'cumlogsumexp', [x], params, { ulps, target: parallelTarget })
          if (dtype !== 'float64') {
            const tolerance = dtype === 'float32' ? { ulps: 8, absolute: 4e-6 } : { ulps: 1 }
            expectReference(cumulativeRows, 'cumlogsumexp', [x], params, { ...tolerance, target: webgpu })
          }
        }
      }
    }
  }
})
test('log(1 + e⁻ᵈ) in f32 is right to some units in the last place of 1', () => {
  const property = fc.property(fc.float({ min: 0, max: 120, noNaN: true }), (d) => {
    const x = hostArray('float32', [2], [0, -d])
    const [got] = lowered(
      cumulativeRows['cumlogsumexp']!,
      'cumlogsumexp',
      [x],
      { axis: 0, reverse: false },
      { target: webgpu },
    )
    const [expected] = referred('cumlogsumexp', [x], { axis: 0, reverse: false })
    expect(Math.abs(got!.data[1]! - expected!.data[1]!)).toBeLessThanOrEqual(2 ** -22)
  })
  fc.assert(property, { numRuns: 500 })
})
