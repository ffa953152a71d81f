/** Loss and gradients of the tutorial's network on one batch, in three ways, and how they grow with the number of steps. */
import { type NDArray, jit, np, random, valueAndGrad } from 'fluxion'
import { integralCrossentropy } from '@fluxion/losses'
import * as hk from '@fluxion/modules'
import { type Recurrence, li, rlif } from '@fluxion/neurons'
import { policy, setPolicy } from '@fluxion/precision'
import { arctan } from '@fluxion/surrogates'
import { type Entry, type Prepared, prepared } from './entry.ts'

interface TrainStep {
  readonly precision: 'full' | 'half'
  readonly recurrence: Recurrence
  readonly steps?: number
}
/** 256 recordings of 256 channels, 7 % of them events. */
function trainStep({ precision, recurrence, steps = 128 }: TrainStep): Prepared {
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
  const events = random.bernoulli(random.key(0), [256, steps, 256], { p: 0.07 }).astype('uint8')
  const labels = random.randint(random.key(1), [256], 0, 20)
  const params = network.init(random.key(2), events.get(':1'))
  const packed = np.packbits(events, { axis: 1 })
  const loss = (p: hk.Params, x: NDArray, y: NDArray): NDArray => integralCrossentropy(network.apply(p, x)[0], y)
  const step = jit((p: hk.Params, x: NDArray, y: NDArray) => valueAndGrad(loss)(p, np.unpackbits(x, { axis: 1 }), y))
  return prepared(step, params, packed, labels)
}

export const trainSteps: readonly Entry[] = [
  {
    name: 'train-step',
    about: 'the tutorial: batch 256, 128 steps, 256-128-128-20, elementwise RLIF, float32',
    prepare: () => trainStep({ precision: 'full', recurrence: 'elementwise' }),
  },
  {
    name: 'train-step-half',
    about: 'the same under the half policy',
    prepare: () => trainStep({ precision: 'half', recurrence: 'elementwise' }),
  },
  {
    name: 'train-step-dense',
    about: 'the same with dense recurrence, float32',
    prepare: () => trainStep({ precision: 'full', recurrence: 'dense' }),
  },
  ...[32, 64, 256].map((steps) => ({
    name: `train-step-${steps}`,
    about: `the first with ${steps} steps: cost must be linear in them`,
    prepare: () => trainStep({ precision: 'full', recurrence: 'elementwise', steps }),
  })),
]
