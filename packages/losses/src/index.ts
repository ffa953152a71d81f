/** Losses, accuracies and regularisers for spiking networks. */
export {
  type CrossentropyOptions,
  type ReadoutOptions,
  type SpikerateOptions,
  integralAccuracy,
  integralCrossentropy,
  mseSpikerate,
} from './readout.ts'
export { silenceReg, sparsityReg } from './regularisers.ts'
