/** What is measured: each entry makes a step to be called again and again, at the sizes of the tutorial. */
import { type NDArray, jit, np, random, tree, valueAndGrad } from 'fluxion'
import { integralCrossentropy } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import { type Recurrence, li, rlif } from '@fluxion/neurons'
import { policy, setPolicy } from '@fluxion/precision'
import { arctan } from '@fluxion/surrogates'

/** A step, ready to run; `lower` traces and compiles without running, where there is something to compile. */
export interface Prepared {
  readonly run: () => void
  readonly lower?: () => void
}
export interface Entry {
  readonly name: string
  readonly about: string
  readonly prepare: () => Prepared
}

interface TrainStep {
  readonly precision: 'full' | 'half'
  readonly recurrence: Recurrence
}
/** Loss and gradients of the tutorial's network on one batch: 256 recordings of 128 steps and 256 channels, 7 % of them events. */
function trainStep({ precision, recurrence }: TrainStep): Prepared {
  for (const module of [hk.linear, rlif, li]) setPolicy(module, policy(precision))
  const network = hk.withoutApplyRng(
    hk.transform((x: NDArray) => {
      const events = hk.batchApply(hk.linear(128, { withBias: false }))(x)
      const core = hk.deepRNN([
        rlif([128], { activation: arctan(), recurrence }),
        hk.linear(128, { withBias: false }),
        rlif([128], { activation: arctan(), recurrence }),
        hk.linear(20, { withBias: false }),
        li([20]),
      ])
      return hk.dynamicUnroll(core, events, core.initialState(x.shape[0]), { timeMajor: false })
    }),
  )
  const events = random.bernoulli(random.key(0), [256, 128, 256], { p: 0.07 }).astype('uint8')
  const labels = random.randint(random.key(1), [256], 0, 20)
  const params = network.init(random.key(2), events.get(':1'))
  const packed = np.packbits(events, { axis: 1 })
  const loss = (p: hk.Params, x: NDArray, y: NDArray): NDArray => integralCrossentropy(network.apply(p, x)[0], y)
  const step = jit((p: hk.Params, x: NDArray, y: NDArray) => valueAndGrad(loss)(p, np.unpackbits(x, { axis: 1 }), y))
  return {
    run: () => {
      // Reading a gradient waits for the step, whatever runs it.
      const [, grads] = step(params, packed, labels)
      tree.leaves(grads)[0]!.dataSync()
    },
    lower: () => void step.lower(params, packed, labels),
  }
}

export const entries: readonly Entry[] = [
  {
    name: 'train-step',
    about: 'elementwise RLIF, float32',
    prepare: () => trainStep({ precision: 'full', recurrence: 'elementwise' }),
  },
  {
    name: 'train-step-half',
    about: 'elementwise RLIF, half policy',
    prepare: () => trainStep({ precision: 'half', recurrence: 'elementwise' }),
  },
  {
    name: 'train-step-dense',
    about: 'dense recurrence, float32',
    prepare: () => trainStep({ precision: 'full', recurrence: 'dense' }),
  },
]
