// Checks many random programs on a device, or on several threads, in a process of its own, and prints what was wrong: `node programs.main.ts '"wasm"' '{"numRuns":100}'`.
import type { DeviceName } from 'fluxion'
import { givenArguments } from './processes.ts'
import { type ProgramRuns, checkOnThreads, checkPrograms } from './programs.ts'

const [name, runs] = givenArguments() as [DeviceName | 'threads', ProgramRuns]
const wrong = await (name === 'threads' ? checkOnThreads(runs) : checkPrograms(name, runs)).then(
  () => null,
  (error: unknown) =>
    error instanceof Error && error.cause !== undefined ? `${error.message}\n${String(error.cause)}` : String(error),
)
console.log(JSON.stringify(wrong))
