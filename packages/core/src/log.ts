/** What `FLUXION_LOG` asks to be told: with `compile`, a line for each compilation, and what makes functions be traced again and again. */
import { setting } from './setting.ts'

/** Whether a kind of message was asked for. */
export const logs = (kind: string): boolean => setting('FLUXION_LOG')?.split(',').includes(kind) ?? false
let write: (line: string) => void = (line) => console.error(line)
export const log = (line: string): void => write(`fluxion: ${line}`)
/** Send the log elsewhere than to standard error; gives the function that received it before. */
export function onLog(handler: (line: string) => void): (line: string) => void {
  const before = write
  write = handler
  return before
}
