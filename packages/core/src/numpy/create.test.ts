/** Constructors: what they take, what they refuse, and that traced code makes arrays by operations. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { DtypeError, OptionError, ShapeError, TreeError } from '../errors.ts'
import '../setup.ts'
import { printJaxpr } from '../ir/print.ts'
import { makeJaxpr } from '../transform/inspect.ts'
import * as np from './index.ts'

test('typed arrays keep their dtype', () => {
  expect(np.array(new Float64Array([1])).dtype).toBe('float64')
  expect(np.array(new Uint8Array([1, 2])).dtype).toBe('uint8')
  expect(np.array([new Int16Array([1]), new Int16Array([2])]).dtype).toBe('int16')
  expect(np.array(Buffer.from([1, 2])).toArray()).toEqual([1, 2])
})

test('nested lists of numbers give back what was put in', () => {
  const matrix = fc.tuple(fc.nat(4), fc.nat(4)).chain(([rows, columns]) =>
    fc.array(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  )
  fc.assert(
    fc.property(matrix, (values) => {
      expect(np.array(values).toArray()).toEqual(values)
    }),
  )
})

test('lists of booleans are bool, with numbers among them float32', () => {
  expect(np.array([true, false]).dtype).toBe('bool')
  expect(np.array([true, 2]).dtype).toBe('float32')
  expect(np.array([]).dtype).toBe('float32')
})

test('lists with arrays in them are stacked, and take their dtype', () => {
  expect(np.array([np.arange(2), [5, 6]]).toArray()).toEqual([
    [0, 1],
    [5, 6],
  ])
  expect(np.array([np.arange(2), [5, 6]]).dtype).toBe('int32')
  expect(np.array([np.arange(2), [5, 6.5]]).dtype).toBe('float32')
})

test('ragged lists, and values that are no numbers, are refused with their place', () => {
  expect(() => np.array([[1, 2], [3]])).toThrow(ShapeError)
  expect(() => np.array([[1, 2], [3]])).toThrow(/at \[1\]/)
  expect(() => np.array([1, 'two' as never])).toThrow(TreeError)
  expect(() => np.array([1, undefined as never])).toThrow(/at \[1\], got undefined/)
})

test('integers that the dtype does not hold are refused, fractions are dropped', () => {
  expect(() => np.array([300], { dtype: 'uint8' })).toThrow(DtypeError)
  expect(() => np.array([NaN], { dtype: 'int32' })).toThrow(DtypeError)
  expect(np.array([1.9, -1.9], { dtype: 'int32' }).toArray()).toEqual([1, -1])
})

test('unknown options and dtypes are refused', () => {
  expect(() => np.zeros([1], { dtyp: 'int32' } as never)).toThrow(OptionError)
  expect(() => np.zeros([1], { dtype: 'int64' as never })).toThrow(DtypeError)
  expect(() => np.ones([-1])).toThrow(ShapeError)
  expect(() => np.arange(Infinity)).toThrow(OptionError)
  expect(() => np.arange(0, 1, 0)).toThrow(OptionError)
  expect(() => np.arange(3e9, 3e9 + 2)).toThrow(DtypeError)
})

test('traced code makes arrays by operations, not as constants', () => {
  const made = makeJaxpr(() => [np.zeros([3]), np.arange(3), np.eye(2), np.full([2], 7)])()
  expect(made.consts).toEqual([])
  expect(printJaxpr(makeJaxpr(() => np.arange(3))())).toContain('iota')
})

test('linspace meets both ends', () => {
  const bound = fc.float({ min: -1e6, max: 1e6, noNaN: true })
  fc.assert(
    fc.property(bound, bound, fc.integer({ min: 2, max: 20 }), (start, stop, num) => {
      const samples = np.linspace(start, stop, num).dataSync()
      expect(samples.length).toBe(num)
      expect([samples[0], samples[num - 1]].map((x) => x! + 0)).toEqual([start + 0, stop + 0])
    }),
  )
})

test('a matrix is the sum of its triangles', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: -4, max: 4 }),
      (n, m, k) => {
        const x = np.add(
          np.fromfunction((i, j) => i.mul(10).add(j), [n, m]),
          1,
        )
        const sum = np.tril(x, { k }).add(np.triu(x, { k: k + 1 }))
        expect(sum.toArray()).toEqual(x.toArray())
      },
    ),
  )
})

test('meshgrid orders axes as asked', () => {
  const [a, b] = [np.arange(2), np.arange(3)]
  expect(np.meshgrid([a, b]).map((x) => x.shape)).toEqual([
    [3, 2],
    [3, 2],
  ])
  expect(np.meshgrid([a, b], { indexing: 'ij', sparse: true }).map((x) => x.shape)).toEqual([
    [2, 1],
    [1, 3],
  ])
})
