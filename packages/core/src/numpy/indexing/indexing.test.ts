/** Laws of reading and writing at indices: against plain loops, under transformations, and the errors of misuse. */
import '../../setup.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../../array.ts'
import { jit } from '../../control/jitted.ts'
import { ConcretizationError, IndexError, OptionError, ShapeError } from '../../errors.ts'
import { onWarning } from '../../trace.ts'
import { grad } from '../../transform/autodiff.ts'
import { makeJaxpr } from '../../transform/inspect.ts'
import { vmap } from '../../transform/vectorize.ts'
import * as np from '../index.ts'
import { type Index, type Slice, positionsOf, parseRange, slice } from '../slice.ts'

const ints = (values: Parameters<typeof np.array>[0]): NDArray => np.array(values, { dtype: 'int32' })
const filled = (shape: readonly number[]): NDArray =>
  np.reshape(
    np.arange(
      shape.reduce((n, size) => n * size, 1),
      { dtype: 'float32' },
    ),
    shape,
  )
const elements = (x: NDArray): number[] => [...x.dataSync()]

const bound = fc.option(fc.integer({ min: -8, max: 8 }), { nil: null })
const ranges = fc.record({
  start: bound,
  stop: bound,
  step: fc.option(
    fc.integer({ min: -3, max: 3 }).filter((step) => step !== 0),
    { nil: null },
  ),
})

/** The positions that Python's range visits. */
function visited({ start, stop, step }: Slice, size: number): number[] {
  const by = step ?? 1
  const found: number[] = []
  const from =
    start === null
      ? by > 0
        ? 0
        : size - 1
      : start < 0
        ? Math.max(start + size, by > 0 ? 0 : -1)
        : Math.min(start, by > 0 ? size : size - 1)
  const to = stop === null ? (by > 0 ? size : -1) : stop < 0 ? Math.max(stop + size, -1) : stop
  for (let i = from; by > 0 ? i < Math.min(to, size) : i > to; i += by) if (i >= 0 && i < size) found.push(i)
  return found
}

test('a range visits the positions that a loop visits', () => {
  fc.assert(
    fc.property(ranges, fc.integer({ min: 0, max: 6 }), (range, size) => {
      const { start, step, count } = positionsOf(range, size)
      expect(Array.from({ length: count }, (_, i) => start + i * step)).toEqual(visited(range, size))
    }),
  )
})

test('a range in short is the range', () => {
  fc.assert(
    fc.property(ranges, ({ start, stop, step }) => {
      expect(parseRange(`${start ?? ''}:${stop ?? ''}:${step ?? ''}`)).toEqual({ start, stop, step })
      expect(parseRange(`${start ?? ''}:${stop ?? ''}`)).toEqual({ start, stop, step: null })
    }),
  )
})

const shape = [3, 4] as const
const alongAxis = (size: number): fc.Arbitrary<Index> =>
  fc.oneof(
    fc.integer({ min: -size, max: size - 1 }),
    ranges,
    fc.array(fc.integer({ min: -size, max: size - 1 }), { minLength: 1, maxLength: 3 }),
    fc.array(fc.boolean(), { minLength: size, maxLength: size }),
  )
/** What one part of an index visits, and whether it drops its axis or is an array. */
function placesOf(part: Index, size: number): { places: number[]; kind: 'position' | 'range' | 'array' } {
  const front = (at: number): number => (at < 0 ? at + size : at)
  if (typeof part === 'number') return { places: [front(part)], kind: 'position' }
  if (!Array.isArray(part)) return { places: visited(part as Slice, size), kind: 'range' }
  const list = part as (number | boolean)[]
  const places =
    typeof list[0] === 'boolean' ? list.flatMap((one, i) => (one ? [i] : [])) : list.map((at) => front(at as number))
  return { places, kind: 'array' }
}
/** The positions that an index of two parts reads, in order; `undefined` if its arrays do not broadcast. */
function read(index: readonly [Index, Index]): number[] | undefined {
  const [p, q] = index.map((part, axis) => placesOf(part, shape[axis]!)) as [
    ReturnType<typeof placesOf>,
    ReturnType<typeof placesOf>,
  ]
  if (p.kind === 'array' && q.kind === 'array') {
    const n = p.places.length === 1 ? q.places.length : p.places.length
    if (![1, n].includes(q.places.length)) return undefined
    return Array.from(
      { length: n },
      (_, i) => p.places[p.places.length === 1 ? 0 : i]! * 4 + q.places[q.places.length === 1 ? 0 : i]!,
    )
  }
  return p.places.flatMap((row) => q.places.map((column) => row * 4 + column))
}
const indices = fc.tuple(alongAxis(3), alongAxis(4))

test('a read gives the elements that loops over the index visit', () => {
  fc.assert(
    fc.property(indices, (index) => {
      const expected = read(index)
      if (expected === undefined) expect(() => filled(shape).get(...index)).toThrow(ShapeError)
      else expect(elements(filled(shape).get(...index))).toEqual(expected)
    }),
  )
})

test('the gradient of a read counts how often each element is read', () => {
  fc.assert(
    fc.property(indices, (index) => {
      const expected = read(index)
      if (expected === undefined) return
      const counts = Array.from({ length: 12 }, (_, i) => expected.filter((at) => at === i).length)
      expect(elements(grad((x) => np.sum(x.get(...index)))(filled(shape)))).toEqual(counts)
    }),
    { numRuns: 40 },
  )
})

test('adding at an index adds as often as it names an element', () => {
  fc.assert(
    fc.property(indices, (index) => {
      const expected = read(index)
      if (expected === undefined) return
      const counts = Array.from({ length: 12 }, (_, i) => expected.filter((at) => at === i).length)
      expect(
        elements(
          np
            .zeros(shape)
            .at(...index)
            .add(1),
        ),
      ).toEqual(counts)
    }),
    { numRuns: 40 },
  )
})

test('what is set at an index is read there, if it names no element twice', () => {
  fc.assert(
    fc.property(indices, (index) => {
      const expected = read(index)
      if (expected === undefined || new Set(expected).size < expected.length) return
      const part = filled(shape).get(...index)
      const values = np.multiply(part, -1)
      const written = np
        .zeros(shape)
        .at(...index)
        .set(values)
      expect(elements(written.get(...index))).toEqual(elements(values))
    }),
    { numRuns: 40 },
  )
})

test('traced positions read as known ones do', () => {
  const x = filled([3, 4])
  const row = jit((y: NDArray, i: NDArray) => y.get(i, '::-1'))
  const rows = jit((y: NDArray, i: NDArray) => y.get(i, '1:3'))
  fc.assert(
    fc.property(fc.integer({ min: -3, max: 2 }), (i) => {
      expect(elements(row(x, ints(i)))).toEqual(elements(x.get(i, '::-1')))
      expect(elements(rows(x, ints([i, 0])))).toEqual(elements(x.get([i, 0], '1:3')))
    }),
    { numRuns: 10 },
  )
})

test('a map over positions is a read at all of them', () => {
  const x = filled([5, 2])
  const at = ints([4, 0, -1])
  expect(elements(vmap((i: NDArray) => x.get(i))(at))).toEqual(elements(x.get(at)))
  const set = vmap((i: NDArray, y: NDArray) => y.at(i).set(9), { inAxes: [0, null] })
  expect(set(at, x).get(0, 4).toArray()).toEqual([9, 9])
})

test('the gradient of a write goes to the values, and not to what was overwritten', () => {
  const loss = (x: NDArray, v: NDArray): NDArray => np.sum(np.multiply(x.at([2, 0]).set(v), np.array([1, 10, 100])))
  const [gx, gv] = grad(loss, { argnums: [0, 1] })(filled([3]), filled([2])) as [NDArray, NDArray]
  expect(elements(gx)).toEqual([0, 10, 0])
  expect(elements(gv)).toEqual([100, 1])
})

test('apply replaces each element once', () => {
  expect(
    elements(
      np
        .arange(4)
        .at([1, 1, 3])
        .apply((x) => x.mul(10)),
    ),
  ).toEqual([0, 10, 2, 30])
})

test('subtracting, dividing and raising change what is named only', () => {
  const x = np.array([1, 2, 3])
  expect(elements(x.at([0, 2]).subtract(np.array([1, 2])))).toEqual([0, 2, 1])
  expect(elements(x.at(1).div(4))).toEqual([1, 0.5, 3])
  expect(elements(x.at('1:').pow(2))).toEqual([1, 4, 9])
})

test('a write keeps dtype and weakness, and warns of values that the dtype does not hold', () => {
  const messages: string[] = []
  const before = onWarning((message) => messages.push(message))
  try {
    expect(np.arange(3).at(0).set(1).dtype).toBe('int32')
    expect(np.zeros([2], { dtype: 'float16' }).at(0).set(1).dtype).toBe('float16')
    expect(messages).toEqual([])
    expect(elements(np.arange(3).at(0).set(1.5))).toEqual([1, 1, 2])
    expect(messages).toHaveLength(1)
    expect(messages[0]).toContain('at.set: values of dtype float32 are converted to int32')
  } finally {
    onWarning(before)
  }
})

test('misuse is refused with the remedy', () => {
  const x = filled([3, 4])
  const cases: readonly (readonly [() => unknown, new (message: string) => Error, string])[] = [
    [() => x.get(np.array([0, 2])), IndexError, "np.array([0, 2], { dtype: 'int32' })"],
    [() => x.get([0.5]), IndexError, 'Math.floor'],
    [() => x.get(1.5), IndexError, 'Math.floor'],
    [() => x.get('1-2' as ':'), IndexError, "'1:3'"],
    [() => x.get('::0'), IndexError, 'a step other than 0'],
    [() => x.get([[0]] as never), IndexError, 'nested lists'],
    [() => x.get({} as never), IndexError, 'an object as part 0'],
    [() => x.get(0, 0, 0), IndexError, 'an index of 3'],
    [() => x.get('...', '...'), IndexError, "one '...' at most"],
    [() => x.get([true, false]), IndexError, 'a mask of the shape [3]'],
    [() => np.zeros([0, 2]).get(0), IndexError, 'size 0'],
    [() => slice(0.5), IndexError, 'lax.dynamicSlice'],
    [() => x.at(0).set(np.zeros([3])), ShapeError, 'values that broadcast'],
    [() => x.at(0).set(1, { mode: 'wrap' as 'clip' }), OptionError, 'a mode of'],
    [() => x.at(0).set(1, { fill: 1 } as never), OptionError, "'fill'"],
    [() => x.at(0).get({ modes: 'clip' } as never), OptionError, "'modes'"],
    [() => jit((y: NDArray) => y.get(np.greater(y, 1)))(x), ConcretizationError, 'np.where(mask, x, y)'],
    [() => jit((y: NDArray) => np.nonzero(y)[0]!)(x), ConcretizationError, 'size'],
  ]
  for (const [run, kind, text] of cases) {
    expect(run).toThrow(kind)
    expect(run).toThrow(text)
  }
})

test('reads lower to as little as they need', () => {
  const x = filled([3, 4])
  const namesOf = (f: (y: NDArray, i: NDArray) => NDArray, i: NDArray): string[] =>
    makeJaxpr(f)(x, i).jaxpr.equations.map(({ primitive }) => primitive.name)
  const [scalar, list] = [ints(1), ints([0, 2])]
  expect(x.get(':', '...')).toBe(x)
  expect(namesOf((y) => y.get(1), scalar)).toEqual(['slice', 'squeeze'])
  expect(namesOf((y) => y.get('::-2', null), scalar)).toEqual(['slice', 'rev', 'broadcast_in_dim'])
  expect(namesOf((y, i) => y.get(i), scalar)).toEqual(['lt', 'add', 'select_n', 'dynamic_slice', 'squeeze'])
  expect(namesOf((y, i) => y.get(i), list)).toEqual(['lt', 'add', 'select_n', 'broadcast_in_dim', 'gather'])
})
