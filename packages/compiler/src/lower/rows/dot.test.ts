// Products and convolutions of any dimension numbers against their references.
import type { DType, Shape } from '@fluxion/core'
import * as fc from 'fast-check'
import { test } from 'vitest'
import { convRows } from './conv.ts'
import { dotRows } from './dot.ts'
import { type Tolerance, expectReference } from './harness.testing.ts'
import { everything, floats, generator, moderate, sample } from './samples.testing.ts'

type Axes = readonly number[]
type Numbers = readonly [readonly [Axes, Axes], readonly [Axes, Axes]]
const products: readonly (readonly [Shape, Shape, Numbers])[] = [
  [
    [5, 7],
    [7, 3],
    [
      [[1], [0]],
      [[], []],
    ],
  ],
  [
    [7, 5],
    [3, 7],
    [
      [[0], [1]],
      [[], []],
    ],
  ],
  [
    [2, 5, 7],
    [2, 7, 3],
    [
      [[2], [1]],
      [[0], [0]],
    ],
  ],
  [
    [3, 2, 4, 5],
    [5, 3, 6, 2],
    [
      [[3], [0]],
      [
        [1, 0],
        [3, 1],
      ],
    ],
  ],
  [
    [4, 3, 2],
    [2, 4, 5],
    [
      [
        [0, 2],
        [1, 0],
      ],
      [[], []],
    ],
  ],
  [
    [5],
    [5],
    [
      [[0], [0]],
      [[], []],
    ],
  ],
  [
    [2],
    [3],
    [
      [[], []],
      [[], []],
    ],
  ],
  [
    [],
    [3],
    [
      [[], []],
      [[], []],
    ],
  ],
  [
    [5, 0],
    [0, 3],
    [
      [[1], [0]],
      [[], []],
    ],
  ],
  [
    [0, 4],
    [4, 3],
    [
      [[1], [0]],
      [[], []],
    ],
  ],
]
/** Sums of float64 need not be added in the same order; half floats are rounded from f32 here, from f64 in the reference. */
const tolerances: Partial<Readonly<Record<DType, Tolerance>>> = {
  float64: { absolute: 1e-13 },
  float32: { absolute: 1e-6 },
  float16: { ulps: 1 },
  bfloat16: { ulps: 1 },
}

test('products with any dimension numbers give what the reference does', () => {
  const random = generator(1)
  for (const dtype of everything) {
    for (const [left, right, dimensionNumbers] of products) {
      const args = [moderate(dtype, left, random), moderate(dtype, right, random)]
      const params = { dimensionNumbers, preferredElementType: undefined }
      expectReference(dotRows, 'dot_general', args, params, tolerances[dtype])
    }
  }
})
test('products into a wider dtype, and of large integers, give what the reference does', () => {
  const random = generator(2)
  const [left, right, dimensionNumbers] = products[2]!
  const pairs: readonly (readonly [DType, DType])[] = [
    ['int8', 'int32'],
    ['uint8', 'uint32'],
    ['int8', 'float32'],
    ['uint16', 'float64'],
    ['float16', 'float32'],
    ['bfloat16', 'float32'],
    ['bfloat16', 'float16'],
    ['float32', 'float64'],
    ['int32', 'float32'],
  ]
  for (const [from, to] of pairs) {
    const args = [moderate(from, left, random), moderate(from, right, random)]
    const params = { dimensionNumbers, preferredElementType: to }
    expectReference(dotRows, 'dot_general', args, params, tolerances[to])
  }
  for (const dtype of everything.filter((d) => !floats.includes(d))) {
    const args = [sample(dtype, left, random), sample(dtype, right, random)]
    expectReference(dotRows, 'dot_general', args, { dimensionNumbers, preferredElementType: undefined })
  }
})

const conv = (rest: object): object => ({
  windowStrides: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
  lhsDilation: [1, 1],
  rhsDilation: [1, 1],
  dimensionNumbers: { lhsSpec: [0, 1, 2, 3], rhsSpec: [0, 1, 2, 3], outSpec: [0, 1, 2, 3] },
  featureGroupCount: 1,
  batchGroupCount: 1,
  preferredElementType: undefined,
  ...rest,
})
const convolutions: readonly (readonly [Shape, Shape, object])[] = [
  [[2, 3, 5, 7], [4, 3, 2, 3], {}],
  [
    [2, 3, 5, 7],
    [4, 3, 3, 3],
    {
      padding: [
        [1, 1],
        [2, 0],
      ],
      windowStrides: [2, 3],
    },
  ],
  [
    [2, 3, 4, 3],
    [4, 3, 2, 2],
    {
      lhsDilation: [2, 3],
      rhsDilation: [1, 2],
      padding: [
        [-1, 2],
        [1, -1],
      ],
    },
  ],
  [
    [2, 6, 4, 4],
    [6, 2, 3, 3],
    {
      featureGroupCount: 3,
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  ],
  [
    [4, 3, 4, 4],
    [6, 3, 3, 3],
    {
      batchGroupCount: 2,
      padding: [
        [1, 1],
        [0, 0],
      ],
    },
  ],
  [
    [5, 4, 3, 2],
    [3, 2, 3, 4],
    { dimensionNumbers: { lhsSpec: [3, 2, 0, 1], rhsSpec: [3, 2, 0, 1], outSpec: [0, 3, 2, 1] } },
  ],
  [
    [2, 3, 0, 4],
    [4, 3, 2, 2],
    {
      padding: [
        [1, 2],
        [0, 0],
      ],
    },
  ],
  [[2, 0, 3, 4], [4, 0, 2, 2], {}],
  [[2, 3, 1, 4], [4, 3, 2, 2], {}],
]
test('convolutions with strides, padding, dilation, groups and any layout give what the reference does', () => {
  const random = generator(3)
  for (const dtype of everything) {
    for (const [lhs, rhs, rest] of convolutions) {
      const args = [moderate(dtype, lhs, random), moderate(dtype, rhs, random)]
      expectReference(convRows, 'conv_general_dilated', args, conv(rest), tolerances[dtype])
    }
  }
})
test('convolutions over any number of axes with any windows give what the reference does', () => {
  const axis = fc.record({
    size: fc.constantFrom(1, 2, 3, 5),
    taps: fc.constantFrom(1, 2, 3),
    stride: fc.integer({ min: 1, max: 3 }),
    low: fc.integer({ min: -1, max: 3 }),
    high: fc.integer({ min: -1, max: 3 }),
    spread: fc.integer({ min: 1, max: 3 }),
    between: fc.integer({ min: 1, max: 3 }),
  })
  const random = generator(4)
  const property = fc.property(fc.array(axis, { maxLength: 3 }), fc.integer({ min: 1, max: 2 }), (axes, groups) => {
    fc.pre(axes.every(({ size, spread, low, high }) => 1 + (size - 1) * spread + low + high >= 0))
    const order = [0, 1, ...axes.map((_, i) => i + 2)]
    const numbers = { lhsSpec: order, rhsSpec: order, outSpec: order }
    const args = [
      moderate('int32', [2, 2 * groups, ...axes.map(({ size }) => size)], random),
      moderate('int32', [2 * groups, 2, ...axes.map(({ taps }) => taps)], random),
    ]
    const params = conv({
      windowStrides: axes.map(({ stride }) => stride),
      padding: axes.map(({ low, high }) => [low, high]),
      lhsDilation: axes.map(({ spread }) => spread),
      rhsDilation: axes.map(({ between }) => between),
      dimensionNumbers: numbers,
      featureGroupCount: groups,
    })
    expectReference(convRows, 'conv_general_dilated', args, params)
  })
  fc.assert(property, { numRuns: 100 })
})

test('windows over an operand that is spread out, whose phases are told apart, give what the reference does', () => {
  const random = generator(5)
  const axis = fc.record({
    size: fc.integer({ min: 1, max: 4 }),
    taps: fc.integer({ min: 1, max: 5 }),
    low: fc.integer({ min: -2, max: 5 }),
    phases: fc.integer({ min: 2, max: 3 }),
    turns: fc.integer({ min: 1, max: 4 }),
  })
  const property = fc.property(fc.array(axis, { minLength: 1, maxLength: 2 }), (axes) => {
    // As much padding above as makes the windows a whole number of turns through the phases.
    const padding = axes.map(({ size, taps, low, phases, turns }): [number, number] => {
      const dilated = (size - 1) * phases + 1
      return [low, phases * turns + taps - 1 - dilated - low]
    })
    const order = [0, 1, ...axes.map((_, i) => i + 2)]
    const args = [
      moderate('int32', [2, 3, ...axes.map(({ size }) => size)], random),
      moderate('int32', [2, 3, ...axes.map(({ taps }) => taps)], random),
    ]
    const params = conv({
      windowStrides: axes.map(() => 1),
      padding,
      lhsDilation: axes.map(({ phases }) => phases),
      rhsDilation: axes.map(() => 1),
      dimensionNumbers: { lhsSpec: order, rhsSpec: order, outSpec: order },
    })
    expectReference(convRows, 'conv_general_dilated', args, params)
  })
  fc.assert(property, { numRuns: 100 })
})
