// Loops that never wait keep memory bounded on WebAssembly; test/full has ten and twenty times as many steps.
import { test } from 'vitest'
import { checkTraining, checkUpdates } from './memory.ts'

const timeout = 120_000
test('5,000 steps of a small train step in a loop that never awaits', { timeout }, () => checkTraining('wasm', 5000))
test('300 eager updates of a 4 MB array', { timeout }, () => checkUpdates('wasm', 300))
