/** Random numbers, JAX's bit for bit: every function takes a key, and gives the same numbers for the same key. */
export { type Key, PRNGKey, clone, foldIn, key, keyData, split, wrapKeyData } from './key.ts'
export { type BitsOptions, type UniformOptions, bits, uniform } from './uniform.ts'
export { normal } from './normal.ts'
