/** Spiking neuron models as recurrent cores. */
export type { DecayRule, NeuronOptions } from './shared.ts'
export type { Recurrence } from './recurrence.ts'
export { type IfOptions, type LiOptions, type LifOptions, integrateAndFire, li, lif } from './leaky.ts'
export { type RifOptions, type RlifOptions, rif, rlif } from './recurrent.ts'
export { type AlifOptions, alif } from './adaptive.ts'
export { type CuBaLifOptions, type RCuBaLifOptions, cuBaLIF, rCuBaLIF } from './currents.ts'
export { activityRegularization } from './activity.ts'
export { type SumPoolOptions, populationCode, sumPool } from './pooling.ts'
