// Loops split by a divisor mean what they meant.
import {
  and,
  Buffer,
  buffersOf,
  convert,
  indexAdd,
  indexDiv,
  indexMod,
  indexMul,
  interpretKernel,
  load,
  LoopVar,
  mul,
  type Nest,
  shr,
  store,
  u32,
  variable,
} from '@fluxion/compiler'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { runPrinted } from './run.testing.ts'
import { slowIn } from './plan.ts'
import { splitNest } from './split.ts'

/** Bits of bytes as floats, the greatest bit first. */
function unpacking(length: number): Nest {
  const v = new LoopVar('i', length)
  const [bytes, out] = [new Buffer('bytes', 'uint8', length / 8), new Buffer('out', 'float32', length)]
  const place = convert('u32', indexAdd(7, indexMul(indexMod(variable(v), 8), -1)))
  const bit = and(shr(load(bytes, indexDiv(variable(v), 8)), place), u32(1))
  const kernel = {
    kind: 'nest',
    name: 'unpack',
    grid: [v],
    body: [store(out, variable(v), convert('f32', bit))],
  } as const
  return { ...kernel, params: buffersOf(kernel) }
}

test('a loop over bits becomes one over bytes and one over a byte, in which quotients do not change', () => {
  const nest = unpacking(64)
  const split = splitNest(nest)
  expect(split?.nest.grid.map(({ extent }) => extent)).toEqual([8, 8])
  expect(slowIn(nest)).toBe(2)
  expect(slowIn(split!.nest)).toBe(1)
})
test('any part of a split loop can be run by itself', () => {
  const nest = unpacking(72)
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 255 }), { minLength: 9, maxLength: 9 }),
      fc.array(fc.nat({ max: 72 }), { maxLength: 4 }),
      (numbers, cuts) => {
        const data = [Uint8Array.from(numbers), new Float32Array(72)]
        const expected = data.map((array) => array.slice())
        interpretKernel(nest, expected)
        runPrinted(nest, data, false, cuts)
        expect(data).toEqual(expected)
      },
    ),
  )
})
test('a loop is left as it is where nothing goes lane by lane, or where the divisor does not divide it', () => {
  const v = new LoopVar('i', 60)
  const [x, out] = [new Buffer('x', 'float32', 60), new Buffer('out', 'float32', 60)]
  const plain = [store(out, variable(v), mul(load(x, variable(v)), load(x, variable(v))))]
  expect(splitNest({ kind: 'nest', name: 'square', params: [x, out], grid: [v], body: plain })).toBeUndefined()
  const repeated = [store(out, variable(v), load(x, indexDiv(variable(v), 8)))]
  expect(splitNest({ kind: 'nest', name: 'repeat', params: [x, out], grid: [v], body: repeated })).toBeUndefined()
})
