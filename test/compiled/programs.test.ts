// Random programs compiled for WebAssembly give what the reference back end gives; test/full/compiled runs thousands of them.
import { test } from 'vitest'
import { checkPrograms } from './programs.ts'

const timeout = 120_000
test('exact programs give the same bits as WebAssembly and on the reference back end', { timeout }, () =>
  checkPrograms('wasm', { numRuns: 100, options: { exact: true } }),
)
test('other programs give the same on both but for rounding', { timeout }, () => checkPrograms('wasm', { numRuns: 50 }))
