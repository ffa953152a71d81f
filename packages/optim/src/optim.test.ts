// States, types, errors and what a training run needs.
import {
  type NDArray,
  OptionError,
  ShapeError,
  DtypeError,
  TreeError,
  grad,
  np,
  random,
  tree,
  vmap,
} from '@fluxion/core'
import { expect, expectTypeOf, test } from 'vitest'
import * as optim from './index.ts'

const params = { linear: { w: np.ones([2, 3]), b: np.zeros([3]) } }
const grads = tree.map((x) => x.add(1), params)
const thrown = (f: () => unknown): Error => {
  try {
    f()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

test('the state of the tutorial optimiser is null and that of Lion', () => {
  const optimiser = optim.chain(optim.centralize(), optim.lion(1e-4))
  const state = optimiser.init(params)
  expectTypeOf(state).toEqualTypeOf<[null, optim.LionState]>()
  expectTypeOf<optim.State<typeof optimiser>>().toEqualTypeOf<[null, optim.LionState]>()
  expect(state[0]).toBeNull()
  expect([state[1].count.dtype, state[1].count.item()]).toEqual(['int32', 0])
  expect(tree.structure(state[1].mu).equals(tree.structure(params))).toBe(true)
})
test('a schedule changes no state of Lion, whose own count drives it from 0', () => {
  const optimiser = optim.lion(optim.linearSchedule(1, 0, 2), { weightDecay: 0 })
  let state = optimiser.init(params.linear.b)
  const rates = [0, 1, 2].map(() => {
    const [updates, next] = optimiser.update(np.ones([3]), state, params.linear.b)
    state = next
    return updates.get(0).item()
  })
  expect(rates).toEqual([-1, -0.5, -0])
  expect(state.count.item()).toBe(3)
})
test('updates have the type of the gradients', () => {
  const optimiser = optim.adam(0.1)
  const [updates, state] = optimiser.update(grads, optimiser.init(params))
  expectTypeOf(updates).toEqualTypeOf<typeof grads>()
  expectTypeOf(state).toEqualTypeOf<optim.AdamState>()
  // @ts-expect-error updates of another network
  expect(() => optim.applyUpdates(params, { linear: { w: np.ones([2, 3]) } })).toThrow(TreeError)
})
test('a count stays at the largest int32', () => {
  const state = { ...optim.adam(0.1).init(params), count: np.array(2 ** 31 - 1, { dtype: 'int32' }) }
  expect(optim.adam(0.1).update(grads, state)[1].count.item()).toBe(2 ** 31 - 1)
})
test('muDtype is the dtype of the first moment alone', () => {
  const state = optim
    .adam(0.1, { muDtype: 'float16' })
    .update(params, optim.adam(0.1, { muDtype: 'float16' }).init(params))[1]
  expect(tree.leaves(state.mu).map((x) => x.dtype)).toEqual(['float16', 'float16'])
  expect(tree.leaves(state.nu).map((x) => x.dtype)).toEqual(['float32', 'float32'])
})
test('a chain of nothing leaves gradients as they are', () => {
  const nothing = optim.chain()
  expect(nothing.init(params)).toEqual([])
  expect(nothing.update(grads, [])[0]).toBe(grads)
})
test('a hundred steps of every optimiser come closer to the minimum of a quadratic', () => {
  const target = np.array([1, -0.5, 0.25])
  const loss = (p: NDArray): NDArray => np.sum(optim.l2Loss(p, target))
  const optimisers: Record<string, optim.Transformation> = {
    sgd: optim.sgd(0.1, { momentum: 0.5 }),
    adam: optim.adam(0.05),
    adamw: optim.adamw(0.05),
    adamax: optim.adamax(0.05),
    nadam: optim.nadam(0.05),
    radam: optim.radam(0.05),
    amsgrad: optim.amsgrad(0.05),
    adabelief: optim.adabelief(0.05),
    adagrad: optim.adagrad(0.5),
    rmsprop: optim.rmsprop(0.02),
    lion: optim.lion(0.02),
    yogi: optim.yogi(0.05),
    signSgd: optim.signSgd(0.02),
    noisySgd: optim.noisySgd(0.1, random.key(0)),
    novograd: optim.novograd(0.05),
    adan: optim.adan(0.05),
  }
  for (const [name, optimiser] of Object.entries(optimisers)) {
    let [p, state] = [np.array([0.5, 0.5, 0.5]), optimiser.init(target)]
    for (let i = 0; i < 100; i++) {
      const [updates, next] = optimiser.update(grad(loss)(p), state, p)
      ;[p, state] = [optim.applyUpdates(p, updates), next]
    }
    expect([name, loss(p).item() < 0.1 * loss(np.array([0.5, 0.5, 0.5])).item()]).toEqual([name, true])
  }
})
test('learning rates may be traced: vmap runs a step at several', () => {
  const step = (rate: NDArray): NDArray => {
    const optimiser = optim.lion(rate, { weightDecay: 0 })
    return optimiser.update(np.array([2]), optimiser.init(np.array([0])))[0]
  }
  expect(vmap(step)(np.array([0.5, 0.25])).toArray()).toEqual([[-0.5], [-0.25]])
  const schedules = vmap((peak: NDArray) => optim.linearSchedule(0, peak, 2)(np.array(1, { dtype: 'int32' })))
  expect(schedules(np.array([1, 3])).toArray()).toEqual([0.5, 1.5])
})
test('injected hyperparameters may be schedules where numbers stand, and nothing else', () => {
  const half = optim.constantSchedule(0.5)
  const optimiser = optim.injectHyperparams(optim.adamw)({
    learningRate: half,
    b1: half,
    nesterov: true,
    weightDecay: half,
  })
  expect(Object.keys(optimiser.init(params).hyperparams).sort()).toEqual(['b1', 'learningRate', 'weightDecay'])
  // @ts-expect-error a boolean is no schedule
  optim.injectHyperparams(optim.adamw)({ learningRate: 1, nesterov: half })
})
test('hyperparameters are read from the state and set in it', () => {
  const optimiser = optim.injectHyperparams(optim.sgd)({ learningRate: optim.linearSchedule(1, 0, 2), momentum: 0 })
  const state = optimiser.init(np.array([0]))
  expect(Object.keys(state.hyperparams).sort()).toEqual(['learningRate', 'momentum'])
  const [, next] = optimiser.update(np.array([1]), state)
  expect(optimiser.update(np.array([1]), next)[1].hyperparams['learningRate']!.item()).toBe(0.5)
  const changed = { ...next, hyperparams: { ...next.hyperparams, momentum: np.array(1) } }
  expect(optimiser.update(np.array([1]), changed)[0].toArray()).toEqual([-1])
})
test('a step of too many in succession that are not finite is let through', () => {
  const optimiser = optim.applyIfFinite(optim.scale(1), 1)
  const bad = np.array([NaN])
  const [first, s1] = optimiser.update(bad, optimiser.init(bad))
  const [second, s2] = optimiser.update(bad, s1)
  expect([first.item(), second.item()]).toEqual([0, NaN])
  expect([s2.notfiniteCount.item(), s2.totalNotfinite.item(), s2.lastFinite.item()]).toEqual([2, 2, 0])
})
test('masks may be prefixes, and what they leave out has no state', () => {
  const optimiser = optim.masked(optim.trace(0.5), { linear: { w: true, b: false } })
  expect(optimiser.init(params).innerState.trace).toMatchObject({ linear: { b: null } })
  expect(tree.leaves(optim.masked(optim.trace(0.5), { linear: false }).init(params))).toEqual([])
})

test('unknown options are refused by name', () => {
  // @ts-expect-error there is no option of this name
  expect(thrown(() => optim.lion(0.1, { weight_decay: 0.1 })).message).toMatchInlineSnapshot(`
    "lion: expected known options, got 'weight_decay'
    hint: its options are b1, b2, muDtype, weightDecay, mask"
  `)
  // @ts-expect-error there is no option of this name
  expect(() => optim.adam(0.1, { beta1: 0.9 })).toThrow(OptionError)
  // @ts-expect-error there is no option of this name
  expect(() => optim.linearSchedule(0, 1, 2, { begin: 1 })).toThrow(OptionError)
})
test('trees of another structure are refused with the path', () => {
  const optimiser = optim.lion(0.1)
  const error = thrown(() =>
    optimiser.update({ linear: { w: np.ones([2, 3]) } } as typeof grads, optimiser.init(params), params),
  )
  expect(error).toBeInstanceOf(TreeError)
  expect((error as TreeError).path).toBe('.linear')
  expect(error.message).toMatchInlineSnapshot(
    `"scaleByLion: the trees differ in structure: at .linear the key 'b' is missing"`,
  )
})
test('updates that lack a leaf, or have one too many, are refused with the path', () => {
  const { w, b } = params.linear
  expect(() => optim.applyUpdates(params, { linear: { w } } as typeof params)).toThrow(
    "at .linear the key 'b' is missing",
  )
  const wider: { linear: { w: NDArray } } = { linear: Object.assign({ w }, { b }) }
  expect(() => optim.applyUpdates({ linear: { w } }, wider)).toThrow("a key 'b' too many")
  expect(() => optim.adamw(1).update(grads, optim.adamw(1).init(params), { linear: w } as never)).toThrow(TreeError)
})
test('missing parameters are asked for', () => {
  const optimiser = optim.lion(0.1)
  expect(thrown(() => optimiser.update(grads, optimiser.init(params))).message).toMatchInlineSnapshot(`
    "lion: expected the parameters as the third argument of update, got undefined
    hint: optimiser.update(grads, state, params)"
  `)
})
test('wrong labels, states and steps are refused', () => {
  expect(thrown(() => optim.partition({ a: optim.sgd(1) }, 'b').init(params)).message).toMatchInlineSnapshot(
    `"partition: expected labels among a, got b"`,
  )
  expect(thrown(() => optim.masked(optim.sgd(1), { linear: { v: true } }).init(params)).message).toMatchInlineSnapshot(
    `"masked: expected labels for TreeDef({b: *, w: *}), got TreeDef({v: *}) at .linear"`,
  )
  expect(() => optim.masked(optim.sgd(1), { linear: 1 }).init(params)).toThrow(TreeError)
  expect(() => optim.chain(optim.scale(1)).update(grads, [] as unknown as [null])).toThrow(TreeError)
  expect(() => optim.cosineDecaySchedule(1, 0)).toThrow(OptionError)
  expect(() => optim.joinSchedules([optim.constantSchedule(1)], [3])).toThrow(OptionError)
  expect(() => optim.piecewiseConstantSchedule(1, { 3: -1 })).toThrow(OptionError)
  expect(() => optim.namedChain(['a', optim.scale(1)], ['a', optim.scale(2)])).toThrow(OptionError)
  expect(() =>
    optim.adaptiveGradClip(0.1).update(np.ones([2, 2, 2, 2, 2, 2]), null, np.ones([2, 2, 2, 2, 2, 2])),
  ).toThrow(ShapeError)
})
test('losses refuse what is no float, and squared errors of other shapes', () => {
  const labels = np.array([1, 0], { dtype: 'int32' })
  expect(() => optim.huberLoss(labels)).toThrow(DtypeError)
  expect(() => optim.softmaxCrossEntropy(labels, labels)).toThrow(DtypeError)
  expect(() => optim.softmaxCrossEntropyWithIntegerLabels(np.ones([2, 2]), np.ones([2]))).toThrow(DtypeError)
  expect(() => optim.squaredError(np.ones([2, 1]), np.ones([2]))).toThrow(ShapeError)
  expect(() => optim.l2Loss(np.ones([2, 1]), np.ones([2]))).toThrow(ShapeError)
})
test('a label that is no class gives NaN', () => {
  const loss = optim.softmaxCrossEntropyWithIntegerLabels(np.zeros([1, 2]), np.array([2], { dtype: 'int32' }))
  expect(loss.item()).toBeNaN()
})
