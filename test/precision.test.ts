/** Neurons and layers under mixed-precision policies: dtypes of parameters, states, spikes and gradients, and that training agrees. */
import { type NDArray, grad, jit, np, random, tree } from '@fluxion/core'
import { integralCrossentropy } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import { alif, cuBaLIF, integrateAndFire, li, lif, rCuBaLIF, rif, rlif } from '@fluxion/neurons'
import { type Policy, policy, withPolicy } from '@fluxion/precision'
import { arctan, superspike } from '@fluxion/surrogates'
import { describe, expect, test } from 'vitest'

const key = random.key(1)
const targets = np.array([0, 3, 1], { dtype: 'int32' })
/** Events 0 or 1 of every eighth, packed as loaders pack them. */
const packed = random.randint(key, [3, 4, 8], 0, 256).astype('uint8')
const events = np.unpackbits(packed, { axis: 1 })

type Factory = Parameters<typeof withPolicy>[0]
const factories: readonly Factory[] = [hk.linear, alif, cuBaLIF, integrateAndFire, li, lif, rCuBaLIF, rif, rlif]
const under = <T>(chosen: Policy, f: () => T): T =>
  factories.reduce<() => T>((run, factory) => () => withPolicy(factory, chosen, run), f)()

const activation = arctan()
const layers: Readonly<Record<string, () => hk.Core<NDArray>>> = {
  integrateAndFire: () => integrateAndFire([6], { activation }),
  lif: () => lif([6], { activation }),
  'lif with clipped decay': () => lif([6], { activation, decay: 'clip', beta: 0.5 }),
  'lif with its threshold': () => lif([6], { activation: superspike(), threshold: 0.7 }),
  rif: () => rif([6], { activation }),
  rlif: () => rlif([6], { activation }),
  'dense rlif': () => rlif([6], { activation, recurrence: 'dense' }),
  alif: () => alif([6], { activation }),
  'alif with given decays': () => alif([6], { activation, beta: 0.9, gamma: 0.8 }),
  cuBaLIF: () => cuBaLIF([6], { activation }),
  rCuBaLIF: () => rCuBaLIF([6], { activation }),
}
const network = (make: () => hk.Core<NDArray>) =>
  hk.withoutApplyRng(
    hk.transform((x: NDArray) => {
      const core = hk.deepRNN([make(), hk.linear(4), li([4])])
      return hk.dynamicUnroll(core, hk.batchApply(hk.linear(6))(x), core.initialState(x.shape[0]), { timeMajor: false })
    }),
  )

describe.each(Object.keys(layers))('%s', (name) => {
  const net = network(layers[name]!)
  test.each(['half', 'bfloat16', 'full', 'p=f32,c=half,o=half', 'p=f32,c=bf16,o=f32'])(
    'runs under %s, in its dtypes, with gradients that are finite',
    (text) => {
      const chosen = policy(text)
      under(chosen, () => {
        const params = net.init(key, packed)
        for (const leaf of tree.leaves(params)) expect(leaf.dtype).toBe(chosen.paramDtype)
        const [traces, states] = net.apply(params, events)
        expect(traces.dtype).toBe(chosen.outputDtype)
        for (const leaf of tree.leaves(states)) expect(leaf.dtype).toBe(chosen.outputDtype)
        const loss = (p: hk.Params) => integralCrossentropy(net.apply(p, events)[0], targets)
        for (const leaf of tree.leaves(jit(grad(loss))(params))) {
          expect(leaf.dtype).toBe(chosen.paramDtype)
          expect(np.isfinite(leaf).all().item()).toBe(1)
        }
      })
    },
  )
})
test('the full policy computes what no policy computes', () => {
  const net = network(layers['rlif']!)
  const x = events.astype('float32')
  const plain = net.init(key, x)
  const [traces] = net.apply(plain, x)
  under(policy('full'), () => {
    const params = net.init(key, packed)
    expect(tree.map((leaf) => leaf.toArray(), params)).toEqual(tree.map((leaf) => leaf.toArray(), plain))
    expect(net.apply(params, events)[0].toArray()).toEqual(traces.toArray())
  })
})
test('a resting state has the dtype of the results, so that a loop keeps the type of its carry', () => {
  const state = (chosen: Policy) => under(chosen, () => hk.transform(() => rlif([3]).initialState(2)).apply({}, null))
  expect(state(policy('half')).dtype).toBe('float16')
  expect(state(policy('p=f32,c=half,o=f32')).dtype).toBe('float32')
})
