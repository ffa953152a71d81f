/** Random numbers against real JAX: keys, bits and integers exactly, floats exactly or to the digits that the table below says. */
import { expect, test } from 'vitest'
import { NDArray } from '../array.ts'
import { type DType, dtypes } from '../dtype.ts'
import '../setup.ts'
import { type Encoded, decode, golden } from '../numpy/golden.testing.ts'
import { erf } from '../primitive/elementwise/special/erf.ts'
import { randomBits } from '../primitive/random.ts'
import { reduceSum } from '../primitive/reduce.ts'
import { range } from '../shape.ts'
import { grad } from '../transform/autodiff.ts'
import { keysOf } from './arguments.ts'
import * as random from './index.ts'

interface KeyRow {
  readonly fn: string
  readonly seed: number
  readonly num?: number | readonly number[]
  readonly data?: number
  readonly expected: Encoded
}
interface BitsRow {
  readonly seed: number
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly expected: Encoded
}
interface WideBitsRow extends Omit<BitsRow, 'expected'> {
  readonly highLow: readonly (readonly [number, number])[]
}
interface Row {
  readonly fn: keyof typeof samplers
  readonly seed: number
  readonly shape?: readonly number[]
  readonly params: Readonly<Record<string, Encoded | number | string | boolean | readonly number[]>>
  readonly by?: string
  readonly expected: Encoded
}
const sections = ['exact', 'permutations', 'continuous', 'discrete', 'finer', 'float64'] as const
interface Golden extends Readonly<Record<(typeof sections)[number] | 'gradients', readonly Row[]>> {
  readonly keys: readonly KeyRow[]
  readonly bits: readonly BitsRow[]
  readonly bits64: readonly WideBitsRow[]
  readonly laws: {
    readonly 'bits of shape [1000]': {
      readonly first: Encoded
      readonly last: Encoded
      readonly sumModulo2To32: number
    }
    readonly 'bits of shape [3, 70000], row 2, first four': Encoded
    readonly 'mean of normal of shape [10000]': number
    readonly 'permutation(7000)[:10]': Encoded
  }
}
const recorded = golden<Golden>('random')

const isEncoded = (x: unknown): x is Encoded =>
  typeof x === 'object' && x !== null && 'data' in x && !(x instanceof NDArray)
const elements = (x: NDArray): number[] => [...x.dataSync()]
function expectSame(actual: NDArray, expected: Encoded): void {
  expect([actual.dtype, actual.shape, actual.weakType]).toEqual([expected.dtype, expected.shape, false])
  expect(elements(actual)).toEqual(elements(decode(expected)))
}

// What stands before the options of each function; those that are not here take the shape only.
type Sampler = (key: NDArray, ...args: never[]) => NDArray
const positional: Readonly<Record<string, readonly string[]>> = {
  ball: ['d', 'shape'],
  beta: ['a', 'b', 'shape'],
  binomial: ['n', 'p', 'shape'],
  categorical: ['logits', 'shape'],
  chisquare: ['df', 'shape'],
  choice: ['a', 'shape'],
  dirichlet: ['alpha', 'shape'],
  doubleSidedMaxwell: ['loc', 'scale', 'shape'],
  f: ['dfnum', 'dfden', 'shape'],
  gamma: ['a', 'shape'],
  generalizedNormal: ['p', 'shape'],
  geometric: ['p', 'shape'],
  loggamma: ['a', 'shape'],
  multinomial: ['n', 'p', 'shape'],
  multivariateNormal: ['mean', 'cov', 'shape'],
  orthogonal: ['n', 'shape'],
  pareto: ['b', 'shape'],
  permutation: ['x'],
  poisson: ['lam', 'shape'],
  randint: ['shape', 'minval', 'maxval'],
  rayleigh: ['scale', 'shape'],
  t: ['df', 'shape'],
  triangular: ['left', 'mode', 'right', 'shape'],
  truncatedNormal: ['lower', 'upper', 'shape'],
  wald: ['mean', 'shape'],
  weibullMin: ['scale', 'concentration', 'shape'],
}
const samplers = random as unknown as Readonly<Record<string, Sampler>>

/** Call the function of a row, with another value for one parameter if it is given. */
function sample({ fn, seed, shape, params, by }: Row, value?: NDArray): NDArray {
  const given: Record<string, unknown> = { ...params, ...(shape === undefined ? {} : { shape }) }
  if (by !== undefined) given[by] = value
  const args = Object.fromEntries(Object.entries(given).map(([name, x]) => [name, isEncoded(x) ? decode(x) : x]))
  const first = positional[fn] ?? ['shape']
  const options = Object.fromEntries(Object.entries(args).filter(([name]) => !first.includes(name)))
  return samplers[fn]!(random.key(seed), ...([...first.map((name) => args[name]), options] as never[]))
}

/**
 * Where float samples differ from JAX's, by how many units in the last place, and why. `scale` measures them at that size
 * where results come near 0 by cancellation; `through` compares a function of the samples.
 */
interface Allowance {
  readonly ulps: number
  readonly scale?: number
  readonly through?: (x: number) => number
  readonly why: string
}
const fused = 'the compiler of JAX fuses the last product and sum into one operation, which rounds once'
const inverse =
  'the inverse error function of JAX is a polynomial that is off by a few units; here it is exact to the last one'
const logarithms = 'logarithms and powers of JAX are off by a unit now and then; here they are rounded from doubles'
const allowances: Readonly<Record<string, Allowance>> = {
  normal: { ulps: 3, why: inverse },
  maxwell: { ulps: 3, why: inverse },
  doubleSidedMaxwell: { ulps: 4, why: inverse },
  lognormal: { ulps: 2, why: inverse },
  wald: { ulps: 2, why: inverse },
  multivariateNormal: { ulps: 3, scale: 1, why: inverse },
  truncatedNormal: { ulps: 2, scale: 1, through: (x) => erf(x / Math.SQRT2), why: `${fused}; ${inverse}` },
  gumbel: { ulps: 2, scale: 1, why: logarithms },
  pareto: { ulps: 1, why: logarithms },
  gamma: { ulps: 2, why: logarithms },
  loggamma: { ulps: 2, scale: 1, why: logarithms },
  beta: { ulps: 2, why: logarithms },
  chisquare: { ulps: 4, why: logarithms },
  f: { ulps: 6, why: logarithms },
  t: { ulps: 3, why: `${inverse}; ${logarithms}` },
  // a difference of logarithms that are off by ε|log x| changes the ratio of samples by as much
  dirichlet: { ulps: 24, why: logarithms },
  ball: { ulps: 5, why: logarithms },
  orthogonal: {
    ulps: 4,
    scale: 1,
    why: `${inverse}; the reflections of a QR factorisation are added up in another order`,
  },
}
const wideAllowances: Readonly<Record<string, Allowance>> = {
  // the polynomial of JAX is off by 17 units at one of the samples
  normal: { ulps: 20, why: inverse },
  gumbel: { ulps: 5, why: logarithms },
  truncatedNormal: { ulps: 2, scale: 1, through: (x) => erf(x / Math.SQRT2), why: inverse },
}

function expectClose(actual: NDArray, expected: Encoded, allowance: Allowance): void {
  expect([actual.dtype, actual.shape, actual.weakType]).toEqual([expected.dtype, expected.shape, false])
  const { ulps, scale = 0, through = (x: number): number => x } = allowance
  const unit = dtypes[expected.dtype].eps
  const wanted = elements(decode(expected))
  for (const [i, value] of elements(actual).entries()) {
    const [a, b] = [through(value), through(wanted[i]!)]
    const size = Math.max(scale, 2 ** Math.floor(Math.log2(Math.abs(b))))
    if (a !== b)
      expect(Math.abs(a - b), `element ${i}: ${value} for ${wanted[i]}`).toBeLessThanOrEqual(ulps * unit * size)
  }
}
const show = ({ fn, shape, params }: Row): string => {
  const values = Object.entries(params).map(
    ([name, x]) => `${name} ${isEncoded(x) ? JSON.stringify(x.data) : String(x)}`,
  )
  return `${fn} of shape ${JSON.stringify(shape ?? null)}, ${values.join(', ').slice(0, 80) || 'no options'}`
}
// What does not determine the samples: eigenvectors and singular vectors may point either way.
const upToSign = ({ params }: Row): boolean => params['method'] === 'eigh' || params['method'] === 'svd'
const allowanceOf = (row: Row): Allowance | undefined => {
  const { dtype } = row.expected
  if (dtype === 'float64') return wideAllowances[row.fn]
  if (row.fn === 'uniform' && row.params['minval'] === -2.5 && dtype === 'float32') {
    return { ulps: 1, scale: 4, why: `${fused}; the product is as large as 9.5` }
  }
  return dtype === 'float32' ? allowances[row.fn] : undefined
}

for (const { fn, seed, num, data, expected } of recorded.keys) {
  test(`keys: ${fn} of seed ${seed}${num === undefined ? '' : ` by ${JSON.stringify(num)}`}${data === undefined ? '' : ` with ${data}`}`, () => {
    let key = random.key(seed)
    if (fn.startsWith('chain')) for (let i = 0; i < 4; i++) key = keysOf(random.foldIn(key, i))[1]!
    else if (fn === 'split') key = random.split(key, num)
    else if (fn === 'foldIn') key = random.foldIn(key, data!)
    expectSame(key, expected)
  })
}
for (const { seed, shape, dtype, expected } of recorded.bits) {
  test(`bits: ${dtype} of shape [${shape.join()}]`, () =>
    expectSame(random.bits(random.key(seed), shape, { dtype }), expected))
}
for (const { seed, shape, highLow } of recorded.bits64) {
  test(`bits: 64 of shape [${shape.join()}]`, () => {
    const words = randomBits(random.key(seed), shape, 64)
    expect([words.shape, elements(words)]).toEqual([[...shape, 2], highLow.flat()])
  })
}
for (const section of sections) {
  for (const [i, row] of recorded[section].entries()) {
    if (upToSign(row)) continue
    const allowance = allowanceOf(row)
    test(`${section} ${i}: ${show(row)}`, () => {
      if (allowance === undefined) expectSame(sample(row), row.expected)
      else expectClose(sample(row), row.expected, allowance)
    })
  }
}
for (const row of recorded.continuous.filter(upToSign)) {
  test(`${show(row)} up to the signs of the vectors`, () => {
    // Cov = [[2, ½], [½, 1]] has its eigenvectors at angles φ with tan 2φ = 1
    const phi = Math.PI / 8
    const components = (x: NDArray): number[] => {
      const flat = elements(x)
      return range(3).flatMap((n) => {
        const [a, b] = [flat[2 * n]! - 1, flat[2 * n + 1]! + 1]
        return [Math.abs(a * Math.cos(phi) + b * Math.sin(phi)), Math.abs(b * Math.cos(phi) - a * Math.sin(phi))]
      })
    }
    const wanted = components(decode(row.expected))
    for (const [i, value] of components(sample(row)).entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-6)
  })
}
for (const row of recorded.gradients) {
  test(`the derivative by ${row.by} of ${show(row)}`, () => {
    const total = (value: NDArray): NDArray => {
      const samples = sample(row, value)
      return reduceSum(samples, range(samples.ndim))
    }
    const at = decode(row.params[row.by!] as Encoded)
    // sums of a few terms of both signs, each to single precision
    expectClose(grad(total)(at), row.expected, { ulps: 16, scale: 1, why: logarithms })
  })
}

test('a prefix of the bits does not depend on what follows', () => {
  const { first, last, sumModulo2To32 } = recorded.laws['bits of shape [1000]']
  const words = elements(random.bits(random.key(42), [1000]))
  expect(words.slice(0, 4)).toEqual(first.data)
  expect(words.slice(-4)).toEqual(last.data)
  expect(words.reduce((sum, word) => (sum + word) % 2 ** 32)).toBe(sumModulo2To32)
  const wide = elements(random.bits(random.key(42), [3, 70000]))
  expect(wide.slice(140000, 140004)).toEqual(recorded.laws['bits of shape [3, 70000], row 2, first four'].data)
})
test('large normal arrays and permutations are those of JAX', () => {
  const x = elements(random.normal(random.key(42), [10000]))
  expect(x.reduce((sum, value) => sum + value) / 10000).toBeCloseTo(recorded.laws['mean of normal of shape [10000]'], 6)
  const order = elements(random.permutation(random.key(42), 7000))
  expect(order.slice(0, 10)).toEqual(recorded.laws['permutation(7000)[:10]'].data)
})
