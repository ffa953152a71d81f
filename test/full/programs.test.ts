// 20,000 random programs as WebAssembly against the reference back end, and on 1, 2 and 4 threads: new ones each time, by the thousand in processes of their own.
import { expect, test } from 'vitest'
import { inProcess } from '../compiled/processes.ts'

const timeout = 1_800_000
const parts = Array.from({ length: 10 }, (_, part) => part)
const check = (name: string, part: number): Promise<string | null> => {
  const options = { exact: part % 2 === 0, ...(part >= 8 ? { depth: 3, steps: 9 } : {}) }
  const seed = Math.floor(Math.random() * 2 ** 31)
  return inProcess('programs.main.ts', name, { numRuns: 2000, seed, options })
}
test.each(parts)('2,000 programs give the same as WebAssembly, part %i', { timeout }, async (part) => {
  expect(await check('wasm', part)).toBe(null)
})
test.each(parts)('2,000 programs give the same bits on any number of threads, part %i', { timeout }, async (part) => {
  expect(await check('threads', part)).toBe(null)
})
