/** Training as `npm start` does it, measured: one epoch at its first, small settings, and whole trainings in one program. */
import { random } from 'fluxion'
import { type Entry, type Task, prepared } from './entry.ts'
import { network } from './network.ts'
import { type TutorialSizes, tutorial } from './tutorial.ts'

const small: TutorialSizes = { batch: 16, steps: 32, channels: 128, hidden: 112, rate: 3e-4, seed: 0 }
const full: TutorialSizes = { batch: 256, steps: 128, channels: 256, hidden: 128, rate: 3e-4, seed: 0 }
/** Of the built-in recordings 1024 are trained on and 256 validated with. */
const taskOf = ({ batch, steps, channels, hidden }: TutorialSizes, epochs: number): Task => ({
  kind: 'training',
  network: network({ batch, steps, channels, hidden, precision: 'half' }),
  batches: 1024 / batch,
  validation: 256 / batch,
  epochs,
})

export const trainings: readonly Entry[] = [
  {
    name: 'tutorial-small',
    about: 'an epoch of `npm start` at its first settings: batch 16, 32 steps, 128-112-112-20, half policy',
    task: taskOf(small, 1),
    prepare: async () => {
      const { start, epoch } = await tutorial(small)
      return prepared(epoch, start, random.key(0))
    },
  },
  ...(
    [
      ['training-small', 'four epochs of the same', small, 4],
      ['training', 'two epochs at the original size: batch 256, 128 steps, 256-128-128-20, half policy', full, 2],
    ] as const
  ).map(([name, about, sizes, epochs]) => ({
    name,
    about: `${about}, in one program: its first run must not take much longer than the next, compiling apart`,
    task: taskOf(sizes, epochs),
    prepare: async () => {
      const { start, training } = await tutorial(sizes)
      return prepared(training(epochs), start)
    },
  })),
]
