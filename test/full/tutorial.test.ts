// The tutorial's training on a GPU and on the CPU: at a reduced size, accuracies agree as means of three seeds.
import { random, setDevice } from 'fluxion'
import { afterAll, expect, test } from 'vitest'
import { type TutorialSizes, type TutorialState, tutorial } from '../../bench/entries/tutorial.ts'

const epochs = 10
const sizes: Omit<TutorialSizes, 'seed'> = { batch: 16, steps: 32, channels: 128, hidden: 64, rate: 1e-3 }
afterAll(() => setDevice('wasm'))

async function accuracyOf(seed: number): Promise<number> {
  const { start, epoch, test } = await tutorial({ ...sizes, seed })
  let state: TutorialState = start
  for (let i = 0; i < epochs; i++) {
    const [next, losses] = epoch(state, random.foldIn(random.key(seed), i))
    await losses.data()
    state = next
  }
  const [predicted, labels, mask] = await Promise.all(test(state[0]).map((x) => x.ravel().data()))
  const counted = [...mask!].map((counts, i) => (counts === 1 ? Number(predicted![i] === labels![i]) : undefined))
  const right = counted.filter((value) => value !== undefined)
  expect(right).toHaveLength(400)
  return right.reduce((sum, value) => sum + value, 0) / right.length
}
async function meanAccuracy(device: 'wasm' | 'webgpu'): Promise<number> {
  await setDevice(device)
  const accuracies: number[] = []
  for (const seed of [0, 1, 2]) accuracies.push(await accuracyOf(seed))
  console.log(`${device}: test accuracy ${accuracies.map((x) => x.toFixed(4)).join(', ')}`)
  return accuracies.reduce((a, b) => a + b) / accuracies.length
}

test('three seeds reach the same accuracy on a GPU as on the CPU, within three points', async () => {
  const cpu = await meanAccuracy('wasm')
  // Far above chance, so that there is something to agree on.
  expect(cpu).toBeGreaterThan(0.25)
  const gpu = await meanAccuracy('webgpu')
  expect(Math.abs(gpu - cpu)).toBeLessThan(0.03)
}, 7_200_000)
