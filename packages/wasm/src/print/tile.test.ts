// Tiled nests mean what they meant, and only those that read across memory are tiled.
import {
  add,
  Buffer,
  buffersOf,
  convert,
  flatIndex,
  interpretKernel,
  load,
  LoopVar,
  mul,
  type Nest,
  store,
  variable,
} from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostArray, runPrinted } from './run.testing.ts'
import { tilingOf } from './tile.ts'

/** out[a, b, c] = x[the same in another order] + row[c] · b, as the dtype has it. */
function transposing(shape: readonly number[], order: readonly number[], dtype: DType): Nest {
  const grid = shape.map((extent, axis) => new LoopVar('abc'[axis]!, extent))
  const size = shape.reduce((a, b) => a * b, 1)
  const at = grid.map(variable)
  const [x, out] = [new Buffer('x', dtype, size), new Buffer('out', 'float32', size)]
  const from = flatIndex(
    order.map((axis) => at[axis]!),
    order.map((axis) => shape[axis]!),
  )
  const row = load(new Buffer('row', 'float32', shape.at(-1)!), at.at(-1)!)
  const value = add(convert('f32', load(x, from)), mul(row, convert('f32', at.at(-2)!)))
  const kernel = { kind: 'nest', name: 'transpose', grid, body: [store(out, flatIndex(at, shape), value)] } as const
  return { ...kernel, params: buffersOf(kernel) }
}

test('any part of a tiled nest does what it means, whatever is left over of lines and columns', () => {
  let tiled = 0
  fc.assert(
    fc.property(
      fc.constantFrom([0, 2, 1], [2, 1, 0], [2, 0, 1]),
      fc.constantFrom<DType>('float32', 'float64', 'float16'),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 90, max: 150 }),
      fc.integer({ min: 90, max: 150 }),
      fc.array(fc.nat({ max: 150 }), { maxLength: 3 }),
      (order, dtype, few, lines, columns, cuts) => {
        // The loop along which elements lie is the last of the order.
        const shape = order.at(-1) === 1 ? [few, lines, columns] : [lines, few, columns]
        const nest = transposing(shape, order, dtype)
        if (tilingOf(nest) !== undefined) tiled++
        const data = nest.params.map((buffer) => hostArray(buffer.dtype, buffer.length, (k) => (k * 7) % 31))
        const expected = data.map((array) => array.slice())
        interpretKernel(nest, expected)
        runPrinted(nest, data, false, cuts)
        expect(data).toEqual(expected)
      },
    ),
    { numRuns: 20 },
  )
  expect(tiled).toBeGreaterThan(5)
})

test('a transposition runs in tiles of the loop along which its operand lies', () => {
  const { line, inner, rest } = tilingOf(transposing([100, 2, 150], [2, 1, 0], 'float32'))!
  expect([line.name, inner.extent, rest]).toEqual(['a', 16, 144])
})
test('a nest that reads as it lies, or what is in cache anyway, has no tiles', () => {
  expect(tilingOf(transposing([100, 2, 150], [0, 1, 2], 'float32'))).toBeUndefined()
  expect(tilingOf(transposing([100, 150, 2], [0, 2, 1], 'float32'))).toBeUndefined()
  expect(tilingOf(transposing([20, 1, 20], [2, 1, 0], 'float32'))).toBeUndefined()
})
