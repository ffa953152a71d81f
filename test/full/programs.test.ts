// 20,000 random programs as WebAssembly against the reference back end: new ones each time, by the thousand in processes of their own.
import { expect, test } from 'vitest'
import { inProcess } from '../compiled/processes.ts'

const timeout = 600_000
const parts = Array.from({ length: 10 }, (_, part) => part)
test.each(parts)('2,000 programs give the same as WebAssembly, part %i', { timeout }, async (part) => {
  const options = { exact: part % 2 === 0, ...(part >= 8 ? { depth: 3, steps: 9 } : {}) }
  const seed = Math.floor(Math.random() * 2 ** 31)
  expect(await inProcess<string | null>('programs.main.ts', 'wasm', { numRuns: 2000, seed, options })).toBe(null)
})
