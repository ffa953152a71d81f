// Printed reductions: how exact they are, and that lanes and rests agree.
import {
  Buffer,
  buffersOf,
  type Combine,
  flatIndex,
  fma,
  i32,
  load,
  Local,
  local,
  LoopVar,
  type Nest,
  store,
  variable,
} from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooser } from './kernels.testing.ts'
import { hostArray, runPrinted } from './run.testing.ts'

/** Reduce the axes of a matrix, or of both; the other one is the grid. */
function reduction(
  dtype: 'float32' | 'float64',
  shape: readonly [number, number],
  axes: readonly number[],
  combine: Combine,
): Nest {
  const variables = [new LoopVar('i', shape[0]), new LoopVar('j', shape[1])]
  const grid = variables.filter((_, axis) => !axes.includes(axis))
  const [x, out] = [new Buffer('x', dtype, shape[0] * shape[1]), new Buffer('out', dtype, grid[0]?.extent ?? 1)]
  const into = new Local('sum', dtype === 'float32' ? 'f32' : 'f64')
  const value = load(x, flatIndex(variables.map(variable), shape))
  const kernel = {
    kind: 'nest',
    name: 'reduce',
    grid,
    body: [
      { op: 'reduce', variables: axes.map((axis) => variables[axis]!), accumulators: [{ into, combine, value }] },
      store(out, grid.length === 0 ? i32(0) : variable(grid[0]!), local(into)),
    ],
  } as const
  return { ...kernel, params: buffersOf(kernel) }
}
/** The sum of a matrix's elements along axes, exactly: of float64s by halves of their bits. */
function exactSums(
  data: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  axes: readonly number[],
): number[] {
  const unit = 2 ** 60
  const sums = new Map<number, bigint>()
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = axes.length === 2 ? 0 : axes[0] === 0 ? j : i
      const x = data[i * columns + j]!
      // numbers are multiples of 2^-90 below 2^10
      const high = Math.trunc(x * 2 ** 30)
      const low = (x - high / 2 ** 30) * unit * 2 ** 30
      sums.set(at, (sums.get(at) ?? 0n) + (BigInt(high) << 60n) + BigInt(Math.round(low)))
    }
  }
  return [...sums].sort(([a], [b]) => a - b).map(([, sum]) => Number(sum >> 30n) / unit)
}
const shapes: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 1000],
  [3, 257],
  [40, 33],
  [1000, 5],
  [700, 18],
  [2, 5003],
]
const cases = (['float32', 'float64'] as const).flatMap((dtype) =>
  shapes.flatMap((shape) => [[1], [0], [0, 1]].map((axes) => ({ dtype, shape, axes }))),
)
test.for(cases)('a sum of $dtype over axes $axes of $shape is as exact as one by pairs', ({ dtype, shape, axes }) => {
  const size = shape[0] * shape[1]
  const choose = chooser(size)
  const data = hostArray(dtype as DType, size, () => (choose(2 ** 30) / 2 ** 30 + choose(2 ** 20) / 2 ** 50) * 100)
  const nest = reduction(dtype, shape, axes, 'add')
  const count = size / (nest.grid[0]?.extent ?? 1)
  const epsilon = dtype === 'float32' ? 2 ** -24 : 2 ** -53
  // chains of 16, then a tree of 4 · 4, then the last rounding: of many numbers, pairwise summation's bound is larger
  const bound = (Math.min(count, 16 + 4) + 1) * epsilon
  for (const relaxed of [false, true]) {
    const out = hostArray(dtype, nest.grid[0]?.extent ?? 1, () => 0)
    runPrinted(nest, [data.slice(), out], relaxed)
    exactSums(data, shape, axes).forEach((sum, i) => {
      expect(Math.abs(out[i]! - sum)).toBeLessThanOrEqual(bound * sum)
    })
  }
})
test('a long sum of equal numbers is off by no more than a chain and a tree of 16', () => {
  // the errors of equal numbers all go one way: in a single chain of f32 additions they would make a hundredth
  const nest = reduction('float32', [1, 200_000], [1], 'add')
  const [data, out] = [new Float32Array(200_000).fill(0.1), new Float32Array(1)]
  runPrinted(nest, [data, out], false)
  expect(Math.abs(out[0]! / (Math.fround(0.1) * 200_000) - 1)).toBeLessThan(20 * 2 ** -24)
})
test.for(['float32', 'float64'] as const)('sums of %s keep infinity, and NaN where infinities meet', (dtype) => {
  for (const axes of [[0], [1], [0, 1]]) {
    const nest = reduction(dtype, [100, 100], axes, 'add')
    const of = (special: readonly number[]): number => {
      const data = hostArray(dtype, 10_000, (i) => (i < special.length * 100 && i % 101 === 0 ? special[i / 101]! : 1))
      const out = hostArray(dtype, nest.grid[0]?.extent ?? 1, () => 0)
      data[0] = special[0]!
      if (special.length > 1) data[axes[0] === 0 ? 100 : 1] = special[1]!
      runPrinted(nest, [data, out], false)
      return out[0]!
    }
    expect(of([Infinity])).toBe(Infinity)
    expect(of([-Infinity])).toBe(-Infinity)
    expect(of([Infinity, -Infinity])).toBeNaN()
    expect(of([NaN])).toBeNaN()
  }
})
test.for(['min', 'max'] as const)('%s finds NaN wherever it is', (combine) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.constantFrom([0], [1], [0, 1]), (size, seed, axes) => {
      const at = seed % (size * 3)
      const nest = reduction('float32', [3, size], axes, combine)
      const [data, out] = [new Float32Array(3 * size), new Float32Array(nest.grid[0]?.extent ?? 1)]
      data[at] = NaN
      runPrinted(nest, [data, out], false)
      const where = axes.length === 2 ? 0 : axes[0] === 0 ? at % size : Math.floor(at / size)
      expect(out[where]).toBeNaN()
      expect([...out].filter((x) => Number.isNaN(x))).toHaveLength(1)
    }),
  )
})
test('fma rounds once or twice, the same in vectors and after them', () => {
  const length = 11
  const v = new LoopVar('i', length)
  const buffers = ['x', 'y', 'z', 'out'].map((name) => new Buffer(name, 'float32', length))
  const [x, y, z] = buffers.map((buffer) => load(buffer, variable(v)))
  const nest: Nest = {
    kind: 'nest',
    name: 'fma',
    params: buffers,
    grid: [v],
    body: [store(buffers[3]!, variable(v), fma(x!, y!, z!))],
  }
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true, min: -1000, max: 1000 }), { minLength: 3, maxLength: 3 }),
      ([a, b, c]) => {
        for (const relaxed of [false, true]) {
          const data = [a!, b!, c!, 0].map((value) => new Float32Array(length).fill(value))
          runPrinted(nest, data, relaxed)
          const twice = Math.fround(Math.fround(a! * b!) + c!)
          // a product of two f32s is exact in f64; the sum's own rounding there hardly ever matters
          const once = Math.fround(a! * b! + c!)
          const got = data[3]!
          expect(new Set(got).size).toBe(1)
          expect(relaxed ? [once, twice] : [twice]).toContain(got[0])
        }
      },
    ),
  )
})
