// Unpacks what the package @sparticuz/chromium brings along, once for each version of it.
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pid } from 'node:process'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createBrotliDecompress } from 'node:zlib'
import { extract } from 'tar'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * The folder `.cache/<name>/<version>` with the contents of some archives of the package: `.tar.br` as they are, another `.br` as a program.
 */
export async function unpacked(name: string, archives: readonly string[]): Promise<string> {
  const chromium = dirname(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))))
  const { version } = JSON.parse(await readFile(join(chromium, 'package.json'), 'utf8')) as { version: string }
  const folder = join(root, '.cache', name, version)
  if (existsSync(folder)) return folder
  // Another process may unpack at the same time: each does so apart, and the first one's folder stays.
  const apart = `${folder}.${pid}`
  await mkdir(apart, { recursive: true })
  await Promise.all(
    archives.map((archive) =>
      pipeline(
        createReadStream(join(chromium, 'bin', archive)),
        createBrotliDecompress(),
        archive.endsWith('.tar.br')
          ? extract({ cwd: apart })
          : createWriteStream(join(apart, archive.replace(/\.br$/, '')), { mode: 0o700 }),
      ),
    ),
  )
  await rename(apart, folder).catch(() => rm(apart, { recursive: true }))
  return folder
}
