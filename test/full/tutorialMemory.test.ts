// What the tutorial holds at most, at the original's size: the three trainings and the evaluation over all test recordings.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { random } from 'fluxion'
import { shdLoader } from '@fluxion/data'
import { expect, test } from 'vitest'
import { original } from '../../examples/settings.ts'

const mebibyte = 2 ** 20
const root = join(import.meta.dirname, '..', '..')
/** Prints the most memory that the process has held, once it ends. */
const watch = `process.on('exit', () => console.log('peak ' + process.resourceUsage().maxRSS * 1024))`

test('training at full size, which is the default, stays below 400 MiB beside the data set', async () => {
  const { batch, steps, channels } = original
  const shd = await shdLoader({ batchSize: batch, sampleT: steps, channels })
  const sets = [shd.trainEpoch(random.key(0)), shd.valEpoch(), shd.testAll()]
  const dataset = sets.reduce((sum, { obs }) => sum + obs.size, 0)
  const out = mkdtempSync(join(tmpdir(), 'fluxion-'))
  const script = join(root, 'examples', 'surrogate_gradient_tutorial.ts')
  const preload = `data:text/javascript,${encodeURIComponent(watch)}`
  // As `npm start` runs it, but for a shorter time.
  const args = ['--max-semi-space-size=8', '--import', preload, script, '--epochs', '3', '--out', out]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  rmSync(out, { recursive: true })
  for (const name of ['batch', 'steps', 'channels', 'hidden'] as const)
    expect(stdout).toMatch(new RegExp(`^ +${name} +${original[name]} +${original[name]}$`, 'm'))
  expect(stdout).toMatch(/^ +precision +half +half$/m)
  expect(stdout).toContain('test accuracy')
  const peak = Number(/^peak (\d+)$/m.exec(stdout)?.[1])
  console.log(`peak ${(peak / mebibyte).toFixed(0)} MiB, of them data set ${(dataset / mebibyte).toFixed(1)} MiB`)
  expect(peak - dataset).toBeLessThan(400 * mebibyte)
}, 600_000)
