/** Fluxion's compiler. */
export * from './loops/ir.ts'
export { type HostFunctions, interpretKernel } from './loops/interpret.ts'
export * from './loops/build.ts'
export * from './loops/indices.ts'
export * from './loops/visit.ts'
export * from './program/program.ts'
