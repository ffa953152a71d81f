// %% [markdown]
// # Training an SNN using surrogate gradients
// A recurrent spiking network learns spoken digits by gradient descent. This follows the tutorial of Spyx cell by cell, in Fluxion.
// Run it with `npm start`; `npm start -- --help` lists the sizes that can be set.

// %% Imports
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type NDArray, type Tree, jit, lax, np, random, valueAndGrad } from 'fluxion'
import { type Batch, shdLoader, shiftAugment } from '@fluxion/data'
import { integralAccuracy, integralCrossentropy } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import { li, rlif } from '@fluxion/neurons'
import * as optim from '@fluxion/optim'
import { confusionFigure, confusionMatrix, curve, figure, horizontalLine, savefig } from '@fluxion/plot/node'
import { policy, setPolicy } from '@fluxion/precision'
import { scanProgress } from '@fluxion/progress'
import { arctan } from '@fluxion/surrogates'
import { describe, readSettings, shiftOf } from './settings.ts'

const settings = await readSettings()
console.log(`settings\n${describe(settings)}`)
console.log(`device: ${settings.device.name}`)

// %% [markdown]
// ## Mixed precision
// Parameters, computation and results of these modules are all in half precision, or in full.
// %%
for (const module of [hk.linear, rlif, li]) setPolicy(module, policy(settings.precision))

// %% [markdown]
// ## Data loading
// Binary events, packed along time: eight steps to the byte. The built-in recordings are synthetic speech in the layout of the Spiking
// Heidelberg Digits; a folder with the real files gives the real thing.
// %%
const shd = await shdLoader({
  batchSize: settings.batch,
  sampleT: settings.steps,
  channels: settings.channels,
  seed: settings.seed,
  ...(settings.data === undefined ? {} : { path: settings.data }),
})
const { obs } = shd.trainEpoch(random.key(settings.seed))
console.log(
  `data: ${settings.data ?? 'built-in spoken digits (synthetic speech)'}; one training epoch is ${obs.dtype}[${obs.shape.join(',')}]`,
)

// %% [markdown]
// ## The network
// Two recurrent layers of leaky integrate-and-fire neurons and a leaky readout. Spikes are all or nothing, so their derivative is
// replaced by that of an arctangent. The layers' states travel through a compiled loop over time.
// %%
const surrogate = arctan()

const shdSnn = (x: NDArray) => {
  const events = hk.batchApply(hk.linear(settings.hidden, { withBias: false }))(x)
  const core = hk.deepRNN([
    rlif([settings.hidden], { activation: surrogate }),
    hk.linear(settings.hidden, { withBias: false }),
    rlif([settings.hidden], { activation: surrogate }),
    hk.linear(20, { withBias: false }),
    li([20]),
  ])
  return hk.dynamicUnroll(core, events, core.initialState(x.shape[0]), { timeMajor: false, unroll: 10 })
}
// Nothing in the network is random, so `apply` takes no key.
const snn = hk.withoutApplyRng(hk.transform(shdSnn))
const initialParams = snn.init(random.key(settings.seed), obs.get(0))

// %% [markdown]
// ## Gradient descent
// Epochs, batches and time steps are nested scans of one compiled program: shuffling, augmentation, training and validation included.
// %%
const loss = (params: hk.Params, events: NDArray, targets: NDArray): NDArray =>
  integralCrossentropy(snn.apply(params, events)[0], targets)
const rng = random.key(settings.seed)

const evalStep = jit((params: hk.Params, { obs, labels }: Batch) => {
  const [traces] = snn.apply(params, np.unpackbits(obs, { axis: 1 }))
  const [accuracy] = integralAccuracy(traces, labels)
  return [params, np.array([accuracy, integralCrossentropy(traces, labels)])]
})

async function descend<S extends Tree>(
  message: string,
  optimiser: optim.Transformation<S>,
  augment: (data: NDArray, key: NDArray) => NDArray,
) {
  type State = [hk.Params, S]
  const trainStep = jit(([params, state]: State, { obs, labels }: Batch): [State, NDArray] => {
    const events = np.unpackbits(obs, { axis: 1 }) // time, one step to the byte again
    const shifted = augment(events, random.foldIn(rng, np.sum(labels)))
    const [value, grads] = valueAndGrad(loss)(params, shifted, labels)
    const [updates, next] = optimiser.update(grads, state, params)
    return [[optim.applyUpdates(params, updates), next], value]
  })
  const validation = shd.valEpoch()
  const bar = scanProgress(settings.epochs, {
    message,
    metrics: (y: NDArray) => ({ loss: y.get(0), 'val accuracy': y.get(1) }),
  })
  const epoch = bar((state: State, i: NDArray): [State, NDArray] => {
    const [end, losses] = lax.scan(trainStep, state, shd.trainEpoch(random.foldIn(rng, i)))
    const [, metrics] = lax.scan(evalStep, end[0], validation)
    return [end, np.concatenate([np.expandDims(np.mean(losses), 0), np.mean(metrics, { axis: 0 })])]
  })
  const start: State = [initialParams, optimiser.init(initialParams)]
  const [[params], metrics] = jit(() => lax.scan(epoch, start, np.arange(settings.epochs)))()
  // On a GPU everything so far is only queued: reading waits for it.
  const column = async (i: number): Promise<number[]> => [...(await metrics.get(':', i).data())]
  const [trainLoss, valAccuracy, valLoss] = [await column(0), await column(1), await column(2)]
  const last = (values: number[]): string => values.at(-1)!.toFixed(3)
  console.log(
    `${message}: train loss ${last(trainLoss)}, validation accuracy ${last(valAccuracy)}, validation loss ${last(valLoss)}`,
  )
  return { params, valAccuracy, valLoss }
}

// %% [markdown]
// ## A learning rate that grows: where does training break?
// The schedule counts steps, of which an epoch has as many as there are batches. (The original plots the rate by epochs; here each
// epoch stands at the rate that it ends with.)
// %%
const batches = obs.shape[0]
const warmUp = optim.linearSchedule(1e-5, 10 * settings.rate, settings.epochs * batches)
const augment = shiftAugment({ maxShift: shiftOf(settings) })
const ramp = await descend('rate ramp', optim.lion(warmUp), augment)

mkdirSync(settings.out, { recursive: true })
const picture = (name: string): string => join(settings.out, name)
const rates = await warmUp(np.arange(1, settings.epochs + 1).mul(batches)).data()
savefig(
  figure([curve([...rates], ramp.valLoss, { label: 'validation loss' })], {
    title: 'Lion with a growing learning rate',
    xLabel: 'learning rate',
    yLabel: 'validation loss',
    xScale: 'log',
  }),
  picture('learning_rate.png'),
)

// %% [markdown]
// ## Training, without and with gradient centralization
// Centralization subtracts from each weight matrix's gradient its mean over all axes but the first.
// %%
const plain = await descend('without centralization', optim.lion(settings.rate), augment)
const centralized = await descend(
  'with centralization',
  optim.chain(optim.centralize(), optim.lion(settings.rate)),
  augment,
)

savefig(
  figure(
    [
      curve(plain.valAccuracy, { label: 'no gradient centralization' }),
      curve(centralized.valAccuracy, { label: 'gradient centralization' }),
      horizontalLine(0.9, { dashed: true, color: 'black' }),
    ],
    {
      title: 'Impact of gradient centralization',
      xLabel: 'epoch',
      yLabel: 'validation accuracy',
      yTicks: [0, 0.2, 0.4, 0.6, 0.8, 1],
    },
  ),
  picture('centralization.png'),
)

// %% [markdown]
// ## Evaluation on the test set
// Every test recording counts: the last batch is padded, and the padding left out. Two of the speakers were not heard in training.
// (The original's first evaluation "on the test set" runs on the validation set; this is the test set.)
// %%
const testStep = jit((params: hk.Params, { obs }: { obs: NDArray }) => {
  const [traces] = snn.apply(params, np.unpackbits(obs, { axis: 1 }))
  return [params, np.argmax(np.sum(traces, { axis: 1 }), { axis: -1 })]
})
const test = shd.testAll()
const [, predicted] = lax.scan(testStep, centralized.params, { obs: test.obs })
const [labels, predictions, counts, heard] = await Promise.all(
  [test.labels, predicted, test.mask, test.heard].map(async (x) => [...(await x.ravel().data())]),
)
const results = labels!.flatMap((label, i) =>
  counts![i] === 1 ? [{ label, prediction: predictions![i]!, heard: heard![i] === 1 }] : [],
)
const report = (name: string, chosen: typeof results): string => {
  const accuracy = chosen.filter(({ label, prediction }) => label === prediction).length / chosen.length
  return `${name} ${accuracy.toFixed(3)} (n=${chosen.length}, chance 0.050)`
}

savefig(
  confusionFigure(
    confusionMatrix(
      results.map((r) => r.label),
      results.map((r) => r.prediction),
      20,
    ),
    {
      title: 'Spoken digits: 0–9 English, 10–19 German',
    },
  ),
  picture('confusion.png'),
)
console.log(`pictures: ${['learning_rate.png', 'centralization.png', 'confusion.png'].map(picture).join(', ')}`)
console.log(
  report(
    'accuracy on voices heard in training',
    results.filter((r) => r.heard),
  ),
)
console.log(
  report(
    'accuracy on voices not heard in training',
    results.filter((r) => !r.heard),
  ),
)
console.log(report('test accuracy', results))
