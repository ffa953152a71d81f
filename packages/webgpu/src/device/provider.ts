/** WebGPU as one of the devices that there are. */
import type { DeviceInfo, DeviceProvider } from '@fluxion/core'
import { type WebGpu, createWebGpu } from '../backend.ts'
import { describeAdapter, requestAdapter, requestDevice } from './device.ts'

let opened: WebGpu | undefined
/** The back end on the device that was opened last; nothing if it is lost, or none was opened. */
const current = (): WebGpu | undefined => (opened?.device.isLost === true ? undefined : opened)

let opening: Promise<WebGpu> | undefined
/** Open a device, or give the one that is open; after a lost one, a new one. */
export function webgpu(): Promise<WebGpu> {
  const known = current()
  if (known !== undefined) return Promise.resolve(known)
  opening ??= requestDevice()
    .then((device) => (opened = createWebGpu(device)))
    .finally(() => (opening = undefined))
  return opening
}

const shown = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
] as const
export const webgpuDevice: DeviceProvider = {
  name: 'webgpu',
  open: webgpu,
  opened: current,
  async describe(): Promise<DeviceInfo> {
    try {
      const adapter = await requestAdapter()
      return {
        name: 'webgpu',
        available: true,
        description: describeAdapter(adapter),
        features: [...adapter.features],
        limits: Object.fromEntries(shown.map((name) => [name, adapter.limits[name]])),
      }
    } catch (error) {
      const why = (error as Error).message
      return { name: 'webgpu', available: false, why, description: 'no GPU', features: [], limits: {} }
    }
  },
}
