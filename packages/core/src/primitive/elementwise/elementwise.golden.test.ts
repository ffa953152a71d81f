/** Elementwise operations against real JAX: values and the first two derivatives, at edge points. */
import { expect, test } from 'vitest'
import type { NDArray } from '../../array.ts'
import { type DType, dtypes, isFloat } from '../../dtype.ts'
import { type Encoded, decode, golden as goldenOf } from '../../numpy/golden.testing.ts'
import { jvpFlat } from '../../transform/jvp.ts'
import { type Tangent, Zero } from '../define.ts'
import * as lax from '../elementwise.ts'
import { hostOf, useHostBackend } from '../hostBackend.testing.ts'
import { full } from '../movement.ts'
import { instantiate } from '../zeros.ts'

useHostBackend()

interface Case {
  readonly name: string
  readonly args: readonly Encoded[]
  readonly out: Encoded
  readonly first?: readonly (Encoded | null)[]
  readonly second?: readonly (Encoded | null)[]
}
type Section = 'floats' | 'integers' | 'conversions' | 'bitcasts'
const golden = goldenOf<Record<Section, readonly Case[]>>('elementwise')

type Operation = (...args: NDArray[]) => NDArray
/** `shift_left` as this library spells it: `shiftLeft`. */
const spelled = (name: string): string => name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())
function operation(name: string): Operation {
  const power = /^integer_pow_(.*)$/.exec(name)
  if (power !== null) return (x) => lax.integerPow(x!, Number(power[1]))
  if (name === 'round_even') return (x) => lax.round(x!, 'TO_NEAREST_EVEN')
  if (name === 'reduce_precision') return (x) => lax.reducePrecision(x!, 5, 3)
  return (lax as unknown as Record<string, Operation>)[spelled(name)]!
}

/** The elements that differ by more than some units of the dtype's precision, relative to their size, and by more than `floor` units of 1. */
function differences(got: NDArray, want: Encoded, units: number, floor = 0): string[] {
  expect([got.dtype, got.shape]).toEqual([want.dtype, want.shape])
  const { eps, tiny } = dtypes[want.dtype]
  const wanted = hostOf(decode(want)).data
  return want.data.flatMap((_, i) => {
    const [x, y] = [hostOf(got).data[i]!, wanted[i]!]
    // XLA flushes numbers below the normal ones to zero, of the same sign.
    const close = Math.abs(x - y) <= eps * Math.max(units * Math.abs(y), floor) + (isFloat(want.dtype) ? tiny : 0)
    const signs = x !== 0 || y !== 0 || Object.is(x, y)
    return Object.is(x, y) || (close && signs) ? [] : [`[${i}]: ${x}, JAX ${y}`]
  })
}

function derivative(f: Operation, operand: number): Operation {
  return (...args) => {
    const tangents = args.map((x, i): Tangent => (i === operand ? full(x.shape, 1, x.dtype) : new Zero(x.aval)))
    return instantiate(jvpFlat('test', (xs) => [f(...xs)], args, tangents)[1][0]!)
  }
}

// How many units of float64 JAX's own results may be off: none where rounding is prescribed, a few digits for its special functions (their
// accuracy here was measured against SciPy: 1e-14, lgamma near its zeros and the incomplete functions in their tails 1e-13).
const exact = new Set(
  'neg sign floor ceil round round_even abs square sqrt is_finite add sub mul div rem max min eq ne lt le gt ge nextafter clamp reduce_precision'.split(
    ' ',
  ),
)
const special = /gamma|bessel|zeta|beta/
const unitsOf = (name: string): number => (exact.has(name) ? 0 : special.test(name) ? 2 ** 16 : 64)

for (const { name, args, out, first, second } of golden.floats) {
  test(`${name} is JAX's, with both derivatives`, () => {
    const f = operation(name)
    const units = unitsOf(name)
    const xs = args.map(decode)
    const report: Record<string, string[]> = { value: differences(f(...xs), out, units) }
    // Derivatives such as (1 + y)(1 − y) lose absolutely what y was rounded by.
    for (const [i, want] of (first ?? []).entries()) {
      if (want !== null) report[`first derivative in ${i}`] = differences(derivative(f, i)(...xs), want, units, 8)
    }
    for (const [i, want] of (second ?? []).entries()) {
      if (want !== null)
        report[`second derivative in ${i}`] = differences(derivative(derivative(f, i), i)(...xs), want, units, 8)
    }
    expect(Object.fromEntries(Object.entries(report).filter(([, list]) => list.length > 0))).toEqual({})
  })
}

for (const { name, args, out } of golden.integers) {
  test(`${name} of ${args[0]!.dtype} is JAX's`, () => {
    expect(differences(operation(name)(...args.map(decode)), out, 0)).toEqual([])
  })
}
for (const { name, args, out } of golden.conversions) {
  test(`conversion of ${args[0]!.dtype} to ${name} is JAX's`, () => {
    expect(differences(lax.convert(decode(args[0]!), name as DType), out, 0)).toEqual([])
  })
}
for (const { name, args, out } of golden.bitcasts) {
  test(`the bits of ${args[0]!.dtype} as ${name} are JAX's`, () => {
    expect(differences(lax.bitcast(decode(args[0]!), name as DType), out, 0)).toEqual([])
  })
}
