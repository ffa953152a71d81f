/** Fluxion: the core's functions with the back ends that the platform has. */
export * from '@fluxion/core'
