// The type tests: everything here, in examples, bench, tools and packages compiles under every strict flag, and each `@ts-expect-error` stands over an error.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const tsc = join(root, 'node_modules/typescript/bin/tsc')

test('the workspace and its type tests compile under every strict flag', { timeout: 120_000 }, async () => {
  const output = await promisify(execFile)(process.execPath, [tsc, '-b', '--pretty', 'false'], { cwd: root }).then(
    ({ stdout }) => stdout,
    (error: { readonly stdout?: string }) => error.stdout ?? String(error),
  )
  expect(output).toBe('')
})
