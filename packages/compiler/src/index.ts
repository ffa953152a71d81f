/** Fluxion's compiler. */
export * from './loops/ir.ts'
