/** `nn`: activation functions, what networks normalise with, attention, and the first values of parameters. */
export * from './activations.ts'
export { type AttentionOptions, dotProductAttention } from './attention.ts'
export * as initializers from './initializers.ts'
export type { Initializer } from './initializers.ts'
export { oneHot } from './oneHot.ts'
export * from './smooth.ts'
export * from './softmax.ts'
export { type StandardizeOptions, standardize } from './standardize.ts'
