/** Spike functions with surrogate gradients. */
export { type Activation, type CustomOptions, custom, heaviside } from './activation.ts'
export { arctan, boxcar, sigmoid, straightThrough, superspike, tanh, triangular } from './surrogates.ts'
