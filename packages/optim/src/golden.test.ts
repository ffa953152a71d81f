// Every optimiser, schedule, loss and utility against what Optax computes.
import { type NDArray, dtypes, grad, jit, np, tree } from '@fluxion/core'
import { expect, test } from 'vitest'
import { type Encoded, type EncodedTree, decode, evaluate, golden, mismatch } from './golden.testing.ts'
import * as optim from './index.ts'
import { biasCorrection } from './moments.ts'

interface OptimiserRow {
  readonly optimiser: string
  readonly options: Readonly<Record<string, unknown>>
  readonly about?: string
  readonly initialParams?: EncodedTree
  readonly grads?: EncodedTree[]
  readonly updates: Readonly<Record<string, EncodedTree>>
  readonly params: EncodedTree
}
interface LossRow {
  readonly fn: string
  readonly inputs: readonly Encoded[]
  readonly options: Readonly<Record<string, unknown>>
  readonly expected: Encoded
  readonly gradientOfSum: Encoded
}
const recorded = golden<{
  params: EncodedTree
  grads: EncodedTree[]
  optimisers: OptimiserRow[]
  schedules: { schedule: string; expected: number[] }[]
  losses: LossRow[]
  utilities: Record<string, EncodedTree>
}>('optim')

/** What is positional here; everything else goes into the options object. */
const positional = [
  'learningRate',
  'stepSize',
  'maxDelta',
  'maxNorm',
  'threshold',
  'clipping',
  'decay',
  'weightDecay',
  'alpha',
]
const required = new Set([
  'scale',
  'clip',
  'clipByGlobalNorm',
  'clipByBlockRms',
  'adaptiveGradClip',
  'addDecayedWeights',
  'ema',
  'trace',
])

/** Call a function of the package by its name and Optax's keyword arguments. */
function make({ optimiser, options, about }: OptimiserRow): optim.Transformation {
  if (about?.startsWith('chain(')) return evaluate(about) as optim.Transformation
  if (optimiser.includes('(')) return evaluate(called[optimiser] ?? optimiser, options) as optim.Transformation
  const rest = { ...options }
  const args: unknown[] = []
  for (const name of positional) {
    if (name in rest && (name === 'learningRate' || required.has(optimiser))) {
      args.push(rest[name])
      delete rest[name]
    }
  }
  if (optimiser === 'addDecayedWeights') args.push(...Object.values(rest))
  else if (Object.keys(rest).length > 0) args.push(rest)
  const factory = (optim as unknown as Record<string, (...args: unknown[]) => optim.Transformation>)[optimiser]
  if (factory === undefined) throw new Error(`there is no ${optimiser}`)
  return factory(...args)
}

const [single, half] = [dtypes.float32.eps, dtypes.float16.eps]
// XLA divides float16 by a reciprocal, which is not always rounded to the nearest: results in float32 of such quotients have that error too.
const toleranceOf = (row: OptimiserRow): number => (row.about?.includes('float16') === true ? half : 4 * single)

// Optax injects the defaults of all hyperparameters as arrays too, so that 1 − β is rounded after the subtraction; here what is given is.
const defaults = 'b1: 0.9, b2: 0.999, eps: 1e-8, epsRoot: 0'
const called: Readonly<Record<string, string>> = {
  'injectHyperparams(adam)({ learningRate: linearSchedule(1e-3, 1e-2, 5) })': `injectHyperparams(adam)({ learningRate: linearSchedule(1e-3, 1e-2, 5), ${defaults} })`,
}

test.each(recorded.optimisers.map((row, i) => [i, row.optimiser, JSON.stringify(row.options), row] as const))(
  'optimiser %i, %s with %s takes the steps that Optax takes',
  (_, __, ___, row) => {
    const optimiser = make(row)
    const update = jit((g: object, s: object, p: object) => optimiser.update(g, s, p) as [object, object])
    let params = decode(row.initialParams ?? recorded.params) as object
    let state = optimiser.init(params) as object
    const grads = row.grads ?? recorded.grads
    grads.forEach((g, i) => {
      const [updates, next] = update(decode(g) as object, state, params)
      const expected = row.updates[`step ${i}`]
      if (expected !== undefined) expect([i, mismatch(updates, expected, toleranceOf(row))]).toEqual([i, undefined])
      params = optim.applyUpdates(params, updates)
      state = next
    })
    expect(mismatch(params, row.params, toleranceOf(row))).toBeUndefined()
  },
)

test.each(recorded.schedules)('$schedule gives what Optax gives at counts 0 to 20', ({ schedule, expected }) => {
  const f = evaluate(schedule) as optim.CountSchedule
  expect(expected.map((_, count) => f(count).item())).toEqual(expected.map((_, count) => f(np.array(count)).item()))
  const values = expected.map((_, count) => f(np.array(count, { dtype: 'int32' })).item())
  // A schedule near its end is the difference of numbers of the size of its peak, each rounded to float32.
  const rounding = 2 ** -24 * Math.max(...expected.map(Math.abs))
  values.forEach((value, count) => {
    expect(Math.abs(value - expected[count]!), `at ${count}: ${value}, not ${expected[count]}`).toBeLessThanOrEqual(
      1e-6 * Math.abs(expected[count]!) + rounding,
    )
  })
  const range = f(np.arange(expected.length))
  expect(np.broadcastTo(range, [expected.length]).toArray()).toEqual(values)
})

const lossOf = ({ fn, options }: LossRow): ((...inputs: NDArray[]) => NDArray) => {
  const f = (optim as unknown as Record<string, (...args: unknown[]) => NDArray>)[fn]!
  const { alpha, ...rest } = options
  const trailing = [...(alpha === undefined ? [] : [alpha]), ...(Object.keys(rest).length > 0 ? [rest] : [])]
  return (...inputs) => f(...inputs, ...trailing)
}
test.each(recorded.losses.map((row, i) => [i, row.fn, JSON.stringify(row.options), row] as const))(
  'loss %i, %s with %s and its gradient are what Optax computes',
  (_, __, ___, row) => {
    const loss = lossOf(row)
    const inputs = row.inputs.map((input) => decode(input) as NDArray)
    const tolerance = row.inputs[0]!.dtype === 'float16' ? 2 * half : 4 * single
    expect(mismatch(loss(...inputs), row.expected, tolerance)).toBeUndefined()
    const derivative = grad((x: NDArray) => np.sum(loss(x, ...inputs.slice(1))))(inputs[0]!)
    expect(mismatch(derivative, row.gradientOfSum, tolerance)).toBeUndefined()
  },
)

test('the norm of a tree is what Optax computes', () => {
  expect(
    mismatch(optim.globalNorm(decode(recorded.params)), recorded.utilities['globalNorm of params'], 2 * single),
  ).toBeUndefined()
})
test('applying float32 updates keeps float16 parameters', () => {
  const params = np.array([1, 2], { dtype: 'float16' })
  const updates = np.array([1e-3, 0.25])
  expect(
    mismatch(optim.applyUpdates(params, updates), recorded.utilities['applyUpdates keeps float16'], 0),
  ).toBeUndefined()
})
test('an incremental update is what Optax computes', () => {
  const moved = optim.incrementalUpdate(decode(recorded.params), decode(recorded.grads[0]), 0.1)
  expect(
    mismatch(moved, recorded.utilities["incrementalUpdate(params, step 0's grads, 0.1)"], 2 * single),
  ).toBeUndefined()
})
test('the correction of a bias is what Optax computes', () => {
  const corrected = biasCorrection('test', decode(recorded.params), 0.9, np.array(3, { dtype: 'int32' }))
  expect(
    mismatch(corrected, recorded.utilities['biasCorrection of params with decay 0.9 at count 3'], 2 * single),
  ).toBeUndefined()
})
test('every leaf of the golden parameters takes part', () => {
  expect(tree.leaves(decode(recorded.params)).map((leaf) => leaf.size)).toEqual([3, 12, 12])
})
