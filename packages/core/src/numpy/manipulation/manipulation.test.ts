/** Laws of moving and joining elements, against plain loops and each other, and the errors of misuse. */
import '../../setup.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../../array.ts'
import { jit } from '../../control/jitted.ts'
import { ConcretizationError, DtypeError, OptionError, ShapeError } from '../../errors.ts'
import { grad } from '../../transform/autodiff.ts'
import { vmap } from '../../transform/vectorize.ts'
import * as np from '../index.ts'

const filled = (shape: readonly number[]): NDArray =>
  np.reshape(
    np.arange(
      shape.reduce((n, size) => n * size, 1),
      { dtype: 'float32' },
    ),
    shape,
  )
const elements = (x: NDArray): number[] => [...x.dataSync()]
const same = (x: NDArray, y: NDArray): void => {
  expect([...x.shape]).toEqual([...y.shape])
  expect(elements(x)).toEqual(elements(y))
}
const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
const withAxis = shapes.chain((shape) =>
  fc.tuple(fc.constant(shape), fc.integer({ min: -shape.length, max: shape.length - 1 })),
)

test('moving an axis back undoes the move', () => {
  fc.assert(
    fc.property(shapes, fc.nat(), fc.nat(), (shape, i, j) => {
      const x = filled(shape)
      const [from, to] = [i % shape.length, j % shape.length]
      same(np.moveaxis(np.moveaxis(x, from, to), to, from), x)
      same(np.swapaxes(np.swapaxes(x, from, to), to, from), x)
      same(np.transpose(np.transpose(x)), x)
    }),
  )
})

test('joining the parts of a split gives the whole', () => {
  fc.assert(
    fc.property(withAxis, fc.integer({ min: 1, max: 5 }), ([shape, axis], n) => {
      const x = filled(shape)
      same(np.concatenate(np.arraySplit(x, n, { axis }), { axis }), x)
      same(np.stack(np.unstack(x, { axis }), { axis }), x)
    }),
  )
})

test('rolling moves element i to i + shift, round the end, for known and traced shifts', () => {
  const traced = jit((x: NDArray, shift: NDArray) => np.roll(x, shift))
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: -9, max: 9 }), (size, shift) => {
      const x = np.arange(size)
      const expected = Array.from({ length: size }, (_, i) => (((i - shift) % size) + size) % size)
      expect(elements(np.roll(x, shift))).toEqual(expected)
      expect(elements(traced(x, np.array(shift, { dtype: 'int32' })))).toEqual(expected)
    }),
  )
})

test('rolling along several axes is rolling along each', () => {
  fc.assert(
    fc.property(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 })), ([p, q]) => {
      const x = filled([3, 4, 2])
      const expected = np.roll(np.roll(x, p, { axis: 0 }), q, { axis: 1 })
      same(np.roll(x, [p, q], { axis: [0, 1] }), expected)
      same(np.roll(x, np.array([p, q], { dtype: 'int32' }), { axis: [0, 1] }), expected)
    }),
    { numRuns: 20 },
  )
})

test('each row of a batch can be rolled by its own shift', () => {
  const rolled = vmap((x: NDArray, shift: NDArray) => np.roll(x, shift))(
    filled([2, 3]),
    np.array([1, -1], { dtype: 'int32' }),
  )
  expect(rolled.toArray()).toEqual([
    [2, 0, 1],
    [4, 5, 3],
  ])
})

test('repeating by counts is a loop over the counts, for known and traced counts', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 }), (counts) => {
      const x = np.arange(counts.length)
      const expected = counts.flatMap((count, i) => Array.from({ length: count }, () => i))
      expect(elements(np.repeat(x, counts))).toEqual(expected)
      if (expected.length === 0) return
      const traced = jit((y: NDArray, n: NDArray) => np.repeat(y, n, { totalRepeatLength: expected.length }))
      expect(elements(traced(x, np.array(counts, { dtype: 'int32' })))).toEqual(expected)
    }),
    { numRuns: 30 },
  )
})

test('four quarter turns are none, and two are a flip along both axes', () => {
  const x = filled([2, 3])
  same(np.rot90(np.rot90(x), { k: 3 }), x)
  same(np.rot90(x, { k: 2 }), np.flip(x))
})

test('unpacking the bits of bytes and packing them gives the bytes', () => {
  const order = fc.constantFrom('big' as const, 'little' as const)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), order, (bytes, bitorder) => {
      const x = np.array(bytes)
      expect(elements(np.packbits(np.unpackbits(x, { bitorder }), { bitorder }))).toEqual([...bytes])
    }),
  )
})

test('padding with a mode is reading at the places that the mode names', () => {
  const places: Readonly<Record<'wrap' | 'edge' | 'reflect' | 'symmetric', (at: number, n: number) => number>> = {
    wrap: (at, n) => ((at % n) + n) % n,
    edge: (at, n) => Math.max(0, Math.min(n - 1, at)),
    reflect: (at, n) => (n === 1 ? 0 : n - 1 - Math.abs(n - 1 - (((at % (2 * n - 2)) + 2 * n - 2) % (2 * n - 2)))),
    symmetric(at, n) {
      const turn = ((at % (2 * n)) + 2 * n) % (2 * n)
      return turn < n ? turn : 2 * n - 1 - turn
    },
  }
  const modes = fc.constantFrom(...(Object.keys(places) as (keyof typeof places)[]))
  const widths = fc.integer({ min: 0, max: 9 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), widths, widths, modes, (n, before, after, mode) => {
      const expected = Array.from({ length: before + n + after }, (_, i) => places[mode](i - before, n))
      expect(elements(np.pad(np.arange(n), [before, after], { mode }))).toEqual(expected)
    }),
  )
})

test('inserting and deleting are those of lists', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(), (size, at) => {
      const list = Array.from({ length: size }, (_, i) => i)
      const x = np.arange(size)
      expect(elements(np.insert(x, at % (size + 1), 9))).toEqual(list.toSpliced(at % (size + 1), 0, 9))
      expect(elements(np.delete(x, at % size))).toEqual(list.toSpliced(at % size, 1))
    }),
  )
})

test('gradients of what moves elements bring each back to its place', () => {
  const weights = np.arange(12, { dtype: 'float32' })
  const moves: readonly ((x: NDArray) => NDArray)[] = [
    (x) => np.transpose(x),
    (x) => np.roll(x, 5),
    (x) => np.flip(x, { axis: 1 }),
    (x) => np.rot90(x),
    (x) => np.concatenate(np.split(x, 2, { axis: 1 }).reverse(), { axis: 1 }),
    (x) => np.stack(np.unstack(x).reverse()),
  ]
  for (const move of moves) {
    const g = grad((x: NDArray) => np.vdot(move(x), weights))(filled([3, 4]))
    // moving the gradient as the array was moved gives the weights
    expect(elements(move(g))).toEqual(elements(weights))
  }
})

test('misuse is refused with what was expected', () => {
  const x = filled([2, 3])
  const cases: readonly (readonly [() => unknown, new (message: string) => Error, string])[] = [
    [() => np.reshape(x, [4, -1]), ShapeError, 'the 6 elements of f32[2,3]'],
    [() => np.reshape(x, [-1, -1]), ShapeError, 'at most one size of -1'],
    [() => np.concatenate([]), ShapeError, 'at least one array'],
    [() => np.concatenate([1, 2]), ShapeError, 'np.stack'],
    [() => np.concatenate([x, filled([3, 3])], { axis: 1 }), ShapeError, 'f32[2,3] and f32[3,3]'],
    [() => np.stack([x, filled([3])]), ShapeError, 'arrays of one shape'],
    [() => np.split(x, 2, { axis: 1 }), ShapeError, 'np.arraySplit'],
    [() => np.squeeze(x, { axis: 0 }), ShapeError, 'of size 1'],
    [() => np.broadcastTo(x, [3]), ShapeError, 'broadcasts to the shape [3]'],
    [() => np.transpose(x, [0, 0]), ShapeError, 'different axes'],
    [() => np.moveaxis(x, [0, 1], 0), ShapeError, 'as many destinations'],
    [() => np.roll(x, 0.5), DtypeError, 'integers'],
    [() => np.packbits(x), DtypeError, 'x.ne(0)'],
    [() => np.unpackbits(x), DtypeError, 'uint8'],
    [() => np.pad(x, 1, { mode: 'mirror' as 'edge' }), OptionError, 'reflect'],
    [() => np.pad(x, 1, { mode: 'edge', constantValues: 1 }), OptionError, "'constantValues'"],
    [() => np.pad(x, -1), ShapeError, 'not negative'],
    [() => np.flip(x, { axes: 0 } as never), OptionError, "'axes'"],
    [
      () => jit((n: NDArray) => np.repeat(np.arange(2), n))(np.array([1, 2], { dtype: 'int32' })),
      ConcretizationError,
      'totalRepeatLength',
    ],
  ]
  for (const [run, kind, text] of cases) {
    expect(run).toThrow(kind)
    expect(run).toThrow(text)
  }
})
