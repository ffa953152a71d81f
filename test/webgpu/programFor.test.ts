// Random programs as GPUs run them, with loops as one kernel and long reductions in parts, mean the same as they were compiled: by interpreting both.
import { type Program, compile, interpretProgram, walkSteps } from '@fluxion/compiler'
import { typedPrograms } from '@fluxion/testing'
import { type Shaping, programFor } from '@fluxion/webgpu'
import * as fc from 'fast-check'
import { type ConcreteArray, makeJaxpr, onWarning } from 'fluxion'
import { expect, test } from 'vitest'
import { gpuDtypes } from './dtypes.ts'

const limits = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27, maxStorageBuffersPerShaderStage: 8 }
const workgroup = { bytes: 16384, invocations: 256 }
const devices: readonly Shaping[] = [true, false].map((shared) => ({
  traits: { shared, subgroups: false, half: false, workgroup },
  limits,
}))
const host = { rem: (x: number, y: number): number => x % y }
function loopsIn(program: Program): number {
  let found = 0
  walkSteps(program.steps, ({ op }) => void (found += Number(op === 'loop')))
  return found
}

test('programs mean the same, and most of their loops are kernels', () => {
  const warn = onWarning(() => {})
  let [before, after] = [0, 0]
  try {
    fc.assert(
      fc.property(typedPrograms({ exact: true, dtypes: gpuDtypes }), ({ f, args }) => {
        const program = compile(makeJaxpr(f)(...args), { name: 'webgpu', parallel: true, host: false })
        const inputs = args.map((arg) => (arg as ConcreteArray).host)
        const expected = interpretProgram(program, inputs, { host })
        for (const device of devices) {
          const shaped = programFor(program, device)
          before += loopsIn(program)
          after += loopsIn(shaped)
          const results = interpretProgram(shaped, inputs, { host })
          results.forEach(({ data }, i) => {
            // zeros may lose their sign
            const positive = (x: number): number => x + 0
            expect(Array.from(data, positive)).toEqual(Array.from(expected[i]!.data, positive))
          })
        }
      }),
      { numRuns: 150 },
    )
  } finally {
    onWarning(warn)
  }
  expect(before).toBeGreaterThan(10)
  expect(after).toBeLessThan(before / 2)
})
