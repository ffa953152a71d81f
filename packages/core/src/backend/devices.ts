/** The devices that there are, by name, and which of them operations run on. */
import { DeviceError, OptionError, misuse } from '../errors.ts'
import { setting } from '../setting.ts'
import type { Backend } from './interface.ts'

export type DeviceName = 'reference' | 'wasm' | 'webgpu'
/** What a device is and can do. */
export interface DeviceInfo {
  readonly name: DeviceName
  /** Whether it can be used here; `why` says what is missing if not. */
  readonly available: boolean
  readonly why?: string
  /** The hardware or engine behind it, in its own words. */
  readonly description: string
  /** What it can do beyond what every device can: `simd`, `relaxed-simd`, `shader-f16`, … */
  readonly features: readonly string[]
  readonly limits: Readonly<Record<string, number>>
}
/** How a package brings a device along. */
export interface DeviceProvider {
  readonly name: DeviceName
  /** The back end, opened if need be; rejects with a `DeviceError` that says what to do. */
  open(): Promise<Backend>
  /** The back end if it needs no opening, or is open. */
  opened(): Backend | undefined
  describe(): Promise<DeviceInfo>
}

const providers = new Map<DeviceName, DeviceProvider>()
let chosen: Backend | undefined

/** Make a device known; a package that has one calls this when it is loaded by the umbrella. */
export const provideDevice = (provider: DeviceProvider): void => {
  providers.set(provider.name, provider)
}

/** The back end that eager operations and `jit` use. */
export function backend(): Backend {
  if (chosen !== undefined) return chosen
  const wanted = setting('FLUXION_DEVICE')
  chosen = wanted === undefined ? cpuBackend() : backendNamed('FLUXION_DEVICE', wanted as DeviceName)
  return chosen
}
/** The back end that needs no GPU: what host functions compute with, since they read their arrays at once. */
export function cpuBackend(): Backend {
  const found = providers.get('wasm')?.opened() ?? providers.get('reference')?.opened()
  if (found === undefined)
    throw new DeviceError('no back end is set: import `fluxion` or `@fluxion/core`, not one of their files')
  return found
}
export const setBackend = (next: Backend): void => {
  chosen = next
}

function providerNamed(where: string, name: string): DeviceProvider {
  const provider = providers.get(name as DeviceName)
  if (provider === undefined) {
    throw new OptionError(misuse(where, `a device among ${[...providers.keys()].join(', ')}`, `'${name}'`))
  }
  return provider
}
/** A back end that can be used at once. */
export function backendNamed(where: string, name: DeviceName): Backend {
  const found = providerNamed(where, name).opened()
  if (found === undefined) {
    throw new DeviceError(
      `${where}: the device '${name}' is not open yet\nhint: await setDevice('${name}') once, before its first use`,
    )
  }
  return found
}

/**
 * Choose the device that operations run on from now on. Arrays that live on another one are moved when they are used.
 *
 * @param name `'wasm'`, the default; `'webgpu'`, which is asked for once; `'reference'`, plain TypeScript, the slow oracle of both
 * @throws DeviceError if there is no such device here, with what to do; OptionError for another name
 * @example
 * ```ts
 * import { jit, np, setDevice } from 'fluxion'
 * await setDevice('wasm')
 * const grown = jit((x) => x.add(1))(np.ones([3]))
 * const numbers = await grown.data() // reading like this works on every device
 * numbers.join() // => '2,2,2'
 * await setDevice('tpu') // => OptionError: expected a device among reference, wasm, webgpu, got 'tpu'
 * ```
 */
export async function setDevice(name: DeviceName): Promise<void> {
  const provider = providerNamed('setDevice', name)
  // What needs no opening takes effect at once, for callers who do not wait.
  const opened = provider.opened()
  if (opened === undefined) setBackend(await provider.open())
  else setBackend(opened)
}

/** Open the device that `FLUXION_DEVICE` names, if it needs opening: what the umbrella waits for when it is loaded. */
export async function openNamedDevice(): Promise<void> {
  const name = setting('FLUXION_DEVICE')
  if (
    name !== undefined &&
    providers.get(name as DeviceName)?.opened() === undefined &&
    providers.has(name as DeviceName)
  )
    await setDevice(name as DeviceName)
}

/**
 * List the devices that there are, whether they can be used here, and what they can do. Nothing is opened.
 *
 * @example
 * ```ts
 * import { devices } from 'fluxion'
 * const found = new Map((await devices()).map((device) => [device.name, device]))
 * const { available, features } = found.get('wasm')
 * available // => true
 * features.includes('simd') // => true
 * found.get('reference').features // => ['float64']
 * ```
 */
export function devices(): Promise<DeviceInfo[]> {
  return Promise.all([...providers.values()].map((provider) => provider.describe()))
}
