// What is known to be a float16 already, and so needs no rounding.
import {
  add,
  assign,
  binary,
  Buffer,
  buffersOf,
  convert,
  type Expr,
  f32,
  gt,
  load,
  local,
  Local,
  LoopVar,
  mul,
  narrow,
  type Narrow,
  type Nest,
  type Stmt,
  store,
  variable,
} from '@fluxion/compiler'
import { roundHalf } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { noteHalves, sourceOf } from './halves.ts'
import { runPrinted } from './run.testing.ts'

const half = (x: Expr): Narrow => narrow('float16', x) as Narrow
const i = variable(new LoopVar('i', 64))
const [h, wide] = [load(new Buffer('h', 'float16', 64), i), load(new Buffer('wide', 'float32', 64), i)]

test('sums and other operations are told apart where their operands are float16s', () => {
  expect(sourceOf(half(add(h, f32(0.5))))).toBe('sum')
  expect(sourceOf(half(mul(h, half(wide))))).toBe('operation')
  expect(sourceOf(half(binary('sub', h, mul(h, convert('f32', gt(wide, f32(0)))))))).toBe('sum')
  for (const x of [wide, add(h, wide), add(h, f32(0.1)), add(h, mul(h, h))]) expect(sourceOf(half(x))).toBeUndefined()
})
test('a buffer of float32 may be known to hold float16s', () => {
  const kept = load(new Buffer('kept', 'float32', 64, 'float16'), i)
  expect(sourceOf(half(add(kept, h)))).toBe('sum')
})
test('a local holds float16s if all that it is given is one', () => {
  const [t, u] = [new Local('t', 'f32'), new Local('u', 'f32')]
  noteHalves([assign(t, half(wide)), assign(u, half(wide)), assign(u, wide)])
  expect(sourceOf(half(add(local(t), h)))).toBe('sum')
  expect(sourceOf(half(add(local(u), h)))).toBeUndefined()
})

/** Every pair of kinds: zeros, subnormal, normal, the largest, infinity, NaN; and any bits. */
const special = [0, 1, 2, 0x1ff, 0x3ff, 0x400, 0x401, 0x3c00, 0x3c01, 0x7800, 0x7bfe, 0x7bff, 0x7c00, 0x7e00]
const bits = fc.oneof(fc.constantFrom(...special, ...special.map((x) => x | 0x8000)), fc.nat({ max: 0xffff }))
function numberOf(word: number): number {
  const [sign, exponent, fraction] = [word & 0x8000 ? -1 : 1, (word >> 10) & 31, word & 0x3ff]
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}
test.for(['add', 'sub', 'mul', 'div'] as const)('%s of any float16s rounds as the reference does', (fn) => {
  const length = 23
  const pairs = fc.array(fc.tuple(bits, bits), { minLength: length, maxLength: length })
  const v = new LoopVar('i', length)
  const [x, y, out] = [
    new Buffer('x', 'float16', length),
    new Buffer('y', 'float16', length),
    new Buffer('out', 'float32', length),
  ] as const
  const at = variable(v)
  const body: Stmt[] = [store(out, at, half(binary(fn, load(x, at), load(y, at))))]
  const kernel = { kind: 'nest', name: 'kernel', grid: [v], body } as const
  const nest: Nest = { ...kernel, params: buffersOf(kernel) }
  const compute = {
    add: (a: number, b: number) => a + b,
    sub: (a: number, b: number) => a - b,
    mul: (a: number, b: number) => a * b,
    div: (a: number, b: number) => a / b,
  }[fn]
  fc.assert(
    fc.property(pairs, (list) => {
      const [a, b] = [0, 1].map((side) => Float32Array.from(list, (pair) => numberOf(pair[side]!))) as [
        Float32Array,
        Float32Array,
      ]
      const got = new Float32Array(length)
      runPrinted(nest, [a, b, got], false)
      expect(got).toEqual(a.map((value, k) => roundHalf(Math.fround(compute(value, b[k]!)))))
    }),
    { numRuns: 500 },
  )
})
