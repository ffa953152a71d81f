// Makes WebGPU run on machines without a GPU: SwiftShader, a Vulkan driver for CPUs, from the archive that @sparticuz/chromium brings along.
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { env, pid, platform } from 'node:process'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createBrotliDecompress } from 'node:zlib'
import { extract } from 'tar'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const driver = 'vk_swiftshader_icd.json'

/** The folder that holds the driver; it is unpacked there once for each version of the package. */
async function unpacked(): Promise<string> {
  const chromium = dirname(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))))
  const { version } = JSON.parse(await readFile(join(chromium, 'package.json'), 'utf8')) as { version: string }
  const folder = join(root, '.cache', 'swiftshader', version)
  if (existsSync(join(folder, driver))) return folder
  // Another process may unpack at the same time: each does so apart, and the first one's folder stays.
  const apart = `${folder}.${pid}`
  await mkdir(apart, { recursive: true })
  await pipeline(
    createReadStream(join(chromium, 'bin', 'swiftshader.tar.br')),
    createBrotliDecompress(),
    extract({ cwd: apart }),
  )
  await rename(apart, folder).catch(() => rm(apart, { recursive: true }))
  return folder
}

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
  const folder = await unpacked()
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
