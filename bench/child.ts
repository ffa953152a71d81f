/** A measurement in a process of its own: started, waited for no longer than it may take, its last line read as JSON. */
import { type ChildProcess, spawn } from 'node:child_process'

export interface Measured {
  readonly median_ms: number
  readonly min_ms: number
  readonly runs: number
  readonly first_ms?: number
  readonly compile_ms?: number
  /** How many steps of a loop over time stand in its body, where that was tried. */
  readonly unroll?: number
  readonly version?: string
}
/** Why there is no figure. */
export interface Missing {
  readonly missing: string
}
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Measurements end with this process, whatever ends it. */
const running = new Set<ChildProcess>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill('SIGKILL')
    process.kill(process.pid, signal)
  })
}

/** Run a command to its end, for `seconds` at most. What it says of errors is shown only with `loud`; else its last line is the reason. */
export function measure<T extends Measured>(command: Command, seconds: number, loud = false): Promise<T | Missing> {
  const { promise, resolve } = Promise.withResolvers<T | Missing>()
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...command.env },
  })
  running.add(child)
  let [out, errors, late] = ['', '', false]
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
    if (loud) process.stderr.write(text)
  })
  const limit = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, seconds * 1000)
  child.on('error', (error) => resolve({ missing: error.message }))
  child.on('close', (code) => {
    clearTimeout(limit)
    running.delete(child)
    if (late) return resolve({ missing: `takes more than ${seconds} s, warming up and compiling included` })
    if (code !== 0) return resolve({ missing: `failed: ${lastLine(errors) ?? `exit code ${code}`}` })
    resolve(JSON.parse(lastLine(out)!) as T | Missing)
  })
  return promise
}
const lastLine = (text: string): string | undefined =>
  text
    .split('\n')
    .filter((line) => /\S/.test(line) && !/^\s+at |^Node\.js v/.test(line))
    .at(-1)
