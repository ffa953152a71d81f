// Functions of f32 against float64, in units in the last place over all numbers; and their rows in every float.
import { readFileSync } from 'node:fs'
import { isFloat, scalarFunctions } from '@fluxion/core'
import { expect, test } from 'vitest'
import { local } from '../loops/build.ts'
import { type Expr, Local } from '../loops/ir.ts'
import { walk } from '../loops/visit.ts'
import { f32Functions, mathRows } from '../lower/rows/elementwise/math.ts'
import { floats, generator, hostArray, integers, sample } from '../lower/rows/samples.testing.ts'
import { expectReference } from '../lower/rows/harness.testing.ts'
import { ulps, worstOf } from './accuracy.testing.ts'
import { type F32Function, compiled } from './evaluate.testing.ts'
import { pow } from './power.ts'
import { approximations, specials } from './functions.testing.ts'

const roundings = ['once', 'twice'] as const

test.each(approximations)('$name is within $bound ulp, however fma rounds', ({ f, exact, bound }) => {
  for (const rounding of roundings) {
    const got = compiled(f, rounding)
    // 107,000 numbers of each sign, as dense as f32s are
    const worst = worstOf(got, exact, 20011)
    expect(worst.ulps, `at ${worst.at}`).toBeLessThanOrEqual(bound)
    for (const x of specials)
      expect(ulps(got(x), exact(x)), `${got(x)} for ${exact(x)} of ${x}`).toBeLessThanOrEqual(bound)
  }
})

/** Pairs of numbers of all sizes, and every pair of special ones. */
function* pairs(count: number): Generator<readonly [number, number]> {
  const random = generator(1)
  const [xs, ys] = [0, 1].map(() => sample('float32', [count], random).data)
  for (let i = 0; i < count; i++) yield [xs![i]!, ys![i]!]
  for (const x of specials) for (const y of specials) yield [x, y]
}
/** Fails where a function of two numbers is off by more than the bound. */
function expectWithin(
  bound: number,
  got: F32Function,
  exact: (x: number, y: number) => number,
  args: Iterable<readonly [number, number]>,
): void {
  for (const [x, y] of args) {
    const [is, should] = [got(x, y), exact(x, y)]
    if (ulps(is, should) > bound) expect.fail(`${is} for ${should} of ${x}, ${y}: ${ulps(is, should)} ulp`)
  }
}
test('atan2 is within 2.5 ulp, and exact of zeros and infinities', () => {
  for (const rounding of roundings) {
    const got = compiled((y, x) => f32Functions['atan2']!(y, x), rounding)
    expectWithin(2.5, got, Math.atan2, pairs(100000))
  }
})

/** Bases of all sizes with exponents that give results of all sizes. */
function* powers(count: number): Generator<readonly [number, number]> {
  const random = generator(3)
  for (let i = 0; i < count; i++) {
    const x = Math.fround(Math.exp((random() - 0.5) * [170, 2, 0.01, 1.2][i % 4]!)) * (random() < 0.2 ? -1 : 1)
    const y = ((random() - 0.5) * 300) / Math.log2(Math.abs(x))
    yield [x, Math.fround(x < 0 ? Math.round(y) : y)]
  }
  yield* pairs(1000)
}
test('powers are within 1.3 ulp, with the special cases of IEEE', () => {
  for (const rounding of roundings) {
    const got = compiled((x, y) => pow(x, y), rounding)
    expectWithin(1.3, got, scalarFunctions['pow']!, powers(100000))
  }
})
test('whole exponents of 32 bits count to the last bit', () => {
  const bases = [1 + 2 ** -23, 1 - 2 ** -24, -1, -1 - 2 ** -23, 2, -2, 0, -0, Infinity, -Infinity, NaN, 2 ** -149]
  const exponents = [0, 1, 2, 3, 16777217, 16777216, 2147483647]
  for (const [dtype, list] of [
    ['int32', [...exponents, ...exponents.map((y) => -y), -(2 ** 31)]],
    ['uint32', [...exponents, 2 ** 32 - 1]],
    ['int8', [-128, -3, 0, 5, 127]],
  ] as const) {
    const x = hostArray(
      'float32',
      [bases.length * list.length],
      bases.flatMap((base) => list.map(() => base)),
    )
    const y = hostArray(
      dtype,
      [bases.length * list.length],
      bases.flatMap(() => list),
    )
    expectReference(mathRows, 'pow', [x, y], {}, { ulps: 2 })
  }
})

test.each(Object.keys(f32Functions))('the row of %s gives what its reference does, in every float', (name) => {
  const random = generator(2)
  for (const dtype of floats) {
    const args = Array.from({ length: f32Functions[name]!.length }, () => sample(dtype, [500], random))
    // The reference rounds once; f32 has the error of the approximation beside that, and narrower floats are rounded from it.
    const ulps = dtype === 'float64' ? 0 : dtype === 'float32' ? 3 : 1
    expectReference(mathRows, name, args, {}, { ulps })
  }
})

test('the row of pow gives what its reference does, of every dtype', () => {
  const random = generator(4)
  for (const dtype of [...floats, ...integers]) {
    for (const exponent of isFloat(dtype) ? [dtype, ...integers] : [dtype]) {
      const ulps = dtype === 'float64' || !isFloat(dtype) ? 0 : dtype === 'float32' ? 2 : 1
      const args = [sample(dtype, [300], random), sample(exponent, [300], random)]
      expectReference(mathRows, 'pow', args, {}, { ulps })
    }
  }
})

/** How many operations an expression takes; constants and reinterpreted bits cost nothing. */
function operations(x: Expr): number {
  const seen = new Set<Expr>()
  let count = 0
  walk(x, ({ op }) => void (count += op === 'const' || op === 'local' || op === 'bitcast' ? 0 : 1), seen)
  return count
}
test('docs/accuracy.md states the bounds that are tested, and what functions cost', () => {
  const text = readFileSync(new URL('../../../../docs/accuracy.md', import.meta.url), 'utf8')
  const stated = (name: string): readonly string[] =>
    (text.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? '').split('|').map((cell) => cell.trim())
  for (const { name, bound } of approximations) expect(stated(name)[2], name).toBe(`${bound}`)
  for (const [name, f] of Object.entries({ ...f32Functions, pow: (x: Expr, y: Expr) => pow(x, y) })) {
    const args = Array.from({ length: f.length }, (_, i) => local(new Local(`x${i}`, 'f32')))
    expect(stated(name)[3], name).toBe(`${operations((f as (...args: Expr[]) => Expr)(...args))}`)
  }
})
