// Makes WebGPU run on machines without a GPU: SwiftShader, a Vulkan driver for CPUs, from the archive that @sparticuz/chromium brings along.
import { constants } from 'node:os'
import { join } from 'node:path'
import { env, platform } from 'node:process'
import { unpacked } from '../chromium/unpack.ts'

const driver = 'vk_swiftshader_icd.json'

let done: Promise<boolean> | undefined
/**
 * Let the package `webgpu` find SwiftShader; to be awaited before that package is loaded. Only Linux needs it: elsewhere the system has a
 * driver for CPUs of its own. With `FLUXION_GPU=hardware` nothing happens, so that tests run on the machine's GPU.
 *
 * @returns whether SwiftShader is in use
 */
export function useSwiftShader(): Promise<boolean> {
  done ??= load()
  return done
}
async function load(): Promise<boolean> {
  if (platform !== 'linux' || env['FLUXION_GPU'] === 'hardware') return false
  const folder = await unpacked('swiftshader', ['swiftshader.tar.br'])
  env['VK_ICD_FILENAMES'] = env['VK_DRIVER_FILES'] = join(folder, driver)
  env['XDG_RUNTIME_DIR'] ??= folder
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen as { RTLD_NOW: number; RTLD_GLOBAL: number }
  const keepLoaded = 0x1000 // RTLD_NODELETE
  try {
    process.dlopen({ exports: {} }, join(folder, 'libvulkan.so.1'), keepLoaded | RTLD_NOW | RTLD_GLOBAL)
  } catch (error) {
    // Expected: it is no addon of Node's, but it stays loaded, where Dawn finds it by name.
    if (!String(error).includes('did not self-register')) throw error
  }
  return true
}
