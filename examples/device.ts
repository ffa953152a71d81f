/** The device that an example runs on: opened by name, on machines without a GPU with SwiftShader in its place. */
import { spawnSync } from 'node:child_process'
import { env, execPath, platform } from 'node:process'
import { type DeviceName, backend, devices, setDevice } from 'fluxion'

export interface OpenDevice {
  /** With a GPU's own name. */
  readonly name: string
  /** Whether it is a GPU in name only: a driver that computes on the CPU, as if it were one. */
  readonly isEmulated: boolean
}

/** Asked for in a process of its own: once Dawn has looked for drivers, it finds no others. */
function hasGpu(): boolean {
  const code =
    "import('fluxion').then(async (f) => process.exit((await f.devices()).find((d) => d.name === 'webgpu').available ? 0 : 1))"
  const { FLUXION_DEVICE: _, ...others } = env
  return spawnSync(execPath, ['-e', code], { cwd: import.meta.dirname, env: others, stdio: 'ignore' }).status === 0
}

/** Open the device of that name, else the one that everything runs on by default. */
export async function openDevice(name?: DeviceName): Promise<OpenDevice> {
  if (name === 'webgpu' && platform === 'linux' && !hasGpu()) {
    // SwiftShader comes with what the tests are developed with. Without that, opening the device says what is missing.
    await import('../tools/swiftshader/swiftshader.ts')
      .then(({ useSwiftShader }) => useSwiftShader())
      .catch(() => false)
  }
  if (name !== undefined) await setDevice(name)
  const open = backend().name
  if (open !== 'webgpu') return { name: open, isEmulated: false }
  const { description } = (await devices()).find((device) => device.name === open)!
  return { name: `${open} (${description})`, isEmulated: /swiftshader|llvmpipe|lavapipe/i.test(description) }
}
