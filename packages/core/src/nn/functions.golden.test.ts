/** Functions of `lax` and `nn` that are made of operations, against real JAX: values and gradients. */
import { expect, test } from 'vitest'
import '../setup.ts'
import type { NDArray } from '../array.ts'
import * as lax from '../lax/index.ts'
import * as np from '../numpy/index.ts'
import { type Encoded, decode, golden, mismatch } from '../numpy/golden.testing.ts'
import { grad } from '../transform/autodiff.ts'
import * as trees from '../trees.ts'
import { gradientMismatch } from './golden.testing.ts'
import * as nn from './index.ts'

interface Case {
  readonly fn: string
  readonly args: readonly unknown[]
  readonly options?: Readonly<Record<string, unknown>>
  readonly computation?: 'add' | 'mul' | 'max' | 'min'
  readonly expected: Encoded | readonly Encoded[]
  readonly gradients?: readonly Encoded[]
  readonly ulps: number
}
interface InitializerCase {
  readonly fn: Exclude<keyof typeof nn.initializers, 'zeros' | 'ones'>
  readonly args: readonly never[]
  readonly key: Encoded
  readonly shape: readonly number[]
  readonly expected: Encoded
}
type Section = 'convolutions' | 'windows' | 'scans' | 'normalisation' | 'attention'
const cases = golden<
  Readonly<Record<Section, readonly Case[]>> & { readonly initializers: readonly InitializerCase[] }
>('functions')

const isEncoded = (x: unknown): x is Encoded => typeof x === 'object' && x !== null && 'dtype' in x && 'data' in x
const value = (x: unknown): unknown => {
  if (isEncoded(x)) return decode(x)
  if (x === 'NaN' || x === 'Infinity' || x === '-Infinity') return Number(x)
  return Array.isArray(x) ? x.map(value) : x
}
type Call = (...args: unknown[]) => NDArray | NDArray[]
const functions = { lax, nn } as unknown as Record<string, Record<string, Call>>

const operations = { add: lax.add, mul: lax.mul, max: lax.max, min: lax.min }

/** The call that a case describes, as a function of its leading arrays. */
function callOf({ fn, args, options, computation }: Case): { run: Call; arrays: NDArray[] } {
  const [space, name] = fn.split('.') as [string, string]
  const f = functions[space]![name]!
  const values = args.map(value)
  const arrays = values.slice(0, args.filter(isEncoded).length) as NDArray[]
  const rest = values.slice(arrays.length)
  const settings =
    options === undefined ? [] : [Object.fromEntries(Object.entries(options).map(([key, x]) => [key, value(x)]))]
  const operation = computation === undefined ? undefined : operations[computation]
  const run: Call = (...given) => {
    if (name === 'reduceWindow') return f(given[0], rest[0], operation, rest[1], ...settings)
    if (name === 'associativeScan') return f(operation, given[0], ...settings)
    return f(...given, ...rest, ...settings)
  }
  return { run, arrays }
}

/** The factors of the sum whose gradients the cases hold: i % 5 − 1.5. */
const weightsLike = ({ shape, size }: NDArray): NDArray =>
  np.reshape(np.array(Array.from({ length: size }, (_, i) => (i % 5) - 1.5)), shape)

const sections: readonly Section[] = ['convolutions', 'windows', 'scans', 'normalisation', 'attention']
/** What cancels leaves an error of eps times the terms: those of attention, products of three factors, reach 16. */
const absolute: Readonly<Record<Section, number>> = {
  convolutions: 0,
  windows: 0,
  scans: 0,
  normalisation: 4e-7,
  attention: 2e-6,
}

test.each(sections)("%s have JAX's values and gradients", (section) => {
  const found = cases[section].flatMap((one, i) => {
    const { run, arrays } = callOf(one)
    const tolerance = { ulps: one.ulps, absolute: absolute[section] }
    const where = `${section}[${i}] ${one.fn} ${JSON.stringify(one.options ?? {})} ${one.computation ?? ''}`
    const out = trees.leaves(run(...arrays))
    const expected = isEncoded(one.expected) ? [one.expected] : one.expected
    const wrong = expected.map((leaf, k) => mismatch(out[k]!, leaf, tolerance))
    if (one.gradients !== undefined) {
      const total = (...xs: NDArray[]): NDArray =>
        trees
          .leaves(run(...xs))
          .map((leaf) => np.sum(np.multiply(np.where(np.isfinite(leaf), leaf, 0), weightsLike(leaf))))
          .reduce((a, b) => np.add(a, b))
      const grads = grad(total, { argnums: arrays.map((_, k) => k) })(...arrays) as NDArray[]
      wrong.push(...one.gradients.map((leaf, k) => gradientMismatch(grads[k]!, leaf, tolerance)))
    }
    return wrong.filter((text) => text !== undefined).map((text) => `${where}: ${text}`)
  })
  expect(found).toEqual([])
})

test('initializers draw what JAX draws', () => {
  const found = cases.initializers.flatMap(({ fn, args, key, shape, expected }) => {
    const make = nn.initializers[fn] as (...args: readonly unknown[]) => nn.Initializer
    const wrong = mismatch(make(...args)(decode(key), shape), expected, { ulps: 16, absolute: 4e-7 })
    return wrong === undefined ? [] : [`${fn} ${JSON.stringify(args)}: ${wrong}`]
  })
  expect(found).toEqual([])
})
