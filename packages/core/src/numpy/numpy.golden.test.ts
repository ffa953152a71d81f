/** Functions of `np` and their gradients, and arrays as text, against real JAX. */
import { expect, test } from 'vitest'
import { NDArray } from '../array.ts'
import { jit } from '../control/jitted.ts'
import { isFloat } from '../dtype.ts'
import '../setup.ts'
import { vjp } from '../transform/autodiff.ts'
import { type Encoded, type Tolerance, decode, golden, mismatch, typeName } from './golden.testing.ts'
import * as np from './index.ts'

interface Case {
  readonly fn: string
  readonly inputs: readonly Encoded[]
  readonly positional?: readonly number[]
  readonly options?: Readonly<Record<string, unknown>>
  readonly expected: readonly Encoded[]
  readonly vjpOfOnes?: readonly (Encoded | null)[]
}
const file = golden<{
  readonly elementwise: readonly Case[]
  readonly reductions: readonly Case[]
  readonly creation: readonly Case[]
  readonly select: readonly {
    readonly conditions: readonly boolean[][]
    readonly default: number
    readonly expected: Encoded
  }[]
  readonly printed: readonly { readonly array: Encoded; readonly text: string }[]
}>('numpy')

/** An option of the file as it is given here: arrays are written out there. */
const optionOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'data' in value ? decode(value as Encoded) : value

function run({ fn, positional = [], options = {} }: Case, inputs: readonly NDArray[]): readonly NDArray[] {
  const f = (np as unknown as Record<string, (...args: unknown[]) => NDArray | readonly NDArray[]>)[fn]!
  const entries = Object.entries(options).map(([name, value]) => [name, optionOf(value)])
  const result = f(...inputs, ...positional, ...(entries.length > 0 ? [Object.fromEntries(entries)] : []))
  return result instanceof NDArray ? [result] : result
}

/** Results other than within four units in the last place. */
const looser: Readonly<Record<string, Tolerance>> = {
  // 1 − tanh²: a last digit of tanh is many of the difference
  'tanh gradient': { ulps: 4, absolute: 2.5e-7 },
  // JAX multiplies by a power of two that its exp2 approximates; here it is exact
  'frexp gradient': { ulps: 64 },
  'std gradient': { ulps: 8 },
  // neighbours of opposite sign cancel
  'percentile value': { ulps: 4, absolute: 1e-7 },
  'nanpercentile value': { ulps: 4, absolute: 1e-7 },
}

function differences(row: Case): string[] {
  const inputs = row.inputs.map(decode)
  const label = `${row.fn}(${row.inputs.map((x) => `${x.dtype}[${x.shape.join()}]`).join()}) ${JSON.stringify(row.positional ?? [])} ${JSON.stringify(row.options ?? {})}`
  const tolerance = (what: string) => looser[`${row.fn} ${what}`] ?? { ulps: 4 }
  const values = run(row, inputs).map((got, i) => ['value', mismatch(got, row.expected[i]!, tolerance('value'))])
  const moving = inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []))
  const gradients = row.vjpOfOnes === undefined ? [] : cotangents(row, inputs, moving)
  const slopes = gradients.map((got, i) => [
    `gradient ${moving[i]}`,
    mismatch(got, row.vjpOfOnes![moving[i]!]!, tolerance('gradient')),
  ])
  return [...values, ...slopes].flatMap(([what, found]) => (found === undefined ? [] : [`${label} ${what}: ${found}`]))
}
function cotangents(row: Case, inputs: readonly NDArray[], moving: readonly number[]): readonly NDArray[] {
  const restricted = (...xs: NDArray[]): NDArray =>
    run(
      row,
      inputs.map((x, i) => (moving.includes(i) ? xs[moving.indexOf(i)]! : x)),
    )[0]!
  const [out, pullback] = vjp(restricted, ...moving.map((i) => inputs[i]!))
  return pullback(np.onesLike(out))
}

for (const section of ['elementwise', 'reductions', 'creation'] as const) {
  test(`the ${section} functions agree with JAX`, () => {
    expect(file[section].flatMap(differences)).toEqual([])
  })
}

test('compiled functions give what they give at once', () => {
  const wrong = [...file.elementwise, ...file.reductions, ...file.creation].flatMap((row) => {
    const inputs = row.inputs.map(decode)
    const compiled = jit((...xs: NDArray[]) => run(row, xs))(...inputs)
    return run(row, inputs).flatMap((eager, i) => {
      const got = compiled[i]!
      const same =
        typeName(got) === typeName(eager) && got.dataSync().every((v, at) => Object.is(v, eager.dataSync()[at]))
      return same ? [] : [`${row.fn} ${JSON.stringify(row.options ?? {})}: ${String(got)} instead of ${String(eager)}`]
    })
  })
  expect(wrong).toEqual([])
})

test('select takes the first condition that holds', () => {
  const x = np.array([1, 2, 3, 4])
  for (const row of file.select) {
    const result = np.select(
      row.conditions.map((list) => np.array(list)),
      [x, np.multiply(x, 10)],
      { default: row.default },
    )
    expect(mismatch(result, row.expected)).toBeUndefined()
  }
})

test('arrays print as in JAX', () => {
  expect(file.printed.map(({ array }) => String(decode(array)))).toEqual(file.printed.map(({ text }) => text))
})
