/** Values and gradients at numeric edges against real JAX. */
import { expect, test } from 'vitest'
import { NDArray } from '../array.ts'
import { dtypes, isFloat } from '../dtype.ts'
import '../setup.ts'
import { vjp } from '../transform/autodiff.ts'
import { type Encoded, type Tolerance, decode, golden, mismatch } from './golden.testing.ts'
import * as np from './index.ts'

interface Case {
  readonly fn: string
  // functions of one number are listed in another form, tested with the primitives
  readonly inputs?: readonly Encoded[]
  readonly options?: Readonly<Record<string, unknown>>
  readonly about?: string
  readonly expected: Encoded | readonly Encoded[]
  readonly vjpOfOnes?: readonly (Encoded | null)[]
}
type Evaluated = Case & { readonly inputs: readonly Encoded[] }
const sections = golden<Readonly<Record<string, readonly Case[]>>>('numbers')

/** The functions that are tested here; those of other folders have tests of their own. */
const functions = `
  floorDivide remainder fmod divmod divide add subtract multiply power abs negative leftShift rightShift
  bitwiseNot bitwiseCount gcd lcm sum prod mean var std max min argmax argmin astype median quantile round
  rint floor ceil trunc sign signbit maximum minimum fmax fmin expm1 log1p sinc sqrt log log2 log10 exp
  reciprocal cbrt square tanh logaddexp logaddexp2 hypot where isclose nanToNum cumsum cumprod interp clip
  diff nansum nanmean nanmax heaviside copysign nextafter arctan2 allclose trapezoid
`.split(/\s+/)
/** Options of JAX that stand among the arguments here. */
const positional: Readonly<Record<string, readonly string[]>> = { astype: ['dtype'], quantile: ['q'] }

const cancellation: Tolerance = { ulps: 4, absolute: 1e-7 }
/** Results other than within four units in the last place: those in which large terms cancel. */
const tolerances: Readonly<Record<string, Tolerance>> = {
  'var gradient': cancellation,
  'std gradient': cancellation,
  // (cos πx − sinc x)/x loses all digits near 0, in JAX as well: an error of eps/x
  'sinc gradient': { ulps: 4, absolute: 2e-3 },
}

/** Places at which an input is subnormal: XLA takes it for zero. */
const flushed = (inputs: readonly Encoded[], at: number): boolean =>
  inputs.some(({ dtype, data }) => {
    const size = Math.abs(Number(data[at] ?? 0))
    return isFloat(dtype) && size > 0 && size < dtypes[dtype].tiny
  })
/** The result with the golden values where XLA flushes. */
const shielded = (got: NDArray, expected: Encoded, inputs: readonly Encoded[]): NDArray =>
  got.size === inputs[0]?.data.length && isFloat(got.dtype)
    ? np.where(
        decode({ ...expected, dtype: 'bool', data: expected.data.map((_, i) => flushed(inputs, i)) }),
        decode(expected),
        got,
      )
    : got

function run({ fn, options = {}, about }: Case, inputs: readonly NDArray[]): readonly NDArray[] {
  const f = (np as unknown as Record<string, (...args: unknown[]) => NDArray | readonly NDArray[]>)[fn]!
  const first = (positional[fn] ?? []).filter((name) => name in options)
  const rest = Object.entries(options).filter(([name]) => !first.includes(name))
  const number = /the number (\d+)/.exec(about ?? '')?.[1]
  const result = f(
    ...inputs,
    ...(number === undefined ? [] : [Number(number)]),
    ...first.map((name) => options[name]),
    ...(rest.length > 0 ? [Object.fromEntries(rest)] : []),
  )
  return result instanceof NDArray ? [result] : result
}

for (const [section, cases] of Object.entries(sections)) {
  if (!Array.isArray(cases)) continue
  const own = cases.filter((row): row is Evaluated => functions.includes(row.fn) && row.inputs !== undefined)
  if (own.length === 0) continue
  test(`the ${section} cases agree with JAX`, () => {
    const wrong: string[] = []
    const check = (row: Evaluated, what: string, got: NDArray, expected: Encoded) => {
      const tolerance = tolerances[`${row.fn} ${what}`] ?? { ulps: 4 }
      const found = mismatch(shielded(got, expected, row.inputs), expected, tolerance)
      if (found !== undefined) wrong.push(`${row.fn} ${what} ${JSON.stringify(row.options ?? {})}: ${found}`)
    }
    for (const row of own) {
      const inputs = row.inputs.map(decode)
      const expected = 'dtype' in row.expected ? [row.expected] : row.expected
      run(row, inputs).forEach((got, i) => check(row, 'value', got, expected[i]!))
      if (row.vjpOfOnes === undefined) continue
      const moving = inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []))
      const [out, pullback] = vjp(
        (...xs: NDArray[]) =>
          run(
            row,
            inputs.map((x, i) => (moving.includes(i) ? xs[moving.indexOf(i)]! : x)),
          )[0]!,
        ...moving.map((i) => inputs[i]!),
      )
      pullback(np.onesLike(out)).forEach((got, i) => {
        const wanted = row.vjpOfOnes![row.vjpOfOnes!.length === inputs.length ? moving[i]! : i]
        if (wanted !== null && wanted !== undefined) check(row, 'gradient', got, wanted)
      })
    }
    expect(wrong).toEqual([])
  })
}
