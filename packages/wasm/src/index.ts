/** Fluxion's WebAssembly back end. */
export { type WasmOptions, createWasm, ready, wasm, wasmDevice } from './backend.ts'
export { setThreads } from './threads/threads.ts'
export { type ScriptOptions, type ScriptWorker, runInWorker } from './threads/script.ts'
