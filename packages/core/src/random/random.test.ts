/** Laws of random numbers: ranges, moments, and the same numbers under every transformation. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../array.ts'
import { scan } from '../control/loops.ts'
import { jit } from '../control/jitted.ts'
import { type DType, dtypes } from '../dtype.ts'
import '../setup.ts'
import { array } from '../numpy/create.ts'
import { range } from '../shape.ts'
import { fromHost } from '../trace.ts'
import { grad, jvp } from '../transform/autodiff.ts'
import { vmap } from '../transform/vectorize.ts'
import { keysOf } from './arguments.ts'
import * as random from './index.ts'

const elements = (x: NDArray): number[] => [...x.dataSync()]
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
const floats: readonly DType[] = ['float16', 'bfloat16', 'float32', 'float64']
const integers: readonly DType[] = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32']
const runs = (numRuns: number): { numRuns: number } => ({ numRuns })
const ascending = (x: readonly number[]): number[] => x.toSorted((a, b) => a - b)

/** Every sampler, with parameters that suit it, and the mean and variance of its samples where these are finite. */
interface Sampler {
  readonly draw: (key: NDArray, shape: readonly number[]) => NDArray
  readonly mean?: number
  readonly variance?: number
}
const root = Math.sqrt
const weibullMoment = (n: number): number => 2 ** n * [1, 0.902745292950934, 1.190639348758999][n]!
const samplers: Readonly<Record<string, Sampler>> = {
  bernoulli: { draw: (key, shape) => random.bernoulli(key, shape, { p: 0.3 }), mean: 0.3, variance: 0.21 },
  'bernoulli, high': {
    draw: (key, shape) => random.bernoulli(key, shape, { p: 0.3, mode: 'high' }),
    mean: 0.3,
    variance: 0.21,
  },
  beta: { draw: (key, shape) => random.beta(key, 2, 3, shape), mean: 0.4, variance: 0.04 },
  binomial: { draw: (key, shape) => random.binomial(key, 10, 0.3, shape), mean: 3, variance: 2.1 },
  'binomial, large': { draw: (key, shape) => random.binomial(key, 100, 0.7, shape), mean: 70, variance: 21 },
  cauchy: { draw: (key, shape) => random.cauchy(key, shape) },
  chisquare: { draw: (key, shape) => random.chisquare(key, 3, shape), mean: 3, variance: 6 },
  choice: {
    draw: (key, shape) => random.choice(key, array([1, 2, 6]), shape, { p: array([0.5, 0.3, 0.2]) }),
    mean: 2.3,
    variance: 3.61,
  },
  doubleSidedMaxwell: { draw: (key, shape) => random.doubleSidedMaxwell(key, 1, 2, shape), mean: 1, variance: 12 },
  exponential: { draw: (key, shape) => random.exponential(key, shape), mean: 1, variance: 1 },
  f: { draw: (key, shape) => random.f(key, 4, 12, shape), mean: 1.2, variance: 1.26 },
  gamma: { draw: (key, shape) => random.gamma(key, 2.5, shape), mean: 2.5, variance: 2.5 },
  'gamma, small': { draw: (key, shape) => random.gamma(key, 0.5, shape), mean: 0.5, variance: 0.5 },
  generalizedNormal: { draw: (key, shape) => random.generalizedNormal(key, 2, shape), mean: 0, variance: 0.5 },
  geometric: { draw: (key, shape) => random.geometric(key, 0.4, shape), mean: 2.5, variance: 3.75 },
  gumbel: { draw: (key, shape) => random.gumbel(key, shape), mean: 0.5772156649, variance: Math.PI ** 2 / 6 },
  'gumbel, high': {
    draw: (key, shape) => random.gumbel(key, shape, { mode: 'high' }),
    mean: 0.5772156649,
    variance: Math.PI ** 2 / 6,
  },
  'gumbel, highest': {
    draw: (key, shape) => random.gumbel(key, shape, { mode: 'highest' }),
    mean: 0.5772156649,
    variance: Math.PI ** 2 / 6,
  },
  laplace: { draw: (key, shape) => random.laplace(key, shape), mean: 0, variance: 2 },
  loggamma: { draw: (key, shape) => random.loggamma(key, 1, shape), mean: -0.5772156649, variance: Math.PI ** 2 / 6 },
  logistic: { draw: (key, shape) => random.logistic(key, shape), mean: 0, variance: Math.PI ** 2 / 3 },
  lognormal: {
    draw: (key, shape) => random.lognormal(key, shape, { sigma: 0.5 }),
    mean: Math.exp(0.125),
    variance: Math.exp(0.25) * Math.expm1(0.25),
  },
  maxwell: { draw: (key, shape) => random.maxwell(key, shape), mean: 2 * root(2 / Math.PI), variance: 3 - 8 / Math.PI },
  normal: { draw: (key, shape) => random.normal(key, shape), mean: 0, variance: 1 },
  'normal in float64': { draw: (key, shape) => random.normal(key, shape, { dtype: 'float64' }), mean: 0, variance: 1 },
  pareto: { draw: (key, shape) => random.pareto(key, 6, shape), mean: 1.2, variance: 0.06 },
  poisson: { draw: (key, shape) => random.poisson(key, 3, shape), mean: 3, variance: 3 },
  'poisson, large': { draw: (key, shape) => random.poisson(key, 30, shape), mean: 30, variance: 30 },
  rademacher: { draw: (key, shape) => random.rademacher(key, shape), mean: 0, variance: 1 },
  randint: { draw: (key, shape) => random.randint(key, shape, -3, 4), mean: 0, variance: 4 },
  rayleigh: {
    draw: (key, shape) => random.rayleigh(key, 2, shape),
    mean: 2 * root(Math.PI / 2),
    variance: 8 - 2 * Math.PI,
  },
  t: { draw: (key, shape) => random.t(key, 10, shape), mean: 0, variance: 1.25 },
  triangular: { draw: (key, shape) => random.triangular(key, -1, 0, 4, shape), mean: 1, variance: 21 / 18 },
  truncatedNormal: { draw: (key, shape) => random.truncatedNormal(key, -1, 1, shape), mean: 0, variance: 0.29112509 },
  uniform: { draw: (key, shape) => random.uniform(key, shape, { minval: -1, maxval: 3 }), mean: 1, variance: 4 / 3 },
  wald: { draw: (key, shape) => random.wald(key, 1.5, shape), mean: 1.5, variance: 1.5 ** 3 },
  weibullMin: {
    draw: (key, shape) => random.weibullMin(key, 2, 1.5, shape),
    mean: weibullMoment(1),
    variance: weibullMoment(2) - weibullMoment(1) ** 2,
  },
}
const vectors: Readonly<Record<string, (key: NDArray) => NDArray>> = {
  ball: (key) => random.ball(key, 3, [2]),
  bits: (key) => random.bits(key, [3], { dtype: 'uint16' }),
  categorical: (key) =>
    random.categorical(
      key,
      array([
        [0.1, 1, -1],
        [0, 0, 2],
      ]),
      [4, 2],
    ),
  'categorical without replacement': (key) => random.categorical(key, array([0.1, 1, -1]), [2], { replace: false }),
  'choice without replacement': (key) => random.choice(key, 10, [4], { replace: false }),
  'choice with probabilities, without replacement': (key) =>
    random.choice(key, array([5, 6, 7]), [2], { replace: false, p: array([0.5, 0.3, 0.2]) }),
  dirichlet: (key) => random.dirichlet(key, array([0.5, 2, 3]), [2]),
  foldIn: (key) => random.foldIn(key, 3),
  multinomial: (key) => random.multinomial(key, 12, array([0.2, 0.3, 0.5])),
  multivariateNormal: (key) =>
    random.multivariateNormal(
      key,
      array([1, -1]),
      array([
        [2, 0.5],
        [0.5, 1],
      ]),
      [3],
    ),
  orthogonal: (key) => random.orthogonal(key, 3),
  permutation: (key) => random.permutation(key, 7),
  'permutation of rows': (key) => random.permutation(key, random.bits(key, [4, 2])),
  'permutation of columns, each for itself': (key) =>
    random.permutation(key, random.bits(key, [4, 2]), { independent: true }),
  split: (key) => random.split(key, [2, 3]),
}
const all: Readonly<Record<string, (key: NDArray) => NDArray>> = {
  ...Object.fromEntries(Object.entries(samplers).map(([name, { draw }]) => [name, (key: NDArray) => draw(key, [5])])),
  ...vectors,
}

for (const [name, draw] of Object.entries(all)) {
  test(`${name}: vmap over keys is the loop over keys`, () => {
    const keys = random.split(random.key(11), 3)
    const looped = keysOf(random.key(11), 3).map(draw)
    const mapped = vmap(draw)(keys)
    expect(mapped.shape).toEqual([3, ...looped[0]!.shape])
    expect(elements(mapped)).toEqual(looped.flatMap(elements))
  })
  test(`${name}: jit gives what eager evaluation gives`, () => {
    const key = random.key(12)
    const [eager, jitted] = [draw(key), jit(draw)(key)]
    expect([jitted.dtype, jitted.shape, jitted.weakType]).toEqual([eager.dtype, eager.shape, eager.weakType])
    expect(elements(jitted)).toEqual(elements(eager))
  })
  test(`${name}: a scan over keys is the loop over keys`, () => {
    const step = (sum: NDArray, key: NDArray): [NDArray, NDArray] => [sum, draw(key)]
    const [, stacked] = scan(step, random.key(0), random.split(random.key(13), 2))
    expect(elements(stacked)).toEqual(keysOf(random.key(13), 2).flatMap((key) => elements(draw(key))))
  })
}

for (const [name, { draw, mean, variance }] of Object.entries(samplers)) {
  if (mean === undefined || variance === undefined) continue
  test(`${name} has the mean and the variance of its distribution`, () => {
    const n = 2000
    const x = elements(draw(random.key(1), [n]))
    const average = x.reduce((sum, value) => sum + value) / n
    const squares = x.map((value) => (value - mean) ** 2)
    const spread = squares.reduce((sum, value) => sum + value) / n
    const spreadOfSquares = root(squares.reduce((sum, value) => sum + (value - spread) ** 2, 0) / n)
    // four standard errors; that of the variance is estimated from the samples
    expect(Math.abs(average - mean)).toBeLessThan(4 * root(variance / n))
    expect(Math.abs(spread - variance)).toBeLessThan((4 * spreadOfSquares) / root(n) + 1e-3 * variance)
  })
}

test('uniform floats lie between 0 and 1, whatever the dtype', () => {
  fc.assert(
    fc.property(seeds, shapes, fc.constantFrom(...floats), (seed, shape, dtype) => {
      const x = random.uniform(random.key(seed), shape, { dtype })
      expect([x.shape, x.dtype]).toEqual([shape, dtype])
      for (const value of elements(x)) expect(value >= 0 && value < 1).toBe(true)
    }),
    runs(50),
  )
})
test('uniform floats lie between their bounds, and truncated normal ones strictly', () => {
  const bound = fc.float({ min: -4, max: 4, noNaN: true })
  fc.assert(
    fc.property(seeds, bound, bound, (seed, a, b) => {
      fc.pre(Math.abs(a - b) > 1e-3)
      const [low, high] = [Math.min(a, b), Math.max(a, b)]
      for (const x of elements(random.uniform(random.key(seed), [20], { minval: low, maxval: high }))) {
        expect(x >= low && x <= high).toBe(true)
      }
      for (const x of elements(random.truncatedNormal(random.key(seed), low, high, [20])))
        expect(x > low && x < high).toBe(true)
    }),
    runs(50),
  )
})
test('random integers lie in their range, of every dtype and for bounds beyond it', () => {
  const bound = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  fc.assert(
    fc.property(seeds, bound, bound, fc.constantFrom(...integers), (seed, low, high, dtype) => {
      const { min, max } = dtypes[dtype]
      const lowest = Math.min(Math.max(low, min), max)
      const highest = Math.max(Math.min(high - 1, max), lowest)
      const x = random.randint(random.key(seed), [20], low, high, { dtype })
      expect(x.dtype).toBe(dtype)
      for (const value of elements(x)) expect(value >= lowest && value <= highest, `${value}`).toBe(true)
    }),
    runs(100),
  )
})
test('random integers reach both ends of the range of their dtype', () => {
  const x = elements(random.randint(random.key(0), [4000], 0, 256, { dtype: 'uint8' }))
  expect([Math.min(...x), Math.max(...x)]).toEqual([0, 255])
})
test('a permutation holds every element once', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 0, max: 60 }), (seed, n) => {
      expect(ascending(elements(random.permutation(random.key(seed), n)))).toEqual(range(n))
    }),
    runs(50),
  )
})
test('a permutation keeps rows together, unless it is independent', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 5 }), (seed, rows, columns) => {
      const x = fromHost({ shape: [rows, columns], dtype: 'int32', data: Int32Array.from(range(rows * columns)) })
      const moved = elements(random.permutation(random.key(seed), x))
      for (let r = 0; r < rows; r++) {
        const row = moved.slice(r * columns, (r + 1) * columns)
        expect(row).toEqual(range(columns, row[0]!))
      }
      const mixed = elements(random.permutation(random.key(seed), x, { axis: -1, independent: true }))
      for (let r = 0; r < rows; r++) {
        expect(ascending(mixed.slice(r * columns, (r + 1) * columns))).toEqual(range(columns, r * columns))
      }
    }),
    runs(30),
  )
})
test('choices without replacement differ, and those of probability 0 are never taken', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 20 }), (seed, n) => {
      const key = random.key(seed)
      expect(new Set(elements(random.choice(key, n, [n], { replace: false }))).size).toBe(n)
      const p = array(range(n + 1).map((i) => (i === 0 ? 0 : 1 / n)))
      expect(ascending(elements(random.choice(key, n + 1, [n], { replace: false, p })))).toEqual(range(n, 1))
      expect(elements(random.choice(key, n + 1, [30], { p }))).not.toContain(0)
    }),
    runs(30),
  )
})
test('new keys differ from one another, from their parents and from their cousins', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const key = random.key(seed)
      const children = keysOf(key, 3)
      const family = [key, ...children, ...children.flatMap((child) => keysOf(child, 3)), random.foldIn(key, 7)]
      expect(new Set(family.map((one) => elements(one).join())).size).toBe(family.length)
    }),
    runs(50),
  )
})
test('the first elements do not depend on how many follow', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }), (seed, n, more) => {
      const key = random.key(seed)
      expect(elements(random.uniform(key, [n + more])).slice(0, n)).toEqual(elements(random.uniform(key, [n])))
    }),
    runs(50),
  )
})
test('seeds count by their lowest 32 bits, and may be arrays and be traced', () => {
  expect(elements(random.key(2 ** 32 + 5))).toEqual([0, 5])
  const seed = fromHost({ shape: [3], dtype: 'int32', data: Int32Array.of(0, -1, 42) })
  expect(elements(jit(vmap((one: NDArray) => random.key(one)))(seed))).toEqual([0, 0, 0, 2 ** 32 - 1, 0, 42])
  expect(elements(random.PRNGKey(3))).toEqual([0, 3])
})
test('derivatives of samples are those of the formula, also under jit and vmap', () => {
  const key = random.key(5)
  const one = grad((a: NDArray) => random.gamma(key, a))
  const many = fromHost({ shape: [3], dtype: 'float32', data: Float32Array.of(0.4, 1, 6) })
  const looped = range(3).map((i) => one(array(many.dataSync()[i]!)).item())
  expect(elements(vmap(one)(many))).toEqual(looped)
  expect(elements(jit(vmap(one))(many))).toEqual(looped)
})
test('derivatives of gamma samples by their parameter have the derivative of the mean as their mean', () => {
  const n = 2000
  for (const a of [0.4, 1, 6]) {
    const slopes = elements(jvp((at: NDArray) => random.gamma(random.key(2), at, [n]), [array(a)], [array(1)])[1])
    const average = slopes.reduce((sum, value) => sum + value) / n
    const deviation = root(slopes.reduce((sum, value) => sum + (value - average) ** 2, 0) / n)
    expect(Math.abs(average - 1)).toBeLessThan((4 * deviation) / root(n))
  }
})
test('samples of orthogonal matrices are orthogonal, Dirichlet samples and counts have their sums', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 5 }), (seed, n) => {
      const key = random.key(seed)
      const q = elements(random.orthogonal(key, n))
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          const dot = range(n).reduce((sum, k) => sum + q[i * n + k]! * q[j * n + k]!, 0)
          expect(dot).toBeCloseTo(i === j ? 1 : 0, 5)
        }
      }
      const weights = elements(random.dirichlet(key, array(range(n, 1))))
      expect(weights.reduce((sum, value) => sum + value)).toBeCloseTo(1, 5)
      const counts = elements(random.multinomial(key, 17, array(weights)))
      expect(counts.reduce((sum, value) => sum + value)).toBe(17)
    }),
    runs(10),
  )
})

const misuses: Readonly<Record<string, readonly [() => unknown, string, string]>> = {
  'a number as key': [
    () => random.uniform(7 as never),
    'DtypeError',
    'random.uniform: expected a key, that is an array u32[2], got the number 7\nhint: random.key(7) makes a key of a seed',
  ],
  'floats as key': [
    () => random.split(array([0, 1])),
    'DtypeError',
    'random.split: expected a key, that is an array u32[2], got f32[2]\nhint: random.key(seed) makes a key',
  ],
  'words of another count as key': [
    () => random.normal(random.bits(random.key(0), [3])),
    'ShapeError',
    'random.normal: expected a key, that is an array u32[2], got u32[3]\nhint: random.key(seed) makes a key',
  ],
  'many keys for one': [
    () => random.normal(random.split(random.key(0), 4)),
    'ShapeError',
    'random.normal: expected one key u32[2], got an array of keys u32[4,2]\nhint: vmap((key) => random.normal(key, …))(keys) takes one key after the other',
  ],
  'a seed with a fraction': [
    () => random.key(0.5),
    'OptionError',
    'random.key: expected a whole number as seed, got 0.5',
  ],
  'several seeds': [
    () => random.key(random.bits(random.key(0), [2])),
    'ShapeError',
    'random.key: expected one seed, got u32[2]\nhint: vmap(random.key)(seeds) makes a key of each',
  ],
  'an integer dtype of floats': [
    () => random.uniform(random.key(0), [], { dtype: 'int32' }),
    'DtypeError',
    'random.uniform: expected a float dtype, got int32\nhint: x.astype(dtype) converts samples',
  ],
  'an unknown option': [
    () => random.normal(random.key(0), [], { loc: 1 } as never),
    'OptionError',
    "random.normal: expected known options, got 'loc'\nhint: its options are dtype",
  ],
  'bounds of another shape': [() => random.uniform(random.key(0), [3], { minval: array([0, 1]) }), 'ShapeError', ''],
  'parameters with more axes than samples': [
    () => random.gamma(random.key(0), array([1, 2]), []),
    'ShapeError',
    'random.gamma: expected parameters that broadcast to the shape [], got [2]',
  ],
  'parameters that the dtype does not hold': [
    () => random.beta(random.key(0), array([1, 2]), 1, null, { dtype: 'float16' }),
    'DtypeError',
    "random.beta: expected parameters that f16 holds, got f32[2]\nhint: pass { dtype: 'float32' }, or convert the parameter",
  ],
  'a count that is none': [
    () => random.split(random.key(0), -1),
    'OptionError',
    'random.split: expected the count to be a whole number, got -1\nhint: the count decides a shape, so it cannot be traced',
  ],
  'too many choices': [
    () => random.choice(random.key(0), 3, [4], { replace: false }),
    'OptionError',
    'random.choice: expected at most 3 choices without replacement, one an element, got 4',
  ],
  'logits of integers': [
    () => random.categorical(random.key(0), array([1, 2], { dtype: 'int32' })),
    'DtypeError',
    "random.categorical: expected logits of floats, got i32[2]\nhint: logits.astype('float32') converts",
  ],
}
for (const [name, [run, error, message]] of Object.entries(misuses)) {
  test(`${name} is an error that says so`, () => {
    let thrown: unknown
    try {
      run()
    } catch (problem) {
      thrown = problem
    }
    expect((thrown as Error | undefined)?.name).toBe(error)
    if (message !== '') expect((thrown as Error).message).toBe(message)
  })
}
