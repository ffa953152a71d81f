// Compiled, never run: parameters, the states of cores and of optimisers, and a whole training loop without annotations of results.
import { type Batch, type Loader, shiftAugment } from '@fluxion/data'
import { integralAccuracy, integralCrossentropy } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import { li, rlif } from '@fluxion/neurons'
import * as optim from '@fluxion/optim'
import { policy, setPolicy } from '@fluxion/precision'
import { scanProgress } from '@fluxion/progress'
import { arctan } from '@fluxion/surrogates'
import { type NDArray, type NestedNumbers, jit, lax, nn, np, random, valueAndGrad } from 'fluxion'
import { mlp, same, x } from './same.ts'

// Names of parameters by annotation; without one any name may be missing.
interface SnnParams {
  linear: { w: NDArray }
  RLIF: { w: NDArray; beta: NDArray }
}
const named: hk.Transformed<[NDArray], NDArray, SnnParams> = hk.transform((x: NDArray) => hk.linear(20)(x))
export const w: NDArray = named.init(random.key(0), x).linear.w

// States of a deep core stand in order, whether or not its layers come from a loop.
const deep = hk.deepRNN([rlif([8]), nn.relu, li([2])])
same<ReturnType<typeof deep.initialState>, [NDArray, NDArray]>(true)
const looped = hk.deepRNN([8, 8].map((n) => rlif([n])))
same<ReturnType<typeof looped.initialState>, NDArray[]>(true)
const chained = optim.chain(optim.centralize(), optim.lion(1e-4)).init(mlp)
same<typeof chained, [null, optim.LionState]>(true)

// A training loop.
declare const data: Loader
for (const factory of [hk.linear, rlif, li]) setPolicy(factory, policy('half'))
const snn = hk.withoutApplyRng(
  hk.transform((x: NDArray) => {
    const events = hk.batchApply(hk.linear(128, { withBias: false }))(x)
    const core = hk.deepRNN([rlif([128], { activation: arctan() }), hk.linear(20, { withBias: false }), li([20])])
    return hk.dynamicUnroll(core, events, core.initialState(x.shape[0]), { timeMajor: false, unroll: 10 })
  }),
)
const params = snn.init(random.key(0), data.trainEpoch(random.key(0)).obs.get(0))
export const unknownName: NDArray | undefined = params['linear']?.['w']

const descend = (epochs: number, schedule: number | optim.Schedule) => {
  const augment = shiftAugment({ maxShift: 16 })
  const rng = random.key(0)
  const optimiser = optim.chain(optim.centralize(), optim.lion(schedule))
  type State = [hk.Params, optim.State<typeof optimiser>]

  const loss = (p: hk.Params, events: NDArray, targets: NDArray) =>
    integralCrossentropy(snn.apply(p, events)[0], targets)
  const trainStep = jit(([p, s]: State, { obs, labels }: Batch) => {
    const events = augment(np.unpackbits(obs, { axis: 1 }), random.foldIn(rng, np.sum(labels)))
    const [value, grads] = valueAndGrad(loss)(p, events, labels)
    const [updates, next] = optimiser.update(grads, s, p)
    return [[optim.applyUpdates(p, updates), next], value]
  })
  const evalStep = jit((p: hk.Params, { obs, labels }: Batch) => {
    const [traces] = snn.apply(p, np.unpackbits(obs, { axis: 1 }))
    const [accuracy] = integralAccuracy(traces, labels)
    return [p, np.array([accuracy, integralCrossentropy(traces, labels)])]
  })
  const validation = data.valEpoch()
  const epoch = scanProgress(epochs)((state: State, i: NDArray) => {
    const [end, losses] = lax.scan(trainStep, state, data.trainEpoch(random.foldIn(rng, i)))
    const [, metrics] = lax.scan(evalStep, end[0], validation)
    return [end, np.concatenate([np.expandDims(np.mean(losses), 0), np.mean(metrics, { axis: 0 })])]
  })
  const [[final], metrics] = jit(() => lax.scan(epoch, [params, optimiser.init(params)], np.arange(epochs)))()
  return [final, metrics] as const
}
const [trained, metrics] = descend(1500, optim.linearSchedule(1e-5, 1e-2, 1000))
same<typeof trained, hk.Params>(true)
export const accuracies: NDArray = metrics.get(':', 1)
export const last: string = metrics.get(-1, 2).item().toFixed(3)

const testStep = jit((p: hk.Params, { obs, labels }: Batch) => {
  const [traces] = snn.apply(p, np.unpackbits(obs, { axis: 1 }))
  const [accuracy, predictions] = integralAccuracy(traces, labels)
  return [p, [accuracy, predictions, labels]]
})
const [, [accuracy, predictions]] = lax.scan(testStep, trained, data.testEpoch())
export const summary: number = np.mean(accuracy).item()
export const listed: NestedNumbers = predictions.ravel().toArray()
