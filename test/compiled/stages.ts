// Where on its way to a device a program first means something else: after a pass, after lowering, or on the device.
import { type Program, type TileLimits, compile, interpretProgram, optimise } from '@fluxion/compiler'
import { type Backend, type ClosedJaxpr, type ConcreteArray, type NDArray, evalJaxpr, jit, makeJaxpr } from 'fluxion'
import { type Allowed, type Read, difference, exactly, on, read } from './devices.ts'

const target = { name: 'wasm', parallel: false, host: true } as const
/** What `host` expressions name beside the functions of `Math`. */
const host = { rem: (x: number, y: number): number => x % y }

/** Run a lowered program by the interpreter of loops. */
export function interpreted(program: ClosedJaxpr, args: readonly NDArray[], tiles?: TileLimits): Read[] {
  const lowered: Program = compile(program, { ...target, ...(tiles && { tiles }) })
  const inputs = args.map((arg) => (arg as ConcreteArray).host)
  return interpretProgram(lowered, inputs, { host }).map(({ data }, i) => {
    const { shape, dtype, weakType } = program.jaxpr.outputs[i]!.aval
    return { shape: [...shape], dtype, weakType, data: Array.from(data) }
  })
}

export interface StageOptions {
  readonly reference: Backend
  readonly device?: Backend
  readonly allowed?: Allowed
  /** The limits by which the device tiles programs, if they are not the usual ones. */
  readonly tiles?: TileLimits | undefined
}
/** The first stage whose results differ from those of the function run operation by operation on the reference back end. */
export async function firstDifference(
  f: (...args: NDArray[]) => NDArray[],
  args: readonly NDArray[],
  { reference, device, allowed = exactly, tiles }: StageOptions,
): Promise<string | undefined> {
  const expected = await read(on(reference, () => f(...args)))
  const traced = on(reference, () => makeJaxpr(f)(...args))
  const found: string[] = []
  const stage = async (name: string, run: () => readonly Read[] | Promise<readonly Read[]>): Promise<void> => {
    if (found.length > 0) return
    let wrong: string | undefined
    try {
      wrong = difference(await run(), expected, allowed)
    } catch (error) {
      wrong = error instanceof Error ? (error.stack ?? error.message) : String(error)
    }
    if (wrong !== undefined) found.push(`${name}: ${wrong}`)
  }
  const evaluate = (program: ClosedJaxpr, given: readonly NDArray[]): Promise<Read[]> =>
    read(on(reference, () => evalJaxpr(program, given)))

  await stage('traced', () => evaluate(traced, args))
  const passes: [string, ClosedJaxpr][] = []
  await stage('optimised', async () => {
    optimise(traced, { ...(tiles && { tiles }), check: (name, program) => passes.push([name, program]) })
    return expected
  })
  for (const [name, program] of passes) await stage(`after the pass '${name}'`, () => evaluate(program, args))
  await stage('lowered', () => interpreted(traced, args, tiles))
  if (device !== undefined) await stage(device.name, () => read(on(device, () => jit(f)(...args))))
  return found[0]
}
