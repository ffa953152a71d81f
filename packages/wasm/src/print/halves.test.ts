// What is known to be a float16 already, and so needs no rounding.
import {
  add,
  assign,
  binary,
  Buffer,
  buffersOf,
  convert,
  div,
  type Expr,
  f32,
  forLoop,
  gt,
  load,
  local,
  Local,
  LoopVar,
  max,
  min,
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
import { noteHalves } from './halves.ts'
import { sourceOf } from './rounding.ts'
import { runPrinted } from './run.testing.ts'

const half = (x: Expr): Narrow => narrow('float16', x) as Narrow
const i = variable(new LoopVar('i', 64))
const [h, wide] = [load(new Buffer('h', 'float16', 64), i), load(new Buffer('wide', 'float32', 64), i)]

const kindOf = (x: Expr): string | undefined => sourceOf(half(x))?.kind

test('sums and other operations are told apart where their operands are float16s', () => {
  expect(kindOf(add(h, f32(0.5)))).toBe('sum')
  expect(kindOf(mul(h, half(wide)))).toBe('operation')
  expect(kindOf(binary('sub', h, mul(h, convert('f32', gt(wide, f32(0))))))).toBe('sum')
  for (const x of [wide, add(h, wide), add(h, f32(0.1)), add(h, mul(h, h))]) expect(kindOf(x)).toBeUndefined()
})
test('what stays within bounds cannot overflow, and zeros need no sign where they cannot be negative', () => {
  const known = (x: Expr): unknown => {
    const { overflows, negativeZero, finite } = sourceOf(half(x))!
    if (finite) expect(overflows).toBe(false)
    return [overflows, negativeZero]
  }
  expect(known(add(h, h))).toEqual([true, true])
  // the largest float16 and 16 are half way to what would be the next one
  expect(known(add(h, f32(15.5)))).toEqual([false, false])
  expect(known(add(h, f32(-16)))).toEqual([true, false])
  expect(known(add(h, f32(-0)))).toEqual([false, true])
  const below = half(binary('sub', h, f32(1)))
  expect(known(mul(below, f32(1.5)))).toEqual([true, false])
  expect(known(mul(below, f32(0.5)))).toEqual([false, true])
  expect(known(mul(below, f32(-2)))).toEqual([true, true])
  expect(known(binary('sub', h, convert('f32', gt(wide, f32(0)))))).toEqual([false, true])
  expect(known(mul(h, f32(-1)))).toEqual([false, true])
  expect(known(mul(h, f32(1.5)))).toEqual([true, true])
  expect(known(mul(h, h))).toEqual([true, false])
  const above = half(add(half(mul(h, h)), f32(1)))
  expect(known(above.x)).toEqual([false, false])
  expect(known(div(f32(1), above))).toEqual([false, false])
  expect(known(div(f32(1), h))).toEqual([true, true])
  expect(sourceOf(half(div(f32(1), above)))!.finite).toBe(true)
  expect(sourceOf(half(binary('sub', h, f32(1))))!.finite).toBe(false)
})
test('a buffer of float32 may be known to hold float16s', () => {
  const kept = load(new Buffer('kept', 'float32', 64, 'float16'), i)
  expect(kindOf(add(kept, h))).toBe('sum')
})
test('a local holds float16s if all that it is given is one', () => {
  const [t, u] = [new Local('t', 'f32'), new Local('u', 'f32')]
  noteHalves([assign(t, half(wide)), assign(t, h), assign(u, half(wide)), assign(u, wide)])
  expect(kindOf(add(local(t), h))).toBe('sum')
  expect(kindOf(add(local(u), h))).toBeUndefined()
})
test('carries that are made of each other hold float16s if they all do', () => {
  const [a, b, c] = [new Local('a', 'f32'), new Local('b', 'f32'), new Local('c', 'f32')]
  const body = [assign(a, h), assign(b, h), assign(c, h)]
  const turns = [assign(a, local(b)), assign(b, half(add(local(a), h))), assign(c, add(local(a), local(c)))]
  noteHalves([...body, forLoop(new LoopVar('t', 3), turns)])
  expect(kindOf(add(local(a), local(b)))).toBe('sum')
  expect(kindOf(add(local(a), local(c)))).toBeUndefined()
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
    fc.property(pairs, fc.boolean(), (list, relaxed) => {
      const [a, b] = [0, 1].map((side) => Float32Array.from(list, (pair) => numberOf(pair[side]!))) as [
        Float32Array,
        Float32Array,
      ]
      const got = new Float32Array(length)
      runPrinted(nest, [a, b, got], relaxed)
      expect(got).toEqual(a.map((value, k) => roundHalf(Math.fround(compute(value, b[k]!)))))
    }),
    { numRuns: 500 },
  )
})

test('what is rounded within known bounds is rounded as the reference does', () => {
  const length = 23
  const v = new LoopVar('i', length)
  const [x, out] = [new Buffer('x', 'float16', length), new Buffer('out', 'float32', length)]
  const element = load(x, variable(v))
  const constants = fc.oneof(fc.constantFrom(0, 1, -1, 0.5, 15, -16, 2 ** -24, 65504), bits.map(numberOf))
  const square = half(add(half(mul(element, element)), f32(1)))
  const round = (value: number): number => roundHalf(Math.fround(value))
  const inverse = (value: number): number => round(1 / round(round(value * value) + 1))
  const cases: readonly (readonly [(k: Expr) => Expr, (value: number, k: number) => number])[] = [
    [(k) => add(element, k), (value, k) => value + k],
    [(k) => mul(element, k), (value, k) => value * k],
    [(k) => div(k, square), (value, k) => k / round(round(value * value) + 1)],
    [(k) => mul(square, k), (value, k) => round(round(value * value) + 1) * k],
    [(k) => binary('sub', convert('f32', gt(element, k)), element), (value, k) => Number(value > k) - value],
    [(k) => binary('sub', element, convert('f32', gt(element, k))), (value, k) => value - Number(value > k)],
    [(k) => mul(half(binary('sub', element, f32(0.5))), k), (value, k) => round(value - 0.5) * k],
    [() => binary('sub', half(div(f32(1), square)), f32(0.3125)), (value) => inverse(value) - 0.3125],
    [() => mul(half(div(f32(-1), square)), half(div(f32(1), square))), (value) => -inverse(value) * inverse(value)],
    [
      (k) => mul(convert('f32', gt(element, k)), half(div(f32(-1), square))),
      (value, k) => -inverse(value) * Number(value > k),
    ],
    [
      (k) => mul(min(max(element, f32(-7)), f32(2)), mul(f32(0.001), k)),
      (value, k) => Math.min(Math.max(value, -7), 2) * Math.fround(0.001 * k),
    ],
    [(k) => add(half(mul(square, k)), f32(3)), (value, k) => round(round(round(value * value) + 1) * k) + 3],
  ]
  const lists = fc.array(bits.map(numberOf), { minLength: length, maxLength: length })
  fc.assert(
    fc.property(lists, constants, fc.constantFrom(...cases), fc.boolean(), (list, k, [build, compute], relaxed) => {
      const kernel = {
        kind: 'nest',
        name: 'kernel',
        grid: [v],
        body: [store(out, variable(v), half(build(f32(k))))],
      } as const
      const [values, got] = [Float32Array.from(list), new Float32Array(length)]
      const buffers = buffersOf(kernel)
      runPrinted(
        { ...kernel, params: buffers },
        buffers.map((buffer) => (buffer === x ? values : got)),
        relaxed,
      )
      expect(got).toEqual(values.map((value) => round(compute(value, k))))
    }),
    { numRuns: 500 },
  )
})
