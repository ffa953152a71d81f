// Loops that never wait keep memory bounded on WebAssembly, however long they run.
import { test } from 'vitest'
import { checkTraining, checkUpdates } from '../compiled/memory.ts'

const timeout = 600_000
test('100,000 steps of a small train step in a loop that never awaits', { timeout }, () =>
  checkTraining('wasm', 100_000),
)
test('10,000 eager updates of a 4 MB array', { timeout }, () => checkUpdates('wasm', 10_000))
