// Which tests run and how: unit tests, tests across packages, and the examples of the documentation as generated tests.
import { env } from 'node:process'
import { defineConfig } from 'vitest/config'
import { folder, generateDoctests } from './tools/doctest/generate.ts'

generateDoctests()

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', '{test,examples,bench,tools}/**/*.test.ts', `${folder}/**/*.test.ts`],
    // what takes minutes stands in test/full, or in `x.full.test.ts` beside its source, and runs with `npm run test:full`
    exclude: [
      '**/node_modules/**',
      '**/dist/**',
      ...(env['FLUXION_FULL'] === '1' ? [] : ['test/full/**', '**/*.full.test.ts']),
    ],
    // one process for each core, and one load of the library in each: a test that needs a fresh process starts one
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    // a test that hangs is to end, not one on a busy machine
    testTimeout: 60_000,
    setupFiles: ['tools/vitest.setup.ts'],
  },
})
