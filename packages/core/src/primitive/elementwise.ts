/** Elementwise operations: all that the files of `elementwise/` define. */
export * from './elementwise/arithmetic.ts'
export * from './elementwise/compare.ts'
export * from './elementwise/convert.ts'
export * from './elementwise/power.ts'
export * from './elementwise/select.ts'
export * from './elementwise/special.ts'
export * from './elementwise/unary.ts'
export { addAny } from './elementwise/table.ts'
