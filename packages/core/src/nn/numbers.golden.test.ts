/** Activations and operations of `lax` at numeric edges, against real JAX: values, and cotangents for a cotangent of ones. */
import { expect, test } from 'vitest'
import '../setup.ts'
import type { NDArray } from '../array.ts'
import { dtypes } from '../dtype.ts'
import * as lax from '../lax/index.ts'
import { type Encoded, type Tolerance, decode, golden, mismatch } from '../numpy/golden.testing.ts'
import { ones } from '../numpy/create.ts'
import { vjp } from '../transform/autodiff.ts'
import { gradientMismatch } from './golden.testing.ts'
import * as nn from './index.ts'

interface Case {
  readonly fn: string
  readonly inputs: readonly Encoded[]
  readonly options?: Readonly<Record<string, unknown>>
  readonly expected: Encoded
  readonly vjpOfOnes?: readonly Encoded[]
}
type Call = (...args: unknown[]) => NDArray
const spaces = { lax, nn } as unknown as Readonly<Record<string, Readonly<Record<string, Call>>>>
const { edges } = golden<{ readonly edges: readonly Case[] }>('numbers')
const { tiny, eps } = dtypes.float32

/** A case without the places of subnormal inputs, which XLA takes for zero. */
function flushed(row: Case): Case {
  const places = row.inputs[0]!.data.flatMap((x, i) => (Number(x) !== 0 && Math.abs(Number(x)) < tiny ? [] : [i]))
  const kept = (x: Encoded): Encoded =>
    x.data.length === row.inputs[0]!.data.length && x.shape.length === 1
      ? { ...x, shape: [places.length], data: places.map((i) => x.data[i]!) }
      : x
  return {
    ...row,
    inputs: row.inputs.map(kept),
    expected: kept(row.expected),
    ...(row.vjpOfOnes === undefined ? {} : { vjpOfOnes: row.vjpOfOnes.map(kept) }),
  }
}
const cases = edges.filter(({ fn }) => /^(lax|nn)\.\w+$/.test(fn)).map(flushed)
/** XLA also takes subnormal intermediate results for zero, which silu multiplies by numbers below 128. */
const tolerance: Tolerance = { ulps: 4, absolute: 128 * tiny }
/** Cotangents in which terms of about 1 cancel. */
const cancelling: readonly string[] = ['nn.mish', 'nn.squareplus', 'nn.softmax']

/** The call that a case describes; `integerPow` takes its exponent by position. */
function callOf({ fn, options = {} }: Case): Call {
  const [space, name] = fn.split('.') as [string, string]
  const f = spaces[space]![name]!
  const { n, ...rest } = options
  const settings = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      Array.isArray(value) ? decode({ dtype: 'float32', shape: [value.length], data: value }) : value,
    ]),
  )
  const trailing = [...(n === undefined ? [] : [n]), ...(Object.keys(settings).length === 0 ? [] : [settings])]
  return (...args) => f(...args, ...trailing)
}

test('there are cases of both', () => {
  expect(new Set(cases.map(({ fn }) => fn.split('.')[0]))).toEqual(new Set(['lax', 'nn']))
})
test.each(cases.map((row, i) => [`${row.fn} ${JSON.stringify(row.options ?? {})} (${i})`, row] as const))(
  '%s',
  (_, row) => {
    const run = callOf(row)
    const inputs = row.inputs.map(decode)
    const wrong = [mismatch(run(...inputs), row.expected, tolerance)]
    if (row.vjpOfOnes !== undefined) {
      const [out, pullback] = vjp(run as (...args: NDArray[]) => NDArray, ...inputs)
      const cotangents = pullback(ones(out.shape, { dtype: out.dtype }))
      const cancels = cancelling.includes(row.fn)
      const compare = cancels ? gradientMismatch : mismatch
      wrong.push(
        ...row.vjpOfOnes.map((expected, i) =>
          compare(cotangents[i]!, expected, cancels ? { ulps: 4, absolute: 2 * eps } : tolerance),
        ),
      )
    }
    expect(wrong.filter((text) => text !== undefined)).toEqual([])
  },
)
