// Memory stays bounded over many steps, in bytes: what the process holds, what array buffers hold, and WebAssembly's memory.
import type { DeviceName } from 'fluxion'
import { expect } from 'vitest'
import type { Growth } from './memory.main.ts'
import { inProcess } from './processes.ts'

const mebibyte = 2 ** 20
/** Steps of a small network: their arrays would be 100,000 times 10 KiB. */
export async function checkTraining(name: DeviceName, steps: number): Promise<void> {
  const growth = await inProcess<Growth>('memory.main.ts', name, 'train', steps)
  expect(growth.result).toBeLessThan(1)
  expect(growth.rss).toBeLessThan(300 * mebibyte)
  expect(growth.arrayBuffers).toBeLessThan(200 * mebibyte)
  expect(growth.wasm).toBeLessThan(300 * mebibyte)
}
/** Eager updates of 4 MB each. */
export async function checkUpdates(name: DeviceName, steps: number): Promise<void> {
  const growth = await inProcess<Growth>('memory.main.ts', name, 'update', steps)
  expect(growth.result).toBe(steps + 21)
  expect(growth.rss).toBeLessThan(600 * mebibyte)
  expect(growth.arrayBuffers).toBeLessThan(600 * mebibyte)
  expect(growth.wasm).toBeLessThan(600 * mebibyte)
}
