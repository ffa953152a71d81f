// Random programs, compiled for a device, against the reference back end, and on several threads against one.
import type { TileLimits } from '@fluxion/compiler'
import fc from 'fast-check'
import { type Backend, type DeviceName, dtypes, jit, onWarning } from 'fluxion'
import { type TypedProgram, type TypedProgramOptions, typedPrograms } from '@fluxion/testing'
import { type Allowed, type Read, deviceOf, difference, everyTile, exactlyOn, on, read, sharing } from './devices.ts'
import { firstDifference } from './stages.ts'

/**
 * Programs that are not exact may differ by so many units of rounding of their largest results: they keep values near 1 and have
 * some hundreds of operations in a row at most, loops included.
 */
const units = 2 ** 12
const allowedOf = ({ exact }: TypedProgram, expected: readonly Read[], device: Backend): Allowed => {
  if (exact) return exactlyOn(device)
  return (value, _, result) => units * dtypes[expected[result]!.dtype].eps * Math.max(1, Math.abs(value))
}

/** Check one program on a device; what differs is reported with the stage where it first does. */
export async function checkProgram(
  program: TypedProgram,
  reference: Backend,
  device: Backend,
  tiles?: TileLimits,
): Promise<void> {
  const { f, args } = program
  const expected = await read(on(reference, () => f(...args)))
  const allowed = allowedOf(program, expected, device)
  let wrong: string | undefined
  try {
    wrong = difference(await read(on(device, () => jit(f)(...args))), expected, allowed)
  } catch (error) {
    wrong = error instanceof Error ? error.message : String(error)
  }
  if (wrong === undefined) return
  const where =
    device.name === 'wasm' ? await firstDifference(f, args, { reference, device, allowed, tiles }) : undefined
  throw new Error(`${device.name}: ${wrong}\nfirst differs ${where ?? 'on the device'}`)
}

export interface ProgramRuns {
  readonly numRuns: number
  readonly seed?: number
  readonly options?: TypedProgramOptions
}
async function checkEach(
  { numRuns, seed, options = {} }: ProgramRuns,
  check: (program: TypedProgram) => Promise<void>,
): Promise<void> {
  // Random programs compare what they do not use.
  const warn = onWarning(() => {})
  try {
    const property = fc.asyncProperty(typedPrograms(options), check)
    await fc.assert(property, { numRuns, ...(seed === undefined ? {} : { seed }) })
  } finally {
    onWarning(warn)
  }
}
/** Check so many random programs on a device. */
export async function checkPrograms(name: DeviceName, runs: ProgramRuns): Promise<void> {
  const [reference, device] = [await deviceOf('reference'), await deviceOf(name)]
  await checkEach(runs, (program) => checkProgram(program, reference, device))
}

const shares = ({ f, args }: TypedProgram): boolean => {
  const lowered = jit(f).lower(...args)
  return lowered.asText('loops').includes(' in groups ')
}
/**
 * Check so many random programs on 1, 2 and 4 threads, where all that can is in tiles and shared: right on one, the same bits on all. Gives how many
 * of the first few have iterations that are shared.
 */
export async function checkOnThreads(runs: ProgramRuns): Promise<number> {
  const reference = await deviceOf('reference')
  const [one, ...others] = [1, 2, 4].map(sharing)
  let [left, shared] = [40, 0]
  await checkEach(runs, async (program) => {
    await checkProgram(program, reference, one!, everyTile)
    if (left-- > 0 && on(one!, () => shares(program))) shared++
    const results = (device: Backend): Promise<Read[]> => read(on(device, () => jit(program.f)(...program.args)))
    const expected = await results(one!)
    for (const [i, device] of others.entries()) {
      const wrong = difference(await results(device), expected)
      if (wrong !== undefined) throw new Error(`${[2, 4][i]} threads differ from one: ${wrong}`)
    }
  })
  return shared
}
