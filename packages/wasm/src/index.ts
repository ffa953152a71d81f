/** Fluxion's WebAssembly back end. */
export { type WasmOptions, createWasm, wasm, wasmDevice } from './backend.ts'
