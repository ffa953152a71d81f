// What the tutorial holds at most, at the original's size: the three trainings and the evaluation over all test recordings.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { random } from 'fluxion'
import { shdLoader } from '@fluxion/data'
import { expect, test } from 'vitest'

const mebibyte = 2 ** 20
const root = join(import.meta.dirname, '..', '..')
/** Prints the most memory that the process has held, once it ends. */
const watch = `process.on('exit', () => console.log('peak ' + process.resourceUsage().maxRSS * 1024))`

test('training at full size stays below 512 MiB beside the data set', async () => {
  const shd = await shdLoader({ batchSize: 256, sampleT: 128, channels: 256 })
  const sets = [shd.trainEpoch(random.key(0)), shd.valEpoch(), shd.testAll()]
  const dataset = sets.reduce((sum, { obs }) => sum + obs.size, 0)
  const out = mkdtempSync(join(tmpdir(), 'fluxion-'))
  const sizes = { epochs: 3, batch: 256, steps: 128, channels: 256, hidden: 128, precision: 'half', out }
  const args = Object.entries(sizes).flatMap(([name, value]) => [`--${name}`, String(value)])
  const script = join(root, 'examples', 'surrogate_gradient_tutorial.ts')
  const preload = `data:text/javascript,${encodeURIComponent(watch)}`
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', preload, script, ...args], { cwd: root })
  rmSync(out, { recursive: true })
  expect(stdout).toContain('test accuracy')
  const peak = Number(/^peak (\d+)$/m.exec(stdout)?.[1])
  console.log(`peak ${(peak / mebibyte).toFixed(0)} MiB, of them data set ${(dataset / mebibyte).toFixed(1)} MiB`)
  expect(peak - dataset).toBeLessThan(512 * mebibyte)
}, 600_000)
