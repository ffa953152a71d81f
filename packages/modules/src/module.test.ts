/** Making modules: names, scopes, methods, and the hooks around them. */
import { type NDArray, OptionError, ShapeError, np, random } from '@fluxion/core'
import { flow, pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import * as hk from './index.ts'

const key = random.key(0)
const { ones, zeros } = hk.initializers
const x = np.ones([2, 3])
const init = (f: (y: NDArray) => NDArray): hk.Params => hk.transform(f).init(key, x)

test('names that are none, or are used twice, are errors', () => {
  expect(() => init((y) => hk.linear(1, { name: 'a b' })(y))).toThrow("'a b' is no name for a module")
  const twice = (y: NDArray) => hk.linear(1, { name: 'linear_1' })(hk.linear(1, { name: 'linear_1' })(y))
  expect(() => init(twice)).toThrow("the module name 'linear_1' is used twice")
})
test('a module knows its name, and its instance may be called wherever its function runs', () => {
  let name = ''
  init((y) => {
    const layer = hk.linear(2)
    name = layer.moduleName
    return hk.nameScope('elsewhere', () => layer(y))
  })
  expect(name).toBe('linear')
})
test('a name scope prefixes what is made in it, and is numbered like a module', () => {
  const params = init((y) => {
    const stage = (z: NDArray) => hk.nameScope('stage', () => hk.linear(3)(z))
    return hk.nameScope('outer', () => stage(stage(y)))
  })
  expect(Object.keys(params)).toEqual(['outer/stage/linear', 'outer/stage_1/linear'])
})
test('a function becomes a module by toModule, under its own name or a given one', () => {
  function readout(y: NDArray): NDArray {
    return hk.linear(1)(y)
  }
  expect(Object.keys(init((y) => hk.toModule(readout)()(y)))).toEqual(['readout/linear'])
  expect(Object.keys(init((y) => hk.toModule(readout, 'last')({ name: 'head' })(y)))).toEqual(['head/linear'])
})
test('each call of a module makes its children anew, under the same names', () => {
  const block = hk.module('block', () => (y: NDArray) => hk.linear(3)(y))
  const params = init((y) => {
    const once = block()
    return once(once(y))
  })
  expect(Object.keys(params)).toEqual(['block/linear'])
})
test('modules compose with pipe and flow', () => {
  const net = (y: NDArray) => pipe(y, hk.linear(4), flow(hk.linear(3), hk.linear(1)))
  expect(Object.keys(init(net))).toEqual(['linear', 'linear_1', 'linear_2'])
  expect(hk.transform(net).apply(init(net), null, x).shape).toEqual([2, 1])
})

test('interceptors see every method with its module, the outermost first', () => {
  const log: string[] = []
  const logged =
    (tag: string): hk.Interceptor =>
    (next, args, { module, method }) => {
      log.push(`${tag} ${module.moduleName}.${method}`)
      return next(...args)
    }
  const layer = hk.module('scaled', () => ({ call: (y: NDArray) => y, extra: (y: NDArray) => y }))
  init((y) => hk.interceptMethods(logged('outer'), () => hk.interceptMethods(logged('inner'), () => layer().extra(y))))
  expect(log).toEqual([
    'outer scaled.constructor',
    'inner scaled.constructor',
    'outer scaled.extra',
    'inner scaled.extra',
  ])
  log.length = 0
  const remove = hk.interceptMethodsGlobal(logged('global'))
  init((y) => hk.interceptMethods(logged('scoped'), () => layer()(y)))
  expect(log).toEqual([
    'global scaled.constructor',
    'scoped scaled.constructor',
    'global scaled.call',
    'scoped scaled.call',
  ])
  log.length = 0
  remove()
  remove()
  init((y) => layer()(y))
  expect(log).toEqual([])
})
test('an interceptor may change arguments and results, or answer by itself', () => {
  const net = hk.withoutApplyRng(hk.transform((y: NDArray) => hk.linear(1, { wInit: ones })(y)))
  const params = net.init(key, x)
  const run = (interceptor: hk.Interceptor) =>
    hk.interceptMethods(interceptor, () => net.apply(params, x).ravel().toArray())
  const onCalls =
    (change: (next: (...args: unknown[]) => unknown, y: NDArray) => unknown): hk.Interceptor =>
    (next, args, { method }) =>
      method === 'call' ? change(next, args[0] as NDArray) : next(...args)
  expect(run(onCalls((next, y) => next(y.mul(2))))).toEqual([6, 6])
  expect(run(onCalls((next, y) => (next(y) as NDArray).add(1)))).toEqual([4, 4])
  expect(run(onCalls((_, y) => y.get(':', 0)))).toEqual([1, 1])
  // a hook is gone when its function has returned, also by an error
  expect(() =>
    hk.interceptMethods(
      () => {
        throw new Error('refused')
      },
      () => net.apply(params, x),
    ),
  ).toThrow('refused')
  expect(net.apply(params, x).ravel().toArray()).toEqual([3, 3])
})

test('creators replace what a parameter is made of, the outermost first', () => {
  const log: string[] = []
  const creator =
    (tag: string): hk.Creator =>
    (next, shape, dtype, given, { fullName }) => {
      log.push(`${tag} ${fullName}`)
      return next(shape, dtype, fullName.endsWith('/b') ? ones : given)
    }
  const net = hk.transform((y: NDArray) =>
    hk.customCreator(creator('outer'), () => hk.customCreator(creator('inner'), () => hk.linear(1)(y))),
  )
  const params = net.init(key, x)
  expect(log).toEqual(['outer linear/w', 'inner linear/w', 'outer linear/b', 'inner linear/b'])
  expect(params['linear']!['b']!.toArray()).toEqual([1])
  log.length = 0
  net.apply(params, null, x)
  expect(log).toEqual([])
})
test('getters change what a reader sees, and leave the parameter as it is', () => {
  const net = hk.transform(() => {
    const w = () => hk.getParameter('w', [], { init: ones })
    const double: hk.Getter = (next, value) => next(value.mul(2).add(1))
    const triple: hk.Getter = (next, value) => next(value.mul(3).add(1))
    return [hk.customGetter(double, () => hk.customGetter(triple, w)), w()]
  })
  const params = net.init(key)
  expect(params['~']!['w']!.item()).toBe(1)
  // outermost first, as in Haiku: (1 · 2 + 1) · 3 + 1
  expect(net.apply(params, null).map((y) => y.item())).toEqual([10, 1])
})
test('hooks on state are hooks on state only', () => {
  const net = hk.transformWithState(() => {
    const tenfold: hk.Getter = (next, value) => next(value.mul(10))
    const read = () => [hk.getParameter('w', [], { init: ones }), hk.getState('s', [], { init: ones })]
    hk.customSetter(tenfold, () => hk.setState('t', 4))
    return hk.customGetter(tenfold, read, { params: false, state: true })
  })
  const [params, state] = net.init(key)
  const [read, after] = net.apply(params, state, null)
  expect(read.map((y) => y.item())).toEqual([1, 10])
  expect([after['~']!['s']!.item(), after['~']!['t']!.item()]).toEqual([1, 40])
  expect(() =>
    hk.customGetter(
      (next, v) => next(v),
      () => 0,
      { parameters: true } as never,
    ),
  ).toThrow(OptionError)
})

test('linear computes x · w + b over the last axis', () => {
  const net = hk.withoutApplyRng(hk.transform((y: NDArray) => hk.linear(2, { wInit: ones, bInit: ones })(y)))
  for (const shape of [[3], [2, 3], [4, 2, 3]]) {
    const y = np.ones(shape)
    expect(net.apply(net.init(key, y), y).toArray()).toEqual(np.full([...shape.slice(0, -1), 2], 4).toArray())
  }
  expect(() => net.init(key, np.array(1))).toThrow(ShapeError)
  expect(() => init((y) => hk.linear(2.5)(y))).toThrow('linear: expected a whole number as output size, got 2.5')
  expect(() => init((y) => hk.linear(2, { bias: false } as never)(y))).toThrow("expected known options, got 'bias'")
})
test('batchApply merges leading axes of a tree and splits them in the results', () => {
  const seen: (readonly number[])[] = []
  const f = (a: NDArray, { b }: { b: NDArray }) => {
    seen.push(a.shape, b.shape)
    return { sum: a.sum({ axis: 1 }), twice: a.mul(2) }
  }
  const out = hk.batchApply(f)(np.ones([2, 3, 4]), { b: np.ones([2, 3]) })
  expect(seen).toEqual([[6, 4], [6]])
  expect([out.sum.shape, out.twice.shape]).toEqual([
    [2, 3],
    [2, 3, 4],
  ])
  expect(hk.batchApply((y: NDArray) => y, { numDims: 3 })(np.ones([1, 2, 3, 4])).shape).toEqual([1, 2, 3, 4])
  expect(() => hk.batchApply((y: NDArray) => y)(np.ones([2]))).toThrow(
    'batchApply: expected inputs of at least 2 axes, got f32[2]',
  )
})
test('flatten, reshape and sequential shape one sample at a time', () => {
  const run = (make: () => (y: NDArray) => NDArray, y: NDArray) =>
    hk.transform((z: NDArray) => make()(z)).apply({}, null, y).shape
  expect(run(() => hk.flatten(), np.ones([2, 3, 4]))).toEqual([2, 12])
  expect(run(() => hk.flatten({ preserveDims: 2 }), np.ones([2, 3, 4, 5]))).toEqual([2, 3, 20])
  expect(run(() => hk.flatten(), np.ones([2]))).toEqual([2])
  expect(run(() => hk.reshape([2, -1]), np.ones([5, 4, 3]))).toEqual([5, 2, 6])
  const both = hk.transform((y: NDArray) =>
    hk.sequential([(a: NDArray, b: NDArray) => a.add(b), (a: NDArray) => a.mul(2)])(y, y),
  )
  expect(both.apply({}, null, np.array([1])).toArray()).toEqual([4])
})
test('zeros, ones and constants have the dtype that is asked for', () => {
  for (const make of [zeros, ones, hk.initializers.constant(3)]) expect(make([2], 'float16').dtype).toBe('float16')
  expect(
    hk.initializers
      .constant(np.array([1, 2]))([3, 2], 'int32')
      .toArray(),
  ).toEqual([1, 2, 3].map(() => [1, 2]))
})
