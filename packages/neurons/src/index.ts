/** Spiking neuron models as recurrent cores. */
export type { DecayRule, NeuronOptions } from './decay.ts'
export { type IfOptions, type LiOptions, type LifOptions, type Recurrence, type RecurrentOptions, type RifOptions, integrateAndFire, li, lif, rif, rlif } from './leaky.ts'
