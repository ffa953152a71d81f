/** Fluxion's WebGPU back end. */
export { type WebGpu, createWebGpu } from './backend.ts'
export { type Device, type Limits, requestDevice } from './device/device.ts'
export { type Shaping, programFor } from './plan/plan.ts'
export type { Traits } from './print/traits.ts'
export { webgpu, webgpuDevice } from './device/provider.ts'
