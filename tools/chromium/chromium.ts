// Starts a headless Chromium, with WebGPU on SwiftShader, that needs nothing but npm's packages: for tests of pages.
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { arch, env, platform } from 'node:process'
import { type Browser, chromium } from 'playwright-core'
import { unpacked } from './unpack.ts'

const archives = ['chromium.br', 'swiftshader.tar.br', 'fonts.tar.br', 'al2023.tar.br']
const flags = ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']
/** The archive's own configuration names folders of a system that this is not. */
const fontConfiguration = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`

/** Why the package's Chromium, which is built for Linux with glibc on x86-64, cannot run here; nothing if it can. */
export function whyNoChromium(): string | undefined {
  if (platform !== 'linux' || arch !== 'x64')
    return `Chromium of @sparticuz/chromium runs on linux-x64, this is ${platform}-${arch}`
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime === undefined ? 'Chromium of @sparticuz/chromium needs glibc' : undefined
}

/** Start the browser; whoever does so closes it. */
export async function launchChromium(): Promise<Browser> {
  const folder = await unpacked('chromium', archives)
  const fonts = join(folder, 'own-fonts.conf')
  if (!existsSync(fonts)) await writeFile(fonts, fontConfiguration)
  const surroundings: Record<string, string> = { FONTCONFIG_FILE: fonts, XDG_CACHE_HOME: folder }
  for (const [name, value] of Object.entries(env)) if (value !== undefined) surroundings[name] ??= value
  // Libraries of a desktop, such as NSS, which a machine with only Node lacks, are in the package too.
  surroundings['LD_LIBRARY_PATH'] = [join(folder, 'lib'), env['LD_LIBRARY_PATH']].filter(Boolean).join(':')
  return chromium.launch({ executablePath: join(folder, 'chromium'), args: flags, env: surroundings })
}
