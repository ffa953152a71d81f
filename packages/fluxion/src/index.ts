/** Fluxion: the core's functions with the back ends that the platform has. */
import './setup.ts'

export * from '@fluxion/core'
export { type ScriptOptions, type ScriptWorker, ready, runInWorker, setThreads } from '@fluxion/wasm'
