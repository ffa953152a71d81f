/** Fluxion: the core's functions with the back ends that the platform has. */
import './setup.ts'

export * from '@fluxion/core'
export { ready, setThreads } from '@fluxion/wasm'
