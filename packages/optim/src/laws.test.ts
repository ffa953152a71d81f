// Laws: of the monoid of transformations, of structure and dtypes, of compilation, and of schedules.
import { type DType, type NDArray, jit, lax, np, random, tree } from '@fluxion/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as optim from './index.ts'

/** Transformations by name, of every kind: with state and without, with parameters and without. */
const table: Readonly<Record<string, () => optim.Transformation>> = {
  identity: optim.identity,
  centralize: optim.centralize,
  scale: () => optim.scale(-0.5),
  clip: () => optim.clip(0.75),
  clipByGlobalNorm: () => optim.clipByGlobalNorm(1),
  sign: optim.scaleBySign,
  trace: () => optim.trace(0.5),
  ema: () => optim.ema(0.5),
  decay: () => optim.addDecayedWeights(0.25),
  schedule: () => optim.scaleBySchedule(optim.linearSchedule(1, 0.5, 2)),
  adam: () => optim.adam(0.1),
  lion: () => optim.lion(optim.linearSchedule(0.1, 0, 3)),
  rmsprop: () => optim.rmsprop(0.1, { momentum: 0.5, centered: true, biasCorrection: true }),
  lars: () => optim.lars(0.1),
  noise: () => optim.addNoise(0.1, 0.5, random.key(1)),
  adafactor: () => optim.adafactor({ learningRate: 0.1, minDimSizeToFactor: 2 }),
  novograd: () => optim.novograd(0.1),
  adan: () => optim.adan(0.1, { weightDecay: 0.1 }),
  zeroNans: optim.zeroNans,
  applyIfFinite: () => optim.applyIfFinite(optim.adam(0.1), 2),
  multiSteps: () => optim.multiSteps(optim.sgd(0.1, { momentum: 0.5 }), 2),
  injected: () => optim.injectHyperparams(optim.adamw)({ learningRate: optim.linearSchedule(0.1, 0, 3), b1: 0.5 }),
  masked: () => optim.masked(optim.adam(0.1), (of) => tree.mapWith({}, (x: NDArray) => x.ndim > 1, of)),
  partition: () =>
    optim.partition({ vector: optim.sgd(0.1), matrix: optim.adam(0.1) }, (of) =>
      tree.mapWith({}, (x: NDArray) => (x.ndim > 1 ? 'matrix' : 'vector'), of),
    ),
}
const names = Object.keys(table)
const transformation = fc.constantFrom(...names).map((name) => table[name]!())

const numbers = (size: number): fc.Arbitrary<number[]> =>
  fc
    .array(fc.integer({ min: -64, max: 64 }), { minLength: size, maxLength: size })
    .map((list) => list.map((n) => n / 32))
const shape = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 })
/** A tree of some structure: how parameters and gradients of it are made. */
const structure = fc.oneof(
  fc.tuple(shape).map(([a]) => a as unknown),
  fc.tuple(shape, shape).map(([w, b]) => ({ w, inner: [b, null] }) as unknown),
  fc.dictionary(fc.constantFrom('a', 'b', 'c'), shape, { minKeys: 1 }) as fc.Arbitrary<unknown>,
)
const isShape = (node: unknown): boolean => Array.isArray(node) && node.every((dim) => typeof dim === 'number')
const trees = (count: number, dtype: DType = 'float32'): fc.Arbitrary<unknown[]> =>
  structure.chain((shapes) => {
    const dims = tree.leaves(shapes, { isLeaf: isShape }) as unknown as number[][]
    const sizes = dims.map((leaf) => leaf.reduce((product, dim) => product * dim, 1))
    const one = fc.tuple(...sizes.map(numbers)).map((leaves) => {
      let at = 0
      return tree.mapWith(
        { isLeaf: isShape },
        (dims: number[]) => np.array(leaves[at++]!, { dtype }).reshape(dims),
        shapes,
      )
    })
    return fc.array(one, { minLength: count, maxLength: count })
  })

/** The updates of some steps, the last state, and the parameters that result. */
function run(optimiser: optim.Transformation, [params, ...grads]: readonly unknown[]): unknown[] {
  let [p, state] = [params, optimiser.init(params)]
  return grads.map((g) => {
    const [updates, next] = optimiser.update(g, state, p)
    p = optim.applyUpdates(p, updates)
    state = next
    return updates
  })
}
const values = (of: unknown): unknown => tree.mapWith({}, (x: NDArray) => [...x.dataSync()], of)
const types = (of: unknown): unknown => tree.mapWith({}, (x: NDArray) => `${x.dtype}[${x.shape.join()}]`, of)
const few = { numRuns: 40 }

test('chain is associative: brackets do not change the updates', () => {
  const { concat } = optim.transformationMonoid
  fc.assert(
    fc.property(transformation, transformation, transformation, trees(4), (a, b, c, given) => {
      expect(values(run(concat(concat(a, b), c), given))).toEqual(values(run(concat(a, concat(b, c)), given)))
      expect(values(run(optim.chain(a, b, c), given))).toEqual(values(run(concat(a, concat(b, c)), given)))
    }),
    few,
  )
})
test('the identity and the empty chain are neutral on both sides', () => {
  const { concat, empty } = optim.transformationMonoid
  fc.assert(
    fc.property(transformation, trees(4), (a, given) => {
      const alone = values(run(a, given))
      for (const same of [concat(empty, a), concat(a, empty), optim.chain(a), optim.chain(optim.chain(), a)]) {
        expect(values(run(same, given))).toEqual(alone)
      }
    }),
    few,
  )
})
test('updates and states keep structure, shapes and dtypes, step after step', () => {
  fc.assert(
    fc.property(transformation, trees(3), (a, given) => {
      const [params, ...grads] = given
      let state = a.init(params)
      const before = types(state)
      for (const g of grads) {
        const [updates, next] = a.update(g, state, params)
        expect(types(updates)).toEqual(types(g))
        expect(types(next)).toEqual(before)
        state = next
      }
    }),
    { numRuns: 100 },
  )
})
test('float16 parameters stay float16, whatever the updates are', () => {
  fc.assert(
    fc.property(transformation, trees(3, 'float16'), (a, given) => {
      const [params, ...grads] = given
      let [p, state] = [params, a.init(params)]
      for (const g of grads) {
        const [updates, next] = a.update(g, state, p)
        p = optim.applyUpdates(p, updates)
        state = next
      }
      expect(types(p)).toEqual(types(params))
    }),
    few,
  )
})
test('a transformation that is called twice gives the same: it keeps nothing', () => {
  fc.assert(
    fc.property(transformation, trees(3), (a, given) => {
      expect(values(run(a, given))).toEqual(values(run(a, given)))
    }),
    few,
  )
})

const params = {
  w: np.array([
    [0.5, -1],
    [2, 0.25],
  ]),
  b: np.array([1, -2]),
}
const gradients = [1, 2, 3, 4].map((n) => tree.map((x) => np.sin(x.mul(n)), params))
test.each(names)('%s under jit and in a scan does what it does eagerly, and is traced once', (name) => {
  const optimiser = table[name]!()
  const eager = run(optimiser, [params, ...gradients])
  const step = jit(([p, s]: [typeof params, object], g: typeof params): [[typeof params, object], typeof params] => {
    const [updates, next] = optimiser.update(g, s, p)
    return [[optim.applyUpdates(p, updates), next as object], updates]
  })
  let carry: [typeof params, object] = [params, optimiser.init(params) as object]
  const compiled = gradients.map((g) => {
    const [next, updates] = step(carry, g)
    carry = next
    return updates
  })
  expect(values(compiled)).toEqual(values(eager))
  expect(step.traces).toBe(1)
  const stacked = tree.map((...leaves) => np.stack(leaves), gradients[0]!, ...gradients.slice(1))
  const [, scanned] = lax.scan(step, [params, optimiser.init(params) as object] as [typeof params, object], stacked)
  const last = tree.map((x) => x.get(-1), scanned)
  expect(values(last)).toEqual(values(eager.at(-1)))
})

test('incremental updates of step 0 and 1 are the old and the new tree', () => {
  fc.assert(
    fc.property(trees(2), ([fresh, old]) => {
      expect(values(optim.incrementalUpdate(fresh, old, 1))).toEqual(values(fresh))
      expect(values(optim.incrementalUpdate(fresh, old, 0))).toEqual(values(old))
    }),
    few,
  )
})
test('updates clipped by the global norm never have a larger one', () => {
  fc.assert(
    fc.property(trees(1), fc.double({ min: 0.125, max: 4, noNaN: true }), ([grads], most) => {
      const [clipped] = optim.clipByGlobalNorm(most).update(grads, null)
      expect(optim.globalNorm(clipped).item()).toBeLessThanOrEqual(most * (1 + 1e-6))
    }),
    few,
  )
})
test('centralized matrices have rows of mean zero, and centralizing twice changes nothing', () => {
  const twice = optim.chain(optim.centralize(), optim.centralize())
  const rows = np.array([
    [1, 2, 6],
    [0, 3, -3],
  ])
  const [once] = optim.centralize().update(rows, null)
  expect(np.mean(once, { axis: 1 }).toArray()).toEqual([0, 0])
  expect(twice.update(rows, [null, null])[0].toArray()).toEqual(once.toArray())
})
test('a joined schedule is each of its parts on its own stretch', () => {
  const part = fc.tuple(fc.double({ min: 0, max: 2, noNaN: true }), fc.integer({ min: 1, max: 5 }))
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const schedules = parts.map(([from, steps]) => optim.linearSchedule(from, 1, steps))
      const ends: number[] = []
      for (const [, steps] of parts) ends.push((ends.at(-1) ?? 0) + steps)
      const joined = optim
        .joinSchedules(
          schedules,
          ends.slice(0, -1),
        )(np.arange(ends.at(-1)!))
        .toArray()
      expect(joined).toEqual(schedules.flatMap((schedule, i) => schedule(np.arange(parts[i]![1])).toArray()))
    }),
    few,
  )
})
