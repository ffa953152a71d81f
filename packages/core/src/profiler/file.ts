/** Writes traces to files, where there is a process that can. */
import { OptionError, misuse } from '../errors.ts'
import type { Trace } from './recording.ts'

interface Files {
  readonly mkdirSync: (path: string, options: { readonly recursive: true }) => void
  readonly writeFileSync: (path: string, data: string) => void
  readonly renameSync: (from: string, to: string) => void
  readonly rmSync: (path: string, options: { readonly force: true }) => void
}
interface Process {
  readonly pid: number
  readonly getBuiltinModule?: (name: string) => unknown
  on(event: string, listener: () => void): void
}
export const processHere = (): Process | undefined => (globalThis as { process?: Process }).process
/** Asked of the process, not imported: a bundle for pages has no such module. */
const files = (): Files | undefined => processHere()?.getBuiltinModule?.('node:fs') as Files | undefined

/** Refuse a path where no file can be written. */
export function checkPath(where: string, path: string | undefined): void {
  if (path !== undefined && files() === undefined) {
    const hint = 'startTrace() without a path, then save what `await stopTrace()` gives'
    throw new OptionError(misuse(where, 'no path, since a page cannot write files', `'${path}'`, hint))
  }
}
/** Write a trace under another name beside its place, then rename it, so that a stop leaves no half of it. */
export function writeTrace(path: string, trace: Trace): void {
  const { mkdirSync, writeFileSync, renameSync, rmSync } = files()!
  const partial = `${path}.${processHere()!.pid}.partial`
  const folder = path.replace(/[^/\\]*$/, '')
  if (folder !== '') mkdirSync(folder, { recursive: true })
  try {
    writeFileSync(partial, JSON.stringify(trace))
    renameSync(partial, path)
  } catch (cause) {
    rmSync(partial, { force: true })
    throw cause
  }
}
