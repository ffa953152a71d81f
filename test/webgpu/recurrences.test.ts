// Random scans whose carries meet only at their own elements, on a GPU.
import fc from 'fast-check'
import { jit, onWarning } from 'fluxion'
import { expect, test } from 'vitest'
import { deviceOf, difference, exactlyOn, on, read } from '../compiled/devices.ts'
import { recurrences } from '../compiled/recurrences.ts'
import { gpuDtypes } from './dtypes.ts'

const [gpu, reference] = [await deviceOf('webgpu'), await deviceOf('reference')]

test('they mean the same on a GPU', { timeout: 120_000 }, async () => {
  const warn = onWarning(() => {})
  try {
    await fc.assert(
      fc.asyncProperty(recurrences(gpuDtypes), async ({ f, args }) => {
        const expected = await read(on(reference, () => f(...args)))
        const got = await read(on(gpu, () => jit(f)(...args)))
        expect(difference(got, expected, exactlyOn(gpu))).toBeUndefined()
      }),
      { numRuns: 20 },
    )
  } finally {
    onWarning(warn)
  }
})
