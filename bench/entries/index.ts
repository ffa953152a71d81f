/** Everything that is measured. */
import type { Entry } from './entry.ts'
import { operations } from './kernels.ts'
import { trainStepNamed, trainSteps } from './trainSteps.ts'
import { trainings } from './training.ts'

export const entries: readonly Entry[] = [...trainSteps, ...trainings, ...operations]

/** The entry of that name; names such as `net-alif-3-b64-t128-dense-half` need not be in the list. */
export const entryNamed = (name: string): Entry | undefined =>
  entries.find((entry) => entry.name === name) ?? trainStepNamed(name)
