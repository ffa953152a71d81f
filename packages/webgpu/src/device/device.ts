/// <reference types="@webgpu/types" />
// (not in the declarations: the DOM library of whoever reads them has these types, and would clash)
/** Devices: asked for once, from the browser or from the package `webgpu`; what goes wrong on them, as errors. */
import { DeviceError } from '@fluxion/core'
import type { Traits } from '../print/traits.ts'
import { hasOrderedSubgroups } from './subgroups.ts'

/** Features that are used where there are any. */
const wanted: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query']
/** Limits that are raised to what the adapter has. */
const raised = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const

let entry: Promise<GPU> | undefined
/** WebGPU's entry point: the browser's, else that of the package `webgpu`. */
function gpu(): Promise<GPU> {
  const here = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu
  if (here !== undefined) return Promise.resolve(here)
  entry ??= fromPackage()
  return entry
}
async function fromPackage(): Promise<GPU> {
  if (!('process' in globalThis)) {
    throw new DeviceError(
      'webgpu: this browser has no WebGPU, or none for this page\nhint: use a recent browser and https, or run on the CPU: await setDevice("wasm")',
    )
  }
  // Hidden from bundlers: a page has no use for it.
  const name = 'webgpu'
  let dawn: { create(options: readonly string[]): GPU; globals: object }
  try {
    dawn = (await import(/* @vite-ignore */ name)) as typeof dawn
  } catch (cause) {
    entry = undefined
    throw new DeviceError('webgpu: this platform has no WebGPU of its own\nhint: npm install webgpu', { cause })
  }
  Object.assign(globalThis, dawn.globals)
  // Timestamps in full: only pages have to be kept from measuring each other.
  return dawn.create(['disable-dawn-features=timestamp_quantization'])
}

/** The adapter that devices come from. */
export async function requestAdapter(): Promise<GPUAdapter> {
  const adapter = await (await gpu()).requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null || adapter === undefined) {
    throw new DeviceError(
      'webgpu: there is no GPU, or no driver for it\nhint: install a Vulkan driver (Mesa has one for CPUs), or run on the CPU: await setDevice("wasm")',
    )
  }
  return adapter
}
export const describeAdapter = ({ info }: GPUAdapter): string =>
  [info.vendor, info.description || info.device || info.architecture].filter((part) => part !== '').join(' ')

/** Whether a driver computes on the CPU. */
const isCpu = ({ architecture, description, isFallbackAdapter }: GPUAdapterInfo): boolean =>
  isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(`${architecture} ${description}`)

/** How much a device takes at once. */
export type Limits = Pick<
  GPUSupportedLimits,
  'maxBufferSize' | 'maxStorageBufferBindingSize' | 'maxStorageBuffersPerShaderStage'
>

/** A device, and what has gone wrong on it. */
export class Device {
  readonly gpu: GPUDevice
  readonly limits: Limits
  readonly description: string
  /** Why nothing runs on it any more. */
  #lost: DeviceError | undefined
  #failure: DeviceError | undefined
  readonly #onLost = new Set<() => void>()

  readonly traits: Traits

  /** @param limits those of the device, or lower ones */
  constructor(gpu: GPUDevice, description: string, traits: Traits, limits: Limits = gpu.limits) {
    this.gpu = gpu
    this.limits = limits
    this.description = description
    this.traits = traits
    gpu.addEventListener('uncapturederror', (event) => {
      event.preventDefault()
      this.report(deviceError('webgpu', event.error))
    })
    void this.#watch()
  }
  async #watch(): Promise<void> {
    const { reason, message } = await this.gpu.lost
    this.lose(reason === 'destroyed' ? 'it was destroyed' : message)
  }
  /** Whether it can still be used. */
  get isLost(): boolean {
    return this.#lost !== undefined
  }
  lose(why: string): void {
    if (this.#lost !== undefined) return
    this.#lost = new DeviceError(
      `webgpu: the device is lost: ${why}\nhint: await setDevice('webgpu') opens a new one; arrays that were on the lost one are gone`,
    )
    for (const tell of this.#onLost) tell()
  }
  onLost(tell: () => void): void {
    this.#onLost.add(tell)
  }
  /** Something has failed that no call was waiting for. */
  report(error: DeviceError): void {
    this.#failure ??= error
  }
  /** What has failed that no caller has heard of yet; the one that takes it tells it. */
  takeFailure(): DeviceError | undefined {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }
  /** Throw if the device is lost, or if something failed on it that no caller has heard of yet. */
  check(): void {
    if (this.#lost !== undefined) throw this.#lost
    const failure = this.takeFailure()
    if (failure !== undefined) throw failure
  }
  /** Wait for something that never comes from a lost device. */
  async wait<T>(what: Promise<T>): Promise<T> {
    if (this.#lost !== undefined) throw this.#lost
    let tell = (): void => {}
    const lost = new Promise<never>((_, reject) => (tell = () => reject(this.#lost!)))
    this.#onLost.add(tell)
    try {
      return await Promise.race([what, lost])
    } catch (error) {
      // What a lost device rejects with says less than why it is lost.
      throw this.#lost ?? error
    } finally {
      this.#onLost.delete(tell)
    }
  }
}

/** What WebGPU reports, as an error of ours. */
export function deviceError(where: string, error: GPUError): DeviceError {
  const memory = error.constructor.name === 'GPUOutOfMemoryError'
  const hint = 'free arrays with dispose() or `using`, donate them to jit (donateArgnums), or use smaller batches'
  return new DeviceError(
    memory ? `${where}: the GPU is out of memory: ${error.message}\nhint: ${hint}` : `${where}: ${error.message}`,
  )
}

/**
 * Open a device with all that its adapter offers.
 *
 * @throws DeviceError if there is none here, with what to do
 */
export async function requestDevice(): Promise<Device> {
  const adapter = await requestAdapter()
  const limits = Object.fromEntries(raised.map((name) => [name, adapter.limits[name]]))
  const features = wanted.filter((feature) => adapter.features.has(feature))
  const device = await adapter.requestDevice({ requiredFeatures: features, requiredLimits: limits, label: 'fluxion' })
  const shared = !isCpu(adapter.info)
  const subgroups = shared && features.includes('subgroups') && (await hasOrderedSubgroups(device))
  const { maxComputeWorkgroupStorageSize: bytes, maxComputeInvocationsPerWorkgroup: invocations } = device.limits
  const half = features.includes('shader-f16')
  return new Device(device, describeAdapter(adapter), { shared, subgroups, half, workgroup: { bytes, invocations } })
}
