/** Counting spikes as state, and what the count is fit for. */
import { type NDArray, OptionError, ShapeError, grad, jit, np, random } from '@fluxion/core'
import * as hk from '@fluxion/modules'
import { superspike } from '@fluxion/surrogates'
import { expect, test } from 'vitest'
import { activityRegularization, lif } from './index.ts'

const key = random.key(0)
const net = hk.withoutApplyRng(
  hk.transformWithState((x: NDArray) => {
    const core = hk.deepRNN([
      lif([3], { activation: superspike() }),
      activityRegularization(),
      lif([3]),
      activityRegularization(),
    ])
    return hk.dynamicUnroll(core, x, core.initialState(x.shape[1]))[0]
  }),
)
const x = random.uniform(key, [7, 2, 3], { maxval: 2 })

test('init gives counts of zero, of the shape of one step with its batch', () => {
  const [, state] = net.init(key, x)
  const zero = np.zeros([2, 3]).toArray()
  expect(Object.keys(state)).toEqual(['ActReg', 'ActReg_1'])
  expect([state['ActReg']!['spike_count']!.toArray(), state['ActReg_1']!['spike_count']!.toArray()]).toEqual([
    zero,
    zero,
  ])
})
test('an unroll adds the spikes of all its steps to the counts that it was given', () => {
  const [params, state] = net.init(key, x)
  for (const apply of [net.apply, jit(net.apply)]) {
    const [spikes, once] = apply(params, state, x)
    expect(once['ActReg_1']!['spike_count']!.toArray()).toEqual(spikes.sum({ axis: 0 }).toArray())
    const [, twice] = apply(params, once, x)
    expect(twice['ActReg_1']!['spike_count']!.toArray()).toEqual(spikes.sum({ axis: 0 }).mul(2).toArray())
  }
})
test('a penalty on the counts has a gradient for the layer that spikes', () => {
  const [params, state] = net.init(key, x)
  const penalty = (p: hk.Params) => np.square(net.apply(p, state, x)[1]['ActReg']!['spike_count']!).sum()
  const gradient = grad(penalty)(params)
  expect(np.any(np.notEqual(gradient['LIF']!['beta']!, 0)).item()).toBe(1)
  expect(np.any(np.notEqual(gradient['LIF_1']!['beta']!, 0)).item()).toBe(0)
})
test('counts have the dtype of the spikes', () => {
  const half = hk.transformWithState((spikes: NDArray) => activityRegularization()(spikes))
  const spikes = np.ones([2, 3], { dtype: 'float16' })
  const [params, state] = half.init(key, spikes)
  const [out, after] = half.apply(params, state, null, spikes)
  expect([out.dtype, after['ActReg']!['spike_count']!.dtype]).toEqual(['float16', 'float16'])
})
test('a batch of another size is an error that names both shapes', () => {
  const [params, state] = net.init(key, x)
  expect(() => net.apply(params, state, x.get(':', ':1'))).toThrow(ShapeError)
  expect(() => net.apply(params, state, x.get(':', ':1'))).toThrow(
    'expected spikes of the shape of its state, [2,3], got f32[1,3]',
  )
})
test('a function that counts needs transformWithState', () => {
  expect(() => hk.transform((spikes: NDArray) => activityRegularization()(spikes)).init(key, x)).toThrow(
    'hint: use hk.transformWithState',
  )
  expect(() => hk.transformWithState(() => activityRegularization({ size: 3 } as never)(x)).init(key)).toThrow(
    OptionError,
  )
})
