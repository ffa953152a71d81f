// Loops that wait now and then keep memory bounded on WebGPU, the GPU's among it: SwiftShader's is the process's.
import { test } from 'vitest'
import { checkTraining, checkUpdates } from '../compiled/memory.ts'

const timeout = 300_000
test('1,000 steps of a small train step', { timeout }, () => checkTraining('webgpu', 1000))
test('100 eager updates of a 4 MB array', { timeout }, () => checkUpdates('webgpu', 100))
