/** Stacks of cores, unrolls, and loops that carry state and keys. */
import { type NDArray, ShapeError, grad, jit, nn, np, random, tree } from '@fluxion/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as hk from './index.ts'

const key = random.key(0)
const { ones, zeros } = hk.initializers

/** h ← tanh(x w + h u), with parameters of its own. */
const simple = hk.core('simple', (size: number) => ({
  call(x, h: NDArray) {
    const w = hk.getParameter('w', [x.shape.at(-1)!, size], { init: hk.initializers.randomNormal() })
    const u = hk.getParameter('u', [size, size], { init: hk.initializers.randomNormal() })
    const next = np.tanh(x.matmul(w).add(h.matmul(u)))
    return [next, next]
  },
  initialState: (batch) => np.zeros(batch === null ? [size] : [batch, size]),
}))
/** A state of two arrays, one of them of integers. */
const counter = hk.core('counter', () => ({
  call(x, { sum, steps }: { sum: NDArray; steps: NDArray }) {
    const next = { sum: sum.add(x), steps: steps.add(1) }
    return [next.sum.mul(next.steps.get(':', null).astype('float32')), next]
  },
  initialState: (batch) => ({ sum: np.zeros([batch!, 3]), steps: np.zeros([batch!], { dtype: 'int32' }) }),
}))
const stack = () => hk.deepRNN([simple(4), nn.relu, counter1(), hk.linear(3), counter()])
const counter1 = hk.core('leak', () => ({
  call(x, v: NDArray) {
    const next = v.mul(0.5).add(x)
    return [next, next]
  },
  initialState: (batch) => np.zeros([batch!, 4]),
}))
const close = (a: unknown, b: unknown): void => {
  expect(tree.structure(a).equals(tree.structure(b))).toBe(true)
  const [as, bs] = [tree.leaves(a), tree.leaves(b)]
  for (const [i, leaf] of as.entries()) {
    expect([leaf.dtype, leaf.shape]).toEqual([bs[i]!.dtype, bs[i]!.shape])
    expect(np.allclose(leaf, bs[i]!, { rtol: 1e-5, atol: 1e-6 }).item()).toBe(1)
  }
}
const inputs = random.normal(random.key(5), [5, 2, 3])

test('a stack has the states of its cores in order, and applies all layers in order', () => {
  const net = hk.transform((x: NDArray) => {
    const core = stack()
    return core(x, core.initialState(2))
  })
  const params = net.init(key, inputs.get(0))
  expect(Object.keys(params)).toEqual(['simple', 'linear'])
  const [, [h, leak, last]] = net.apply(params, null, inputs.get(0))
  expect([h.shape, leak.shape, last.sum.shape, last.steps.toArray()]).toEqual([
    [2, 4],
    [2, 4],
    [2, 3],
    [1, 1],
  ])
  const wrong = hk.transform((x: NDArray) => stack()(x, [np.zeros([2, 4])] as never))
  expect(() => wrong.init(key, inputs.get(0))).toThrow(
    'deepRNN: expected a list of 3 states, one for each core, got a list of 1',
  )
  const empty = hk.transform((x: NDArray) => hk.deepRNN([])(x, []))
  expect(empty.apply({}, null, inputs)[0].toArray()).toEqual(inputs.toArray())
})

describe.each([true, false])('with timeMajor %s', (timeMajor) => {
  const given = timeMajor ? inputs : np.swapaxes(inputs, 0, 1)
  const make = (run: typeof hk.dynamicUnroll, options: hk.UnrollOptions = {}) =>
    hk.withoutApplyRng(
      hk.transform((x: NDArray) => {
        const core = stack()
        return run(core, x, core.initialState(2), { timeMajor, ...options })
      }),
    )
  const dynamic = make(hk.dynamicUnroll)
  const params = dynamic.init(key, given)

  test('a compiled loop and a loop in JavaScript give the same, parameters included', () => {
    const fixed = make(hk.staticUnroll)
    close(fixed.init(key, given), params)
    close(fixed.apply(params, given), dynamic.apply(params, given))
    close(jit(fixed.apply)(params, given), dynamic.apply(params, given))
    const loss = (net: typeof dynamic) => grad((p: hk.Params) => np.sum(np.square(net.apply(p, given)[0])))
    close(loss(fixed)(params), loss(dynamic)(params))
  })
  test('how many steps are laid out at once changes nothing', () => {
    for (const unroll of [2, 5, 7, true])
      close(make(hk.dynamicUnroll, { unroll }).apply(params, given), dynamic.apply(params, given))
  })
  test('reverse runs from the last step to the first', () => {
    const axis = timeMajor ? 0 : 1
    const backwards = make(hk.dynamicUnroll, { reverse: true })
    const [outs, state] = dynamic.apply(params, np.flip(given, { axis }))
    close(backwards.apply(params, given), [np.flip(outs, { axis }), state])
    close(backwards.init(key, given), params)
  })
})
test('returnAllStates gives the state after each step', () => {
  const run = (returnAllStates: boolean) =>
    hk.withoutApplyRng(
      hk.transform((x: NDArray) => {
        const core = simple(4)
        return hk.dynamicUnroll(core, x, core.initialState(2), { returnAllStates })
      }),
    )
  const params = run(false).init(key, inputs)
  const [outs, all] = run(true).apply(params, inputs)
  const [expected, last] = run(false).apply(params, inputs)
  close([outs, all.get(-1)], [expected, last])
  close(all, outs)
})
test('cores without parameters unroll outside of a transformed function too', () => {
  const step = (x: NDArray, v: NDArray): [NDArray, NDArray] => [v, v.add(x)]
  const [outs, last] = hk.dynamicUnroll(step, np.array([1, 2, 3]), np.array(0))
  expect([outs.toArray(), last.item()]).toEqual([[0, 1, 3], 6])
  close(hk.staticUnroll(step, np.array([1, 2, 3]), np.array(0)), [outs, last])
})
test('unrolls want an axis of time, and known options', () => {
  const step = (x: NDArray, v: NDArray): [NDArray, NDArray] => [x, v]
  expect(() => hk.dynamicUnroll(step, np.array(1), np.array(0))).toThrow(ShapeError)
  expect(() => hk.dynamicUnroll(step, np.ones([3]), np.array(0), { timeMajor: false })).toThrow(
    'expected an input with axes for batch and time, got f32[3]',
  )
  expect(() => hk.staticUnroll(step, np.ones([3]), np.array(0), { unroll: 2 } as never)).toThrow(
    "expected known options, got 'unroll'",
  )
})

// ------------------------------------------------------------------------------------------------------------------- hk.scan

const sums = (options: object) => (xs: NDArray) => {
  const body = (carry: NDArray, x: NDArray): readonly [NDArray, NDArray] => {
    const count = hk.getState('count', [], { dtype: 'int32', init: zeros })
    hk.setState('count', count.add(1))
    const next = carry.add(x.mul(hk.getParameter('scale', [], { init: ones })))
    return [next, random.uniform(hk.nextRngKey()).add(next)]
  }
  return hk.scan(body, np.array(0), xs, options)
}
test.each([{}, { reverse: true }, { unroll: 2 }])(
  'a loop with %o carries parameters, state and keys as its steps in a row would',
  (options) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 5 }), (values) => {
        const net = hk.transformWithState(sums(options))
        const xs = np.array(values)
        const [params, state] = net.init(key, xs)
        expect([Object.keys(params['~']!), state['~']!['count']!.item()]).toEqual([['scale'], 0])
        const [[last, ys], after] = net.apply(params, state, random.key(9), xs)
        expect([last.item(), after['~']!['count']!.item()]).toEqual([
          values.reduce((sum, v) => sum + v, 0),
          values.length,
        ])

        const keys = hk.prngSequence(random.key(9))
        const order = 'reverse' in options ? values.map((_, i) => values.length - 1 - i) : values.map((_, i) => i)
        let sum = 0
        for (const i of order) {
          sum += values[i]!
          expect(ys.get(i).item()).toBeCloseTo(sum + random.uniform(keys.next()).item(), 5)
        }
      }),
      { numRuns: 10 },
    )
  },
)
test('modules that the body makes are shared by all steps, and names go on after the loop', () => {
  const net = hk.transform((xs: NDArray) => {
    const [last] = hk.scan((sum, x) => [sum.add(hk.linear(1, { wInit: ones })(x)), null], np.zeros([1]), xs)
    return hk.linear(1, { wInit: ones })(last)
  })
  const xs = np.ones([4, 2])
  const params = net.init(key, xs)
  expect(Object.entries(params).map(([name, { w }]) => [name, w!.shape])).toEqual([
    ['linear', [2, 1]],
    ['linear_1', [1, 1]],
  ])
  expect(net.apply(params, null, xs).toArray()).toEqual([8])
})
test('what is drawn after a loop goes on where its steps stopped', () => {
  const after = (count: number) =>
    hk.transform(() => {
      hk.scan((carry) => [carry, random.uniform(hk.nextRngKey())], np.array(0), np.ones([count]))
      return hk.nextRngKey()
    })
  const keys = hk.prngSequence(3).take(1)
  const drawn = hk.prngSequence(3)
  for (let i = 0; i < 3; i++) drawn.next()
  expect(after(3).apply({}, random.key(3)).toArray()).toEqual(drawn.next().toArray())
  expect(after(0).apply({}, random.key(3)).toArray()).toEqual(keys[0]!.toArray())
})
test('a loop of no steps makes the parameters of one, and gives nothing', () => {
  const net = hk.transformWithState(sums({}))
  const [params, state] = net.init(key, np.zeros([0]))
  expect([Object.keys(params['~']!), state['~']!['count']!.item()]).toEqual([['scale'], 0])
  const [[last, ys], after] = net.apply(params, state, key, np.zeros([0]))
  expect([last.item(), ys.shape, after['~']!['count']!.item()]).toEqual([0, [0], 0])
})
test('bare numbers in carry and results are arrays in the body, while parameters are made too', () => {
  const net = hk.transform((xs: NDArray) => hk.scan((i, x) => [i.add(1), { x: xs.get(i).add(x), one: 1 }], 0, xs))
  const xs = np.array([1, 2, 3])
  expect(() => net.init(key, xs)).not.toThrow()
  const [count, { x, one }] = net.apply({}, null, xs)
  expect([count.item(), count.dtype, x.toArray(), one.shape]).toEqual([3, 'int32', [2, 4, 6], [3]])
})
test('a loop whose body fails leaves state and keys as they were', () => {
  const net = hk.transformWithState(() => {
    hk.getState('count', [], { init: zeros })
    try {
      hk.scan(
        () => {
          hk.setState('count', 5)
          throw new Error('mine')
        },
        np.array(0),
        np.ones([2]),
      )
    } catch {}
    return hk.getState('count')
  })
  expect(net.apply({}, { '~': { count: np.array(1) } }, null)[0].item()).toBe(1)
})
