/** Everything that is measured. */
import type { Entry } from './entry.ts'
import { operations } from './kernels.ts'
import { trainSteps } from './trainStep.ts'
import { tutorials } from './tutorial.ts'

export const entries: readonly Entry[] = [...trainSteps, ...tutorials, ...operations]
