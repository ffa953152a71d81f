/** Writing files whole or not at all. */
import { rename, rm, writeFile } from 'node:fs/promises'

/** Write a file beside its place and move it there, so that a stop at any moment leaves no half-written file. */
export const writeWhole = async (path: string, bytes: Uint8Array): Promise<void> => {
  const partial = `${path}.${process.pid}.partial`
  try {
    await writeFile(partial, bytes)
    await rename(partial, path)
  } catch (cause) {
    await rm(partial, { force: true })
    throw cause
  }
}
