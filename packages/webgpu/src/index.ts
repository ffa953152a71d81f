/** Fluxion's WebGPU back end. */
export { type WebGpu, createWebGpu } from './backend.ts'
export { type Device, requestDevice } from './device.ts'
export { webgpu, webgpuDevice } from './provider.ts'
