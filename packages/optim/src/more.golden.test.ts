// Rarer optimisers, options, combinators and losses against what Optax computes.
import { type NDArray, dtypes, grad, np, random, tree } from '@fluxion/core'
import { expect, test } from 'vitest'
import { type EncodedTree, decode, evaluate, golden, mismatch } from './golden.testing.ts'
import { type Transformation, applyUpdates, linearSchedule } from './index.ts'

interface OptimiserRow {
  readonly optimiser: string
  readonly grads?: EncodedTree[]
  readonly first: EncodedTree
  readonly last: EncodedTree
  readonly params: EncodedTree
}
interface LossRow {
  readonly loss: string
  readonly expected: EncodedTree
  readonly gradientOfSum: EncodedTree
}
const recorded = golden<{
  params: EncodedTree
  grads: EncodedTree[]
  optimisers: OptimiserRow[]
  inputs: Record<string, EncodedTree>
  losses: LossRow[]
}>('optim_more')

const names = {
  linear: linearSchedule(1e-3, 1e-2, 4),
  mask: { head: { b: false, w: true }, body: true },
  np,
  random,
  tree,
}
const tolerance = 4 * dtypes.float32.eps

test.each(recorded.optimisers)('$optimiser takes the steps that Optax takes', (row) => {
  const optimiser = evaluate(row.optimiser, names) as Transformation
  const trees = (row.grads ?? recorded.grads).map((g) => decode(g))
  let params = decode(recorded.params)
  let state = optimiser.init(params)
  trees.forEach((grads, i) => {
    const [updates, next] = optimiser.update(grads, state, params)
    const expected = i === 0 ? row.first : i === trees.length - 1 ? row.last : undefined
    if (expected !== undefined) expect([i, mismatch(updates, expected, tolerance)]).toEqual([i, undefined])
    params = applyUpdates(params, updates)
    state = next
  })
  expect(mismatch(params, row.params, tolerance)).toBeUndefined()
})

test.each(recorded.losses)('$loss and its gradient are what Optax computes', ({ loss, expected, gradientOfSum }) => {
  const inputs = decode(recorded.inputs) as Record<string, NDArray>
  const f = (logits: NDArray): NDArray => evaluate(loss, { ...inputs, logits }) as NDArray
  expect(mismatch(f(inputs['logits']!), expected, tolerance)).toBeUndefined()
  expect(mismatch(grad((x: NDArray) => np.sum(f(x)))(inputs['logits']!), gradientOfSum, tolerance)).toBeUndefined()
})
