/** Small spiking networks, surrogates, readout losses and regularisers against JAX, Haiku and Optax. */
import { type NDArray, grad, jit, jvp, np, valueAndGrad, vjp } from '@fluxion/core'
import { integralAccuracy, integralCrossentropy, mseSpikerate, silenceReg, sparsityReg } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import * as neurons from '@fluxion/neurons'
import {
  type Activation,
  arctan,
  boxcar,
  sigmoid,
  straightThrough,
  superspike,
  tanh,
  triangular,
} from '@fluxion/surrogates'
import { describe, expect, test } from 'vitest'
import { type Encoded, decode, golden, mismatch } from './goldens.ts'

interface NetworkCase {
  readonly neuron: 'rlif' | 'lif' | 'alif' | 'if' | 'rif' | 'cubaLif' | 'rcubaLif'
  readonly options: object
  readonly readout: { readonly beta: number | string }
  readonly params: unknown
  readonly traces: Encoded
  readonly finalState: unknown
  readonly spikes: readonly Encoded[]
  readonly loss: Encoded
  readonly grads: unknown
  readonly accuracy: Encoded
  readonly predictions: Encoded
}
interface SurrogateCase {
  readonly surrogate: 'arctan' | 'superspike' | 'triangular' | 'tanh' | 'boxcar' | 'sigmoid' | 'straightThrough'
  readonly options: object
  readonly x: Encoded
  readonly out: Encoded
  readonly gradient: Encoded
}
interface LossCase {
  readonly fn: 'integralCrossentropy' | 'mseSpikerate' | 'integralAccuracy'
  readonly options: object
  readonly traces: Encoded
  readonly targets: Encoded
  readonly expected: Encoded
  readonly gradient?: Encoded
  readonly predictions?: Encoded
}
interface RegulariserCase {
  readonly fn: 'silenceReg' | 'sparsityReg'
  readonly bound: number
  readonly counts: unknown
  readonly expected: Encoded
  readonly gradient: unknown
}
const cases = golden<{
  readonly events: Encoded
  readonly targets: Encoded
  readonly networks: readonly NetworkCase[]
  readonly surrogates: readonly SurrogateCase[]
  readonly losses: readonly LossCase[]
  readonly regularisers: readonly RegulariserCase[]
}>('network')

// What the generator itself allows between two ways of running a network in JAX.
const tolerance = { relative: 2e-4, absolute: 2e-5 }
const events = decode(cases.events)
const targets = decode(cases.targets)

const factories: Readonly<Record<NetworkCase['neuron'], (shape: number[], options: object) => hk.Core<NDArray>>> = {
  rlif: neurons.rlif,
  lif: neurons.lif,
  alif: neurons.alif,
  if: neurons.integrateAndFire,
  rif: neurons.rif,
  cubaLif: neurons.cuBaLIF,
  rcubaLif: neurons.rCuBaLIF,
}
const makers: Readonly<Record<SurrogateCase['surrogate'], (options: object) => Activation>> = {
  arctan,
  boxcar,
  sigmoid,
  straightThrough,
  superspike,
  tanh,
  triangular,
}
const readoutLosses = { integralCrossentropy, mseSpikerate }
const regularisers = { silenceReg, sparsityReg }

/** A core that hands what comes out of it to a listener. */
const tapped = (core: hk.Core<NDArray>, listen: (out: NDArray) => void): hk.Core<NDArray> =>
  Object.assign(
    (x: NDArray, state: NDArray): [NDArray, NDArray] => {
      const [out, next] = core(x, state)
      listen(out)
      return [out, next]
    },
    { moduleName: core.moduleName, initialState: core.initialState },
  )

const network = (
  { neuron, options, readout }: NetworkCase,
  run: 'dynamic' | 'static',
  listen: (layer: number, out: NDArray) => void = () => {},
) =>
  hk.withoutApplyRng(
    hk.transform((x: NDArray) => {
      const input = hk.batchApply(hk.linear(6, { withBias: false }))(x)
      const hidden = (layer: number) =>
        tapped(factories[neuron]([6], { ...options, activation: arctan() }), (out) => listen(layer, out))
      const core = hk.deepRNN([
        hidden(0),
        hk.linear(6, { withBias: false }),
        hidden(1),
        hk.linear(5, { withBias: false }),
        neurons.li([5], typeof readout.beta === 'number' ? { beta: readout.beta } : { decay: 'clip' }),
      ])
      const unroll = run === 'dynamic' ? hk.dynamicUnroll : hk.staticUnroll
      return unroll(core, input, core.initialState(x.shape[0]), { timeMajor: false })
    }),
  )

describe.each(cases.networks.map((row) => [`${row.neuron} ${JSON.stringify(row.options)}`, row] as const))(
  '%s',
  (_, row) => {
    const params = decode<hk.Params>(row.params)

    test('has the names and shapes of parameters that Haiku gives them', () => {
      const made = network(row, 'dynamic').init(np.array([0, 0], { dtype: 'uint32' }), events)
      const shapes = (p: hk.Params): object =>
        Object.fromEntries(
          Object.entries(p).map(([m, leaves]) => [
            m,
            Object.fromEntries(Object.entries(leaves).map(([k, v]) => [k, v.shape])),
          ]),
        )
      expect(shapes(made)).toEqual(shapes(params))
    })

    test('spikes when it should', () => {
      const layers: NDArray[][] = [[], []]
      network(row, 'static', (layer, out) => layers[layer]!.push(out)).apply(params, events)
      for (const [i, steps] of layers.entries()) {
        expect(mismatch(np.stack(steps, { axis: 1 }).astype('uint8'), row.spikes[i])).toBe(undefined)
      }
    })

    const loss = (run: 'dynamic' | 'static') => (p: hk.Params) => {
      const [traces, state] = network(row, run).apply(p, events)
      return [integralCrossentropy(traces, targets), [traces, state]] as const
    }
    const eager = valueAndGrad(loss('dynamic'), { hasAux: true })
    test.each([
      ['eagerly', eager],
      ['jitted', jit(eager)],
      ['with its loop in JavaScript', jit(valueAndGrad(loss('static'), { hasAux: true }))],
    ] as const)('gives traces, states, loss and gradients, %s', (_way, run) => {
      const [[value, [traces, state]], grads] = run(params)
      expect(mismatch(traces, row.traces, tolerance)).toBe(undefined)
      expect(mismatch(state, row.finalState, tolerance)).toBe(undefined)
      expect(mismatch(value, row.loss, tolerance)).toBe(undefined)
      expect(mismatch(grads, row.grads, tolerance)).toBe(undefined)
      const [accuracy, predictions] = integralAccuracy(traces, targets)
      expect(mismatch(accuracy, row.accuracy)).toBe(undefined)
      expect(mismatch(predictions, row.predictions)).toBe(undefined)
    })
  },
)

// Exponentials and divisions differ in their last bits. JAX loses to cancellation what 1 − s rounds away where s is near 1: some units of
// 2^-24 and 2^-11, the spacing of numbers just below 1.
const surrogateTolerance = {
  float32: { others: { relative: 2e-6, absolute: 1e-30 }, sigmoid: { relative: 2e-6, absolute: 2 ** -23 } },
  float16: { others: { relative: 4e-3, absolute: 1e-5 }, sigmoid: { relative: 4e-3, absolute: 2 ** -10 } },
}
test.each(
  cases.surrogates.map((row) => [`${row.surrogate} ${JSON.stringify(row.options)} in ${row.x.dtype}`, row] as const),
)('%s has the derivative that JAX computes', (_, row) => {
  const spike = makers[row.surrogate](row.options)
  const x = decode(row.x)
  const near =
    surrogateTolerance[row.x.dtype as 'float16' | 'float32'][row.surrogate === 'sigmoid' ? 'sigmoid' : 'others']
  for (const run of [spike, jit(spike)]) {
    const [out, pullback] = vjp(run, x)
    expect(mismatch(out, row.out)).toBe(undefined)
    expect(mismatch(pullback(np.onesLike(x))[0], row.gradient, near)).toBe(undefined)
    expect(mismatch(jvp(run, [x], [np.onesLike(x)])[1], row.gradient, near)).toBe(undefined)
  }
})

test.each(
  cases.losses.map(
    (row, i) => [`${row.fn} ${JSON.stringify(row.options)} of ${row.traces.dtype} (${i})`, row] as const,
  ),
)('%s has the value and gradient that JAX computes', (_, row) => {
  const traces = decode(row.traces)
  const t = decode(row.targets)
  if (row.fn === 'integralAccuracy') {
    const [accuracy, predictions] = integralAccuracy(traces, t, row.options)
    expect(mismatch(accuracy, row.expected)).toBe(undefined)
    expect(mismatch(predictions, row.predictions)).toBe(undefined)
    return
  }
  const loss = readoutLosses[row.fn]
  const near = row.traces.dtype === 'float16' ? { relative: 4e-3, absolute: 1e-4 } : { relative: 1e-5, absolute: 1e-6 }
  const f = (x: NDArray) => loss(x, t, row.options)
  expect(mismatch(f(traces), row.expected, near)).toBe(undefined)
  expect(mismatch(grad(f)(traces), row.gradient, near)).toBe(undefined)
  expect(mismatch(jit(grad(f))(traces), row.gradient, near)).toBe(undefined)
})

test.each(cases.regularisers.map((row) => [`${row.fn}(${row.bound})`, row] as const))(
  '%s of a state has the value and gradient that JAX computes',
  (_, row) => {
    const counts = decode<hk.State>(row.counts)
    const penalty = regularisers[row.fn](row.bound)
    expect(mismatch(penalty(counts), row.expected, { relative: 1e-6 })).toBe(undefined)
    expect(mismatch(grad((c: hk.State) => penalty(c))(counts), row.gradient, { relative: 1e-6, absolute: 1e-7 })).toBe(
      undefined,
    )
  },
)
