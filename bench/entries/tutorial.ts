/** The program that `npm start` runs, at the settings it first had: one epoch of training and validation. */
import { type NDArray, jit, lax, np, random, valueAndGrad } from 'fluxion'
import { type Batch, shdLoader, shiftAugment } from '@fluxion/data'
import { integralAccuracy, integralCrossentropy } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import { li, rlif } from '@fluxion/neurons'
import * as optim from '@fluxion/optim'
import { policy, setPolicy } from '@fluxion/precision'
import { arctan } from '@fluxion/surrogates'
import { type Entry, type Prepared, prepared } from './entry.ts'

interface Sizes {
  readonly batch: number
  readonly steps: number
  readonly channels: number
  readonly hidden: number
}
async function epoch({ batch, steps, channels, hidden }: Sizes): Promise<Prepared> {
  for (const module of [hk.linear, rlif, li]) setPolicy(module, policy('half'))
  const shd = await shdLoader({ batchSize: batch, sampleT: steps, channels })
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
  const rng = random.key(0)
  const params = network.init(rng, shd.trainEpoch(rng).obs.get(0))
  const loss = (p: hk.Params, x: NDArray, y: NDArray): NDArray => integralCrossentropy(network.apply(p, x), y)
  const optimiser = optim.chain(optim.centralize(), optim.lion(3e-4))
  const augment = shiftAugment({ maxShift: channels / 32 })
  type State = [hk.Params, optim.State<typeof optimiser>]
  const train = ([p, state]: State, { obs, labels }: Batch): [State, NDArray] => {
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
  const run = jit((state: State, key: NDArray): [State, NDArray, NDArray] => {
    const [end, losses] = lax.scan(train, state, shd.trainEpoch(key))
    return [end, losses, lax.scan(validate, end[0], validation)[1]]
  })
  return prepared(run, [params, optimiser.init(params)] as State, rng)
}

export const tutorials: readonly Entry[] = [
  {
    name: 'tutorial-small',
    about: 'an epoch of `npm start` at its first settings: batch 16, 32 steps, 128-112-112-20, half policy',
    prepare: () => epoch({ batch: 16, steps: 32, channels: 128, hidden: 112 }),
  },
]
