/** Makes the back end that the core brings along known, and records the process if that was asked for. */
import { provideDevice } from './backend/devices.ts'
import { reference } from './backend/reference/backend.ts'
import { traceProcess } from './profiler/trace.ts'

provideDevice({
  name: 'reference',
  open: () => Promise.resolve(reference),
  opened: () => reference,
  describe: () =>
    Promise.resolve({
      name: 'reference',
      available: true,
      description: 'plain TypeScript, one thread',
      features: ['float64'],
      limits: {},
    }),
})

traceProcess()
