// Elementwise operations against their references, bit by bit.
import type { DType, HostArray, Shape } from '@fluxion/core'
import { expect, test } from 'vitest'
import { convertBitsRows } from './representation.ts'
import { convertRows } from './convert.ts'
import { elementwiseRows } from './arithmetic.ts'
import { neighbourRows } from './nextafter.ts'
import { wholePower } from './power.ts'
import { binaryRow } from '../elements.ts'
import { remainderRows } from './remainder.ts'
import { rootRows } from './roots.ts'
import { type Tolerance, expectReference } from '../harness.testing.ts'
import { everything, floats, generator, hostArray, integers, sample } from '../samples.testing.ts'

const numbers = [...floats, ...integers]
const logical = [...integers, 'bool'] as const
const signed = [...floats, 'int8', 'int16', 'int32'] as const
const rows = { ...elementwiseRows, ...rootRows, ...remainderRows, ...neighbourRows, ...convertRows, ...convertBitsRows }

const pairs: readonly (readonly [Shape, Shape])[] = [
  [[701], [701]],
  [[2, 3], []],
  [[], [7]],
  [[], []],
  [
    [0, 2],
    [0, 2],
  ],
]
const binary = {
  add: numbers,
  add_any: numbers,
  sub: numbers,
  mul: numbers,
  div: numbers,
  rem: numbers,
  max: everything,
  min: everything,
  eq: everything,
  ne: everything,
  lt: everything,
  le: everything,
  gt: everything,
  ge: everything,
  and: logical,
  or: logical,
  xor: logical,
  shift_left: integers,
  shift_right_logical: integers,
  shift_right_arithmetic: integers,
  nextafter: floats,
}
test.each(Object.entries(binary))('%s gives what its reference does, bit by bit', (name, dtypes) => {
  const random = generator(1)
  for (const dtype of dtypes) {
    for (const shapes of pairs) {
      expectReference(
        rows,
        name,
        shapes.map((shape) => sample(dtype, shape, random)),
      )
    }
  }
})
/** Every pair of values, as two arrays. */
const everyPair = (dtype: DType, values: readonly number[]): HostArray[] => {
  const held = values.map((value) => (dtype.startsWith('u') ? Math.abs(value) : value))
  const lists = [held.flatMap((x) => held.map(() => x)), held.flatMap(() => held)]
  return lists.map((list) => hostArray(dtype, [list.length], list))
}
test.each(['and', 'or', 'xor', 'shift_left', 'div', 'rem'])('%s of small integers is that of the reference', (name) => {
  const values = [-3, -2, -1, 0, 1, 2, 3, 7, 8, 9, 15, 16, 31, 32, 33]
  for (const dtype of integers) expectReference(rows, name, everyPair(dtype, values))
})

const unary = {
  neg: numbers,
  abs: signed,
  square: numbers,
  sign: numbers,
  floor: floats,
  ceil: floats,
  is_finite: floats,
  not: logical,
  population_count: integers,
  clz: integers,
  copy: everything,
  stop_gradient: everything,
  name: everything,
  sqrt: floats,
}
test.each(Object.entries(unary))('%s gives what its reference does, bit by bit', (name, dtypes) => {
  const random = generator(2)
  for (const dtype of dtypes) {
    for (const shape of [[997], [], [0], [2, 3, 5]]) expectReference(rows, name, [sample(dtype, shape, random)])
  }
})
// Roots of f32 are computed in f32, where the reference computes in float64 and rounds once; of narrower floats they are rounded twice.
test.each<[string, Tolerance]>([
  ['rsqrt', { ulps: 1.5 }],
  ['cbrt', { ulps: 1 }],
])('%s gives what its reference does, but for rounding', (name, tolerance) => {
  const random = generator(3)
  for (const dtype of floats) expectReference(rows, name, [sample(dtype, [5000], random)], {}, tolerance)
})
test('round gives what its reference does, ties included', () => {
  const random = generator(4)
  for (const dtype of floats) {
    for (const roundingMethod of ['AWAY_FROM_ZERO', 'TO_NEAREST_EVEN']) {
      expectReference(rows, 'round', [sample(dtype, [997], random)], { roundingMethod })
      const near = [0.49999997, 0.5, 0.50000006, 1.5, 2.5, 8388607.5, 4503599627370495.5].flatMap((x) => [x, -x])
      expectReference(rows, 'round', [hostArray(dtype, [near.length], near)], { roundingMethod })
    }
  }
})
test('whole powers are bit-equal up to the square, else as exact as their products', () => {
  const random = generator(5)
  for (const dtype of numbers) {
    for (const y of [0, 1, 2, 3, 5, 10, 31]) {
      const exact = y <= 2 || !floats.includes(dtype) || dtype === 'float64'
      const x = exact
        ? sample(dtype, [499], random)
        : hostArray(
            dtype,
            [499],
            Array.from({ length: 499 }, () => random() * 3 - 1.5),
          )
      // every product adds half a unit, which squaring doubles
      expectReference(rows, 'integer_pow', [x], { y }, exact ? {} : { ulps: y, absolute: 1e-37 })
    }
  }
  for (const dtype of floats) {
    expectReference(rows, 'integer_pow', [sample(dtype, [499], random)], { y: -1 })
    const x = hostArray(
      dtype,
      [499],
      Array.from({ length: 499 }, () => 0.5 + random()),
    )
    for (const y of [-2, -3, -7])
      expectReference(rows, 'integer_pow', [x], { y }, { ulps: dtype === 'float64' ? 0 : -y + 1 })
  }
})
test('clamp and choices give what their references do', () => {
  const random = generator(6)
  for (const dtype of everything) {
    for (const [lo, x, hi] of [
      [[31], [31], [31]],
      [[], [5, 7], []],
      [[5], [], [5]],
      [[0], [0], []],
    ] as Shape[][]) {
      expectReference(
        rows,
        'clamp',
        [lo!, x!, hi!].map((shape) => sample(dtype, shape, random)),
      )
    }
    for (const which of ['bool', 'int32', 'uint8', 'int8', 'uint32'] as const) {
      for (const count of which === 'bool' ? [1, 2] : [1, 2, 3, 5]) {
        for (const [at, of] of [
          [[31], [31]],
          [[], [2, 3]],
          [[5], []],
        ] as Shape[][]) {
          const cases = Array.from({ length: count }, () => sample(dtype, of!, random))
          expectReference(rows, 'select_n', [sample(which, at!, random), ...cases])
        }
      }
    }
  }
})

test('conversions give what the reference does, between all dtypes', () => {
  const random = generator(7)
  for (const from of everything) {
    const wide = floats.includes(from)
      ? [
          0.5, 127.5, 128, 255.9, 256, -128.9, -129, 32767.5, 65535.5, 65536, 4294967295, 4294967296, 3e9, 65519, 65520,
          2049, 16777217, 1e300,
        ]
      : []
    for (const newDtype of everything) {
      const params = { newDtype, weakType: false }
      expectReference(rows, 'convert_element_type', [sample(from, [499], random)], params)
      expectReference(rows, 'convert_element_type', [hostArray(from, [wide.length], wide)], params)
    }
  }
})
test('bits are read as other dtypes as the reference reads them', () => {
  const random = generator(8)
  const wide = (from: string, to: string): number => Number(/\d+/.exec(to)![0]) / Number(/\d+/.exec(from)![0])
  for (const from of [...floats, ...integers]) {
    for (const newDtype of [...floats, ...integers]) {
      const last = wide(from, newDtype)
      for (const shape of last > 1 ? [[41, last], [last], [0, last]] : [[41], [], [3, 5], [0]]) {
        expectReference(rows, 'bitcast_convert_type', [sample(from, shape, random)], { newDtype })
      }
    }
  }
  expectReference(rows, 'bitcast_convert_type', [sample('bool', [9], random)], { newDtype: 'bool' })
})
test('every float16 and bfloat16 survives being read as an integer and back', () => {
  const all = hostArray(
    'uint16',
    [65536],
    Array.from({ length: 65536 }, (_, i) => i),
  )
  for (const newDtype of ['float16', 'bfloat16']) expectReference(rows, 'bitcast_convert_type', [all], { newDtype })
  expect(all.data[65535]).toBe(65535)
})
test('precision is reduced as the reference reduces it', () => {
  const random = generator(9)
  for (const dtype of floats) {
    const x = sample(dtype, [997], random)
    const ties = hostArray(
      dtype,
      [400],
      Array.from(
        { length: 400 },
        (_, i) => (i % 2 === 0 ? 1 : -1) * (1 + (i % 64) / 64) * 2 ** (Math.floor(i / 20) - 10),
      ),
    )
    for (const exponentBits of [1, 2, 3, 5, 8, 11]) {
      for (const mantissaBits of [0, 1, 3, 5, 7, 10, 22, 23, 40, 52]) {
        for (const one of [x, ties]) expectReference(rows, 'reduce_precision', [one], { exponentBits, mantissaBits })
      }
    }
  }
})
test('neighbours of numbers near zero, one and infinity are those of the reference', () => {
  for (const dtype of floats) {
    expectReference(rows, 'nextafter', everyPair(dtype, [...sample(dtype, [60], generator(10)).data]))
  }
})
test('remainders of numbers of very different sizes are exact', () => {
  const random = generator(11)
  const value = (): number => (random() - 0.5) * 2 ** Math.floor(random() * 270 - 145)
  const [x, y] = [0, 1].map(() => hostArray('float32', [3000], Array.from({ length: 3000 }, value)))
  expectReference(rows, 'rem', [x!, y!])
})

test('integers to the power of integers wrap as in the reference', () => {
  const random = generator(12)
  const whole = { pow: binaryRow(wholePower) }
  for (const dtype of integers) {
    for (const shape of [[499], [], [0]]) {
      expectReference(whole, 'pow', [sample(dtype, shape, random), sample(dtype, shape, random)])
    }
    expectReference(whole, 'pow', everyPair(dtype, [-3, -2, -1, 0, 1, 2, 3, 5]))
  }
})
