/** The program that `npm start` runs: one epoch of training and validation. The bench has it at the settings that it first had. */
import { type Jitted, type NDArray, jit, lax, np, random, valueAndGrad } from 'fluxion'
import { type Batch, shdLoader, shiftAugment } from '@fluxion/data'
import { integralAccuracy, integralCrossentropy } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import { li, rlif } from '@fluxion/neurons'
import * as optim from '@fluxion/optim'
import { policy, setPolicy } from '@fluxion/precision'
import { arctan } from '@fluxion/surrogates'
import { type Entry, type Prepared, prepared } from './entry.ts'

export interface TutorialSizes {
  readonly batch: number
  readonly steps: number
  readonly channels: number
  readonly hidden: number
  readonly rate: number
  readonly seed: number
}
const optimiserOf = (rate: number) => optim.chain(optim.centralize(), optim.lion(rate))
export type TutorialState = readonly [hk.Params, optim.State<ReturnType<typeof optimiserOf>>]
export interface Tutorial {
  readonly start: TutorialState
  /** Train for an epoch, in the order that a key decides; gives the losses, and accuracy and loss of each validation batch. */
  readonly epoch: Jitted<[TutorialState, NDArray], [TutorialState, NDArray, NDArray]>
  /** The labels that the network gives all test recordings, the true ones, and which of them count. */
  readonly test: Jitted<[hk.Params], [predicted: NDArray, labels: NDArray, mask: NDArray]>
}

/** The tutorial's third training, under the half policy. */
export async function tutorial({ batch, steps, channels, hidden, rate, seed }: TutorialSizes): Promise<Tutorial> {
  for (const module of [hk.linear, rlif, li]) setPolicy(module, policy('half'))
  const shd = await shdLoader({ batchSize: batch, sampleT: steps, channels, seed })
  const network = hk.withoutApplyRng(
    hk.transform((x: NDArray) => {
      const events = hk.batchApply(hk.linear(hidden, { withBias: false }))(x)
      const core = hk.deepRNN([
        rlif([hidden], { activation: arctan() }),
        hk.linear(hidden, { withBias: false }),
        rlif([hidden], { activation: arctan() }),
        hk.linear(20, { withBias: false }),
        li([20]),
      ])
      return hk.dynamicUnroll(core, events, core.initialState(x.shape[0]), { timeMajor: false })[0]
    }),
  )
  const rng = random.key(seed)
  const params = network.init(rng, shd.trainEpoch(rng).obs.get(0))
  const loss = (p: hk.Params, x: NDArray, y: NDArray): NDArray => integralCrossentropy(network.apply(p, x), y)
  const optimiser = optimiserOf(rate)
  const augment = shiftAugment({ maxShift: Math.max(1, Math.round(channels / 32)) })
  const train = ([p, state]: TutorialState, { obs, labels }: Batch): [TutorialState, NDArray] => {
    const events = augment(np.unpackbits(obs, { axis: 1 }), random.foldIn(rng, np.sum(labels)))
    const [value, grads] = valueAndGrad(loss)(p, events, labels)
    const [updates, next] = optimiser.update(grads, state, p)
    return [[optim.applyUpdates(p, updates), next], value]
  }
  const validate = (p: hk.Params, { obs, labels }: Batch): [hk.Params, NDArray] => {
    const traces = network.apply(p, np.unpackbits(obs, { axis: 1 }))
    return [p, np.stack([integralAccuracy(traces, labels)[0], integralCrossentropy(traces, labels)])]
  }
  const validation = shd.valEpoch()
  const epoch = jit((state: TutorialState, key: NDArray): [TutorialState, NDArray, NDArray] => {
    const [end, losses] = lax.scan(train, state, shd.trainEpoch(key))
    return [end, losses, lax.scan(validate, end[0], validation)[1]]
  })
  const all = shd.testAll()
  const test = jit((p: hk.Params): [NDArray, NDArray, NDArray] => {
    const predict = (obs: NDArray): NDArray =>
      np.argmax(np.sum(network.apply(p, np.unpackbits(obs, { axis: 1 })), { axis: 1 }), { axis: -1 })
    return [lax.map(predict, all.obs), all.labels, all.mask]
  })
  return { start: [params, optimiser.init(params)], epoch, test }
}
const anEpoch = async (sizes: TutorialSizes): Promise<Prepared> => {
  const { start, epoch } = await tutorial(sizes)
  return prepared(epoch, start, random.key(0))
}

export const tutorials: readonly Entry[] = [
  {
    name: 'tutorial-small',
    about: 'an epoch of `npm start` at its first settings: batch 16, 32 steps, 128-112-112-20, half policy',
    prepare: () => anEpoch({ batch: 16, steps: 32, channels: 128, hidden: 112, rate: 3e-4, seed: 0 }),
  },
]
