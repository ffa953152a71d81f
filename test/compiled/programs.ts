// Random programs, compiled for a device, against the reference back end.
import fc from 'fast-check'
import { type Backend, type DeviceName, dtypes, jit, onWarning } from 'fluxion'
import { type TypedProgram, type TypedProgramOptions, typedPrograms } from '@fluxion/testing'
import { type Allowed, type Read, deviceOf, difference, exactlyOn, on, read } from './devices.ts'
import { firstDifference } from './stages.ts'

/**
 * Programs that are not exact may differ by so many units of rounding of their largest results: they keep values near 1 and have
 * some hundreds of operations in a row at most, loops included.
 */
const units = 2 ** 12
export const allowedOf = ({ exact }: TypedProgram, expected: readonly Read[], device: Backend): Allowed => {
  if (exact) return exactlyOn(device)
  return (value, _, result) => units * dtypes[expected[result]!.dtype].eps * Math.max(1, Math.abs(value))
}

/** Check one program on a device; what differs is reported with the stage where it first does. */
export async function checkProgram(program: TypedProgram, reference: Backend, device: Backend): Promise<void> {
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
  const where = device.name === 'wasm' ? await firstDifference(f, args, { reference, device, allowed }) : undefined
  throw new Error(`${device.name}: ${wrong}\nfirst differs ${where ?? 'on the device'}`)
}

export interface ProgramRuns {
  readonly numRuns: number
  readonly seed?: number
  readonly options?: TypedProgramOptions
}
/** Check so many random programs on a device. */
export async function checkPrograms(name: DeviceName, { numRuns, seed, options = {} }: ProgramRuns): Promise<void> {
  const [reference, device] = [await deviceOf('reference'), await deviceOf(name)]
  const property = fc.asyncProperty(typedPrograms(options), (program) => checkProgram(program, reference, device))
  // Random programs compare what they do not use.
  const warn = onWarning(() => {})
  try {
    await fc.assert(property, { numRuns, ...(seed === undefined ? {} : { seed }) })
  } finally {
    onWarning(warn)
  }
}
