/** A spiking network that learns to tell patterns of spikes apart by their timing: what the page trains, on whatever device is set. */
import { type NDArray, jit, lax, np, random, tree, valueAndGrad } from 'fluxion'
import { integralAccuracy, integralCrossentropy } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import { li, rlif } from '@fluxion/neurons'
import * as optim from '@fluxion/optim'
import { arctan } from '@fluxion/surrogates'

export const sizes = { classes: 4, channels: 16, steps: 32, hidden: 32, batch: 32, batches: 20, tested: 512 }
const { classes, channels, steps, hidden, batch, batches, tested } = sizes

const keysOf = (key: NDArray, count: number): NDArray[] => np.unstack(random.split(key, count))

/** How a sample differs from its pattern: each spike comes up to two steps early or late, one in ten is lost, others belong to no pattern. */
const noise = { jitter: 2, lost: 0.1, stray: 0.02 }

/**
 * The step at which each channel spikes, i32[classes, channels]. All patterns have the same spikes in different order, so that counting
 * them tells nothing.
 */
function makePatterns(key: NDArray): NDArray {
  const [first, last] = [noise.jitter, steps - 1 - noise.jitter]
  const times = np.floorDivide(np.arange(channels).mul(last - first), channels - 1).add(first)
  return random.permutation(key, np.tile(times, [classes, 1]), { axis: 1, independent: true })
}

/** A sample of the pattern of each label: spikes f32[samples, steps, channels]. What is drawn is exact, so that all devices train on the same. */
function draw(patterns: NDArray, labels: NDArray, key: NDArray): NDArray {
  const count = labels.shape[0]!
  const [ofJitter, ofLost, ofStray] = keysOf(key, 3)
  const jitter = random.randint(ofJitter!, [count, channels], -noise.jitter, noise.jitter + 1)
  const lost = random.bernoulli(ofLost!, [count, channels], { p: noise.lost })
  const times = np.where(lost, -1, np.take(patterns, labels, { axis: 0 }).add(jitter))
  const own = np.equal(np.expandDims(times, 1), np.arange(steps).reshape([1, steps, 1]))
  const stray = random.bernoulli(ofStray!, [count, steps, channels], { p: noise.stray })
  return np.logicalOr(own, stray).astype('float32')
}
const labelsOf = (key: NDArray, count: number): NDArray => random.randint(key, [count], 0, classes)

/** One layer of recurrent leaky integrate-and-fire neurons, and a leaky readout for each class: f[batch, time, channels] → f[batch, time, classes]. */
const network = hk.withoutApplyRng(
  hk.transform((spikes: NDArray) => {
    const currents = hk.batchApply(hk.linear(hidden, { wInit: hk.initializers.truncatedNormal(0.5) }))(spikes)
    const core = hk.deepRNN([rlif([hidden], { activation: arctan({ k: 1 }) }), hk.linear(classes), li([classes])])
    return hk.dynamicUnroll(core, currents, core.initialState(spikes.shape[0]!), { timeMajor: false })[0]
  }),
)
const optimiser = optim.adam(1e-2)
type State = [hk.Params, optim.State<typeof optimiser>]

/** What an epoch of training ended with. */
export interface Epoch {
  readonly number: number
  /** Mean training loss over its batches. */
  readonly loss: number
  /** The part of unseen samples that are told right. */
  readonly accuracy: number
  /** Of one step of training, on average; in the first epoch with compiling. */
  readonly milliseconds: number
}

/**
 * Prepare a run of training on the device that is set; each device starts from the same parameters and sees the same samples.
 *
 * @returns `examples`, a sample of each class; the number of `parameters`; and `train`, which trains for some epochs, each one call of a
 *   compiled program; only its loss, and the accuracy after it, are read
 */
export function makeTraining(seed = 0): {
  readonly examples: NDArray
  readonly parameters: number
  train(epochs: number): AsyncGenerator<Epoch, void, undefined>
} {
  const [ofPatterns, ofExamples, ofLabels, ofTest, ofParams, ofTraining] = keysOf(random.key(seed), 6)
  const patterns = makePatterns(ofPatterns!)
  const examples = draw(patterns, np.arange(classes), ofExamples!)
  const unseenLabels = labelsOf(ofLabels!, tested)
  const unseen = draw(patterns, unseenLabels, ofTest!)
  const params = network.init(ofParams!, examples)

  const loss = (params: hk.Params, spikes: NDArray, labels: NDArray): NDArray =>
    integralCrossentropy(network.apply(params, spikes), labels, { smoothing: 0 })
  const step = ([params, state]: State, key: NDArray): [State, NDArray] => {
    const [ofLabels, ofSamples] = keysOf(key, 2)
    const labels = labelsOf(ofLabels!, batch)
    const [value, grads] = valueAndGrad(loss)(params, draw(patterns, labels, ofSamples!), labels)
    const [updates, next] = optimiser.update(grads, state, params)
    return [[optim.applyUpdates(params, updates), next], value]
  }
  const epoch = jit((state: State, key: NDArray): [State, NDArray] => {
    const [next, losses] = lax.scan(step, state, random.split(key, batches))
    return [next, np.mean(losses)]
  })
  const evaluate = jit((params: hk.Params): NDArray => integralAccuracy(network.apply(params, unseen), unseenLabels)[0])
  async function* train(epochs: number): AsyncGenerator<Epoch, void, undefined> {
    let state: State = [params, optimiser.init(params)]
    for (let number = 1; number <= epochs; number++) {
      const start = performance.now()
      const [next, loss] = epoch(state, random.foldIn(ofTraining!, number))
      state = next
      const [lossNow] = await loss.data()
      const milliseconds = (performance.now() - start) / batches
      const [accuracy] = await evaluate(state[0]).data()
      yield { number, loss: lossNow!, accuracy: accuracy!, milliseconds }
    }
  }
  const parameters = tree.leaves(params).reduce((sum, leaf) => sum + leaf.size, 0)
  return { examples, parameters, train }
}
