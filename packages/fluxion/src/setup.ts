/** Makes the devices known that come with the umbrella. */
import { type DeviceProvider, openNamedDevice, provideDevice } from '@fluxion/core'
import { wasmDevice } from '@fluxion/wasm'

provideDevice(wasmDevice)

let webgpu: DeviceProvider | undefined
/** Loaded when it is first asked for: programs and pages that stay on the CPU do without. */
const load = async (): Promise<DeviceProvider> => (webgpu ??= (await import('@fluxion/webgpu')).webgpuDevice)
provideDevice({
  name: 'webgpu',
  open: async () => (await load()).open(),
  opened: () => webgpu?.opened(),
  describe: async () => (await load()).describe(),
})

// With FLUXION_DEVICE=webgpu a program runs on the GPU as it is written: the first operation finds the device open.
await openNamedDevice()
