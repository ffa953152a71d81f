// Half floats in memory: every bit pattern loaded and stored, by vectors and one by one.
import { add, Buffer, buffersOf, f32, load, LoopVar, mul, narrow, type Nest, store, variable } from '@fluxion/compiler'
import { type DType, roundBfloat, roundHalf } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { runPrinted } from './run.testing.ts'

const copyNest = (from: DType, to: DType, length: number, rounded: DType | undefined): Nest => {
  const v = new LoopVar('i', length)
  const [x, out] = [new Buffer('x', from, length), new Buffer('out', to, length)]
  const value = load(x, variable(v))
  // 0 is added so that it is not a copy of bits; of −0 that would be seen
  const kernel = {
    kind: 'nest',
    name: 'copy',
    grid: [v],
    body: [store(out, variable(v), rounded === undefined ? mul(value, f32(1)) : narrow(rounded, value))],
  } as const
  return { ...kernel, params: buffersOf(kernel) }
}
/** Every float16: its bits are those of a float32 whose exponent is moved. */
function everyHalf(): Float32Array {
  const values: number[] = []
  for (const sign of [1, -1]) {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const [exponent, fraction] = [bits >> 10, bits & 0x3ff]
      values.push(sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15)))
    }
    values.push(sign * Infinity)
  }
  return Float32Array.from([...values, NaN])
}

test('every float16 is loaded as the number that it is', () => {
  const halves = everyHalf()
  const got = new Float32Array(halves.length)
  runPrinted(copyNest('float16', 'float32', halves.length, undefined), [halves, got], false)
  expect(got).toEqual(halves)
})
test('float16s that are known to be 0 or 1 are loaded as they are, by vectors and one by one', () => {
  const v = new LoopVar('i', 23)
  const [x, out] = [new Buffer('x', 'float16', 23, 'bool'), new Buffer('out', 'float32', 23)]
  const kernel = {
    kind: 'nest',
    name: 'copy',
    grid: [v],
    body: [store(out, variable(v), load(x, variable(v)))],
  } as const
  const truths = Float32Array.from({ length: 23 }, (_, i) => (i % 3 === 0 ? 1 : 0))
  const got = new Float32Array(23)
  runPrinted({ ...kernel, params: buffersOf(kernel) }, [truths, got], false)
  expect(got).toEqual(truths)
})
test('every float16 is stored as itself, by vectors and one by one', () => {
  const halves = everyHalf()
  for (const cuts of [[], [1, 2, 3, 5, 8]]) {
    const got = new Float32Array(halves.length)
    runPrinted(copyNest('float32', 'float16', halves.length, undefined), [halves, got], false, cuts)
    expect(got).toEqual(halves)
  }
})

const rounds = { float16: roundHalf, bfloat16: roundBfloat } as const
/** Numbers between neighbouring halves: ties, and what is next to them. */
function between(dtype: 'float16' | 'bfloat16'): Float32Array {
  const values: number[] = []
  const single = new Float32Array(1)
  const word = new Uint32Array(single.buffer)
  for (let exponent = 0; exponent < 256; exponent++) {
    for (const fraction of [0, 1, 2, 0x1fff, 0x3ff, 0x400, 0x155, 0x7f, 0x7e]) {
      for (const low of [0, 1, 0x7ff, 0xfff, 0x1000, 0x1001, 0x1fff, 0x7fff, 0x8000, 0x8001, 0x18000]) {
        word[0] = (exponent << 23) + (fraction << (dtype === 'float16' ? 13 : 16)) + low
        values.push(single[0]!, -single[0]!)
      }
    }
  }
  return Float32Array.from([...values, 65504, 65519.99, 65520, 65536, 2 ** -24, 2 ** -25, 1.5 * 2 ** -25, NaN])
}
test.for(['float16', 'bfloat16'] as const)(
  '%s rounds to nearest, ties to even, when narrowed and when stored',
  (dtype) => {
    const xs = between(dtype)
    const expected = xs.map(rounds[dtype])
    for (const relaxed of [false, true]) {
      const narrowed = new Float32Array(xs.length)
      runPrinted(copyNest('float32', 'float32', xs.length, dtype), [xs, narrowed], relaxed)
      expect(narrowed).toEqual(expected)
    }
    const stored = new Float32Array(xs.length)
    runPrinted(copyNest('float32', dtype, xs.length, dtype), [xs, stored], false)
    expect(stored).toEqual(expected)
  },
)
test.for(['float16', 'bfloat16'] as const)('any float32 rounds to %s as the reference does', (dtype) => {
  fc.assert(
    fc.property(fc.array(fc.float(), { minLength: 1, maxLength: 70 }), (numbers) => {
      const xs = Float32Array.from(numbers)
      const got = new Float32Array(xs.length)
      runPrinted(copyNest('float32', dtype, xs.length, dtype), [xs, got], false)
      expect(got).toEqual(xs.map(rounds[dtype]))
    }),
  )
})
test('a buffer may be read and written at the same places', () => {
  const v = new LoopVar('i', 23)
  const x = new Buffer('x', 'float32', 23)
  const body = [store(x, variable(v), add(load(x, variable(v)), f32(1)))]
  const nest: Nest = { kind: 'nest', name: 'next', params: [x], grid: [v], body }
  const data = Float32Array.from({ length: 23 }, (_, i) => i)
  runPrinted(nest, [data], false)
  expect(data).toEqual(Float32Array.from({ length: 23 }, (_, i) => i + 1))
})
