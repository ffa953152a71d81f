// Scans whose carries meet only at their own elements are one nest each, and give the same bits as on the reference back end.
import fc from 'fast-check'
import { jit, makeJaxpr, onWarning } from 'fluxion'
import { type Program, type Step, compile, interpretProgram } from '@fluxion/compiler'
import { expect, test } from 'vitest'
import { type Read, deviceOf, difference, on, read } from './devices.ts'
import { type Recurrence, recurrences } from './recurrences.ts'

const [wasm, reference] = [await deviceOf('wasm'), await deviceOf('reference')]
const targets = [
  { name: 'wasm', parallel: false, host: true },
  { name: 'webgpu', parallel: true, host: true },
] as const
const loopsIn = (steps: readonly Step[]): number =>
  steps.filter(({ op }) => op === 'loop').length +
  steps.reduce((sum, step) => sum + (step.op === 'loop' ? loopsIn(step.body) : 0), 0)
const lowered = ({ f, args }: Recurrence, target: (typeof targets)[number]): Program =>
  compile(makeJaxpr(f)(...args), target)
/** What the interpreter of the loop IR makes of a program. */
const interpreted = (program: Program, { args }: Recurrence, like: readonly Read[]): Read[] =>
  interpretProgram(
    program,
    args.map((x) => ({ data: x.dataSync(), shape: x.shape, dtype: x.dtype })),
  ).map(({ data }, i) => ({ ...like[i]!, data: Array.from(data) }))

test('they mean the same as nests, for a machine and interpreted', { timeout: 120_000 }, async () => {
  const warn = onWarning(() => {})
  try {
    await fc.assert(
      fc.asyncProperty(recurrences(), async (given) => {
        const expected = await read(on(reference, () => given.f(...given.args)))
        for (const target of targets) {
          const program = lowered(given, target)
          if (given.args[3]!.shape[0] !== 0) expect(loopsIn(program.steps)).toBe(0)
          expect(difference(interpreted(program, given, expected), expected)).toBeUndefined()
        }
        expect(difference(await read(on(wasm, () => jit(given.f)(...given.args))), expected)).toBeUndefined()
      }),
      { numRuns: 150 },
    )
  } finally {
    onWarning(warn)
  }
})
