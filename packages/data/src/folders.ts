/** Where data sets lie. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DataFormatError } from '@fluxion/core'

/** The built-in spoken digits: synthetic speech in the layout of the Spiking Heidelberg Digits. */
export const builtInFolder: string = fileURLToPath(new URL('../datasets/spoken-digits/', import.meta.url))

/** The file of a split in a folder, plain or gzipped. */
export async function findRecordings(folder: string, split: string): Promise<string> {
  for (const ending of ['.h5', '.h5.gz']) {
    const path = join(folder, split + ending)
    const there = await access(path).then(
      () => true,
      () => false,
    )
    if (there) return path
  }
  throw new DataFormatError(`there is no ${split}.h5, nor ${split}.h5.gz, in this folder`, { file: folder })
}
