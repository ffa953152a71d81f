/** Policies on modules: what each part of a module computes in. */
import { type DType, type NDArray, OptionError, grad, jit, np, random } from '@fluxion/core'
import * as hk from '@fluxion/modules'
import { afterEach, expect, test } from 'vitest'
import { clearPolicy, currentPolicy, getPolicy, policy, setPolicy, withPolicy } from './index.ts'

const key = random.key(0)
const { ones, zeros } = hk.initializers
const mixed = policy('p=f32,c=half,o=bf16')

/** Records the dtypes that its methods see. */
const seen: Record<string, DType | undefined> = {}
const probe = hk.module('probe', () => ({
  call(x: NDArray) {
    const w = hk.getParameter('w', [], { init: ones })
    const s = hk.getState('s', [], { init: zeros })
    Object.assign(seen, { x: x.dtype, w: w.dtype, s: s.dtype, policy: currentPolicy()?.computeDtype })
    hk.setState('s', s.add(1))
    return x.mul(w)
  },
  start: () => np.zeros([2]),
}))
const inner = hk.module('inner', () => (x: NDArray) => x.mul(hk.getParameter('w', [], { dtype: x.dtype, init: ones })))
const outer = hk.module('outer', () => (x: NDArray) => inner()(x))
afterEach(() => {
  for (const factory of [probe, inner, outer, hk.linear]) clearPolicy(factory)
})

test('parameters, arguments, state and results have the dtypes of the policy', () => {
  setPolicy(probe, mixed)
  const net = hk.transformWithState((x: NDArray) => {
    const module = probe()
    return [module(x), module.start()]
  })
  const [params, state] = net.init(key, np.ones([2]))
  expect([params['probe']!['w']!.dtype, state['probe']!['s']!.dtype]).toEqual(['float32', 'float32'])
  const [[out, start], after] = net.apply(params, state, null, np.ones([2]))
  expect(seen).toEqual({ x: 'float16', w: 'float16', s: 'float16', policy: 'float16' })
  expect([out!.dtype, start!.dtype]).toEqual(['bfloat16', 'bfloat16'])
  expect(after['probe']!['s']!.dtype).toBe('float16')
  expect(currentPolicy()).toBe(undefined)
})
test('integers keep their dtype', () => {
  setPolicy(probe, mixed)
  const net = hk.transformWithState((x: NDArray) => probe()(x))
  net.init(key, np.ones([2], { dtype: 'int32' }))
  expect(seen['x']).toBe('int32')
})
test('a module made inside of another is under its policy, or under its own', () => {
  const net = hk.transform((x: NDArray) => outer()(x))
  const dtypes = () => {
    const params = net.init(key, np.ones([2]))
    return [params['outer/inner']!['w']!.dtype, net.apply(params, null, np.ones([2])).dtype]
  }
  expect(dtypes()).toEqual(['float32', 'float32'])
  setPolicy(outer, policy('half'))
  expect(dtypes()).toEqual(['float16', 'float16'])
  setPolicy(inner, policy('p=f32,c=f32,o=f32'))
  expect(dtypes()).toEqual(['float32', 'float16'])
  clearPolicy(outer)
  setPolicy(inner, policy('bfloat16'))
  expect(dtypes()).toEqual(['bfloat16', 'bfloat16'])
})
test('a policy belongs to its factory and ends with clearPolicy, and withPolicy restores what was there', () => {
  const half = policy('half')
  expect(getPolicy(hk.linear)).toBe(undefined)
  expect(withPolicy(hk.linear, half, () => getPolicy(hk.linear))).toBe(half)
  expect(getPolicy(hk.linear)).toBe(undefined)
  setPolicy(hk.linear, mixed)
  expect(() =>
    withPolicy(hk.linear, half, () => {
      throw new Error('mine')
    }),
  ).toThrow('mine')
  expect(getPolicy(hk.linear)).toBe(mixed)
  clearPolicy(hk.linear)
  const net = hk.transform((x: NDArray) => hk.linear(2)(x))
  expect(net.init(key, np.ones([1, 3]))['linear']!['w']!.dtype).toBe('float32')
})
test('init works on packed integers under a policy, and is an error with its remedy without', () => {
  const net = hk.transform((x: NDArray) => hk.linear(2)(x))
  const packed = np.zeros([4, 3], { dtype: 'uint8' })
  expect(() => net.init(key, packed)).toThrow('expected a floating dtype for a parameter of shape (3,2), got uint8')
  expect(() => net.init(key, packed)).toThrow(
    "hint: parameters take the dtype of their input: convert it (x.astype('float32')), or set a policy on the module: setPolicy(hk.linear, policy('half'))",
  )
  for (const name of ['half', 'full', 'bfloat16'] as const) {
    const made = withPolicy(hk.linear, policy(name), () => net.init(key, packed))
    const { paramDtype, outputDtype } = policy(name)
    expect([made['linear']!['w']!.dtype, made['linear']!['b']!.dtype]).toEqual([paramDtype, paramDtype])
    expect(withPolicy(hk.linear, policy(name), () => net.apply(made, null, packed)).dtype).toBe(outputDtype)
  }
})
test('gradients have the dtype of the parameters, also jitted', () => {
  setPolicy(hk.linear, policy('p=f32,c=half,o=f32'))
  const net = hk.withoutApplyRng(hk.transform((x: NDArray) => hk.linear(1, { withBias: false })(x).sum()))
  const params = net.init(key, np.ones([2, 3]))
  for (const g of [grad(net.apply), jit(grad(net.apply))]) {
    const gradient = g(params, np.ones([2, 3]))['linear']!['w']!
    expect([gradient.dtype, gradient.toArray()]).toEqual(['float32', [[2], [2], [2]]])
  }
})
test('a hook of the caller asks for the dtype that the module asks for, and gets that of the policy', () => {
  const plain = hk.module(
    'plain',
    () => (x: NDArray) => x.mul(hk.getParameter('w', [], { dtype: 'float32', init: ones })),
  )
  setPolicy(plain, policy('half'))
  const dtypes: DType[] = []
  const creator: hk.Creator = (next, shape, dtype, init) => {
    const made = next(shape, dtype, init)
    dtypes.push(dtype, made.dtype)
    return made
  }
  hk.transform((x: NDArray) => hk.customCreator(creator, () => plain()(x))).init(key, np.ones([3]))
  expect(dtypes).toEqual(['float32', 'float16'])
  clearPolicy(plain)
})
test('a policy goes to a factory, and its dtypes are floats', () => {
  const net = hk.transform((x: NDArray) => {
    const layer = hk.linear(3)
    expect(() => setPolicy(layer as never, policy('half'))).toThrow(OptionError)
    expect(() => setPolicy(layer as never, policy('half'))).toThrow(
      'hint: setPolicy(hk.linear, policy), not setPolicy(hk.linear(3), policy)',
    )
    return layer(x)
  })
  net.init(key, np.ones([1, 2]))
  expect(() => setPolicy(hk.linear, { ...mixed, computeDtype: 'int8' })).toThrow("expected floating dtypes, got 'int8'")
  expect(() => setPolicy('linear' as never, mixed)).toThrow(OptionError)
})
