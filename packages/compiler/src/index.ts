/** Fluxion's compiler. */
export * from './loops/ir.ts'
export { type HostFunctions, interpretKernel } from './loops/interpret.ts'
