/** Loss and gradients of spiking networks on one batch: any neuron, depth, batch, number of steps and precision, by name. */
import { type Jitted, type NDArray, jit, np, random, valueAndGrad } from 'fluxion'
import { integralCrossentropy } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import { type Recurrence, alif, cuBaLIF, li, lif, rCuBaLIF, rlif } from '@fluxion/neurons'
import { policy, setPolicy } from '@fluxion/precision'
import { arctan } from '@fluxion/surrogates'
import { type Prepared, prepared } from './entry.ts'

const activation = arctan()
/** A layer by the name of its neuron; `recurrence` is of those that have recurrent weights. */
const neurons = {
  lif: (size) => lif([size], { activation }),
  rlif: (size, recurrence) => rlif([size], { activation, recurrence }),
  alif: (size) => alif([size], { activation }),
  cubalif: (size) => cuBaLIF([size], { activation }),
  rcubalif: (size, recurrence) => rCuBaLIF([size], { activation, recurrence }),
} satisfies Readonly<Record<string, (size: number, recurrence: Recurrence) => hk.Core<NDArray>>>
const modules = [hk.linear, rlif, li, lif, alif, cuBaLIF, rCuBaLIF]
type Neuron = keyof typeof neurons

export interface Network {
  readonly kind: 'network'
  readonly neuron: Neuron
  readonly recurrence: Recurrence
  /** Hidden layers. */
  readonly layers: number
  readonly batch: number
  readonly steps: number
  readonly channels: number
  readonly hidden: number
  readonly precision: 'full' | 'half'
  /** By what the initial weights are multiplied that drive spiking neurons. */
  readonly gain: number
  readonly [parameter: string]: unknown
}
/**
 * Gains with which some 4 to 15 % of the hidden neurons spike at each step, as in trained networks; as they are first drawn, weights of
 * most neurons leave all but the first layer silent. Dense recurrent weights are divided by the root of their number, else half would spike.
 */
const gains: Readonly<Record<Neuron, Readonly<Record<Recurrence, number>>>> = {
  lif: { elementwise: 3, dense: 3 },
  rlif: { elementwise: 2.25, dense: 3 },
  alif: { elementwise: 3, dense: 3 },
  cubalif: { elementwise: 1.4, dense: 1.4 },
  rcubalif: { elementwise: 0.7, dense: 1.1 },
}
/** The tutorial's network, with what is said to differ. */
export function network(differing: Partial<Network> = {}): Network {
  const { neuron = 'rlif', recurrence = 'elementwise' } = differing
  return {
    kind: 'network',
    neuron,
    recurrence,
    layers: 2,
    batch: 256,
    steps: 128,
    channels: 256,
    hidden: 128,
    precision: 'full',
    gain: gains[neuron][recurrence],
    ...differing,
  }
}
export const nameOf = ({ neuron, layers, batch, steps, recurrence, precision }: Network): string =>
  [
    `net-${neuron}-${layers}-b${batch}-t${steps}`,
    ...(recurrence === 'dense' ? ['dense'] : []),
    ...(precision === 'half' ? ['half'] : []),
  ].join('-')
/** The network that a name such as `net-alif-3-b64-t128-dense-half` means. */
export function networkNamed(name: string): Network | undefined {
  const parts = /^net-([a-z]+)-(\d+)-b(\d+)-t(\d+)(-dense)?(-half)?$/.exec(name)
  if (parts === null || !Object.hasOwn(neurons, parts[1]!)) return undefined
  const [layers, batch, steps] = parts.slice(2, 5).map(Number)
  return network({
    neuron: parts[1] as Neuron,
    layers: layers!,
    batch: batch!,
    steps: steps!,
    recurrence: parts[5] === undefined ? 'elementwise' : 'dense',
    precision: parts[6] === undefined ? 'full' : 'half',
  })
}

export interface NetworkStep {
  readonly step: Jitted<[hk.Params, NDArray, NDArray], [NDArray, hk.Params]>
  readonly params: hk.Params
  /** u8[batch, steps / 8, channels], eight steps to the byte; 7 % of them are events. */
  readonly packed: NDArray
  readonly labels: NDArray
}
export function networkStep(task: Network): NetworkStep {
  const { neuron, recurrence, layers, batch, steps, channels, hidden, precision, gain } = task
  for (const module of modules) setPolicy(module, policy(precision))
  const transformed = hk.withoutApplyRng(
    hk.transform((x: NDArray) => {
      const events = hk.batchApply(hk.linear(hidden, { withBias: false }))(x)
      const layer = (i: number) => [
        neurons[neuron](hidden, recurrence),
        hk.linear(i === layers - 1 ? 20 : hidden, { withBias: false }),
      ]
      const core = hk.deepRNN([...Array.from({ length: layers }, (_, i) => layer(i)).flat(), li([20])])
      return hk.dynamicUnroll(core, events, core.initialState(x.shape[0]), { timeMajor: false })
    }),
  )
  const events = random.bernoulli(random.key(0), [batch, steps, channels], { p: 0.07 }).astype('uint8')
  const labels = random.randint(random.key(1), [batch], 0, 20)
  const drawn = transformed.init(random.key(2), events.get(':1'))
  const scaled = (module: string, name: string, leaf: NDArray): NDArray => {
    if (module.startsWith('linear')) return module === `linear_${layers}` ? leaf : leaf.mul(gain)
    return name === 'w' && recurrence === 'dense' ? leaf.div(Math.sqrt(hidden)) : leaf
  }
  const params = Object.fromEntries(
    Object.entries(drawn).map(([module, leaves]) => [
      module,
      Object.fromEntries(Object.entries(leaves).map(([name, leaf]) => [name, scaled(module, name, leaf)])),
    ]),
  )
  const packed = np.packbits(events, { axis: 1 })
  const loss = (p: hk.Params, x: NDArray, y: NDArray): NDArray => integralCrossentropy(transformed.apply(p, x)[0], y)
  const step = jit((p: hk.Params, x: NDArray, y: NDArray) => valueAndGrad(loss)(p, np.unpackbits(x, { axis: 1 }), y))
  return { step, params, packed, labels }
}
export function prepareNetwork(task: Network): Prepared {
  const { step, params, packed, labels } = networkStep(task)
  return prepared(step, params, packed, labels)
}
