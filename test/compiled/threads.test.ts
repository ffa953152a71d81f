// Workers and the life of a process: they keep none alive, and results do not depend on them.
import { expect, test } from 'vitest'
import { inProcess } from './processes.ts'

test('a process with workers ends when its script does, and when it says so', async () => {
  const one = await inProcess<number>('threads.main.ts', 1, false)
  expect(one).toBeGreaterThan(0)
  expect(await inProcess<number>('threads.main.ts', 3, false)).toBe(one)
  expect(await inProcess<number>('threads.main.ts', 3, true)).toBe(one)
})
