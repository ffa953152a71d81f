// Threads: results do not depend on how many there are, and they keep no process alive.
import { expect, test } from 'vitest'
import { inProcess } from './processes.ts'
import { checkOnThreads } from './programs.ts'

test('a process with workers ends when its script does, and when it says so', async () => {
  const one = await inProcess<number>('threads.main.ts', 1, false)
  expect(one).toBeGreaterThan(0)
  expect(await inProcess<number>('threads.main.ts', 3, false)).toBe(one)
  expect(await inProcess<number>('threads.main.ts', 3, true)).toBe(one)
})
test('random programs give the same bits on 1, 2 and 4 threads, in tiles too', { timeout: 120_000 }, async () => {
  expect(await checkOnThreads({ numRuns: 60 })).toBeGreaterThan(0)
})
