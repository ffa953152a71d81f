// Threads: results do not depend on how many there are, and they keep no process alive.
import { createWasm } from '@fluxion/wasm'
import { typedPrograms } from '@fluxion/testing'
import fc from 'fast-check'
import { type Backend, backend as current, jit, onWarning, setBackend } from 'fluxion'
import { expect, test } from 'vitest'
import { on, read } from './devices.ts'
import { inProcess } from './processes.ts'

test('a process with workers ends when its script does, and when it says so', async () => {
  const one = await inProcess<number>('threads.main.ts', 1, false)
  expect(one).toBeGreaterThan(0)
  expect(await inProcess<number>('threads.main.ts', 3, false)).toBe(one)
  expect(await inProcess<number>('threads.main.ts', 3, true)).toBe(one)
})
test('random programs give the same bits on 1, 2 and 4 threads', { timeout: 120_000 }, async () => {
  // All that can be shared is.
  const devices = [1, 2, 4].map((threads): Backend => createWasm({ threads, shareFrom: 0, budget: 2 ** 24 }))
  const before = current()
  const warn = onWarning(() => {})
  try {
    await fc.assert(
      fc.asyncProperty(typedPrograms({}), async ({ f, args }) => {
        const [one, ...others] = await Promise.all(devices.map((device) => read(on(device, () => jit(f)(...args)))))
        for (const other of others) expect(other).toEqual(one)
      }),
      { numRuns: 60 },
    )
  } finally {
    onWarning(warn)
    setBackend(before)
  }
})
