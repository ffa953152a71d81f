/** The program that `npm start` runs: an epoch of training and validation, and a whole training of them. */
import { type Jitted, type NDArray, jit, lax, np, random, valueAndGrad } from 'fluxion'
import { type Batch, shdLoader, shiftAugment } from '@fluxion/data'
import { integralAccuracy, integralCrossentropy } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import { li, rlif } from '@fluxion/neurons'
import * as optim from '@fluxion/optim'
import { policy, setPolicy } from '@fluxion/precision'
import { arctan } from '@fluxion/surrogates'

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
  /** Train for so many epochs in one program; gives loss, validation accuracy and validation loss of each. */
  readonly training: (epochs: number) => Jitted<[TutorialState], [TutorialState, NDArray]>
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
  const anEpoch = (state: TutorialState, key: NDArray): [TutorialState, NDArray, NDArray] => {
    const [end, losses] = lax.scan(train, state, shd.trainEpoch(key))
    return [end, losses, lax.scan(validate, end[0], validation)[1]]
  }
  const epoch = jit(anEpoch)
  const training = (epochs: number): ReturnType<Tutorial['training']> =>
    jit((start: TutorialState): [TutorialState, NDArray] => {
      const step = (state: TutorialState, i: NDArray): [TutorialState, NDArray] => {
        const [end, losses, metrics] = anEpoch(state, random.foldIn(rng, i))
        return [end, np.concatenate([np.expandDims(np.mean(losses), 0), np.mean(metrics, { axis: 0 })])]
      }
      return lax.scan(step, start, np.arange(epochs))
    })
  const all = shd.testAll()
  const test = jit((p: hk.Params): [NDArray, NDArray, NDArray] => {
    const predict = (obs: NDArray): NDArray =>
      np.argmax(np.sum(network.apply(p, np.unpackbits(obs, { axis: 1 })), { axis: 1 }), { axis: -1 })
    return [lax.map(predict, all.obs), all.labels, all.mask]
  })
  return { start: [params, optimiser.init(params)], epoch, training, test }
}
