// Runs what needs a process of its own: a script beside this file, whose last line of output is its answer.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Run a script with arguments that JSON can hold. */
export async function inProcess<T>(script: string, ...args: readonly unknown[]): Promise<T> {
  const given = args.map((arg) => JSON.stringify(arg))
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, script), ...given], {
    maxBuffer: 2 ** 26,
  })
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as T
}
/** The arguments of this process. */
export const givenArguments = (): unknown[] => process.argv.slice(2).map((text) => JSON.parse(text) as unknown)
